#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a person sees who starts a machine from the CD and waits.

load ../lib/boot

setup_file ()
{
  boot_start kiosk
  export BOOT_MEDIUM=$P2V_BUILD/p2v.iso
}

teardown_file () { boot_stop; }

# The window is on the screen: in graphics, and more light than dark. (Menus and consoles are dark.)
shows_window ()
{
  boot_screen "$1" "$BOOT_DIR/$1.ppm"
  perl -e '
    binmode STDIN;
    local $/ = undef;
    my ($width, $height, $pixels) = <STDIN> =~ /^P6\s+(\d+)\s+(\d+)\s+255\s(.*)$/s or exit 1;
    my ($light, $count) = (0, 0);
    for (my $i = 0; $i + 2 < length $pixels; $i += 3 * 97, $count++)
      {
        $light++ if (grep { $_ >= 0xc0 } unpack "C3", substr $pixels, $i, 3) == 3;
      }
    exit !($width >= 800 && $light > $count / 2)' <"$BOOT_DIR/$1.ppm"
}

@test "the first page of the kiosk is there soon" {
  boot_machine first bios-cd
  local started=$EPOCHREALTIME taken
  boot_wait first 240 shows_window first
  taken=$(((${EPOCHREALTIME/./} - ${started/./}) / 100000))
  printf '# first page of the kiosk %d.%d s after the machine was switched on (menu of 5 s included)\n' \
    $((taken / 10)) $((taken % 10)) >&3
  sleep 3
  boot_screen first "$BOOT_OUT/first-page.png"
  # A shell is on the serial console meanwhile; nothing has failed.
  boot_shell first 60 <<'SHELL'
systemctl is-active p2v-kiosk.service
systemctl list-units --failed --no-legend --plain
journalctl --boot --priority=err --no-pager --quiet
poweroff
SHELL
  boot_wait_off first 60
  assert_equal "$(boot_shell_said first 'systemctl is-active p2v-kiosk.service')" $'active\nexit 0'
  assert_equal "$(boot_shell_said first 'systemctl list-units --failed --no-legend --plain')" 'exit 0'
}
