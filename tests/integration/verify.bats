#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What has landed is compared with what the machine read, before a guest is made of it. virt-v2v is
# missing here unless a test puts something in its place.

load ../lib/common

setup_file ()
{
  server_start
  # For the tests' own to call: a mount hides them.
  cp "$(command -v qemu-nbd)" "$SERVER_DIR/real-qemu-nbd"
  chmod 755 "$SERVER_DIR/real-qemu-nbd"
  server_root mount --bind /dev/null "$(command -v virt-v2v-in-place)"
}

teardown_file () { server_stop; }

setup ()
{
  common_setup
  disk_make "$T/sda" 50000384 "$BATS_TEST_NUMBER"
  replaced=()
}

teardown ()
{
  local program
  for program in "${replaced[@]}"; do
    server_root umount "$program"
  done
  common_teardown
}

# convert NAME ARGUMENT...
convert ()
{
  client "p2v.name=$1" "p2v.disks=$T/sda" p2v.interfaces= p2v.memory=512M p2v.o=local \
    "p2v.os=$SERVER_IMAGES" "${@:2}" </dev/null
}

p2v_server () { server_exec p2v-server --config "$SERVER_CONFIG" "$@"; }
show () { p2v_server show --json "$JOB" | jq -c "$1"; }
state () { show '[.state, .failed_stage]'; }
image () { printf '%s\n' "$SERVER_IMAGES/$GUEST-sda"; }
manifest () { printf '%s\n' "$SERVER_STATE/jobs/$JOB/sda.manifest"; }

# receive NAME ARGUMENT...: a job whose disk was received, and whose conversion failed for want of
# virt-v2v. Sets GUEST and JOB.
receive ()
{
  GUEST=$1
  run convert "$@"
  assert_status 8
  JOB=$(p2v_server jobs --json | jq -r --arg guest "$1" '[.jobs[] | select(.guest == $guest)][-1].id')
  assert_equal "$(state)" '["failed","convert"]'
}

# replace PROGRAM: what is on standard input runs in its place on the server until the test is over.
replace ()
{
  local program
  program=$(command -v "$1")
  cat >"$T/$1"
  chmod 755 "$T/$1"
  server_root mount --bind "$T/$1" "$program"
  replaced+=("$program")
}

# damage OFFSET: another byte in the image's file.
damage ()
{
  local byte
  byte=$(od -An -tu1 -j "$1" -N 1 "$(image)" | tr -d ' ')
  # shellcheck disable=SC2059
  printf "\\x$(printf %02x $((byte ^ 1)))" |
    server_exec dd of="$(image)" bs=1 seek="$1" conv=notrunc status=none
}

# retry: verifies and converts again, without any client.
retry () { p2v_server retry --wait "$JOB"; }

# Nobody works on the job, no export of it is left, no overlay, and no definition of a guest.
assert_nothing_left ()
{
  assert_equal "$(show .busy)" false
  assert_equal "$(find "$SERVER_STATE/run" -type s)" ""
  assert_equal "$(find "$SERVER_STATE/jobs/$JOB" -name '*.overlay.qcow2')" ""
  refute_file_exists "$SERVER_IMAGES/$GUEST.xml"
  assert_equal "$(server_root pgrep -fc "[q]emu-nbd.*$(image)" || true)" 0
}

@test "every chunk of a raw image is compared, though virt-v2v is missing" {
  receive right1 p2v.of=raw
  assert_output_contains "Verification passed: all 12 chunks are what the machine read"
  # disk_make: chunks 0, 4, 8 and, with 4 KiB, 3, 7, 11 are data.
  assert_equal "$(show '.verification | [.state, .chunks, .data, .zero, .bad]')" \
    '["passed",12,6,6,0]'
  run p2v_server show "$JOB"
  assert_output_contains "passed: all 12 chunks"
  assert_output_contains "6 data; 6 zero or skipped"
  assert_nothing_left
}

@test "p2v.wait=verified: the machine stays for the verification and no longer, and is told so" {
  run convert wait1 p2v.wait=verified
  assert_status 0
  assert_output_contains "Keep this machine on until it has been compared with what was read"
  assert_output_contains "Verification passed"
  run convert wait2 p2v.wait=verified p2v.verify=off
  assert_status 0
  assert_output_contains "This machine is no longer needed"
}

@test "every chunk of a qcow2 image is compared" {
  receive right2 p2v.of=qcow2
  assert_equal "$(show '.verification | [.state, .chunks, .data, .zero, .bad]')" \
    '["passed",12,6,6,0]'
}

@test "a byte of a raw image that changed is found: no guest, the image is kept" {
  receive flip1 p2v.of=raw
  damage 16777300
  run retry
  assert_status 7
  assert_output_contains "disk sda: chunk 4 (different)"
  assert_equal "$(state)" '["failed","verify"]'
  assert_equal "$(show '.transfers[0].unknown')" 1
  assert_file_exists "$(image)"
  assert_nothing_left
  # There is no way around it: only the machine has what is missing.
  run p2v_server retry "$JOB"
  assert_status 6
  assert_output_contains "Convert the machine again"
  run p2v_server show "$JOB"
  assert_output_contains "failed: 1 of 12 chunks are not what the machine read"
  assert_output_contains "only what was found to be wrong is sent"
}

@test "a byte of a qcow2 image that changed is found" {
  receive flip2 p2v.of=qcow2
  local offset
  offset=$(qemu-img map --output=json "$(image)" | jq 'map(select(.data and .start == 0))[0].offset')
  damage $((offset + 12345))
  run retry
  assert_status 7
  assert_output_contains "disk sda: chunk 0 (different)"
  assert_equal "$(state)" '["failed","verify"]'
}

@test "a chunk that should be zero and is not is found" {
  receive zero1 p2v.of=raw
  damage 5000000
  run retry
  assert_status 7
  assert_output_contains "disk sda: chunk 1 (not zero)"
  receive zero2 p2v.of=qcow2
  server_exec qemu-io -f qcow2 -c 'write -P 1 9000000 512' "$(image)"
  run retry
  assert_status 7
  assert_output_contains "disk sda: chunk 2 (not zero)"
}

@test "a damaged record of the manifest vouches for nothing" {
  receive record1
  # The header has 64 bytes, a record 32.
  printf x | server_exec dd of="$(manifest)" bs=1 seek=$((64 + 32 * 8 + 11)) conv=notrunc status=none
  run retry
  assert_status 7
  assert_output_contains "disk sda: chunk 8 (unrecorded)"
  assert_equal "$(state)" '["failed","verify"]'
}

@test "a manifest that is gone altogether fails the verification, and says so" {
  receive record2
  server_exec rm "$(manifest)"
  run retry
  assert_output_contains "cannot be compared"
  assert_output_contains "sda.manifest"
  assert_equal "$(state)" '["failed","verify"]'
}

@test "p2v.verify=off compares nothing, and says so" {
  receive off1 p2v.of=raw p2v.verify=off
  assert_output_contains "not compared with what the machine read (p2v.verify=off)"
  assert_equal "$(show .verification.state)" '"off"'
  damage 0
  run retry
  assert_status 8
  assert_equal "$(state)" '["failed","convert"]'
}

@test "while the job is followed a mismatch makes it wait for its machine" {
  receive follow1 p2v.of=raw
  damage 0
  # What a session with its client holds.
  server_exec flock -s "$SERVER_STATE/jobs/$JOB/followed" sleep 60 3>&- &
  local follower=$!
  wait_until 10 test -e "$SERVER_STATE/jobs/$JOB/followed"
  sleep 0.5
  run retry
  kill "$follower"
  wait "$follower" || true
  assert_equal "$(state)" '["waiting",null]'
  assert_equal "$(show '.transfers[0].unknown')" 1
  assert_nothing_left
}

@test "what is wrong is asked for again while the client is there" {
  # The image is damaged once, when it is read back for the first time.
  replace qemu-nbd <<END
#!/bin/sh
case "\$*" in *--read-only*)
  for image; do :; done
  [ -e "\$image.damaged" ] || {
    : >"\$image.damaged"
    printf 'not what was read' | dd of="\$image" bs=1 seek=16777300 conv=notrunc status=none
  } ;;
esac
exec $SERVER_DIR/real-qemu-nbd "\$@"
END
  receive repair1 p2v.of=raw
  assert_output_contains "disk sda: chunk 4 (different)"
  assert_output_contains "Verification passed: all 12 chunks"
  assert_file_exists "$(image).damaged"
  assert_same_contents "$(image)" "$T/sda"
  assert_equal "$(show .verification.bad)" 0
}

# In the place of virt-v2v-in-place until conversion_end: what is on standard input, run by sh, with
# $overlays for the directory of them.
conversion_is ()
{
  server_root umount "$(command -v virt-v2v-in-place)"
  {
    cat <<'END'
#!/bin/sh -e
case "$*" in *--machine-readable*) echo virt-v2v-in-place; exit 0 ;; esac
for xml; do :; done
overlays=${xml%/*}
echo '[   0.0] Opening the source'
END
    cat
  } | replace virt-v2v-in-place
}

conversion_end ()
{
  local program kept=() other
  program=$(command -v virt-v2v-in-place)
  server_root umount "$program"
  server_root mount --bind /dev/null "$program"
  for other in "${replaced[@]}"; do
    [[ $other = "$program" ]] || kept+=("$other")
  done
  replaced=("${kept[@]}")
}

# A conversion that changes the guest and has something to report.
conversion_succeeds ()
{
  conversion_is <<'END'
qemu-io -f qcow2 -c 'write -P 0x77 1M 64k' "$overlays/sda.overlay.qcow2" >/dev/null
echo 'i_type = linux'
echo 'gcaps_block_bus = virtio-blk'
echo 'gcaps_net_bus = virtio-net'
echo 'gcaps_machine = q35'
echo 'gcaps_arch_min_version = 0'
echo 'gcaps_acpi = true'
END
}

# verification_takes SECONDS: before it looks at anything.
verification_takes ()
{
  replace qemu-nbd <<END
#!/bin/sh
case "\$*" in *--read-only*) sleep $1 ;; esac
exec $SERVER_DIR/real-qemu-nbd "\$@"
END
}

@test "virt-v2v is stopped when the images turn out to be wrong" {
  receive stop1 p2v.of=raw
  damage 0
  conversion_is <<<'exec sleep 300'
  verification_takes 2
  local started=$SECONDS
  run retry
  conversion_end
  assert_status 7
  ((SECONDS - started < 60))
  assert_output_contains "Opening the source"
  assert_equal "$(state)" '["failed","verify"]'
  assert_nothing_left
}

@test "nothing is committed before the verification has ended" {
  receive commit1 p2v.of=raw
  damage 0
  local before
  before=$(sha256_of "$(image)")
  conversion_succeeds
  verification_takes 4
  run retry
  conversion_end
  assert_status 7
  assert_output_contains "Waiting until the images are compared"
  assert_equal "$(state)" '["failed","verify"]'
  assert_equal "$(sha256_of "$(image)")" "$before"
  assert_nothing_left
}

@test "once it has passed the guest is defined, and there is nothing to verify any more" {
  receive commit2 p2v.of=raw
  conversion_succeeds
  verification_takes 2
  run retry
  conversion_end
  assert_status 0
  assert_output_contains "Verification passed: all 12 chunks"
  assert_equal "$(state)" '["done",null]'
  assert_file_exists "$SERVER_IMAGES/commit2.xml"
  assert_equal "$(od -An -tx1 -j 1048576 -N 2 "$(image)")" " 77 77"
  run p2v_server verify "$JOB"
  assert_status 10
  assert_output_contains "no longer what the machine read"
  run p2v_server show "$JOB"
  assert_output_contains "passed: all 12 chunks"
}

@test "verify can be said again at any time before the conversion" {
  receive again1 p2v.of=qcow2
  local before
  before=$(state)
  for _ in 1 2; do
    run p2v_server verify "$JOB"
    assert_status 0
    assert_output_contains "passed: all 12 chunks"
  done
  run p2v_server verify --json "$JOB"
  assert_status 0
  assert_equal "$(jq -c '[.id, .state, .data, .zero, .bad, .bad_chunks]' <<<"$output")" \
    "[\"$JOB\",\"passed\",6,6,0,[]]"
  assert_equal "$(state)" "$before"
  # As root, too, without leaving files that the account could not write.
  server_root p2v-server --config "$SERVER_CONFIG" verify "$JOB"
  assert_equal "$(find "$SERVER_STATE" -user root | wc -l)" 0
}

@test "verify finds what changed since, and the job is not converted then" {
  receive again2 p2v.of=raw
  damage 33554432
  run p2v_server verify --json "$JOB"
  assert_status 7
  assert_equal "$(sed -n '/^{/,/^}/p' <<<"$output" | jq -c '[.state, .bad, .bad_chunks]')" \
    '["failed",1,[{"disk":"sda","chunk":8,"problem":"different"}]]'
  assert_equal "$(state)" '["failed","verify"]'
  run p2v_server retry "$JOB"
  assert_status 6
  # What is forgotten is left to come, and no longer wrong.
  run p2v_server verify "$JOB"
  assert_status 7
  assert_output_contains "incomplete: 11 chunks are what the machine read; still to come: 1"
}

@test "verify of a job that does not exist is refused" {
  run p2v_server verify 20200101-000000-none
  assert_status 6
}

@test "verify leaves alone a job that is being worked on" {
  receive busy1
  server_exec flock "$SERVER_STATE/jobs/$JOB/lock" sleep 30 3>&- &
  local holder=$!
  wait_until 10 sh -c '! flock -n "$1" true' sh "$SERVER_STATE/jobs/$JOB/lock"
  run p2v_server verify "$JOB"
  kill "$holder"
  wait "$holder" || true
  assert_status 6
}

@test "a value other than full and off is refused on both sides" {
  run convert wrong1 p2v.verify=some
  assert_status 2
  assert_output_contains "expected one of full, off"
}
