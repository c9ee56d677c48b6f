#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The server's storage fills up on the way: the transfer waits, says so on both sides, and goes on.

load ../lib/faults

@test "without space for the image the transfer waits and goes on" {
  server_root mount -t tmpfs -o size=64m,mode=777 tmpfs "$SERVER_IMAGES"
  transfer_start
  wait_until_sending
  # What the check at the start found free is taken.
  server_root sh -c 'head -c 50000000 /dev/zero >"$1/filler" || true' sh "$SERVER_IMAGES"
  wait_until 60 grep -q '"type": *"paused"' "$T/out"
  run p2v_server log "$(job_of "$NAME")"
  assert_output_contains "waits until there is space again"
  assert_output_contains "No space left on device"
  server_root rm "$SERVER_IMAGES/filler"
  transfer_end
  local landed=$status sum
  # The file system is mounted among the server's processes only.
  sum=$(server_root sha256sum "$SERVER_IMAGES/$NAME-sda")
  run p2v_server log "$(job_of "$NAME")"
  server_root umount "$SERVER_IMAGES"
  assert_output_contains "there is space again"
  assert_equal "$landed" 0
  assert_equal "${sum%% *}" "$before"
  assert_nothing_left
}

# The state directory is a filesystem of its own from now on, as /var may be one. Only the server sees
# what is in it.
state_mount ()
{
  server_root mount -t tmpfs -o "size=2m,mode=711,uid=$SERVER_UID" tmpfs "$SERVER_STATE"
}

state_fill () { server_root sh -c 'cat /dev/zero >"$1/filler" 2>/dev/null || true' sh "$SERVER_STATE"; }
state_empty () { server_root rm "$SERVER_STATE/filler"; }
state_find () { server_root find "$SERVER_STATE" "$@"; }
told_times () { (($(grep -c 'No space left on device' "$T/out") >= $1)); }
lost_times () { (($(grep -c '"type": *"lost"' "$T/out") >= $1)); }
# Nothing goes on: there is no virt-v2v.
has_ended () { [[ $(jobs_of "$NAME" | jq -r '.[-1].state') = failed ]]; }

# After transfer_end: keeps what there is to be seen, and gives the directory back.
state_unmount ()
{
  local landed=$status
  wait_until 60 has_ended
  wait_until 30 no_server_processes
  p2v_server show --json "$(job_of "$NAME")" >"$T/job"
  count=$(jobs_of "$NAME" | jq length)
  left=$(state_find \( -type s -o -name '*.overlay*' -o -name '*.tmp' \))
  server_root umount "$SERVER_STATE"
  status=$landed
}

# What was recorded is true: the image is the disk, by the manifest too.
assert_recorded ()
{
  assert_status 0
  assert_equal "$count" 1
  assert_equal "$left" ""
  assert_same_contents "$SERVER_IMAGES/$NAME-sda" "$T/sda"
  assert_equal "$(jq -c '[.transfers[0].unknown, .verification.state]' "$T/job")" '[0,"passed"]'
}

@test "without space for the server's records whoever takes the job up waits and goes on" {
  state_mount
  transfer_start
  wait_until_sending
  sleep 1
  state_fill
  # Chunks are recorded in what the manifests have already, events are lost; that the job is taken
  # up has to be written down.
  sleep 0.5
  server_kill '[q]emu-nbd|[p]2v-server( forced|-lane)'
  wait_until 60 lost_times 2
  state_empty
  transfer_end
  state_unmount
  assert_recorded
  said lost | grep -q 'No space left on device. Make room there on the server' ||
    assert_fail "$(said lost)"
}

@test "without space for the server's records what has landed is not lost at the end of the transfer" {
  state_mount
  transfer_start
  wait_until_sending
  state_fill
  wait_until 60 lost_times 2
  state_empty
  transfer_end
  state_unmount
  assert_recorded
  # All had landed by then.
  assert_equal "$(said lost | grep -c 'No space left on device')" "$(said lost | wc -l)"
}

@test "a machine that is started again while there is no space for the server's records waits" {
  state_mount
  transfer_start
  wait_until_sending
  sleep 1
  transfer_kill
  state_fill
  server_kill '[q]emu-nbd|[p]2v-server( forced|-lane)'
  transfer_start
  wait_until 60 told_times 2
  state_empty
  transfer_end
  state_unmount
  assert_recorded
}

@test "a job that there is no space to record is refused, and goes on when there is" {
  state_mount
  state_fill
  transfer_start p2v.retry_for=0
  transfer_end 60
  state_empty
  assert_output_contains "No space left on device"
  ((status != 0))
  assert_equal "$(state_find -mindepth 2 -path '*/jobs/*')" ""
  assert_equal "$(find "$SERVER_IMAGES" -name "$NAME*")" ""
  transfer_start
  transfer_end
  state_unmount
  assert_recorded
}
