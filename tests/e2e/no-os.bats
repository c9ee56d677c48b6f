#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A disk without an operating system arrives, and cannot be converted: nothing is lost by that.

load ../lib/e2e

setup_file ()
{
  export MACHINE_HOSTNAME=none1
  e2e_start no-os bios1
  e2e_convert p2v.o=local "p2v.os=$SERVER_IMAGES" p2v.of=raw
  export JOB
  JOB=$(p2v_server jobs --json | jq -r '.jobs[0].id')
  p2v_server show --json "$JOB" >"$OUT/show.json"
  p2v_server show "$JOB" >"$OUT/show.txt"
}

teardown_file ()
{
  e2e_stop
}

@test "the client ends with 8, says what virt-v2v found and what to do" {
  assert_equal "$(<"$OUT/client.status")" 8
  assert_in_file "$OUT/client.txt" 'could not detect the source guest|no root device'
  assert_in_file "$OUT/client.txt" "p2v-server retry $JOB"
  assert_in_file "$OUT/client.txt" 'convert.log'
}

@test "the job is kept and says how to go on" {
  assert_equal "$(jq -r .state "$OUT/show.json")" failed
  assert_in_file "$OUT/show.txt" 'retry'
}

@test "the image is kept as it was received, the overlay is gone" {
  assert_same_contents "$(jq -r '.plan.images[0].path' "$OUT/show.json")" "$MACHINE_DIR/sda.raw"
  [[ -z $(find "$SERVER_STATE" -name '*.qcow2' -print -quit) ]]
}

@test "retry tries again, with the same end" {
  run p2v_server retry --wait "$JOB"
  ((status != 0))
  assert_equal "$(p2v_server show --json "$JOB" | jq -r .state)" failed
  assert_same_contents "$(jq -r '.plan.images[0].path' "$OUT/show.json")" "$MACHINE_DIR/sda.raw"
}

@test "no guest was defined" {
  [[ -z $(server_virsh list --all --name | tr -d '\n') ]]
  refute_file_exists "$SERVER_IMAGES/none1.xml"
}

@test "the machine's disks are untouched" {
  assert_equal "$(e2e_sums)" "$(<"$OUT/sums.before")"
}
