#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Connections that break: what has landed is not sent again, and the image is right.

load ../lib/faults

# The sshd processes that carry the client's connections.
cut_all () { server_kill '[s]shd: p2v( |@|$)'; }

@test "every connection is cut at random moments" {
  strike 100 1500 cut_all
  (($(count_of restored) > 0)) || assert_fail "never lost?" "$output"
}

cut_a_lane ()
{
  server_root kill -KILL "$(lane_pids | shuf -n 1 --random-source=<(yes "$RANDOM"))" || true
}

@test "a lane is cut: the others go on, and the session is not disturbed" {
  strike 300 800 cut_a_lane p2v.lanes=3
  assert_equal "$(count_of lost)" 0
  grep '"type": *"warning"' "$T/all" | grep -q 'a connection for data is missing' ||
    assert_fail "$output"
}

@test "what has landed is not sent again" {
  transfer_start p2v.compress=off
  wait_until_sending
  sleep 2
  cut_all
  transfer_end
  assert_landed
  # A quarter of the disk is data. What was in flight, at most 8 chunks, may have gone twice.
  local data wire
  data=$(said progress | tail -n 1 | jq '[.disks[].sent] | add')
  wire=$(said progress | tail -n 1 | jq .wire)
  ((wire < data + 12 * 4194304)) || assert_fail "$wire bytes on the wire for $data"
}

@test "a server that is not there for a while is waited for, and the pauses are told" {
  transfer_start
  wait_until_sending
  server_root sh -c 'kill $(cat "$1")' sh "$SERVER_DIR/sshd.pid"
  cut_all
  wait_until 30 sh -c "grep -c lost '$T/out' | grep -qv '^[01]$'"
  server_exec true
  "$PRIVATE_SERVER" exec --root "$SERVER_DIR" /usr/sbin/sshd -f "$SERVER_DIR/etc/sshd_config" \
    -E "$SERVER_DIR/sshd.log" 3>&-
  transfer_end
  assert_landed
  said lost | head -n 1 | grep -q 'Trying again in 2 s' || assert_fail "$(said lost)"
}

@test "given up only when the time is up, and then the job waits for its machine" {
  transfer_start p2v.retry_for=6
  wait_until_sending
  server_root sh -c 'kill $(cat "$1")' sh "$SERVER_DIR/sshd.pid"
  cut_all
  transfer_end 60
  "$PRIVATE_SERVER" exec --root "$SERVER_DIR" /usr/sbin/sshd -f "$SERVER_DIR/etc/sshd_config" \
    -E "$SERVER_DIR/sshd.log" 3>&-
  assert_status 7
  assert_output_contains "given up after"
  # Later, started anew, it goes on with the same job.
  transfer_start
  transfer_end
  assert_landed
}
