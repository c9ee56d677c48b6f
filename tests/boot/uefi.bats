#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A machine with UEFI, without Secure Boot.

load ../lib/boot

setup_file ()
{
  boot_start uefi
  boot_site
}

teardown_file () { boot_stop; }

# Converts from the medium of firmware $1.
convert_from ()
{
  boot_disk "$T/internal" 64
  # Stick and disk are sda and sdb or the other way round.
  boot_convert "$1" "$1" @internal="$T/internal" -- \
    -drive "file=$T/internal,format=raw,if=none,id=internal" \
    -device ide-hd,drive=internal,bus=ide.1,serial=internal
  # GRUB's menu is on the serial port too.
  assert_said "$1" 'Convert this machine to 10\.0\.2\.2'
  assert_equal "$(jq -r .request.machine.firmware.type "$BOOT_OUT/p2v-$1.json")" uefi
}

@test "UEFI, from CD" {
  convert_from uefi-cd
}

@test "UEFI, from a USB stick" {
  convert_from uefi-usb
}
