#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The kiosk's Guest page, by keyboard: what is chosen there is what the server makes, and what it
# would refuse is said before anything is sent.

load ../lib/common
load ../lib/sample-disks
load ../lib/kiosk
load ../lib/recorded

setup_file () { recorded_server_start; }
teardown_file () { recorded_server_stop; }

setup ()
{
  common_setup
  disk_make "$T/disk1" 50000384 "$BATS_TEST_NUMBER"
  # Nothing below the edge: a screen reader is told of what can be seen.
  display_start 800x1400
}

teardown ()
{
  kiosk_stop
  display_stop
  server_virsh pool-destroy second >/dev/null 2>&1 || true
  server_virsh pool-undefine second >/dev/null 2>&1 || true
  common_teardown
}

to_guest ()
{
  kiosk_go "Which conversion server?" Return
  kiosk_go "Which of its disks?" Return
  kiosk_until "1 disk with "
  kiosk_go "What will the guest be like?" Return
  kiosk_focus Name
}

# start_plain DISK [ARGUMENT...]: without any word about the output.
start_plain ()
{
  local disk=$1
  shift
  kiosk_start p2v.server=127.0.0.1 "p2v.port=$SERVER_PORT" "p2v.username=$SERVER_USER" \
    "p2v.hostkey=$SERVER_HOSTKEY" "p2v.identity=file://$SERVER_IDENTITY" "p2v.disks=$disk" \
    p2v.memory=512M "$@"
}

log_is_longer_than () { (($(wc -l <"$SERVER_LOG") > $1)); }

@test "profile, pool, format, firmware and drives are chosen, and the server makes it so" {
  server_exec mkdir -p "$SERVER_DIR/state/second"
  server_virsh pool-create-as second dir --target "$SERVER_DIR/state/second" >/dev/null
  start_plain "$T/disk1"
  to_guest
  assert_page_good
  key ctrl+a
  type_text chosen1
  kiosk_until "This machine was started by BIOS."
  key alt+f Down
  kiosk_until "another is right only if"
  key alt+p Down
  kiosk_until "libvirt (libvirt, default)"
  kiosk_until "The server is asked about this when you go on."
  kiosk_refute "Format"
  key alt+o
  kiosk_until "Format"
  assert_page_good
  key alt+t
  type_text second
  key alt+r Down Down
  kiosk_until "combo box	raw"
  tab_to "sr0"
  key space
  kiosk_go "Is this right?" alt+n
  kiosk_until "the server's profile libvirt, storage second, format raw"
  assert_page_good
  # It is as it was left.
  kiosk_go "What will the guest be like?" Escape
  kiosk_until "The disks go to storage pool second, which has "
  kiosk_until "text	Storage	sensitive	second"
  kiosk_go "Is this right?" Return
  key Return
  kiosk_until "need not be read again"
  assert_same_contents "$SERVER_DIR/state/second/chosen1-disk1" "$T/disk1"
  local request
  request=$(p2v_server show "$(job_of chosen1)" --json | jq -c '.request |
    [.guest.firmware, (.guest.removables // []), .output.profile, .output.storage, .output.format]')
  assert_equal "$request" '["uefi",[],"libvirt","second","raw"]'
  assert_quiet
}

@test "where nothing is changed the server is not asked again, and all is as it was given" {
  start "p2v.hostkey=$SERVER_HOSTKEY" "p2v.identity=file://$SERVER_IDENTITY" p2v.firmware=uefi-secure
  to_guest
  kiosk_until "UEFI with Secure Boot"
  # Who asks the server now gets no answer.
  server_root sh -c 'kill -STOP $(cat "$1")' sh "$SERVER_DIR/sshd.pid"
  key Return
  kiosk_until "Is this right?" || stuck=yes
  server_root sh -c 'kill -CONT $(cat "$1")' sh "$SERVER_DIR/sshd.pid"
  assert_equal "${stuck-}" ""
  kiosk_until "output local, storage $SERVER_IMAGES, format raw"
  kiosk_until "UEFI with Secure Boot"
  kiosk_until "sr0"
}

@test "what the server would refuse is said at once, and does not go on until it is changed" {
  local before
  start_plain "$T/disk1"
  to_guest
  key alt+o
  kiosk_until "Storage"
  key alt+t
  type_text /etc
  kiosk_go "The server would refuse this conversion" Return
  kiosk_until "The server does not allow images in the directory /etc."
  kiosk_focus Storage
  assert_page_good
  # Nor when nothing was changed: it is asked again, and nothing can be typed meanwhile.
  before=$(wc -l <"$SERVER_LOG")
  key Return
  wait_until 30 log_is_longer_than "$before"
  kiosk_focus Storage
  kiosk_until "The server would refuse this conversion"
  key ctrl+a
  type_text "-nonsense"
  kiosk_until_not "The server would refuse this conversion"
  kiosk_go "This cannot begin with" Return
  kiosk_focus Storage
  key ctrl+a
  type_text "$SERVER_IMAGES"
  kiosk_go "Is this right?" Return
  kiosk_until "storage $SERVER_IMAGES"
}

@test "a place that is too small is warned of, and a person may go on" {
  truncate -s 15T "$T/huge"
  start_plain "$T/huge" p2v.o=null
  to_guest
  kiosk_refute "The chosen disks are"
  key alt+o
  kiosk_until "Storage"
  key alt+u Up Up Up
  kiosk_until "combo box	libvirt"
  kiosk_go "The chosen disks are 15.0 TiB large, and the server has " alt+n
  kiosk_until "What will the guest be like?"
  # The machine's page knows it, too.
  kiosk_go "Which of its disks?" alt+b
  kiosk_until "The chosen disks are 15.0 TiB large, and the server has "
  kiosk_go "What will the guest be like?" alt+n
  kiosk_go "Is this right?" alt+n
}

@test "a server that does not answer any more does not keep a person" {
  start_plain "$T/disk1"
  to_guest
  printf '#!/bin/sh\nexec sleep 100\n' >"$T/sleeper"
  chmod 755 "$T/sleeper"
  server_root mount --bind "$T/sleeper" "$SERVER_DIR/usr/bin/p2v-server"
  key alt+p Down
  kiosk_go "Asking the server" alt+n
  kiosk_until "Stop"
  key Escape
  kiosk_until "The server was not asked"
  server_root umount "$SERVER_DIR/usr/bin/p2v-server"
  assert_page_good
  kiosk_go "Is this right?" alt+n
  kiosk_until "the server's profile libvirt"
}
