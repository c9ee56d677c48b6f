#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The network as it may be around a machine: a second card that alone has a cable, no DHCP, VLANs,
# a cable that is plugged in late.

load ../lib/boot

setup_file ()
{
  boot_start network
  boot_site
}

teardown_file ()
{
  tagged_end
  boot_stop
}

@test "of two cards only the second has a cable: it is found, and the disk arrives" {
  boot_disk "$T/sda" 40
  local before
  before=$(sha256_of "$T/sda")
  # Stopped at first, so that the first card never has a cable.
  boot_machine second kernel -S \
    -drive "file=$T/sda,format=raw,if=ide,index=0" \
    -netdev user,id=net0 -device e1000,netdev=net0,id=nic0 \
    -netdev user,id=net1 -device virtio-net-pci,netdev=net1,id=nic1
  boot_qmp second '{"execute":"set_link","arguments":{"name":"nic0","up":false}}' '{"execute":"cont"}'
  boot_wait_off second
  assert_equal "$(sha256_of "$T/sda")" "$before"
  assert_said_landed second
  assert_landed p2v-second "sda=$T/sda"
  # Which of the two the cable is in is known of the machine, too.
  assert_equal "$(jq -r '.request.machine.nics[] | "\(.driver) \(.link)"' "$BOOT_OUT/p2v-second.json" | sort | xargs)" \
    "e1000 false virtio_net true"
}

@test "a cable that is plugged in late is waited for, and the consoles say so" {
  boot_disk "$T/sda" 40
  boot_machine late kernel -S \
    -drive "file=$T/sda,format=raw,if=ide,index=0" -netdev user,id=net0 -device e1000,netdev=net0,id=nic0
  boot_qmp late '{"execute":"set_link","arguments":{"name":"nic0","up":false}}' '{"execute":"cont"}'
  boot_wait_serial late 'Waiting for a network link on e[a-z0-9]+: it has no cable'
  boot_qmp late '{"execute":"set_link","arguments":{"name":"nic0","up":true}}'
  boot_wait_off late
  assert_said_landed late
  assert_landed p2v-late "sda=$T/sda"
}

@test "a static address on the kernel command line is used, no DHCP" {
  boot_disk "$T/sda" 40
  # QEMU's DHCP server would give 10.0.2.15.
  BOOT_APPEND="p2v.server=10.0.2.2 ip=10.0.2.77::10.0.2.2:255.255.255.0:::none" \
    boot_convert static kernel "sda=$T/sda" -- -drive "file=$T/sda,format=raw,if=ide,index=0"
  assert_said static 'e[a-z0-9]+ has the address 10\.0\.2\.77'
  refute_said static '10\.0\.2\.15'
}

@test "a VLAN and a name for the card on the kernel command line: tagged frames carry the disk" {
  boot_disk "$T/sda" 40
  tagged_start
  BOOT_APPEND="p2v.server=192.0.2.1 ifname=lan:52:54:00:00:02:01 vlan=lan.42:lan ip=192.0.2.50:::255.255.255.0::lan.42:none" \
    boot_convert vlan kernel "sda=$T/sda" -- -drive "file=$T/sda,format=raw,if=ide,index=0" \
    -netdev "dgram,id=net,local.type=unix,local.path=$BOOT_DIR/nic,remote.type=unix,remote.path=$BOOT_DIR/port" \
    -device e1000,netdev=net,mac=52:54:00:00:02:01
  tagged_end
  assert_said vlan 'lan\.42 has the address 192\.0\.2\.50' 'Connecting to 192\.0\.2\.1'
  wait_until 5 grep -q 'frames passed' "$BOOT_OUT/vlan-port"
}
