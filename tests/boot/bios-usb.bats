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

# Converts a machine of that name, which starts from the stick on the controller $BOOT_USB.
convert_from_usb ()
{
  boot_disk "$T/internal" 64
  # Stick and disk are sda and sdb or the other way round.
  boot_convert "$1" bios-usb @internal="$T/internal" -- \
    -drive "file=$T/internal,format=raw,if=none,id=internal" \
    -device ide-hd,drive=internal,bus=ide.0,serial=internal
}

@test "BIOS, from a USB stick on xHCI: the disk arrives, the stick is not taken for one" {
  convert_from_usb xhci
  assert_equal "$(jq -r '.transfers | length' "$BOOT_OUT/p2v-xhci.json")" 1
}

@test "BIOS, from a USB stick on EHCI" {
  BOOT_USB=usb-ehci convert_from_usb ehci
}
