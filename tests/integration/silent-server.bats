#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A server that is reached and then stops to answer, or whose parts die: the client neither hangs
# nor hides what the server knows.

load ../lib/common

setup_file () { server_start; }
teardown_file () { server_stop; }

setup ()
{
  common_setup
  disk_make "$T/sda" 500000256 silent
}

teardown ()
{
  [[ -z ${PID-} ]] || { pkill -KILL -P "$PID"; kill -KILL "$PID"; } 2>/dev/null || true
  common_teardown
}

# convert NAME: starts a conversion; returns when data is on its way. Its process is $PID.
convert ()
{
  client "p2v.name=$1" "p2v.disks=$T/sda" p2v.interfaces= p2v.memory=512M p2v.o=local \
    "p2v.os=$SERVER_IMAGES" </dev/null >"$T/out" 2>&1 3>&- &
  PID=$!
  wait_until 60 grep -q Sending "$T/out"
}

@test "a session that is frozen does not keep an interrupted client" {
  convert frozen1
  # A job's lock names the process that holds it.
  local session
  session=$(<"$(echo "$SERVER_STATE"/jobs/*frozen1/lock)")
  server_root kill -STOP "$session"
  local started=$EPOCHSECONDS status=0
  pkill -INT -P "$PID" || kill -INT "$PID"
  wait_until 30 sh -c "! kill -0 $PID 2>/dev/null"
  wait "$PID" || status=$?
  server_root kill -CONT "$session"
  ((status == 9)) || assert_fail "status $status after $((EPOCHSECONDS - started)) s" "$(<"$T/out")"
}

@test "a second signal does not even wait for the farewell to a frozen session" {
  convert frozen2
  local session client started status=0
  session=$(<"$(echo "$SERVER_STATE"/jobs/*frozen2/lock)")
  server_root kill -STOP "$session"
  client=$(pgrep -P "$PID" || echo "$PID")
  kill -INT "$client"
  wait_until 10 grep -q Stopping "$T/out"
  started=${EPOCHREALTIME/./}
  kill -INT "$client"
  wait "$PID" || status=$?
  server_root kill -CONT "$session"
  ((status == 9)) || assert_fail "status $status" "$(<"$T/out")"
  # The farewell alone takes five seconds.
  ((${EPOCHREALTIME/./} - started < 3000000)) || assert_fail "it did not end at once"
}
