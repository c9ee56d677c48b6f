#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What comes after the transfer dies: virt-v2v, whatever becomes of it, and libvirt's daemon. What was
# received is untouched, and "p2v-server retry" makes the guest without the machine. virt-v2v is a
# program of the test's.

load ../lib/faults
load ../lib/conversion

setup_file ()
{
  server_start
  printf '\n[convert]\ntimeout=10\n' >>"$SERVER_CONFIG"
}

# virt_v2v_is: what is on standard input runs, as a part of a script of bash, in the place of virt-v2v
# until programs_restore; $overlays is the directory of the overlays on which it works.
virt_v2v_is ()
{
  local script
  script=$(cat)
  replaced=()
  program_replace virt-v2v-in-place <<END
#!/bin/bash -e
for xml; do :; done
[[ \$* != *--machine-readable* ]] || exit 0
overlays=\${xml%/*}
echo '[   0.0] Opening the source'
$script
END
}

# One that has nothing to change, and something to report.
virt_v2v_succeeds ()
{
  virt_v2v_is <<'END'
printf '%s\n' 'i_type = linux' 'gcaps_block_bus = virtio-blk' 'gcaps_net_bus = virtio-net' \
  'gcaps_machine = q35' 'gcaps_arch_min_version = 0' 'gcaps_acpi = true'
END
}

# The overlay has got something that the image must not.
# shellcheck disable=SC2016
SPOIL='qemu-io -f qcow2 -c "write -P 0x66 0 64k" "$overlays/sda.overlay.qcow2" >/dev/null'

state () { p2v_server show --json "$(job_of "$NAME")" | jq -c '[.state, .failed_stage]'; }

# assert_convert_fails TEXT: the client and the server say so, and the image is as it was received.
assert_convert_fails ()
{
  transfer_start p2v.wait=defined p2v.bwlimit=1G
  transfer_end 120
  programs_restore
  assert_status 8
  assert_output_contains "$1"
  assert_output_contains "p2v-server retry"
  assert_equal "$(state)" '["failed","convert"]'
  assert_same_contents "$SERVER_IMAGES/$NAME-sda" "$T/sda"
  assert_nothing_left
}

assert_retry_makes_the_guest ()
{
  virt_v2v_succeeds
  run p2v_server retry --wait "$(job_of "$NAME")"
  programs_restore
  assert_status 0
  assert_equal "$(state)" '["done",null]'
  assert_same_contents "$1" "$T/sda"
  assert_nothing_left
}

@test "virt-v2v is killed" {
  virt_v2v_is <<<"$SPOIL; kill -KILL \$\$"
  assert_convert_fails "virt-v2v-in-place was ended by signal 9"
  assert_retry_makes_the_guest "$SERVER_IMAGES/$NAME-sda"
  assert_file_exists "$SERVER_IMAGES/$NAME.xml"
}

@test "virt-v2v fails in the middle" {
  virt_v2v_is <<<"$SPOIL; echo 'virt-v2v-in-place: error: no space' >&2; exit 1"
  assert_convert_fails "virt-v2v-in-place: error: no space"
  assert_retry_makes_the_guest "$SERVER_IMAGES/$NAME-sda"
}

@test "virt-v2v hangs, and does not let itself be ended" {
  virt_v2v_is <<<"$SPOIL; trap '' TERM; while :; do sleep 7009; done"
  assert_convert_fails "longer than 10 seconds"
  assert_equal "$(server_root pgrep -fc '[s]leep 7009' || true)" 0
  assert_retry_makes_the_guest "$SERVER_IMAGES/$NAME-sda"
}

# From now on, until programs_restore: libvirt's client starts the daemon whenever it is not there.
libvirtd_dies ()
{
  program_replace libvirtd <<<'exit 1'
  # shellcheck disable=SC2016
  server_root sh -c 'kill -KILL $(pgrep -x libvirtd)'
}

# One that has begun once there is a file $SERVER_DIR/run/converting, and succeeds once there is
# one "go-on".
virt_v2v_waits ()
{
  rm -f "$SERVER_DIR/run"/{converting,go-on}
  virt_v2v_is <<END
echo >"$SERVER_DIR/run/converting"
while [[ ! -e $SERVER_DIR/run/go-on ]]; do sleep 0.1; done
printf '%s\n' 'i_type = linux' 'gcaps_block_bus = virtio-blk' 'gcaps_net_bus = virtio-net' \
  'gcaps_machine = q35' 'gcaps_arch_min_version = 0' 'gcaps_acpi = true'
END
}

@test "a machine that is started again after the landing is told that the server goes on" {
  local job
  virt_v2v_waits
  transfer_start p2v.bwlimit=1G
  transfer_end
  assert_status 0
  wait_until 60 test -e "$SERVER_DIR/run/converting"
  job=$(job_of "$NAME")
  # It may leave at once,
  rm "$T/out"
  transfer_start
  transfer_end 60
  assert_status 0
  assert_equal "$(said created | jq -r .job)" "$job"
  assert_equal "$(said landed | wc -l) $(said progress | wc -l)" "1 0"
  # has to leave alone what the server works on,
  transfer_start p2v.resume=no
  transfer_end 60
  assert_status 6
  assert_output_contains "is taken by job $job"
  # or may stay for the guest.
  rm "$T/out"
  transfer_start p2v.wait=defined
  wait_until 60 grep -q '"type": *"landed"' "$T/out"
  touch "$SERVER_DIR/run/go-on"
  transfer_end 60
  programs_restore
  assert_status 0
  assert_equal "$(said 'done' | wc -l)" 1
  assert_equal "$(jobs_of "$NAME" | jq -r '.[].state')" 'done'
  assert_nothing_left
}

@test "a machine that is started again after its conversion is told so, and nothing is changed" {
  virt_v2v_succeeds
  transfer_start p2v.wait=defined p2v.bwlimit=1G
  transfer_end 120
  assert_status 0
  local job
  job=$(job_of "$NAME")
  transfer_start p2v.wait=defined p2v.bwlimit=1G
  transfer_end 60
  programs_restore
  assert_status 6
  assert_output_contains "this machine has been converted already: job $job is done"
  assert_equal "$(jobs_of "$NAME" | jq length)" 1
  assert_same_contents "$SERVER_IMAGES/$NAME-sda" "$T/sda"
  assert_nothing_left
}

@test "the process that converts is killed while the machine looks on: another one goes on" {
  local job
  virt_v2v_waits
  transfer_start p2v.wait=defined p2v.bwlimit=1G
  wait_until 60 test -e "$SERVER_DIR/run/converting"
  job=$(job_of "$NAME")
  rm "$SERVER_DIR/run/converting"
  server_root kill -KILL "$(holder_of "$job")"
  wait_until 60 test -e "$SERVER_DIR/run/converting"
  touch "$SERVER_DIR/run/go-on"
  transfer_end 120
  programs_restore
  assert_status 0
  has_event "$job" "another one is started"
  assert_equal "$(state)" '["done",null]'
  assert_same_contents "$SERVER_IMAGES/$NAME-sda" "$T/sda"
  assert_nothing_left
}

@test "libvirtd is gone when the guest is to be defined" {
  virt_v2v_waits
  transfer_start p2v.wait=defined p2v.bwlimit=1G p2v.o=libvirt p2v.os=default
  wait_until 60 test -e "$SERVER_DIR/run/converting"
  libvirtd_dies
  touch "$SERVER_DIR/run/go-on"
  transfer_end 120
  programs_restore
  assert_status 8
  assert_output_contains "cannot connect to libvirt"
  assert_equal "$(state)" '["failed","define"]'
  assert_same_contents "$SERVER_POOL/$NAME-sda" "$T/sda"
  assert_nothing_left
  # It is back.
  assert_retry_makes_the_guest "$SERVER_POOL/$NAME-sda"
  server_virsh dominfo "$NAME"
  server_virsh undefine "$NAME"
}
