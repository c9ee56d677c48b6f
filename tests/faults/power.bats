#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The server loses its power at any moment between two of which something on its disk is different. A
# transfer is run once, and whatever its job's directory was after each flush and each rename is kept
# (tests/lib/fsync-snapshot.c); then the server is put back to each of them in turn, recovers, and the
# machine is started again.
#
# The images are as they were then, but for the chunks that no manifest vouches for: those hold garbage,
# the worst that a write which was not flushed can have left.

load ../lib/faults
load ../lib/conversion

# More than a selection only where all faults strike often.
STEP=4
((ROUNDS < 20)) || STEP=1

# Sizes of tests/lib and of common/manifest.c.
CHUNK=4194304 HEADER=64 RECORD=32

setup_file ()
{
  local dir
  export SNAPSHOTS
  dir=$(mktemp -d /var/tmp/p2v-XXXXXX)
  SNAPSHOTS=$(mktemp -d /var/tmp/p2v-snapshots-XXXXXX)
  chmod 777 "$SNAPSHOTS"
  cp "$P2V_BUILD/tests/lib/fsync-snapshot.so" "$SNAPSHOTS/"
  server_start --no-libvirt "--env=LD_PRELOAD=$SNAPSHOTS/fsync-snapshot.so" \
    "--env=P2V_SNAPSHOTS=$SNAPSHOTS" "--env=P2V_SNAPSHOT_JOBS=$dir/state/jobs" \
    "--env=P2V_SNAPSHOT_IMAGES=$dir/images" "$dir"
  server_root mount --bind /dev/null "$(command -v virt-v2v-in-place)"
}

teardown_file ()
{
  server_stop
  rm -rf -- "$SNAPSHOTS"
}

transfer_small ()
{
  transfer_start p2v.bwlimit=4M
  transfer_end
  assert_landed
}

# What becomes of a job here that has landed: there is no virt-v2v.
stage_failed () { jobs_of "$NAME" | jq -r '.[-1].failed_stage'; }
has_landed () { [[ $(stage_failed) = convert ]]; }

# snapshot_restore N: the server is as it was when snapshot N was made, and has just been started.
snapshot_restore ()
{
  wait_until 30 no_server_processes
  find "$SERVER_STATE/jobs" "$SERVER_STATE/run" "$SERVER_IMAGES" -mindepth 1 -delete
  cp -a "$SNAPSHOTS/$1/jobs/." "$SERVER_STATE/jobs/"
  cp -a "$SNAPSHOTS/$1/images/." "$SERVER_IMAGES/"
  images_spoil
  # To start a server takes longer than to start this one.
  find "$SERVER_STATE/jobs" -mindepth 1 -exec touch -d '-10 min' {} +
}

# Garbage in the place of each chunk that the manifest does not vouch for.
images_spoil ()
{
  local image=$SERVER_IMAGES/$NAME-sda manifest at=0 size
  manifest=$(echo "$SERVER_STATE"/jobs/*/sda.manifest)
  [[ -e $image ]] || return 0
  size=$(stat -c %s "$image")
  while ((at < size)); do
    if ! is_recorded "$manifest" $((at / CHUNK)); then
      random_bytes "garbage$at" $((size - at < CHUNK ? size - at : CHUNK)) |
        dd of="$image" bs=1M seek="$at" oflag=seek_bytes iflag=fullblock conv=notrunc status=none
    fi
    at=$((at + CHUNK))
  done
}

# is_recorded MANIFEST CHUNK: a record of zeroes is none, common/manifest.c.
is_recorded ()
{
  local bytes
  bytes=$(dd if="$1" bs=1 skip=$((HEADER + $2 * RECORD)) count="$RECORD" status=none 2>/dev/null |
    tr -d '\0' | wc -c)
  ((bytes > 0))
}

# The machine is started again, unless all that it has to send is there.
go_on ()
{
  p2v_server recover
  wait_until 60 no_server_processes
  if ! has_landed; then
    transfer_start p2v.bwlimit=1G
    transfer_end 60
    assert_status 0
    wait_until 60 has_landed
  fi
  assert_same_contents "$SERVER_IMAGES/$NAME-sda" "$T/sda"
  assert_nothing_left
  # A job that had got nowhere may be there as a failed one, but not in a state of its own.
  assert_equal "$(find "$SERVER_STATE/jobs" -mindepth 1 -maxdepth 1 | wc -l)" \
    "$(p2v_server jobs --json | jq '.jobs | length')"
  assert_equal "$(jobs_of "$NAME" | jq -c 'map(.failed_stage) - ["convert", "prepare"]')" '[]'
}

@test "the server recovers from each state in which a loss of power can leave its disk" {
  local count n
  disk_make "$T/sda" 30000128 "$NAME"
  before=$(sha256_of "$T/sda")
  touch "$SNAPSHOTS/on"
  transfer_small
  wait_until 60 has_landed
  wait_until 30 no_server_processes
  rm "$SNAPSHOTS/on"
  count=$(find "$SNAPSHOTS" -maxdepth 1 -name '[0-9]*' | wc -l)
  # A job is written at each change of its state, and chunks are recorded several times.
  ((count >= 20)) || assert_fail "only $count snapshots"
  for ((n = RANDOM % STEP; n < count; n += STEP)); do
    snapshot_restore "$(printf %04d "$n")"
    echo "snapshot $n of $count, state $(jobs_of "$NAME" | jq -r '.[-1].state')"
    go_on
  done
}

# A virt-v2v whose change to the guest is one that shows: the first 64 KiB.
virt_v2v_changes ()
{
  replaced=()
  program_replace virt-v2v-in-place <<'END'
#!/bin/bash -e
for xml; do :; done
[[ $* != *--machine-readable* ]] || exit 0
qemu-io -f qcow2 -c "write -P 0x66 0 64k" "${xml%/*}/sda.overlay.qcow2" >/dev/null
printf '%s\n' 'i_type = linux' 'gcaps_block_bus = virtio-blk' 'gcaps_net_bus = virtio-net' \
  'gcaps_machine = q35' 'gcaps_arch_min_version = 0' 'gcaps_acpi = true'
END
}

is_done () { [[ $(jobs_of "$NAME" | jq -r '.[-1].state') = 'done' ]]; }

# Where a commit was cut short, what it was writing can be anything.
commit_spoil ()
{
  # Once everything is in the image the overlay goes.
  [[ $(jobs_of "$NAME" | jq -r '.[-1].state') = committing &&
     -n $(find "$SERVER_STATE/jobs" -name sda.overlay.qcow2) ]] || return 0
  random_bytes commit 65536 |
    dd of="$SERVER_IMAGES/$NAME-sda" bs=64k count=1 iflag=fullblock conv=notrunc status=none
}

@test "nor is anything lost while the guest is being made of what has landed" {
  local n state seen='' converted=$T/converted
  disk_make "$T/sda" 30000128 "$NAME"
  before=$(sha256_of "$T/sda")
  cp "$T/sda" "$converted"
  head -c 65536 /dev/zero | tr '\0' f | dd of="$converted" conv=notrunc status=none
  virt_v2v_changes
  # The other test's.
  find "$SNAPSHOTS" -mindepth 1 -maxdepth 1 -name '[0-9]*' -exec rm -r {} +
  find "$SERVER_STATE/jobs" "$SERVER_IMAGES" -mindepth 1 -delete
  touch "$SNAPSHOTS/on"
  transfer_start p2v.bwlimit=1G p2v.wait=defined
  transfer_end
  assert_status 0
  rm "$SNAPSHOTS/on"
  # A copy of the disk shows what has been written, not what was flushed: an overlay has to be before
  # its changes go into the image.
  local flushed=''
  for n in "$SNAPSHOTS"/[0-9]*; do
    state=$(jq -r .state "$n"/jobs/*/job.json 2>/dev/null || true)
    [[ $state != committing ]] || break
    [[ $(<"$n/what") != */sda.overlay.qcow2 ]] || flushed=$n
  done
  [[ -n $flushed ]] || assert_fail "the overlay was not flushed before $n"
  local last=$STEP
  for n in "$SNAPSHOTS"/[0-9]*; do
    state=$(jq -r .state "$n"/jobs/*/job.json 2>/dev/null || true)
    # What comes before is the other test's.
    [[ $state =~ ^(received|converting|committing|converted|defining|done)$ ]] || continue
    # Of each state one at least.
    [[ " $seen " != *" $state "* || $((++last)) -ge $STEP ]] || continue
    last=0
    snapshot_restore "${n##*/}"
    commit_spoil
    echo "snapshot ${n##*/}, state $state"
    p2v_server recover
    wait_until 60 is_done
    wait_until 30 no_server_processes
    assert_same_contents "$SERVER_IMAGES/$NAME-sda" "$converted"
    assert_file_exists "$SERVER_IMAGES/$NAME.xml"
    assert_nothing_left
    [[ " $seen " = *" $state "* ]] || seen+=" $state"
  done
  programs_restore
  # Each state has been on the disk.
  assert_equal "${seen# }" "received converting committing converted defining done"
}
