#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A machine with UEFI that starts nothing but what Microsoft's keys vouch for.

load ../lib/boot

setup_file ()
{
  boot_start secure-boot
  boot_site_secure
}

teardown_file () { boot_stop; }

@test "Secure Boot, from a USB stick: the image knows that it is on, and the disk arrives" {
  boot_disk "$T/internal" 64
  # Stick and disk are sda and sdb or the other way round.
  boot_convert usb secure-usb @internal="$T/internal" -- \
    -drive "file=$T/internal,format=raw,if=none,id=internal" \
    -device ide-hd,drive=internal,bus=ide.1,serial=internal
  assert_secure usb
}

@test "Secure Boot is really enforced here: a kernel that was changed does not start" {
  local medium=$BOOT_MEDIUM at
  cp "$BOOT_MEDIUM" "$BOOT_DIR/changed.iso"
  at=$(iso_offset "$BOOT_MEDIUM" /p2v/vmlinuz)
  printf 'x' | dd of="$BOOT_DIR/changed.iso" bs=1 seek=$((at + 1000000)) conv=notrunc status=none
  BOOT_MEDIUM=$BOOT_DIR/changed.iso boot_machine changed secure-cd -nic none
  BOOT_MEDIUM=$medium
  boot_wait_serial changed 'bad shim signature|Security Policy Violation|Access Denied|prohibited' 120
  boot_kill changed
  refute_said changed 'Looking at this machine'
}

# Where a file's bytes are in an ISO image.
iso_offset ()
{
  local lines start
  lines=$(xorriso -indev "$1" -find "$2" -exec report_lba 2>/dev/null)
  # File data lba:  0 ,  START ,  BLOCKS ,  BYTES , 'PATH'
  start=$(awk -F, '/^File data lba/ { gsub (/ /, "", $2); print $2 }' <<<"$lines")
  [[ $start =~ ^[0-9]+$ ]] || assert_fail "xorriso says nothing of $2: $lines" || return 1
  echo $((start * 2048))
}
