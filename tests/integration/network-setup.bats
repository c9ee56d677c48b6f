#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a person enters becomes the network: with the real NetworkManager, in a machine of network
# namespaces. VLANs and bonds need drivers that not every kernel has: tests/boot/network-setup.bats.

load ../lib/common
load ../lib/network

bats_require_minimum_version 1.5.0

setup_file () { site_start; }
teardown_file () { site_stop; }

setup ()
{
  common_setup
  machine_start
}

teardown ()
{
  machine_stop
  common_teardown
}

@test "a static IPv4 address in place of DHCP's, with gateway and name server, and DHCP again" {
  wait_until 30 has_address eno1 192.0.2.1
  network_apply cards=eno1 ipv4=192.0.2.5/24 ipv4_gateway=192.0.2.1 ipv6=off dns=192.0.2.1 \
    domains=site
  assert_equal "$(addresses_of eno1)" 192.0.2.5/24
  assert_equal "$(our_connections)" p2v-eno1
  assert_equal "$(machine ip -json route show default | jq -r '.[] | "\(.gateway) \(.metric)"')" \
    "192.0.2.1 50"
  run machine cat /etc/resolv.conf
  assert_output_contains "search site"
  assert_output_contains "nameserver 192.0.2.1"
  # Again, in place of what was made before.
  network_apply cards=eno1
  wait_until 10 has_address eno1 192.0.2.1
  ! has_address eno1 192.0.2.5/24 || assert_fail "the static address is still there"
  assert_equal "$(our_connections)" p2v-eno1
}

@test "a static IPv6 address with its gateway, without IPv4" {
  network_apply cards=eno1 ipv4=off ipv6=2001:db8::5/64 ipv6_gateway=2001:db8::1
  assert_equal "$(addresses_of eno1)" 2001:db8::5/64
  run network_check 2001:db8::1 1
  assert_output_contains "good: This machine has an address: 2001:db8::5 on eno1"
  assert_output_contains "good: The gateway 2001:db8::1 answers on eno1"
  assert_output_contains "bad: 2001:db8::1 is there, but nothing listens on its port 1"
}

@test "another card than before: the first one goes back to what it was" {
  ip -n "$SITE" link set "eno2-$BATS_TEST_NUMBER" up
  network_apply cards=eno1 ipv4=192.0.2.5/24 ipv6=off
  network_apply cards=eno2 ipv4=192.0.2.6/24 ipv6=off
  assert_equal "$(addresses_of eno2)" 192.0.2.6/24
  assert_equal "$(our_connections)" p2v-eno2
  wait_until 30 has_address eno1 192.0.2.1
}

@test "a card that is gone is refused in NetworkManager's words, and what was there goes on" {
  network_apply cards=eno1 ipv4=192.0.2.5/24 ipv6=off
  run network_apply cards=eno9 vlan=42 ipv4=192.0.2.6/24 ipv6=off
  assert_status 6
  assert_output_contains "NetworkManager says: Connection activation failed: No suitable device found"
  assert_output_contains "Check the cable"
  wait_until 10 has_address eno1 192.0.2.5/24
  assert_equal "$(our_connections)" p2v-eno1
}

@test "waiting for a DHCP server that is not there can be stopped, and the address is the old one" {
  network_apply cards=eno1 ipv4=192.0.2.5/24 ipv6=off
  ip -n "$SITE" link set "eno2-$BATS_TEST_NUMBER" nomaster up
  machine "$NETWORK_PROGRAM" apply cards=eno2 >"$T/said" 2>&1 3>&- &
  local started=$SECONDS status=0
  wait_until 10 machine sh -c "nmcli -g NAME,STATE connection show --active | grep -q '^p2v-eno2:activating'"
  kill "$(machine_runs network)"
  wait $! || status=$?
  assert_equal "$status" 9
  ((SECONDS - started < 15)) || assert_fail "it took $((SECONDS - started)) s"
  wait_until 10 has_address eno1 192.0.2.5/24
  assert_equal "$(our_connections)" p2v-eno1
}

@test "stopped at any moment, nothing is left of it" {
  local delay
  for delay in 0.01 0.02 0.03 0.05 0.08; do
    machine "$NETWORK_PROGRAM" apply cards=eno1 vlan=42 >"$T/said" 2>&1 3>&- &
    wait_until 10 machine_runs network >/dev/null
    sleep "$delay"
    kill "$(machine_runs network)"
    ! wait $! || assert_fail "it was not stopped"
    assert_equal "$(our_connections)" ""
  done
}

@test "what others have made stays, but on the card that is set up" {
  ip -n "$SITE" link set "eno2-$BATS_TEST_NUMBER" up
  machine nmcli connection add save no type ethernet con-name site ifname eno2 ipv4.method manual \
    ipv4.addresses 192.0.2.9/24 ipv6.method disabled
  machine nmcli connection up site
  assert_equal "$(addresses_of eno2)" 192.0.2.9/24
  network_apply cards=eno1 ipv4=192.0.2.5/24 ipv6=off
  assert_equal "$(addresses_of eno2)" 192.0.2.9/24
  network_apply cards=eno2 ipv4=192.0.2.6/24 ipv6=off
  assert_equal "$(addresses_of eno2)" 192.0.2.6/24
  run machine nmcli -g NAME connection show
  assert_output_contains site
}

@test "the test says which step fails: a wrong gateway, a name nobody knows, no server" {
  network_apply cards=eno1 ipv4=192.0.2.5/24 ipv4_gateway=192.0.2.77 ipv6=off dns=192.0.2.1
  run network_check nobody.site 22
  assert_output_contains "good: There is a link on eno1."
  assert_output_contains "bad: The gateway 192.0.2.77 does not answer on eno1. Check its address"
  assert_output_contains "bad: The name nobody.site is not known"
  network_apply cards=eno1 ipv4=192.0.2.5/24 ipv4_gateway=192.0.2.1 ipv6=off dns=192.0.2.1
  run network_check kvm1.site 22
  assert_output_contains "good: The gateway 192.0.2.1 answers on eno1."
  assert_output_contains "good: The name kvm1.site is known: 192.0.2.1."
  assert_output_contains "bad: kvm1.site is there, but nothing listens on its port 22."
  run network_check
  assert_output_contains "note: No server has been entered yet"
  refute_output_contains "bad:"
}

@test "a gateway that answers to no ping is found all the same" {
  network_apply cards=eno1 ipv4=192.0.2.5/24 ipv4_gateway=192.0.2.1 ipv6=off
  ip netns exec "$SITE" sysctl -qw net.ipv4.icmp_echo_ignore_all=1
  run network_check
  ip netns exec "$SITE" sysctl -qw net.ipv4.icmp_echo_ignore_all=0
  assert_output_contains "good: The gateway 192.0.2.1 is there on eno1, though it does not answer"
}

@test "a machine without a cable is told so, and the test ends" {
  ip -n "$SITE" link set "eno1-$BATS_TEST_NUMBER" down
  run network_check 192.0.2.1 22
  assert_output_contains "bad: No network card has a link."
  assert_output_contains "bad: This machine has no IPv4 address, and the server's is one."
  assert_output_contains "bad: 192.0.2.1 port 22 cannot be reached: "
}

@test "without NetworkManager it is said that there is none" {
  kill "$(<"$MACHINE_DIR/ready")"
  wait_until 10 sh -c "! kill -0 $(<"$MACHINE_DIR/ready") 2>/dev/null"
  run network_apply cards=eno1
  assert_status 6
  assert_output_contains "that does not run on this system"
}
