#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The machine loses its power and is started again: it finds its job and goes on.

load ../lib/faults

power_cut ()
{
  transfer_kill
  rm "$T/out"
  transfer_start
  wait_until_sending
}

@test "killed and started again at random moments" {
  strike 0 2500 power_cut
}

# The server has recorded so many chunks with data at least.
server_has () { [[ $(p2v_server show --json "$(job_of "$NAME")" | jq ".transfers[0].data >= $1") = true ]]; }

@test "what has landed before is not sent again" {
  # Slow enough for a busy machine to see it in the middle: what one lane has in flight has to be
  # there first, and a flush, which takes half of the time.
  transfer_start p2v.compress=off p2v.lanes=1 p2v.bwlimit=1M
  wait_until 60 server_has 1
  transfer_kill
  local first second data
  first=$(said progress | tail -n 1 | jq .wire)
  rm "$T/out"
  transfer_start p2v.compress=off p2v.lanes=1 p2v.bwlimit=4M
  transfer_end
  assert_landed
  # A quarter of the disk is data, and a little more.
  data=32000000
  second=$(said progress | tail -n 1 | jq .wire)
  ((first + second < data + 8 * 4194304)) || assert_fail "$first + $second bytes for $data"
  ((second < data)) || assert_fail "everything was sent again: $second of $data"
}

@test "a disk that has changed meanwhile is sent as it is now" {
  transfer_start
  wait_until_sending
  sleep 2.5
  transfer_kill
  random_bytes changed 5000000 |
    dd of="$T/sda" bs=1M seek=1000000 oflag=seek_bytes conv=notrunc status=none
  before=$(sha256_of "$T/sda")
  transfer_start
  transfer_end
  assert_landed
}

@test "p2v.resume=no begins anew, and gives the unfinished job up" {
  transfer_start
  wait_until_sending
  transfer_kill
  transfer_start p2v.resume=no
  transfer_end
  assert_status 0
  assert_same_contents "$SERVER_IMAGES/$NAME-sda" "$T/sda"
  assert_equal "$(jobs_of "$NAME" | jq -c '[.[].state == "cancelled"]')" '[true,false]'
  assert_nothing_left
}

@test "a second client does not get the job of one that is alive" {
  transfer_start p2v.bwlimit=2M
  wait_until_sending
  local first=$CLIENT
  cp "$T/out" "$T/first"
  transfer_start p2v.retry_for=0
  transfer_end 60
  assert_status 7
  assert_output_contains "another client, which is alive"
  # Nor may it throw away what that one has sent.
  transfer_start p2v.retry_for=0 p2v.resume=no
  transfer_end 60
  assert_status 7
  assert_output_contains "another client, which is alive"
  CLIENT=$first
  transfer_end
  assert_landed
}

# Neither a client nor a session has the job: it waits.
leave_waiting ()
{
  transfer_kill
  server_root kill -KILL "$(session_pid)"
  p2v_server recover
  assert_equal "$(jobs_of "$NAME" | jq -r '.[].state')" waiting
}

one_has_ended () { ! kill -0 "$1" 2>/dev/null || ! kill -0 "$2" 2>/dev/null; }

# Of two clients that were started at once: CLIENT is the one that goes on. The other one has been
# told why it does not.
claim_twice ()
{
  local first second
  rm -f "$T/out" "$T/err"
  transfer_start p2v.retry_for=0 p2v.bwlimit=4M
  first=$CLIENT
  transfer_start p2v.retry_for=0 p2v.bwlimit=4M
  second=$CLIENT
  wait_until 60 one_has_ended "$first" "$second"
  local loser=$second winner=$first
  ! kill -0 "$second" 2>/dev/null || loser=$first winner=$second
  CLIENT=$loser
  transfer_end 1
  assert_status 7
  grep -qE 'another client, which is alive|worked on by another process|just changed its state' \
    "$T/out" "$T/err" || assert_fail "$output"
  CLIENT=$winner
}

@test "of two clients that want a waiting job at once one gets it" {
  local round
  transfer_start
  wait_until_sending
  for ((round = 0; round < ROUNDS && round < 5; round++)); do
    leave_waiting
    claim_twice
    kill -0 "$CLIENT" 2>/dev/null || break
  done
  transfer_end
  assert_landed
}

@test "an interrupted client cancels its job, and nothing of it is left" {
  transfer_start
  wait_until_sending
  kill -INT "$CLIENT"
  transfer_end 20
  assert_status 9
  refute_file_exists "$SERVER_IMAGES/$NAME-sda"
  assert_equal "$(jobs_of "$NAME" | jq -r '.[].state')" cancelled
  assert_nothing_left
}
