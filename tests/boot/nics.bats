#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Network cards. Of each kind one machine, whose disk has to arrive by it.

load ../lib/boot

setup_file ()
{
  boot_start nics
  boot_site
}

teardown_file () { boot_stop; }

# convert_by MODEL DRIVER: starts without boot loader, which the network is no matter of.
convert_by ()
{
  boot_disk "$T/sda" 40
  boot_convert "$1" kernel "sda=$T/sda" -- \
    -drive "file=$T/sda,format=raw,if=ide,index=0" -nic "user,model=$1"
  assert_equal "$(jq -r '.request.machine.nics[0].driver' "$BOOT_OUT/p2v-$1.json")" "$2"
}

@test "e1000" { convert_by e1000 e1000; }
@test "e1000e" { convert_by e1000e e1000e; }
@test "rtl8139" { convert_by rtl8139 8139cp; }
@test "virtio" { convert_by virtio-net-pci virtio_net; }
@test "vmxnet3" { convert_by vmxnet3 vmxnet3; }

@test "igb" {
  qemu-system-x86_64 -device help 2>&1 | grep -q '"igb"' ||
    skip "this QEMU has no igb (since 8.0); the driver is in the image: see the next test"
  convert_by igb igb
}

@test "drivers of cards that QEMU has not are in the image" {
  local driver
  for driver in igb igc ixgbe i40e ice tg3 bnx2 bnx2x bnxt_en mlx4_en mlx5_core be2net r8169 sfc qede \
      enic cxgb4 atlantic sky2 forcedeth; do
    grep -Eq "/$driver\.ko(\.xz)?$" "$P2V_BUILD/image/contents" || assert_fail "no driver $driver" || return 1
  done
}
