#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The text interface's Guest page and its windows, by keys alone: what is chosen there is what the
# server makes.

load ../lib/common
load ../lib/sample-disks
load ../lib/recorded
load ../lib/text

setup_file () { recorded_server_start; }
teardown_file () { recorded_server_stop; }

setup ()
{
  common_setup
  disk_make "$T/disk1" 50000384 "$BATS_TEST_NUMBER"
  TEXT_OPTIONS=("--root=$RECORDED_MACHINE")
}

teardown ()
{
  terminal kill-server 2>/dev/null || true
  server_virsh pool-destroy second >/dev/null 2>&1 || true
  server_virsh pool-undefine second >/dev/null 2>&1 || true
  [[ -z ${bridge-} ]] || server_root ip link del "$bridge" 2>/dev/null || true
  common_teardown
}

# start [ARGUMENT...]: as far as the Guest page, without any word about output and networks.
to_guest ()
{
  text_start -p2v.o -p2v.os -p2v.interfaces "p2v.password=$SERVER_PASSWORD" "p2v.disks=$T/disk1" "$@"
  see "Machine and network"
  press_button Next
  see "Conversion server"
  press_button Next
  see "Which disks become"
  press_button Next
  see "What shall the guest be?"
}

# Goes to the next field until the cursor is in the line that has the text.
tab_to_line ()
{
  local tries row
  for ((tries = 0; tries < 15; tries++)); do
    row=$(terminal display-message -p '#{cursor_y}')
    [[ $(screen | sed -n "$((row + 1))p") != *"$1"* ]] || return 0
    press Tab
  done
  assert_fail "the cursor does not reach: $1" "$(screen)"
}

@test "firmware, profile, pool, format, networks and drives are chosen, and the server makes it so" {
  server_exec mkdir -p "$SERVER_DIR/state/second"
  server_virsh pool-create-as second dir --target "$SERVER_DIR/state/second" >/dev/null
  bridge=p2v$BASHPID
  server_root ip link add "$bridge" type bridge
  to_guest p2v.name=text1
  see "This machine was started by BIOS."
  tab_to_line "Firmware"
  press Right Space
  press_button Output
  see "Where does the guest go?"
  # The list below fills the field in.
  press Tab Down
  see "libvirt (libvirt, default)"
  tab_to_line "Storage"
  type_text second
  tab_to_line "Format"
  press Right Right Space
  press_button OK
  see "What shall the guest be?"
  see "profile libvirt, -os second, -of raw"
  see "another is right"
  press_button Network
  see "Which network of the server"
  press_button Change
  see "the guest does not get the interface"
  press Tab
  local step
  for ((step = 0; step < 20; step++)); do
    press Down
    if screen | grep -q "Network .*$bridge"; then break; fi
  done
  press_button OK
  see "to $bridge"
  press Down
  press_button Change
  see "the guest does not get the interface"
  press C-u
  type_text "not plain"
  press_button OK
  see "A network's name has letters"
  press Enter
  press C-u
  press_button OK
  see "not for the guest"
  press_button Done
  see "eno1 to $bridge, eno3 to"
  press_button Drives
  see "[*] sr0"
  press Space
  press_button OK
  see "What shall the guest be?"
  press_button Next
  see "Is this right?"
  see "UEFI"
  see "$bridge"
  press_button Convert
  see "Sent, but the conversion failed"
  assert_same_contents "$SERVER_DIR/state/second/text1-disk1" "$T/disk1"
  local request
  request=$(p2v_server show "$(job_of text1)" --json | jq -c '.request |
    [.guest.firmware, (.guest.removables // []), [.guest.nics[].nic], .guest.nics[0].network,
     .output.profile, .output.storage, .output.format]')
  assert_equal "$request" \
    "[\"uefi\",[],[\"eno1\",\"eno3\",\"eno4\"],\"$bridge\",\"libvirt\",\"second\",\"raw\"]"
}

@test "what the server would refuse is said at once, and all stays as it was" {
  to_guest p2v.o=null
  press_button Output
  see "Where does the guest go?"
  see "libvirt, local, kubevirt, null, qemu"
  tab_to_line "Output  "
  press C-u
  type_text local
  tab_to_line "Storage"
  type_text /etc
  press_button OK
  see "the server does not allow images in the directory /etc."
  press Enter
  see "Where does the guest go?"
  press C-u
  press_button Cancel
  see "-o null"
  press_button Next
  see "Is this right?"
  see_further_down "-o null"
}


@test "an interface's light blinks on demand, and what it cannot do is said" {
  mkdir "$T/bin"
  printf '#!/bin/sh\necho "$@" >>%s\nsleep 2\n' "$T/blinked" >"$T/bin/ethtool"
  chmod 755 "$T/bin/ethtool"
  WRAPPER=(env "PATH=$T/bin:$PATH")
  to_guest
  press_button Network
  press_button Blink
  see "The light of eno1 blinks for ten seconds."
  wait_until 10 grep -sqx -- "-p eno1 10" "$T/blinked"
  see "Which network of the server"
  printf '#!/bin/sh\necho "netlink error: Operation not supported" >&2; exit 1\n' >"$T/bin/new"
  chmod 755 "$T/bin/new"
  wait_until 10 lacks "blinks for ten seconds"
  mv "$T/bin/new" "$T/bin/ethtool"
  press_button Blink
  see "The light of eno1 does not blink: netlink error: Operation not"
}
