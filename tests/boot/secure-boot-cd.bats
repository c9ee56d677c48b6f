#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# As secure-boot.bats, from CD.

load ../lib/boot

setup_file ()
{
  boot_start secure-boot-cd
  boot_site_secure
}

teardown_file () { boot_stop; }

@test "Secure Boot, from CD" {
  boot_disk "$T/sda" 64
  boot_convert cd secure-cd "sda=$T/sda" -- -drive "file=$T/sda,format=raw,if=none,id=sda" \
    -device ide-hd,drive=sda,bus=ide.1
  assert_secure cd
}
