#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A person in front of a machine that was started from the CD.

load ../lib/boot

setup_file ()
{
  boot_start kiosk
}

teardown_file () { boot_stop; }

# The window is on the screen: more light than dark. (Menus and consoles are dark.)
shows_window () { boot_shows "$1" 50 240 240 240; }

@test "the first page of the kiosk is there soon" {
  BOOT_MEDIUM=$P2V_BUILD/p2v.iso boot_machine first bios-cd
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

# Nothing changes on the screen for three seconds.
is_still ()
{
  boot_screen "$1" "$BOOT_DIR/before.ppm"
  sleep 3
  boot_screen "$1" "$BOOT_DIR/after.ppm"
  cmp -s "$BOOT_DIR/before.ppm" "$BOOT_DIR/after.ppm"
}

# One page further, unless this was the last.
next_page ()
{
  boot_wait person 60 is_still person
  boot_screen person "$BOOT_OUT/page-$1.png"
  boot_press person alt n
  sleep 2
}

person_has () { [[ $(p2v_server jobs --json | jq -r '.jobs[-1] | .state // ""') = "$1" ]]; }

@test "with the keyboard alone a machine is converted, page by page, in Chinese" {
  local number mapped="cat /proc/[0-9]*/maps | grep -o -e 'zh_CN/.*/p2v.mo' -e 'DroidSans.*' | sort -u"
  boot_site
  # Prepared for this server; who starts it is asked all the same.
  boot_media --argument p2v.o=local --argument "p2v.os=$SERVER_IMAGES" --argument p2v.of=raw \
    --argument p2v.language=zh_CN --timeout 1
  boot_disk "$T/sda" 64
  boot_machine person bios-cd -drive "file=$T/sda,format=raw,if=ide,index=0"
  boot_wait person 240 shows_window person
  # Welcome, server, machine, guest: pages that lead on with Alt+N, the server's when it has answered.
  for number in 1 2 3 4; do
    next_page "$number"
  done
  boot_wait person 60 is_still person
  boot_screen person "$BOOT_OUT/page-5.png"
  # The catalogue is read, and letters of the font for it were drawn.
  boot_shell person 60 <<<"$mapped"
  assert_equal "$(boot_shell_said person "$mapped")" \
    $'DroidSansFallbackFull.ttf\nzh_CN/LC_MESSAGES/p2v.mo\nexit 0'
  assert_equal "$(p2v_server jobs --json | jq '.jobs | length')" 0
  boot_press person alt c
  # Without virt-v2v it ends there, see boot.bash.
  boot_wait person "$BOOT_SECONDS" person_has failed
  boot_wait person 60 is_still person
  boot_screen person "$BOOT_OUT/page-6.png"
  assert_landed p2v-person "sda=$T/sda"
  # The last page's "Power off".
  boot_press person alt o
  boot_wait_off person 60
}
