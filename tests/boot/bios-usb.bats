#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A machine with a BIOS, started from a USB stick that holds the ISO image as it is.

load ../lib/boot

setup_file ()
{
  boot_start bios-usb
  boot_site
}

teardown_file () { boot_stop; }

@test "BIOS, from a USB stick on xHCI: the disk arrives, the stick is not taken for one" {
  boot_disk "$T/sda" 64
  boot_convert xhci bios-usb "sda=$T/sda" -- -drive "file=$T/sda,format=raw,if=ide,index=0"
  assert_equal "$(jq -r '.transfers | length' "$BOOT_OUT/p2v-xhci.json")" 1
}

@test "BIOS, from a USB stick on EHCI" {
  boot_disk "$T/sda" 64
  BOOT_USB=usb-ehci boot_convert ehci bios-usb "sda=$T/sda" -- \
    -drive "file=$T/sda,format=raw,if=ide,index=0"
}
