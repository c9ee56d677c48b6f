#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The client against a real server, up to the point where virt-v2v would be needed (it is made
# missing, tests/e2e has it): what arrives, and what each failure says and leaves behind.

load ../lib/common

setup_file ()
{
  server_start
  server_root mount --bind /dev/null "$(command -v virt-v2v-in-place)"
}

teardown_file () { server_stop; }

setup ()
{
  common_setup
  disk_make "$T/sda" 50000384 "$BATS_TEST_NUMBER"
  before=$(sha256_of "$T/sda")
}

# Whatever a test did, the source is as it was.
teardown ()
{
  local after
  after=$(sha256_of "$T/sda")
  loop_end
  common_teardown
  assert_equal "$after" "$before"
}

# convert NAME ARGUMENT...: converts the test's disk into the server's directory of images.
convert ()
{
  client "p2v.name=$1" "p2v.disks=$T/sda" p2v.interfaces= p2v.memory=512M p2v.o=local \
    "p2v.os=$SERVER_IMAGES" "${@:2}" </dev/null
}

# Loop devices outlive what they were attached to, and so does the kernel's read-only mark.
loop_end ()
{
  [[ -n ${loop-} ]] || return 0
  blockdev --setrw "$loop"
  losetup -d "$loop"
  unset loop
}

job_of () { p2v_server jobs --json | jq -r --arg guest "$1" '[.jobs[] | select(.guest == $guest)][-1].id'; }
p2v_server () { server_exec p2v-server --config "$SERVER_CONFIG" "$@"; }
no_image_of () { [[ -z $(ls "$SERVER_IMAGES" | grep "^$1-" || true) ]]; }

@test "a received raw image equals the disk byte for byte, holes stay holes" {
  run convert raw1 p2v.of=raw
  assert_status 8
  assert_output_contains "virt-v2v"
  assert_output_contains "p2v-server retry"
  assert_same_contents "$SERVER_IMAGES/raw1-sda" "$T/sda"
  (($(stat -c %b "$SERVER_IMAGES/raw1-sda") <= $(stat -c %b "$T/sda")))
}

@test "a received qcow2 image equals the disk" {
  run convert qcow1 p2v.of=qcow2
  assert_status 8
  qemu-img compare -f raw -F qcow2 "$T/sda" "$SERVER_IMAGES/qcow1-sda"
}

@test "the manifest vouches for every chunk" {
  run convert chunks1
  assert_status 8
  run p2v_server show --json "$(job_of chunks1)"
  assert_equal "$(jq -c '.transfers[0] | [.chunks, .unknown, .zero + .data]' <<<"$output")" '[12,0,12]'
}

@test "a server that is not there is exit 3 with its address" {
  run convert gone1 p2v.port=1
  assert_status 3
  assert_output_contains "127.0.0.1 port 1"
}

@test "a wrong host key is exit 3 and shows both fingerprints" {
  run convert key1 p2v.hostkey=SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
  assert_status 3
  assert_output_contains "$SERVER_HOSTKEY"
  assert_output_contains "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
}

@test "an unknown host key is exit 3 and says what to add" {
  run convert key2 -p2v.hostkey
  assert_status 3
  assert_output_contains "p2v.hostkey=$SERVER_HOSTKEY"
}

@test "p2v.hostkey=any goes on with a warning" {
  run convert key3 p2v.hostkey=any
  assert_status 8
  assert_output_contains "p2v.hostkey=any"
}

@test "a wrong key is exit 4 and names the user" {
  ssh-keygen -q -t ed25519 -N '' -f "$T/other"
  run convert auth1 "p2v.identity=file://$T/other"
  assert_status 4
  assert_output_contains "user $SERVER_USER"
}

@test "a wrong password is exit 4, the right one goes on" {
  run convert auth2 -p2v.identity p2v.password=wrong
  assert_status 4
  refute_output_contains "wrong"
  run convert auth2 -p2v.identity "p2v.password=$SERVER_PASSWORD"
  assert_status 8
  refute_output_contains "$SERVER_PASSWORD"
}

@test "an account that runs something else is exit 6 and says so" {
  server_root mount --bind /bin/false "$SERVER_DIR/usr/bin/p2v-server"
  run convert other1
  server_root umount "$SERVER_DIR/usr/bin/p2v-server"
  assert_status 6
  assert_output_contains "p2v-server does not answer"
}

@test "a disk that cannot be read is exit 5 if asked for; what has landed is kept until it is cancelled" {
  # The kernel's loop device answers reads beyond the end of a file that shrank with an I/O error.
  cp --sparse=always "$T/sda" "$T/backing"
  loop=$(losetup --show -f "$T/backing")
  truncate -s 9000000 "$T/backing"
  blockdev --flushbufs "$loop"
  run client p2v.name=eio1 "p2v.disks=$loop" p2v.interfaces= p2v.o=local "p2v.os=$SERVER_IMAGES" \
    p2v.read_errors=stop
  assert_status 5
  assert_output_contains "$loop"
  assert_output_contains "Input/output error"
  assert_equal "$(p2v_server jobs --json | jq -r '.jobs[] | select(.guest == "eio1") | .state')" failed
  assert_file_exists "$SERVER_IMAGES/eio1-${loop##*/}"
  run p2v_server cancel "$(job_of eio1)"
  assert_status 0
  no_image_of eio1
}

@test "a block device is read-only in the kernel from the start" {
  loop=$(losetup --show -f "$T/sda")
  run client p2v.name=ro1 "p2v.disks=$loop" p2v.interfaces= p2v.o=local "p2v.os=$SERVER_IMAGES"
  local read_only
  read_only=$(blockdev --getro "$loop")
  assert_status 8
  assert_equal "$read_only" 1
}

@test "without space on the server it is exit 6 before anything is sent" {
  server_root mount -t tmpfs -o size=8m,mode=777 tmpfs "$SERVER_IMAGES"
  run convert full1
  server_root umount "$SERVER_IMAGES"
  assert_status 6
  assert_output_contains "space"
}

@test "without qemu-nbd it is exit 6 and names the package" {
  server_root mount --bind /dev/null "$(command -v qemu-nbd)"
  run convert nonbd1
  server_root umount "$(command -v qemu-nbd)"
  assert_status 6
  assert_output_contains qemu-utils
  no_image_of nonbd1
}

@test "a guest name that is taken is exit 6 and nothing is overwritten" {
  run convert twice1 p2v.of=raw
  assert_status 8
  local sum
  sum=$(sha256_of "$SERVER_IMAGES/twice1-sda")
  run convert twice1 p2v.of=raw
  assert_status 6
  assert_output_contains twice1
  assert_equal "$(sha256_of "$SERVER_IMAGES/twice1-sda")" "$sum"
}

@test "hostile guest names are refused before anything is connected to" {
  local name
  for name in ../x 'a b' '$(id)' "$(printf 'a%.0s' {1..300})" $'a\nb' .hidden -o; do
    run convert "$name"
    ((status == 2 || status == 6)) || assert_fail "status $status for $name" "$output"
  done
  [[ -z $(ls "$SERVER_STATE/jobs" | grep -v '^2' || true) ]]
}

@test "a directory outside the allow-list is exit 6 with the line to add" {
  run client p2v.name=deny1 "p2v.disks=$T/sda" p2v.interfaces= p2v.o=local p2v.os=/etc
  assert_status 6
  assert_output_contains "allow="
  assert_output_contains "$SERVER_CONFIG"
}

@test "an interrupted client is exit 9, the job is cancelled and its images are gone" {
  disk_make "$T/sda" 500000256 interrupt
  before=$(sha256_of "$T/sda")
  convert cancel1 >"$T/out" 2>&1 3>&- &
  local pid=$!
  wait_until 60 grep -q 'Sending' "$T/out"
  pkill -INT -P "$pid" || kill -INT "$pid"
  local status=0
  wait "$pid" || status=$?
  ((status == 9)) || assert_fail "status $status" "$(<"$T/out")"
  no_image_of cancel1
  assert_equal "$(p2v_server jobs --json | jq -r '.jobs[] | select(.guest == "cancel1") | .state')" cancelled
}

@test "a server that says nothing does not keep an interrupted client" {
  # A listener that accepts and stays silent.
  local port=$((SERVER_PORT + 1))
  nc -lk 127.0.0.1 "$port" >/dev/null 2>&1 3>&- &
  local listener=$!
  sleep 0.5
  local started=$EPOCHSECONDS
  convert silent1 "p2v.port=$port" >"$T/out" 2>&1 3>&- &
  local pid=$!
  sleep 2
  pkill -INT -P "$pid" || kill -INT "$pid"
  local status=0
  wait "$pid" || status=$?
  kill "$listener"
  ((status == 9)) || assert_fail "status $status" "$(<"$T/out")"
  ((EPOCHSECONDS - started < 20))
}

@test "no secret is in a log, a listing or a file that others can read" {
  run convert secret1 -p2v.identity "p2v.password=$SERVER_PASSWORD"
  local job token
  job=$(job_of secret1)
  token=$(jq -r .token "$SERVER_STATE/jobs/$job/job.json")
  [[ ${#token} = 64 ]]
  run p2v_server show --json "$job"
  refute_output_contains "$token"
  run p2v_server log "$job"
  refute_output_contains "$token"
  run grep -rl "$SERVER_PASSWORD" "$SERVER_STATE"
  assert_status 1
  # Nobody else gets as far as the files in them.
  assert_equal "$(stat -c %a "$SERVER_STATE/jobs" "$SERVER_STATE/jobs/$job" | uniq)" 700
}
