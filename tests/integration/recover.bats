#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# "p2v-server recover" after every process of a job was killed, on jobs that real sessions have
# made: what becomes of each, that it may be run at any time and as often as one likes, and how it
# gets installed.

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
  session_end
  server_root pkill -KILL -f 'sleep 700' || true
  programs_restore
  for job in $(p2v_server jobs --json | jq -r '.jobs[].id'); do
    p2v_server cancel "$job" >/dev/null 2>&1 || true
    p2v_server remove --images "$job" >/dev/null 2>&1 || true
  done
  common_teardown
}

# Kills what holds job $JOB, and waits for the lock to be free.
kill_holder ()
{
  server_root kill -KILL "$(holder_of "$JOB")"
  wait_until 10 is_idle "$JOB"
}

@test "with nothing to take up recover says so" {
  run p2v_server recover
  assert_status 0
  assert_equal "$output" "There was nothing to take up."
  assert_equal "$(p2v_server recover --json | jq -c .)" '{"jobs":[]}'
}

@test "a transfer whose session was killed waits for its machine, with what has landed" {
  session_create lost1 "$(jq -cn --arg storage "$SERVER_IMAGES" '{mode: "local", storage: $storage}')"
  JOB=$(jq -r .job <<<"$answer")
  echo '{"type":"chunks","disk":"sdb","chunks":[{"first":1,"count":2,"state":"zero"}]}' >&"$to_server"
  landed () { [[ $(p2v_server show "$JOB" --json | jq '.transfers[1].zero') = 2 ]]; }
  wait_until 10 landed
  kill_holder
  run p2v_server recover --json
  assert_status 0
  assert_equal "$(jq -r '.jobs[0] | .id + " " + .from + " " + .to' <<<"$output")" \
    "$JOB receiving waiting"
  assert_equal "$(state_of "$JOB")" waiting
  assert_equal "$(find "$SERVER_STATE/run" -type s)" ""
  assert_equal "$(server_root pgrep -fc qemu-nbd || true)" 0
  assert_file_exists "$SERVER_IMAGES/lost1-sdb"
  landed
  run p2v_server show "$JOB"
  assert_output_contains "waiting for its machine"
  assert_output_contains "p2v-server cancel $JOB"
  # Again: nothing changes.
  local before
  before=$(sha256_of "$SERVER_STATE/jobs/$JOB/job.json")
  run p2v_server recover --json
  assert_equal "$(jq -c .jobs <<<"$output")" "[]"
  assert_equal "$(sha256_of "$SERVER_STATE/jobs/$JOB/job.json")" "$before"
  # It need not wait for ever.
  run p2v_server cancel "$JOB"
  assert_status 0
  assert_output_contains "$SERVER_IMAGES/lost1-sda"
  assert_freed "$JOB"
}

@test "a conversion whose worker was killed begins again, without what the old one has left running" {
  virt_v2v_hangs
  job_land again1
  wait_until 30 hangs
  kill_holder
  local old
  old=$(server_root pgrep -f 'sleep 7001')
  run p2v_server recover
  assert_status 0
  assert_output_contains "$JOB (converting): goes on in the background"
  wait_until 30 is_busy "$JOB"
  began_again () { [[ $(grep -c '"started".*"convert"' "$SERVER_STATE/jobs/$JOB/events.jsonl") = 2 ]]; }
  wait_until 30 began_again
  wait_until 30 hangs
  run server_root kill -0 "$old"
  ((status != 0)) || assert_fail "process $old of the killed conversion is still there"
  # A job that somebody works on is left alone.
  local holder
  holder=$(holder_of "$JOB")
  run p2v_server recover
  assert_equal "$output" "There was nothing to take up."
  assert_equal "$(holder_of "$JOB")" "$holder"
  is_busy "$JOB"
  p2v_server cancel "$JOB"
  assert_freed "$JOB"
}

@test "recover leaves alone what a running transfer needs, its door for clients that come back too" {
  session_create open1 "$(jq -cn --arg storage "$SERVER_IMAGES" '{mode: "local", storage: $storage}')"
  JOB=$(jq -r .job <<<"$answer")
  local sockets
  sockets=$(find "$SERVER_STATE/run" -type s | sort)
  # Of two disks, and the door.
  assert_equal "$(wc -l <<<"$sockets")" 3
  run p2v_server recover
  assert_equal "$output" "There was nothing to take up."
  assert_equal "$(find "$SERVER_STATE/run" -type s | sort)" "$sockets"
  # Once the transfer is gone, so are they.
  kill_holder
  p2v_server recover
  assert_equal "$(find "$SERVER_STATE/run" -type s)" ""
}

@test "the directory of a job that was never written is removed, once that is sure" {
  local dir=$SERVER_STATE/jobs/20260101-120000-never1
  server_exec mkdir -p "$dir"
  server_exec touch "$dir/lock" "$dir/job.json.tmp"
  p2v_server recover
  assert_file_exists "$dir"
  touch -d '-2 min' "$dir"
  p2v_server recover
  refute_file_exists "$dir"
  # One in which there is something is for a person to look at.
  server_exec mkdir "$dir"
  server_exec touch "$dir/sda.manifest"
  touch -d '-2 min' "$dir"
  p2v_server recover
  assert_file_exists "$dir/sda.manifest"
  rm -r "$dir"
}

@test "several recoveries at once start one worker" {
  virt_v2v_hangs
  job_land once1
  wait_until 30 hangs
  kill_holder
  local i pids=()
  for i in 1 2 3 4; do
    p2v_server recover >/dev/null 3>&- &
    pids+=($!)
  done
  wait "${pids[@]}"
  wait_until 30 is_busy "$JOB"
  wait_until 30 hangs
  assert_equal "$(server_root pgrep -fc 'p2v-server .*work')" 1
  assert_equal "$(server_root pgrep -fc 'sleep 7001')" 1
}

@test "a job that was to be cancelled when the server stopped is cancelled" {
  virt_v2v_hangs
  job_land asked1
  wait_until 30 hangs
  server_root kill -STOP "$(holder_of "$JOB")"
  server_exec touch "$SERVER_STATE/jobs/$JOB/cancel"
  kill_holder
  run p2v_server recover
  assert_output_contains "cancelled, as was asked for"
  assert_equal "$(state_of "$JOB")" cancelled
  assert_freed "$JOB"
}

@test "recover by root leaves files that are the account's" {
  virt_v2v_fails
  job_land root1
  wait_until 30 state_is "$JOB" failed
  wait_until 10 is_idle "$JOB"
  local file=$SERVER_STATE/jobs/$JOB/job.json
  jq '.state = "received"' "$file" >"$T/new"
  cat "$T/new" >"$file"
  rm "$SERVER_STATE/jobs/$JOB/worker.log"
  run server_root p2v-server --config "$SERVER_CONFIG" recover
  assert_status 0
  wait_until 30 state_is "$JOB" failed
  assert_equal "$(find "$SERVER_STATE" ! -user "$SERVER_UID")" ""
}

@test "make install installs a unit that systemd accepts, and that runs what was installed" {
  make -s -C "$P2V_TOP" install DESTDIR="$T/stage" PREFIX=/opt/p2v >/dev/null
  local unit=$T/stage/opt/p2v/lib/systemd/system/p2v-recover.service
  grep -qx 'ExecStart=/opt/p2v/bin/p2v-server recover' "$unit"
  assert_equal "$(stat -c %a "$unit")" 644
  # The program has to be there for systemd.
  sed -i "s|/opt/p2v|$T/stage/opt/p2v|" "$unit"
  run systemd-analyze verify --man=no "$unit"
  assert_status 0
  assert_equal "$output" ""
}
