#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The menu's entry that verifies the medium.

load ../lib/boot

setup_file ()
{
  boot_start verify
  export BOOT_MEDIUM=$BOOT_DIR/verify.iso
  boot_media
}

teardown_file () { boot_stop; }

# Starts a machine and chooses the entry in the menu.
verify ()
{
  boot_machine "$1" "$2" -nic none
  boot_choose "$1" v
}

@test "a medium that p2v-server media has made is good" {
  verify good bios-cd
  boot_wait_serial good 'The medium is good'
  boot_screen good
  boot_kill good
  assert_said good './boot/grub/site.cfg: OK' './p2v/initramfs.img: OK' './p2v/site.img: OK'
  refute_said good 'FAILED|WARNING|No such file'
}

@test "a single byte that was flipped is found, from a USB stick too" {
  local lines start
  # In the middle of the EFI boot image, which a BIOS does not need.
  lines=$(xorriso -indev "$BOOT_MEDIUM" -find /EFI/efi.img -exec report_lba 2>/dev/null)
  start=$(awk -F, '/^File data lba/ { gsub (/ /, "", $2); print $2 }' <<<"$lines")
  local at=$((start * 2048 + 4000000)) byte
  byte=$(od -An -tu1 -j "$at" -N 1 "$BOOT_MEDIUM")
  # shellcheck disable=SC2059 # an octal number
  printf "\\$(printf %o $((byte ^ 1)))" | dd of="$BOOT_MEDIUM" bs=1 seek="$at" conv=notrunc status=none
  verify damaged bios-usb
  boot_wait_serial damaged 'THE MEDIUM IS DAMAGED'
  boot_screen damaged
  boot_kill damaged
  assert_said damaged './EFI/efi.img: FAILED' './p2v/vmlinuz: OK'
}
