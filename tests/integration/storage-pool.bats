#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Where a machine's images go on a server with a real libvirt, asked for over the control channel:
# volumes and files are made as they were asked for, nothing that exists is overwritten, and an
# attempt that comes to nothing leaves nothing.

load ../lib/common
load ../lib/session

setup_file () { server_start; }
teardown_file () { server_stop; }

teardown ()
{
  session_end
  server_virsh pool-destroy idle >/dev/null 2>&1 || true
  server_virsh pool-undefine idle >/dev/null 2>&1 || true
  common_teardown
}

assert_created ()
{
  assert_equal "$(jq -r .type <<<"$answer"; jq -r '.message // empty' <<<"$answer")" created
}

assert_error ()
{
  assert_equal "$(jq -r .code <<<"$answer")" refused
  output=$(jq -r .message <<<"$answer") assert_output_contains "$1"
}

# What qemu-img says of an image that is open elsewhere.
image_format () { qemu-img info -U --output=json "$1" | jq -r '"\(.format) \(."virtual-size")"'; }
blocks () { stat -c %b "$1"; }
pool_is_empty () { server_virsh pool-refresh default && [[ -z $(ls -A "$SERVER_POOL") ]]; }

@test "a profile's pool gets sparse qcow2 volumes, which libvirt knows and only the account reads" {
  session_create pool1 '{"profile": "libvirt"}'
  assert_created
  run server_virsh vol-list default
  assert_output_contains pool1-sda
  assert_output_contains pool1-sdb
  assert_equal "$(image_format "$SERVER_POOL/pool1-sda")" "qcow2 8388608"
  assert_equal "$(image_format "$SERVER_POOL/pool1-sdb")" "qcow2 16777216"
  assert_equal "$(stat -c '%a %u' "$SERVER_POOL/pool1-sda")" "600 $SERVER_UID"
  (($(blocks "$SERVER_POOL/pool1-sdb") < 2048))
}

@test "raw and preallocated are what they say" {
  session_create pool2 '{"mode": "libvirt", "format": "raw", "allocation": "preallocated"}'
  assert_created
  assert_equal "$(stat -c %s "$SERVER_POOL/pool2-sda")" 8388608
  (($(blocks "$SERVER_POOL/pool2-sda") * 512 >= 8388608))
  (($(blocks "$SERVER_POOL/pool2-sdb") * 512 >= 16777216))
}

@test "a client that gives up leaves no volumes and no files" {
  session_create pool3 '{"mode": "libvirt"}'
  assert_created
  session_end
  wait_until 30 pool_is_empty
  session_create files3 '{"mode": "local", "storage": "'"$SERVER_IMAGES"'"}'
  assert_created
  assert_file_exists "$SERVER_IMAGES/files3-sdb"
  session_end
  wait_until 30 refute_file_exists "$SERVER_IMAGES/files3-sdb"
  refute_file_exists "$SERVER_IMAGES/files3-sda"
}

@test "a volume of that name is not overwritten" {
  server_virsh vol-create-as default taken-sdb 1M --format raw
  session_create taken '{"mode": "libvirt"}'
  assert_error "the guest name taken is taken: pool default has a volume taken-sdb"
  assert_equal "$(stat -c %s "$SERVER_POOL/taken-sdb")" 1048576
  refute_file_exists "$SERVER_POOL/taken-sda"
  server_virsh vol-delete taken-sdb default
}

@test "a file that libvirt has not noticed is not overwritten" {
  server_exec sh -c "echo precious >'$SERVER_POOL/unseen-sda'"
  session_create unseen '{"mode": "libvirt"}'
  assert_error "the guest name unseen is taken"
  assert_equal "$(<"$SERVER_POOL/unseen-sda")" precious
  server_exec rm "$SERVER_POOL/unseen-sda"
}

@test "a guest of that name is not replaced" {
  cat >"$SERVER_HOME/guest.xml" <<'END'
<domain type='qemu'><name>guest4</name><memory unit='MiB'>64</memory>
<os><type arch='x86_64'>hvm</type></os></domain>
END
  server_virsh define "$SERVER_HOME/guest.xml"
  session_create guest4 '{"mode": "libvirt"}'
  assert_error "libvirt (qemu:///session) has a guest of that name"
  server_virsh undefine guest4
}

@test "while a job has a guest's name no other job gets it" {
  session_create twice '{"mode": "libvirt"}'
  assert_created
  local first=$answer
  run server_ssh p2v-server session < <(
    printf '%s\n' '{"type": "hello", "version": 1}'
    jq -cn '{type: "create", needed: 0, request: {machine: {cpu: {}, firmware: {type: "bios"},
      clock: {}, smbios: {}, disks: [{name: "sda", path: "/dev/sda", size: 512}]}, guest: {
      name: "twice", vcpus: 1, memory: 268435456, rtc_basis: "utc", disks: ["sda"]},
      output: {mode: "local"}}}'
    sleep 3)
  assert_output_contains "the guest name twice is taken by job $(jq -r .job <<<"$first")"
}

@test "without space nothing is made" {
  session_create big '{"mode": "libvirt"}' 1125899906842624
  assert_error "the machine's disks need up to 1048576.0 GiB"
  assert_error "storage pool default has "
  pool_is_empty
}

@test "a pool that does not run is refused with the command that starts it" {
  server_virsh pool-define-as idle dir --target "$SERVER_HOME/idle"
  session_create idle '{"mode": "libvirt", "storage": "idle"}'
  assert_error "virsh -c qemu:///session pool-start idle"
}

@test "a directory that is not allowed is refused with the line to add, and nothing is made" {
  session_create out '{"mode": "local", "storage": "'"$SERVER_HOME"'"}'
  assert_error "[storage] in $SERVER_CONFIG: allow=libvirt-pools;$SERVER_IMAGES;$SERVER_HOME"
  refute_file_exists "$SERVER_HOME/out-sda"
  server_exec ln -s "$SERVER_HOME" "$SERVER_IMAGES/link"
  session_create out '{"mode": "local", "storage": "'"$SERVER_IMAGES/link"'"}'
  assert_error "does not allow images in the directory $SERVER_IMAGES/link (in truth $SERVER_HOME)"
  server_exec rm "$SERVER_IMAGES/link"
}

@test "hostile names reach neither a file nor a volume" {
  local name
  for name in ../x 'a b' "\$(id)" "$(printf 'a\nb')" "$(printf '%0300d' 0)"; do
    session_create "$name" '{"mode": "local"}'
    assert_error "cannot be used"
    session_end
  done
  assert_equal "$(find "$SERVER_IMAGES" "$SERVER_POOL" -mindepth 1)" ""
}

@test "a lane needs the job's own token, and one of its disks" {
  session_create lane1 '{"mode": "local", "storage": "'"$SERVER_IMAGES"'"}'
  assert_created
  local job token good bad
  job=$(jq -r .job <<<"$answer")
  token=$(jq -r .token <<<"$answer")
  good=$(jq -cn --arg job "$job" --arg token "$token" \
    '{type: "lane", version: 1, job: $job, token: $token, disk: "sda"}')
  for bad in '.token = "0"' '.token |= .[:-1] + "x"' ".token = \"${token%?}\"" 'del(.token)' '.disk = "sdc"' 'del(.disk)' \
      '.job = "20260101-000000-other"' '.job = "../jobs/'"$job"'"' '.type = "hello"'; do
    run server_ssh p2v-server lane <<<"$(jq -c "$bad" <<<"$good")"
    assert_equal "$bad $(jq -r .code <<<"$output")" "$bad refused"
  done
  # What qemu-nbd says first after the right answer: NBD's newstyle magic.
  server_ssh p2v-server lane <<<"$good" >"$T/lane"
  assert_equal "$(head -n 1 "$T/lane" | jq -r .type)" ready
  assert_equal "$(sed 1d "$T/lane" | head -c 16)" NBDMAGICIHAVEOPT
}
