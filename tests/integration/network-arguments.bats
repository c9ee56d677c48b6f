#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the live image makes of the network's kernel arguments: NetworkManager's connections. Every
# line is one of p2v-iso(7)'s examples, or one of PXE.md's.

load ../lib/common

setup ()
{
  common_setup
  : >"$T/cmdline"
  mkdir "$T/etc" "$T/bin" "$T/run"
  # Cards get their names by udev, of which there is none in a mount namespace of one's own.
  printf '#!/bin/sh\necho "$*" >>"%s/udevadm"\n' "$T" >"$T/bin/udevadm"
  chmod 755 "$T/bin/udevadm"
}

# network_arguments CMDLINE [SITE-WORDS]: runs the image's program on a machine with that kernel
# command line; its /run is $T/run.
network_arguments ()
{
  printf 'BOOT_IMAGE=/p2v/vmlinuz console=tty0 %s\n' "$1" >"$T/cmdline"
  [[ -z ${2-} ]] || printf '%s\n' "$2" >"$T/etc/kernel-arguments"
  # shellcheck disable=SC2016 # the variables are the inner shell's
  unshare --mount --propagation private -- bash -ec '
    mount --bind "$1/run" /run
    mount --bind "$1/cmdline" /proc/cmdline
    mount -t tmpfs tmpfs /etc
    cp -r "$1/etc" /etc/p2v
    PATH=$1/bin:$PATH exec "$2"' bash "$T" "$P2V_TOP/iso/rootfs/usr/lib/p2v/network-arguments"
}

# connection NAME: that connection's lines.
connection () { cat -- "$T/run/NetworkManager/system-connections/$1.nmconnection"; }
connections () { ls -- "$T/run/NetworkManager/system-connections" 2>/dev/null; }

# assert_connection NAME LINE...
assert_connection ()
{
  local name=$1 line
  shift
  for line; do
    connection "$name" | grep -qxF -- "$line" ||
      assert_fail "no line \"$line\" in $name:" "$(connection "$name")"
  done
}

# documented LINE: the manual has that example.
documented ()
{
  grep -qxF -- "$1" "$P2V_TOP/docs/p2v-iso.7" || grep -qF -- "$1" "$P2V_TOP/docs/PXE.md" ||
    assert_fail "the manuals have no example $1"
  network_arguments "$1"
}

@test "a static IPv4 address" {
  documented "ip=10.0.0.7::10.0.0.1:255.255.255.0::eno1:none nameserver=10.0.0.1"
  assert_connection eno1 interface-name=eno1 method=manual address1=10.0.0.7/24,10.0.0.1 'dns=10.0.0.1;'
}

@test "a static IPv6 address" {
  documented "ip=[2001:db8::7]::[2001:db8::1]:64::eno1:none"
  assert_connection eno1 interface-name=eno1 method=manual \
    address1=2001:db8::7/64,2001:db8::1
}

@test "a VLAN" {
  documented "vlan=eno1.40:eno1 ip=10.0.40.7::10.0.40.1:24::eno1.40:none"
  assert_connection eno1.40 type=vlan interface-name=eno1.40 id=40 method=manual \
    address1=10.0.40.7/24,10.0.40.1
  assert_connection eno1 interface-name=eno1
}

@test "a bond" {
  documented "bond=bond0:eno1,eno2:mode=802.3ad ip=bond0:dhcp"
  assert_connection bond0 type=bond interface-name=bond0 mode=802.3ad method=auto
  assert_connection eno1 slave-type=bond
  assert_connection eno2 slave-type=bond
}

@test "a card that is called by its hardware address" {
  documented "ifname=lan:52:54:00:00:02:01 ip=lan:dhcp"
  assert_connection lan interface-name=lan method=auto
  assert_equal "$(<"$T/run/systemd/network/10-p2v-1.link")" $'[Match]\nMACAddress=52:54:00:00:02:01\n[Link]\nName=lan'
  grep -qx "trigger --action=add --subsystem-match=net --settle" "$T/udevadm"
}

@test "a route and a bridge" {
  network_arguments "ip=10.0.0.7::10.0.0.1:24::eno1:none rd.route=192.0.2.0/24:10.0.0.2:eno1"
  assert_connection eno1 route1=192.0.2.0/24,10.0.0.2
  rm -r "$T/run/NetworkManager"
  network_arguments "bridge=br0:eno1 ip=br0:dhcp"
  assert_connection br0 type=bridge method=auto
}

@test "without any of them there are no connections" {
  network_arguments "quiet p2v.server=10.0.0.1"
  assert_equal "$(connections)" ""
}

@test "the site's arguments count where the command line has none" {
  network_arguments "quiet p2v.text" "acpi=off ip=10.0.0.7::10.0.0.1:24::eno1:none"
  assert_connection eno1 method=manual address1=10.0.0.7/24,10.0.0.1
  rm -r "$T/run/NetworkManager"
  network_arguments "ip=eno2:dhcp" "ip=10.0.0.7::10.0.0.1:24::eno1:none"
  assert_equal "$(connections)" eno2.nmconnection
}
