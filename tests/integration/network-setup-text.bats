#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The network settings of the text interface in a terminal of 80 columns and 24 lines, in a machine
# with the real NetworkManager.

load ../lib/common
load ../lib/network
load ../lib/text

setup_file () { site_start; }
teardown_file () { site_stop; }

setup () { common_setup; }

teardown ()
{
  terminal kill-server 2>/dev/null || true
  machine_stop
  common_teardown
}

# The program within the machine, on its first page.
start ()
{
  machine_start
  WRAPPER=(env "DBUS_SYSTEM_BUS_ADDRESS=unix:path=$MACHINE_DIR/bus"
    nsenter --target "$MACHINE_PID" --net --mount --uts --)
  text_run "--cmdline=$*"
  see "Machine and network"
}

# tab COUNT: to the field that is so many further on.
tab ()
{
  local count
  for ((count = 0; count < $1; count++)); do press Tab; done
}

@test "a static address is typed, is there and tested; a mistake is said and its field has the focus" {
  start p2v.server=kvm1.site p2v.port=9
  press_button "Set up network"
  see "How is this machine connected?"
  see "eno1, connected"
  press_button Apply
  see "Choose a network card."
  press Enter
  press Space
  # Over the seven choices of a bond and the VLAN, to the second of the three for IPv4.
  tab 10
  press Space
  tab 2
  type_text 192.0.2.5
  press_button Apply
  see "with its prefix length or netmask"
  press Enter
  type_text /24
  press Tab
  type_text 192.0.2.1
  # IPv6's three choices and two fields.
  tab 6
  type_text 192.0.2.1
  press_button Apply
  see "Not all of the network works"
  see "Works   The gateway 192.0.2.1 answers on eno1."
  see "Works   The name kvm1.site is known: 192.0.2.1."
  see "Fails   kvm1.site is there, but nothing listens on its port 9."
  assert_equal "$(addresses_of eno1)" 192.0.2.5/24
  press Enter
  press_button Back
  see "192.0.2.5/24"
  # What was entered is there to be changed.
  press_button "Set up network"
  see "192.0.2.5/24"
  see "[*] eno1"
  press Escape
  see "Machine and network"
}

@test "what runs can be stopped, and nothing is left of it" {
  ip -n "$SITE" link set dev lan down
  start
  press_button "Set up network"
  see "eno1, connected"
  press Space
  press_button Apply
  see "Setting the network up"
  wait_until 20 machine sh -c "nmcli -g NAME,STATE connection show --active | grep -q '^p2v-eno1:activating'"
  press Enter
  wait_until 30 at_button Apply
  ip -n "$SITE" link set dev lan up
  assert_equal "$(our_connections)" ""
}

@test "on a system without NetworkManager it is said why, and the network is tested all the same" {
  start p2v.server=192.0.2.1 p2v.port=9
  kill "$(<"$MACHINE_DIR/ready")"
  press_button "Set up network"
  see "The network cannot be set up here"
  see "that does not run on"
  press_button Test
  see "Works   There is a link on eno1."
}
