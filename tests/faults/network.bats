#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A network in which packets vanish: nobody says that a connection has ended. The machine is a network
# namespace, its cable leads to another one with the server in it.

load ../lib/faults

setup_file ()
{
  export CLIENT_NETNS="p2v-machine-$$" SERVER_NETNS="p2v-server-$$" SERVER_ADDRESS=192.0.2.1
  ip netns add "$CLIENT_NETNS"
  ip netns add "$SERVER_NETNS"
  ip -n "$CLIENT_NETNS" link set lo up
  ip -n "$SERVER_NETNS" link set lo up
  ip -n "$CLIENT_NETNS" link add eth0 type veth peer name port netns "$SERVER_NETNS"
  ip -n "$CLIENT_NETNS" address add 192.0.2.5/24 dev eth0
  ip -n "$SERVER_NETNS" address add 192.0.2.1/24 dev port
  ip -n "$CLIENT_NETNS" link set eth0 up
  ip -n "$SERVER_NETNS" link set port up
  server_start --no-libvirt --listen=0.0.0.0
  server_root mount --bind /dev/null "$(command -v virt-v2v-in-place)"
}

teardown_file ()
{
  server_stop
  ip netns delete "$CLIENT_NETNS"
  ip netns delete "$SERVER_NETNS"
}

shape () { ip netns exec "$CLIENT_NETNS" tc qdisc replace dev eth0 root tbf rate "$1" burst 32kb latency 400ms; }
unshape () { ip netns exec "$CLIENT_NETNS" tc qdisc del dev eth0 root; }

@test "a cable that is out for longer than anybody waits is noticed within a minute, on both sides" {
  transfer_start
  wait_until_sending
  sleep 1
  ip -n "$SERVER_NETNS" link set port down
  local started=$SECONDS
  wait_until 60 lost
  ((SECONDS - started <= 60)) || assert_fail "noticed after $((SECONDS - started)) s"
  # The server, which hears nothing either, keeps the job for its machine.
  wait_until 60 sh -c "grep -q 'fallen silent' '$SERVER_STATE'/jobs/*'$NAME'/events.jsonl"
  ip -n "$SERVER_NETNS" link set port up
  transfer_end
  assert_landed
}

pull_the_cable ()
{
  ip -n "$SERVER_NETNS" link set port down
  random_pause 500 4000
  ip -n "$SERVER_NETNS" link set port up
}

@test "a cable that is out for a moment is not noticed at all" {
  strike 200 2000 pull_the_cable
  assert_equal "$(count_of lost)" 0
}

stall ()
{
  shape 64kbit
  random_pause 1000 8000
  unshape
}

@test "a link that is stalled to next to nothing costs time and nothing else" {
  strike 200 2000 stall
  assert_equal "$(count_of lost)" 0
}
