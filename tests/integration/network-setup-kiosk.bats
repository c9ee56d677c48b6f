#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The network settings of the kiosk by keyboard and as a screen reader sees them, in a machine with
# the real NetworkManager, next to a real server.

load ../lib/common
load ../lib/kiosk
load ../lib/network

setup_file ()
{
  site_start
  SERVER_NETNS=$SITE server_start --no-libvirt --listen=192.0.2.1
  RECORDED_MACHINE=$(mktemp -d /var/tmp/t-XXXXXX)
  "$P2V_TOP/tests/machines/recorded/make" \
    "$P2V_TOP/tests/unit/p2v-client/fixtures/dell-r720.tree" "$RECORDED_MACHINE/machine"
  RECORDED_MACHINE+=/machine
  export RECORDED_MACHINE
}

teardown_file ()
{
  server_stop
  site_stop
  rm -rf -- "${RECORDED_MACHINE%/machine}"
}

setup ()
{
  common_setup
  display_start 800x600
}

teardown ()
{
  kiosk_stop
  machine_stop
  display_stop
  common_teardown
}

# The kiosk within the machine.
start ()
{
  machine_start
  machine_wrap "$T/kiosk" "$P2V_KIOSK"
  P2V_KIOSK=$T/kiosk kiosk_start "p2v.port=$SERVER_PORT" "p2v.username=$SERVER_USER" "$@"
}

# On what is shown: every control has a name, and nothing is wider than the screen.
assert_page_good ()
{
  assert_nothing --nameless
  assert_nothing --outside=800
}

@test "a static address is entered by keyboard, is there, tested, and the server is reached through it" {
  start p2v.server=kvm1.site "p2v.hostkey=$SERVER_HOSTKEY" p2v.o=local "p2v.os=$SERVER_IMAGES"
  kiosk_go "How is this machine connected?" alt+s
  kiosk_focus eno1
  assert_page_good
  key space
  key alt+4 Down
  kiosk_until $'text\tAddress'
  key alt+d
  type_text 192.0.2.5
  key alt+m
  type_text 192.0.2.1
  key Return
  kiosk_until "Type the address with its prefix length or netmask"
  kiosk_focus Address
  key End
  type_text /24
  key alt+g
  type_text 192.0.2.1
  assert_page_good
  key Return
  kiosk_until "The network is set up, and what could be tested works"
  kiosk_until "kvm1.site port $SERVER_PORT takes connections from 192.0.2.5"
  assert_page_good
  has_address eno1 192.0.2.5/24
  # Nothing is left to be applied: Enter goes on.
  kiosk_go "Which conversion server?" Return
  kiosk_go "Turn this machine into a virtual machine" Escape
  kiosk_go "How is this machine connected?" alt+s
  kiosk_go "Turn this machine into a virtual machine" Escape
  kiosk_until "192.0.2.5/24"
  kiosk_go "Which conversion server?" alt+n
  type_text "$SERVER_PASSWORD"
  kiosk_go "Which of its disks?" Return
}

@test "mistakes are shown at their fields, also in large letters; what runs can be stopped, and nothing is left of it" {
  # No DHCP there.
  ip -n "$SITE" link set dev lan down
  start
  key alt+w
  kiosk_until "Large text"
  key l
  kiosk_go "How is this machine connected?" alt+s
  kiosk_focus eno1
  key alt+v
  type_text 4095
  key Return
  kiosk_until "Choose a network card."
  kiosk_until "from 1 to 4094"
  kiosk_focus eno1
  assert_page_good
  key space
  key alt+v ctrl+a BackSpace alt+a
  kiosk_until "Setting the network up"
  kiosk_until Stop
  wait_until 20 machine sh -c "nmcli -g NAME,STATE connection show --active | grep -q '^p2v-eno1:activating'"
  key Escape
  kiosk_until "What was there before is brought up again."
  assert_page_good
  assert_equal "$(our_connections)" ""
  key alt+t
  kiosk_until "Not all of the network works"
  kiosk_until "This machine has no address"
  ip -n "$SITE" link set dev lan up
}

@test "on a system without NetworkManager the form says why, and the network is tested all the same" {
  DBUS_SYSTEM_BUS_ADDRESS=unix:path=$T/none kiosk_start p2v.server=127.0.0.1 p2v.port=1
  kiosk_go "The network cannot be set up here" alt+s
  kiosk_until "that does not run on this system"
  kiosk_focus "Test the network"
  assert_page_good
  key Return
  kiosk_until "127.0.0.1 is there, but nothing listens on its port 1."
  kiosk_go "Turn this machine into a virtual machine" Escape
  kiosk_focus "Network settings"
}
