#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Processes of the server die: whatever they had not made durable is sent again.

load ../lib/faults
load ../lib/conversion

kill_all () { server_kill '[q]emu-nbd|[p]2v-server( forced|-lane)'; }

@test "every process of the job is killed at random moments" {
  strike 200 2000 kill_all
  (($(count_of restored) > 0)) || assert_fail "never lost?" "$output"
}

kill_qemu_nbd () { server_kill '[q]emu-nbd'; }

@test "qcow2: what qemu-nbd had not written out when it was killed is sent again" {
  strike 500 1500 kill_qemu_nbd p2v.of=qcow2
}

@test "the session is killed alone: another one takes the job up" {
  transfer_start
  wait_until_sending
  sleep 1
  server_root kill -KILL "$(session_pid)"
  transfer_end
  assert_landed
}

# A qemu-nbd that says so when it is to end, and takes its time.
qemu_nbd_lingers ()
{
  cp "$(command -v qemu-nbd)" "$SERVER_DIR/real-qemu-nbd"
  cat >"$SERVER_DIR/slow-qemu-nbd" <<END
#!/bin/bash
"$SERVER_DIR/real-qemu-nbd" "\$@" &
trap 'echo >"$SERVER_DIR/run/ending"; sleep 3; kill %1' TERM
until wait %1; do kill -0 %1 2>/dev/null || exit 1; done
END
  chmod 755 "$SERVER_DIR"/{real,slow}-qemu-nbd
  replaced=()
  program_replace qemu-nbd <"$SERVER_DIR/slow-qemu-nbd"
}

@test "the session is killed after the last chunk, before it has said that all has landed" {
  qemu_nbd_lingers
  transfer_start p2v.bwlimit=1G
  wait_until 60 test -e "$SERVER_DIR/run/ending"
  server_root kill -KILL "$(session_pid)"
  programs_restore
  transfer_end
  assert_landed
  restored || assert_fail "never lost?" "$output"
}

@test "the session is told to end: the job waits, and goes on" {
  transfer_start
  wait_until_sending
  server_root kill -TERM "$(session_pid)"
  transfer_end
  assert_landed
  run p2v_server log "$(job_of "$NAME")"
  assert_output_contains "ended on the server"
}

@test "qemu-nbd is killed: the client says why, and goes on" {
  transfer_start
  wait_until_sending
  server_kill '[q]emu-nbd'
  transfer_end
  assert_landed
  said lost | grep -q 'qemu-nbd did not finish the image of disk sda' || assert_fail "$(said lost)"
}

@test "a manifest that is damaged costs only the chunks that it cannot vouch for" {
  transfer_start
  wait_until_sending
  sleep 2
  transfer_kill
  server_root sh -c 'kill -KILL "$1"' sh "$(session_pid)"
  local manifest
  manifest=$(echo "$SERVER_STATE"/jobs/*"$NAME"/sda.manifest)
  # The header, a record, and the last ones.
  printf 'x' | dd of="$manifest" bs=1 seek=3 conv=notrunc status=none
  printf 'x' | dd of="$manifest" bs=1 seek=$((64 + 32 * 4 + 9)) conv=notrunc status=none
  truncate -s -50 "$manifest"
  transfer_start
  transfer_end
  assert_landed
}

@test "a disk that had landed and is not vouched for any more is sent again, while the other one goes on" {
  # It lands at once; the other one takes seconds.
  disk_make "$T/sdb" 4194304 "$NAME-sdb"
  transfer_start "p2v.disks=$T/sdb,$T/sda" p2v.bwlimit=4M
  local manifest session
  wait_until_sending
  wait_until 60 first_has_landed
  session=$(session_pid)
  manifest=$(echo "$SERVER_STATE"/jobs/*"$NAME"/sdb.manifest)
  server_root kill -STOP "$session"
  printf 'x' | dd of="$manifest" bs=1 seek=$((64 + 9)) conv=notrunc status=none
  printf 'lost' | dd of="$SERVER_IMAGES/$NAME-sdb" bs=1 seek=4096 conv=notrunc status=none
  server_root kill -KILL "$session"
  transfer_end
  assert_landed
  assert_same_contents "$SERVER_IMAGES/$NAME-sdb" "$T/sdb"
}

first_has_landed ()
{
  p2v_server show --json "$(job_of "$NAME")" | jq -e '.transfers[] | select(.disk == "sdb") | .unknown == 0' >/dev/null
}
