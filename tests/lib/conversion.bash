# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Conversions by hand on the private server: with session.bash, and with programs in the place of
# virt-v2v-in-place.

p2v_server () { server_exec p2v-server --config "$SERVER_CONFIG" "$@"; }

state_of () { jq -r .state "$SERVER_STATE/jobs/$1/job.json"; }
state_is () { [[ $(state_of "$1") = "$2" ]]; }
is_busy () { [[ $(p2v_server show "$1" --json | jq -r .busy) = true ]]; }
is_idle () { ! is_busy "$1"; }
has_event () { grep -q "$2" "$SERVER_STATE/jobs/$1/events.jsonl"; }

# The process that holds job $1, as the server numbers it.
holder_of () { tr -dc 0-9 <"$SERVER_STATE/jobs/$1/lock"; }

# Reads a program from standard input and puts it into the place of $1 until programs_restore. A test
# file sets replaced=() first.
program_replace ()
{
  local place
  place=$(command -v "$1")
  cat >"$SERVER_DIR/fake-$1"
  chmod 755 "$SERVER_DIR/fake-$1"
  server_root mount --bind "$SERVER_DIR/fake-$1" "$place"
  replaced+=("$place")
}

programs_restore ()
{
  local place
  for place in "${replaced[@]}"; do
    # It may still run.
    server_root umount --lazy "$place"
  done
  replaced=()
}

# A virt-v2v-in-place that neither ends nor lets itself be ended, and has children that do neither:
# one in its process group, and one that has left it.
virt_v2v_hangs ()
{
  program_replace virt-v2v-in-place <<'END'
#!/bin/bash
[[ $1 != --machine-readable ]] || exit 0
trap '' TERM
echo '[   0.0] Setting up the source: -i libvirtxml'
sleep 7001 &
setsid sleep 7002 &
while :; do
  sleep 7003
done
END
}

# One that fails at once.
virt_v2v_fails ()
{
  program_replace virt-v2v-in-place <<'END'
#!/bin/bash
[[ $1 != --machine-readable ]] || exit 0
echo "virt-v2v-in-place: error: this one always fails" >&2
exit 1
END
}

# It has started all of its processes.
hangs () { [[ $(server_root pgrep -fc 'sleep 700[123]') -ge 3 ]]; }

# job_land NAME [OUTPUT]: a job whose disks have landed; sets JOB. The session stays connected.
job_land ()
{
  local output
  output=$(jq -cn --arg storage "$SERVER_IMAGES" '{mode: "local", storage: $storage}')
  session_create "$1" "${2-$output}"
  # shellcheck disable=SC2154 # session_create sets it, and to_server
  JOB=$(jq -r '.job // empty' <<<"$answer")
  [[ -n $JOB ]] || assert_fail "no job:" "$answer"
  # shellcheck disable=SC2154
  printf '%s\n' \
    '{"type":"chunks","disk":"sda","chunks":[{"first":0,"count":2,"state":"zero"}]}' \
    '{"type":"chunks","disk":"sdb","chunks":[{"first":0,"count":4,"state":"zero"}]}' \
    '{"type":"landed"}' >&"$to_server"
}

# Nothing of job $1 is left but its record: no process, socket, overlay, image or temporary file.
assert_freed ()
{
  local id=$1 guest
  guest=$(jq -r .request.guest.name "$SERVER_STATE/jobs/$id/job.json")
  assert_equal "$(find "$SERVER_IMAGES" -name "$guest-*" -o -name "$guest.*")" ""
  assert_equal "$(find "$SERVER_STATE/run" -type s)" ""
  assert_equal "$(find "$SERVER_STATE/jobs/$id" -name '*.overlay.qcow2' -o -name '*.tmp' -o -name 'staging-*')" ""
  assert_equal "$(server_root pgrep -fa "qemu-nbd|qemu-img|sleep 700" || true)" ""
}

# A virt-v2v-in-place that has nothing to change, and reports what a guest can do.
conversion_succeeds ()
{
  program_replace virt-v2v-in-place <<'END'
#!/bin/sh -e
case "$*" in *--machine-readable*) echo virt-v2v-in-place; exit 0 ;; esac
echo '[   0.0] Opening the source'
echo 'i_type = linux'
echo 'gcaps_block_bus = virtio-blk'
echo 'gcaps_net_bus = virtio-net'
echo 'gcaps_machine = q35'
echo 'gcaps_arch_min_version = 0'
echo 'gcaps_acpi = true'
END
}
