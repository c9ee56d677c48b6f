#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the kiosk says before a conversion and after it: how long it will take, what happens at the
# end, what was checked, what to do; and the report that can be taken away.

load ../lib/common
load ../lib/sample-disks
load ../lib/kiosk
load ../lib/recorded
load ../lib/conversion

setup_file () { recorded_server_start; }
teardown_file () { recorded_server_stop; }

setup ()
{
  common_setup
  replaced=()
  disk_make "$T/disk1" 50000384 "$BATS_TEST_NUMBER"
  # Nothing below the edge: a screen reader is told of what can be seen.
  display_start 800x1400
}

teardown ()
{
  kiosk_stop
  display_stop
  programs_restore
  common_teardown
}

# to_review NAME [ARGUMENT...]
to_review ()
{
  start "p2v.hostkey=$SERVER_HOSTKEY" "p2v.name=$1" "${@:2}"
  to_machine
  kiosk_until "1 disk with "
  kiosk_go "What will the guest be like?" Return
  kiosk_go "Is this right?" Return
}

@test "what happens at the end is said before, and what was compared afterwards, with the numbers" {
  conversion_succeeds
  to_review done1
  kiosk_until "writes its definition, done1.xml, beside the disks. It does not start it."
  kiosk_until "compares all that has reached it"
  assert_page_good
  key Return
  kiosk_until "The guest done1 has been made"
  kiosk_until "All 12 chunks of 4 MiB compared with what was read, all equal: "
  kiosk_until "Whether the guest starts was not tried"
  kiosk_until "virsh define $SERVER_IMAGES/done1.xml, virsh start done1"
  assert_page_good
  assert_equal "$(p2v_server show --json "$(job_of done1)" | jq -r '.verification | .data + .zero')" 12
  assert_quiet
}

@test "without a verification that is said, before and afterwards" {
  conversion_succeeds
  to_review done2 p2v.verify=off
  kiosk_until "is not compared with what was read here"
  key Return
  kiosk_until "The disks on the server were not compared"
  kiosk_refute "all equal"
}

@test "with p2v.wait=landed the guest is not said to be there" {
  to_review landed1 p2v.wait=landed
  kiosk_until "no longer needed as soon as everything has reached the server"
  key Return
  kiosk_until "Everything has reached the server, which makes the guest landed1 by itself"
  kiosk_until "not waited for, as p2v.wait=landed says"
  kiosk_until "p2v-server show $(job_of landed1)"
  kiosk_refute "has been made"
}
