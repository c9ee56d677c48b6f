#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Somebody, or NTP, sets the clock by an hour while a transfer runs: nothing is timed out, and nothing
# waits for that hour. The clock is tests/lib/clock-step.c.

load ../lib/faults

setup_file ()
{
  export CLOCKS
  CLOCKS=$(mktemp -d /var/tmp/p2v-clocks-XXXXXX)
  chmod 755 "$CLOCKS"
  cp "$P2V_BUILD/tests/lib/clock-step.so" "$CLOCKS/"
  clock_is server 0
  clock_is client 0
  server_start --no-libvirt "--env=LD_PRELOAD=$CLOCKS/clock-step.so" "--env=P2V_CLOCK_STEP=$CLOCKS/server"
  server_root mount --bind /dev/null "$(command -v virt-v2v-in-place)"
}

teardown_file ()
{
  server_stop
  rm -rf -- "$CLOCKS"
}

# clock_is server|client SECONDS: so much off.
clock_is ()
{
  echo "$2" >"$CLOCKS/$1.new"
  mv "$CLOCKS/$1.new" "$CLOCKS/$1"
}

clocks_are () { clock_is server "$1"; clock_is client "$2"; }

# As transfer_start, with a clock that can be set.
client_start () { LD_PRELOAD=$CLOCKS/clock-step.so P2V_CLOCK_STEP=$CLOCKS/client transfer_start "$@"; }

# Seconds between the earliest and the latest event of the job.
events_span ()
{
  p2v_server log --json "$(job_of "$NAME")" |
    jq -s 'map(.time) | (max - min) / 1000 | floor'
}

@test "both clocks step an hour forward, and back, while a transfer runs" {
  local started=$SECONDS
  clocks_are 0 0
  client_start
  wait_until_sending
  sleep 0.7
  clocks_are 3600 3600
  sleep 0.7
  clocks_are -3600 -3600
  sleep 0.7
  clocks_are 0 0
  transfer_end 60
  assert_landed
  ! lost || assert_fail "$output"
  ((SECONDS - started < 60))
}

@test "the server's clock is an hour off from some moment on" {
  clocks_are 0 0
  client_start
  wait_until_sending
  clock_is server 3600
  transfer_end 60
  assert_landed
  ! lost || assert_fail "$output"
  # So was it for the job, or nothing has been shown.
  (($(events_span) >= 3500)) || assert_fail "$(events_span)"
}

@test "connections break while the clocks step back" {
  clocks_are 3600 3600
  client_start
  wait_until_sending
  server_kill '[s]shd: p2v( |@|$)'
  wait_until 30 lost
  clocks_are 0 0
  transfer_end 60
  assert_landed
  restored || assert_fail "$output"
}

@test "a job that was made in what is the future now is found by its machine" {
  clocks_are 3600 3600
  client_start
  wait_until_sending
  sleep 1
  transfer_kill
  server_root kill -KILL "$(session_pid)"
  clocks_are 0 0
  p2v_server recover
  client_start
  transfer_end 60
  assert_landed
}
