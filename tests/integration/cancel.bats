#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# "p2v-server cancel" ends a job at any stage, in seconds, and leaves nothing but its record. The
# conversions are real up to virt-v2v, in whose place is a program that hangs.

load ../lib/common
load ../lib/session
load ../lib/conversion

setup_file () { server_start --no-libvirt; }
teardown_file () { server_stop; }

setup ()
{
  common_setup
  replaced=()
}

teardown ()
{
  talker_end
  session_end
  server_root pkill -KILL -f 'sleep 700' || true
  programs_restore
  for job in $(p2v_server jobs --json | jq -r '.jobs[].id'); do
    p2v_server cancel "$job" >/dev/null 2>&1 || true
    p2v_server remove --images "$job" >/dev/null 2>&1 || true
  done
  common_teardown
}

@test "a conversion that hangs with all its children is cancelled in seconds, and nothing is left" {
  virt_v2v_hangs
  job_land hang1
  wait_until 30 hangs
  assert_equal "$(state_of "$JOB")" converting
  local started=$EPOCHSECONDS
  run p2v_server cancel "$JOB"
  assert_status 0
  ((EPOCHSECONDS - started < 15)) || assert_fail "it took $((EPOCHSECONDS - started)) seconds"
  assert_output_contains "removed:"
  assert_output_contains "$SERVER_IMAGES/hang1-sda"
  assert_output_contains "kept:"
  assert_output_contains "$SERVER_STATE/jobs/$JOB"
  assert_equal "$(state_of "$JOB")" cancelled
  assert_freed "$JOB"
  has_event "$JOB" "Removed: .*hang1-sdb"
}

@test "a transfer is cancelled on the server: the client is told, and nothing is left" {
  session_create land1 "$(jq -cn --arg storage "$SERVER_IMAGES" '{mode: "local", storage: $storage}')"
  JOB=$(jq -r .job <<<"$answer")
  assert_equal "$(server_root pgrep -fc qemu-nbd)" 2
  local started=$EPOCHSECONDS line code=''
  run p2v_server cancel "$JOB"
  assert_status 0
  ((EPOCHSECONDS - started < 10)) || assert_fail "it took $((EPOCHSECONDS - started)) seconds"
  assert_equal "$(state_of "$JOB")" cancelled
  assert_freed "$JOB"
  while [[ $code != cancelled ]] && read -r -t 10 line <&"$from_server"; do
    code=$(jq -r 'select(.type == "error").code' <<<"$line")
  done
  assert_equal "$code" cancelled
}

# Who talks to a session that does not listen any more, and the connection that is full of it.
talker_end ()
{
  [[ -n ${talker-} ]] || return 0
  kill "$talker" 2>/dev/null || true
  pkill -P "$session_pid" || true
  unset talker
}

@test "a client that takes nothing of what it is told is given up, and its job can be cancelled" {
  session_create deaf1 "$(jq -cn --arg storage "$SERVER_IMAGES" '{mode: "local", storage: $storage}')"
  JOB=$(jq -r .job <<<"$answer")
  # More answers than all that is in between takes up; nobody reads them.
  perl -e 'print "{\"type\": \"ping\"}\n" x 400000' >&"$to_server" 2>/dev/null 3>&- &
  talker=$!
  wait_until 90 has_event "$JOB" "the client has fallen silent"
  run p2v_server cancel "$JOB"
  assert_status 0
  assert_equal "$(state_of "$JOB")" cancelled
  assert_freed "$JOB"
}

@test "a job that waits for its turn is cancelled, and the one it waits for goes on" {
  virt_v2v_hangs
  sed -i 's/^\[server\]/&\nmax-conversions=1/' "$SERVER_CONFIG"
  job_land turn1
  local first=$JOB
  wait_until 30 hangs
  session_leave
  job_land turn2
  wait_until 30 has_event "$JOB" "waiting: 1 jobs convert"
  run p2v_server cancel "$JOB"
  sed -i '/^max-conversions=1$/d' "$SERVER_CONFIG"
  assert_status 0
  assert_equal "$(state_of "$JOB")" cancelled
  refute_file_exists "$SERVER_IMAGES/turn2-sda"
  assert_equal "$(state_of "$first")" converting
  is_busy "$first"
  hangs
  p2v_server cancel "$first"
  assert_freed "$first"
}

@test "a job whose worker was killed is cancelled, with the processes that the worker has left" {
  virt_v2v_hangs
  job_land orphan1
  wait_until 30 hangs
  server_root kill -KILL "$(holder_of "$JOB")"
  wait_until 10 is_idle "$JOB"
  hangs
  run p2v_server cancel "$JOB" --json
  assert_status 0
  assert_equal "$(jq -c '.removed' <<<"$output")" \
    "[\"$SERVER_IMAGES/orphan1-sda\",\"$SERVER_IMAGES/orphan1-sdb\"]"
  assert_equal "$(jq -c '.kept' <<<"$output")" "[\"$SERVER_STATE/jobs/$JOB\"]"
  assert_equal "$(state_of "$JOB")" cancelled
  assert_freed "$JOB"
}

@test "a failed job can be cancelled: its name and its space are free again" {
  virt_v2v_fails
  job_land failed1
  wait_until 30 state_is "$JOB" failed
  wait_until 10 is_idle "$JOB"
  assert_file_exists "$SERVER_IMAGES/failed1-sda"
  run p2v_server cancel "$JOB"
  assert_status 0
  assert_freed "$JOB"
  session_end
  job_land failed1
  wait_until 30 state_is "$JOB" failed
}

@test "cancelling twice says the same and changes nothing; a cancelled job is not retried" {
  virt_v2v_fails
  job_land twice1
  wait_until 30 state_is "$JOB" failed
  wait_until 10 is_idle "$JOB"
  p2v_server cancel "$JOB"
  local before
  before=$(sha256_of "$SERVER_STATE/jobs/$JOB/job.json")
  run p2v_server cancel "$JOB"
  assert_status 0
  assert_equal "$(sha256_of "$SERVER_STATE/jobs/$JOB/job.json")" "$before"
  run p2v_server retry "$JOB"
  assert_status 6
  assert_output_contains "was cancelled"
}

@test "a job that is done, and one that does not exist, are refused" {
  virt_v2v_fails
  job_land done1
  wait_until 30 state_is "$JOB" failed
  wait_until 10 is_idle "$JOB"
  local file=$SERVER_STATE/jobs/$JOB/job.json
  jq '.state = "done" | .guest_place = "/somewhere/done1.xml"' "$file" >"$T/new"
  cat "$T/new" >"$file"
  run p2v_server cancel "$JOB"
  assert_status 6
  assert_output_contains "is done"
  assert_output_contains "/somewhere/done1.xml"
  assert_file_exists "$SERVER_IMAGES/done1-sda"
  refute_file_exists "$SERVER_STATE/jobs/$JOB/cancel"
  run p2v_server cancel 2026-nobody
  assert_status 6
  assert_output_contains "there is no job"
}

@test "images that are converted already are kept, and said to be" {
  virt_v2v_fails
  job_land kept1
  wait_until 30 state_is "$JOB" failed
  wait_until 10 is_idle "$JOB"
  local file=$SERVER_STATE/jobs/$JOB/job.json
  jq '.failed_stage = "define" | .failed_state = "defining"' "$file" >"$T/new"
  cat "$T/new" >"$file"
  run p2v_server cancel "$JOB" --json
  assert_status 0
  assert_equal "$(jq -c .removed <<<"$output")" "[]"
  assert_equal "$(jq -r '.kept[0]' <<<"$output")" "$SERVER_IMAGES/kept1-sda"
  assert_file_exists "$SERVER_IMAGES/kept1-sda"
  assert_equal "$(state_of "$JOB")" cancelled
}
