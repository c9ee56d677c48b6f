#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a person enters becomes the network of the live image: VLANs and bonds, which need drivers.
# The rest is in tests/integration/network-setup.bats.

load ../lib/boot

setup_file ()
{
  boot_start network-setup
  # The program of that test comes along in an archive of its own.
  local root=$BOOT_DIR/root
  local units=$root/etc/systemd/system
  mkdir -p "$root/usr/bin" "$units/p2v.target.wants"
  # A shell on the serial port in the place of what asks for a conversion.
  ln -s /dev/null "$units/p2v-start.service"
  ln -s /usr/lib/systemd/system/p2v-shell@.service "$units/p2v.target.wants/p2v-shell@ttyS0.service"
  cp "$P2V_BUILD/tests/unit/p2v-client/network" "$root/usr/bin/p2v-network"
  export BOOT_SITE=$BOOT_DIR/site.img
  (cd "$root" && find . -mindepth 1 | cpio --quiet --create --format=newc --owner=0:0) >"$BOOT_SITE"
}

teardown_file ()
{
  tagged_end
  boot_stop
}

in_shell () { boot_shell_said setup "$1"; }

@test "a VLAN, a bond, a VLAN on a bond, and DHCP again" {
  tagged_start
  BOOT_APPEND="ifname=lan:52:54:00:00:02:01 ifname=left:52:54:00:00:02:02 ifname=right:52:54:00:00:02:03" \
    boot_machine setup kernel \
    -netdev "dgram,id=net,local.type=unix,local.path=$BOOT_DIR/nic,remote.type=unix,remote.path=$BOOT_DIR/port" \
    -device e1000,netdev=net,mac=52:54:00:00:02:01 \
    -netdev user,id=net1 -device virtio-net-pci,netdev=net1,mac=52:54:00:00:02:02 \
    -netdev user,id=net2 -device virtio-net-pci,netdev=net2,mac=52:54:00:00:02:03
  # A card may come to a bond a moment after the first has made it work.
  # shellcheck disable=SC2016 # for the shell there
  local both='for ((i = 0; i < 60; i++)); do (($(wc -w </sys/class/net/p2v-bond/bonding/slaves) < 2)) || break; sleep 0.5; done'
  boot_wait_serial setup 'p2v live\]'
  boot_shell setup 60 <<END
systemctl start NetworkManager </dev/null
p2v-network apply cards=lan vlan=42 ipv4=192.0.2.50/24 ipv6=off
ip -br address show dev lan.42
ping -c 1 -w 20 -q 192.0.2.1 >/dev/null
p2v-network check 192.0.2.1 $SERVER_PORT
p2v-network apply cards=left,right bond=active-backup
ls /sys/class/net | grep -c '^lan.42$'
$both
cat /sys/class/net/p2v-bond/bonding/mode /sys/class/net/p2v-bond/bonding/slaves; true
p2v-network check 10.0.2.2 $SERVER_PORT
p2v-network apply cards=left,right bond=balance-xor vlan=7 ipv4=198.51.100.5/24 ipv6=off
$both
cat /sys/class/net/p2v-bond/bonding/mode /sys/class/net/p2v-bond/bonding/slaves
ip -br address show dev p2v-bond.7
p2v-network apply cards=left
ls /sys/class/net | grep -c p2v
nmcli -g NAME connection show --active | grep ^p2v-
getent ahosts localhost >/dev/null
p2v-network check 10.0.2.2 $SERVER_PORT; true
poweroff
END
  boot_wait_off setup
  local mode="cat /sys/class/net/p2v-bond/bonding/mode /sys/class/net/p2v-bond/bonding/slaves"
  assert_equal "$(in_shell 'ping -c 1 -w 20 -q 192.0.2.1 >/dev/null')" "exit 0"
  [[ $(in_shell 'ip -br address show dev lan.42') = *192.0.2.50/24* ]]
  [[ $(in_shell "p2v-network check 192.0.2.1 $SERVER_PORT") = *"takes connections from 192.0.2.50"* ]]
  # Of the VLAN nothing is left when the bond is there.
  assert_equal "$(in_shell "ls /sys/class/net | grep -c '^lan.42$'" | head -n 1)" 0
  assert_equal "$(in_shell "$mode; true" | tr ' ' '\n' | sort | xargs)" "0 1 active-backup exit left right"
  [[ $(in_shell "p2v-network check 10.0.2.2 $SERVER_PORT") = *" on p2v-bond."*"takes connections"* ]]
  assert_equal "$(in_shell "$mode" | tr ' ' '\n' | sort | xargs)" "0 2 balance-xor exit left right"
  [[ $(in_shell 'ip -br address show dev p2v-bond.7') = *198.51.100.5/24* ]]
  assert_equal "$(in_shell 'ls /sys/class/net | grep -c p2v' | head -n 1)" 0
  assert_equal "$(in_shell 'nmcli -g NAME connection show --active | grep ^p2v-' | head -n 1)" p2v-left
  # The test's way to ask for a name.
  assert_equal "$(in_shell 'getent ahosts localhost >/dev/null')" "exit 0"
  [[ $(in_shell "p2v-network check 10.0.2.2 $SERVER_PORT; true") = *"takes connections"* ]]
}
