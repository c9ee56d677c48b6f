#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The administrator's commands of p2v-server, and what its forced command lets through.

load ../lib/common

setup ()
{
  common_setup
  SERVER=$P2V_BUILD/p2v-server/p2v-server
  CONFIG=$T/server.conf
  mkdir "$T/images"
  cat >"$CONFIG" <<END
[server]
state-dir=$T/state
[libvirt]
uri=test:///default
[storage]
allow=$T/images
default=$T/images
format=raw
[profiles]
file=$T/virt-v2v.conf
END
  # A server on which virt-v2v is missing: conversion fails at once, and the job is kept.
  mkdir "$T/bin"
  ln -s "$(command -v qemu-nbd)" "$(command -v qemu-img)" "$T/bin"
}

server () { "$SERVER" --config "$CONFIG" "$@"; }

request ()
{
  jq -nc --arg name "$1" --arg storage "$T/images" '{
    machine: { hostname: "db01", memory: 1073741824, cpu: { model: "Some CPU" },
               firmware: { type: "bios" }, clock: { basis: "utc" },
               smbios: { manufacturer: "ACME\u001b[31m", product: "R1" },
               disks: [ { name: "sda", path: "/dev/sda", size: 9437184 } ] },
    guest: { name: $name, vcpus: 1, memory: 536870912, rtc_basis: "utc", disks: ["sda"] },
    output: { mode: "local", storage: $storage } }'
}

# Prints what a client says that has a disk of nothing but zeroes.
client_says ()
{
  echo '{"type":"hello","version":1}'
  request "$1" | jq -c '{type: "create", needed: 0, request: .}'
  echo '{"type":"chunks","disk":"sda","chunks":[{"first":0,"count":2,"state":"zero"},
         {"first":2,"count":1,"state":"skipped"}]}' | tr -d '\n'
  echo
}

# A job of guest $1 that was received in full and could not be converted; sets JOB.
make_failed_job ()
{
  local said
  said=$({ client_says "$1"; echo '{"type":"landed"}'; sleep 0.5; } |
    PATH=$T/bin "$SERVER" --config "$CONFIG" session) || true
  JOB=$(jq -r 'select(.type == "created").job' <<<"$said")
  [[ -n $JOB ]] || assert_fail "the session made no job. It said:" "$said"
  wait_until 20 has_failed
}

has_failed () { [[ $(server show "$JOB" --json | jq -r .state) = failed ]] && ! is_busy; }
is_busy () { [[ $(server show "$JOB" --json | jq -r .busy) = true ]]; }

@test "no jobs: a sentence, and an empty list as JSON" {
  run server jobs
  assert_status 0
  assert_output_contains "There are no jobs in $T/state."
  assert_equal "$(server jobs --json | jq -c .jobs)" "[]"
}

@test "jobs lists a job with its state, guest and size" {
  make_failed_job db01
  run server jobs
  assert_status 0
  assert_output_contains "$JOB"
  assert_output_contains "failed: convert"
  assert_output_contains "9.0"
  run jq -r '.jobs[0] | [.id, .state, .failed_stage, .guest, .size, .busy] | join(" ")' \
    <<<"$(server jobs --json)"
  assert_equal "$output" "$JOB failed convert db01 9437184 false"
}

@test "show says what failed, what landed and what to do next" {
  make_failed_job db01
  run server show "$JOB"
  assert_status 0
  assert_output_contains "virt-v2v-in-place is not installed"
  assert_output_contains "apt install virt-v2v"
  assert_output_contains "p2v-server retry $JOB"
  assert_output_contains "db01"
  assert_output_contains "100%"
  assert_output_contains "$T/images/"
  assert_output_contains "receive"
  run jq -r '.transfers[0] | [.disk, .chunks, .zero, .skipped, .data, .unknown] | join(" ")' \
    <<<"$(server show "$JOB" --json)"
  assert_equal "$output" "sda 3 2 1 0 0"
}

@test "show keeps the job's secret and the machine's control characters to itself" {
  make_failed_job db01
  token=$(jq -r .token "$T/state/jobs/$JOB/job.json")
  [[ ${#token} = 64 ]]
  run server show "$JOB" --json
  refute_output_contains "$token"
  run server show "$JOB"
  refute_output_contains "$token"
  assert_output_contains "ACME"
  refute_output_contains $'\e'
}

@test "log prints the events, as text and as JSON" {
  make_failed_job db01
  run server log "$JOB"
  assert_status 0
  assert_output_contains "receive finished"
  assert_output_contains "convert failed: "
  run server log "$JOB" --json
  assert_equal "$(jq -r 'select(.kind == "failed").stage' <<<"$output")" convert
  run server log "$JOB" --conversion
  assert_status 6
  assert_output_contains "has not been converted yet"
}

@test "log --follow prints what is appended and ends with the job" {
  make_failed_job db01
  # Somebody has the job, so it may go on.
  exec {lock}<"$T/state/jobs/$JOB/lock"
  flock "$lock"
  server log "$JOB" --follow >"$T/followed" {lock}<&- &
  follower=$!
  wait_until 5 grep -q "convert failed" "$T/followed"
  echo '{"time":1,"kind":"info","message":"one more"}' >>"$T/state/jobs/$JOB/events.jsonl"
  wait_until 5 grep -q "one more" "$T/followed"
  kill -0 "$follower"
  exec {lock}<&-
  wait "$follower"
}

@test "retry tries the failed stage again and --wait tells how it ended" {
  make_failed_job db01
  PATH=$T/bin run "$SERVER" --config "$CONFIG" retry "$JOB" --wait
  assert_status 8
  assert_output_contains "virt-v2v-in-place is not installed"
  run server show "$JOB" --json
  assert_equal "$(jq -r '.state + " " + .failed_stage' <<<"$output")" "failed convert"
  assert_file_exists "$(jq -r '.plan.images[0].path' <<<"$output")"
  assert_equal "$(server log "$JOB" --json | jq -r 'select(.kind == "failed").stage' | wc -l)" 2
}

@test "retry without --wait returns at once and the job goes on alone" {
  make_failed_job db01
  PATH=$T/bin run "$SERVER" --config "$CONFIG" retry "$JOB"
  assert_status 0
  assert_output_contains "p2v-server log $JOB --follow"
  two_failures () { [[ $(server log "$JOB" --json | grep -c '"failed"') = 2 ]]; }
  wait_until 20 two_failures
}

@test "a job whose machine left too early cannot be retried, and says so" {
  # The session keeps the job for its client; told to end, it leaves it to wait.
  said=$(client_says early | timeout 2 "$SERVER" --config "$CONFIG" session) || true
  JOB=$(jq -r 'select(.type == "created").job' <<<"$said")
  run server retry "$JOB"
  assert_status 6
  assert_output_contains "never received in full"
  run server show "$JOB"
  assert_output_contains "Start the machine as before"
}

@test "a job that is being worked on is neither retried nor removed" {
  make_failed_job db01
  exec {lock}<"$T/state/jobs/$JOB/lock"
  flock "$lock"
  for command in retry remove; do
    run server "$command" "$JOB"
    assert_status 6
    assert_output_contains "is being worked on"
  done
  assert_equal "$(server show "$JOB" --json | jq -r .busy)" true
  exec {lock}<&-
  assert_file_exists "$T/state/jobs/$JOB/job.json"
}

@test "remove keeps the images, remove --images does not" {
  make_failed_job first
  image=$(server show "$JOB" --json | jq -r '.plan.images[0].path')
  assert_file_exists "$image"
  run server remove "$JOB"
  assert_status 0
  assert_output_contains "kept:"
  assert_output_contains "$image"
  assert_file_exists "$image"
  refute_file_exists "$T/state/jobs/$JOB"

  make_failed_job second
  image=$(server show "$JOB" --json | jq -r '.plan.images[0].path')
  run server remove "$JOB" --images --json
  assert_status 0
  assert_equal "$(jq -c .kept <<<"$output")" "[]"
  assert_equal "$(jq -r '.removed[0]' <<<"$output")" "$image"
  refute_file_exists "$image"
  refute_file_exists "$T/state/jobs/$JOB"
  assert_equal "$(server jobs --json | jq -c .jobs)" "[]"
}

@test "remove --images leaves the images of a guest that exists alone" {
  make_failed_job db01
  job_file=$T/state/jobs/$JOB/job.json
  image=$(jq -r '.plan.images[0].path' "$job_file")
  echo '<domain/>' >"$T/images/db01.xml"
  jq --arg place "$T/images/db01.xml" '.state = "done" | .guest_place = $place' "$job_file" >"$T/new"
  cp "$T/new" "$job_file"
  run server remove "$JOB" --images
  assert_status 6
  assert_output_contains "$T/images/db01.xml"
  assert_file_exists "$image"
  assert_file_exists "$job_file"
}

@test "hostile job names are refused by every command" {
  for command in show log retry cancel remove report work; do
    for id in ../x 'a b' '$(id)' '' . .. 2026/../x "$(printf '1%.0s' {1..300})" $'1\n2'; do
      run server "$command" -- "$id"
      assert_status 6
      assert_output_contains "there is no job"
      assert_equal "${#lines[@]}" 1
    done
  done
}

@test "profiles lists what the profile file has" {
  cat >"$T/virt-v2v.conf" <<'END'
<virt-v2v>
  <profile name="lab">
    <method>libvirt</method>
    <storage format="qcow2">fast</storage>
    <network type="default"><network type="network" name="lan"/></network>
    <network type="bridge" name="br0"><network type="network" name="x"/></network>
  </profile>
</virt-v2v>
END
  run server profiles
  assert_status 0
  assert_output_contains "lab"
  assert_output_contains "bridge br0 → network x"
  run jq -r '.profiles[0] | .name + " " + .storage + " " + (.networks[] | select(.from_type == "bridge").from_name)' \
    <<<"$(server profiles --json)"
  assert_equal "$output" "lab fast br0"

  echo '<virt-v2v><profile>' >"$T/virt-v2v.conf"
  run server profiles
  assert_status 2
  assert_output_contains "$T/virt-v2v.conf"
}

@test "check reports every part and fails when a needed one is missing" {
  run server check --json
  names=$(jq -r '.checks[].subject' <<<"$output")
  for subject in qemu-nbd qemu-img virt-v2v-in-place kernel QEMU KVM UEFI libvirt jobs images profiles
  do
    grep -qxF "$subject" <<<"$names" || assert_fail "check says nothing about $subject:" "$names"
  done
  ok=$(jq -r .ok <<<"$output")
  assert_status "$([[ $ok = true ]] && echo 0 || echo 1)"

  PATH=$T/bin run "$SERVER" --config "$CONFIG" check
  assert_status 1
  assert_output_contains "apt install virt-v2v"
  assert_output_contains "This server cannot convert yet."
}

@test "check names the broken profile file and the missing image directory" {
  echo '<virt-v2v>' >"$T/virt-v2v.conf"
  sed -i "s|^allow=.*|allow=$T/nowhere|" "$CONFIG"
  run server check
  assert_status 1
  assert_output_contains "$T/virt-v2v.conf"
  assert_output_contains "$T/nowhere is not there"
}

@test "check never asks to give away a directory above the missing one" {
  # For another user than root, who can make directories anywhere.
  cp "$SERVER" "$T/p2v-server"
  mkdir -m 755 "$T/above"
  sed -i "s|^state-dir=.*|state-dir=$T/above/p2v|" "$CONFIG"
  chmod a+r "$CONFIG"
  run setpriv --reuid=65534 --regid=65534 --clear-groups "$T/p2v-server" --config "$CONFIG" check
  assert_status 1
  assert_output_contains "install -d -o ACCOUNT -m 0711 $T/above/p2v"
  refute_output_contains "chown ACCOUNT $T/above"
}

@test "wrong usage is exit code 2 with one line" {
  for arguments in "" frob "show" "show a b" "jobs --frob" "jobs x" "--frob"; do
    # shellcheck disable=SC2086 # to be split
    run server $arguments
    assert_status 2
    assert_equal "${#lines[@]}" 1
  done
  run "$SERVER" --config /nonexistent/server.conf jobs
  assert_status 2
  assert_output_contains /nonexistent/server.conf
}

@test "help and version need no configuration" {
  run "$SERVER" --version
  assert_status 0
  assert_output_contains "p2v-server "
  run "$SERVER" --help
  assert_status 0
  for command in jobs show log retry cancel remove recover report profiles check session lane forced work; do
    assert_output_contains "  $command"
    "$SERVER" "$command" --help | grep -q "p2v-server .* $command"
  done
}

REFUSED=("" "p2v-server" "p2v-server session; id" "p2v-server  session" "p2v-server session "
  " p2v-server session" "p2v-server session --config /tmp/x" "p2v-server jobs" "sudo p2v-server session"
  "sudo -n p2v-server jobs" "scp -t /" "/usr/lib/openssh/sftp-server" "sh" $'p2v-server session\nid'
  'p2v-server $(id)' "P2V-SERVER SESSION" "p2v-server forced" "p2v-server work x" "internal-sftp")

@test "the forced command refuses everything but sessions and lanes" {
  for asked in "${REFUSED[@]}"; do
    SSH_ORIGINAL_COMMAND=$asked run server forced </dev/null
    assert_status 2
    assert_equal "${#lines[@]}" 1
    assert_output_contains "only receives machines"
  done
  unset SSH_ORIGINAL_COMMAND
  run server forced </dev/null
  assert_status 2
}

@test "the forced command runs a session and a lane" {
  for asked in "p2v-server session" "sudo -n p2v-server session"; do
    [[ $asked != sudo* || $EUID = 0 ]] || continue
    SSH_ORIGINAL_COMMAND=$asked run server forced <<<'{"type":"hello","version":1}'
    assert_equal "$(jq -r .type <<<"${lines[0]}")" hello
  done
  for asked in "p2v-server lane" "sudo -n p2v-server lane"; do
    [[ $asked != sudo* || $EUID = 0 ]] || continue
    SSH_ORIGINAL_COMMAND=$asked run server forced \
      <<<'{"type":"lane","job":"../x","token":"x","disk":"sda","compress":false}'
    assert_equal "$(jq -r .type <<<"${lines[0]}")" error
  done
}

@test "as a login shell it refuses and runs the same" {
  for asked in "${REFUSED[@]}"; do
    [[ $asked != "p2v-server forced" ]] || continue
    run "$SERVER" -c "$asked" </dev/null
    assert_status 2
    assert_output_contains "only receives machines"
  done
  run "$SERVER" -c "p2v-server session" <<<'{"type":"hello","version":1}'
  assert_equal "$(jq -r .type <<<"${lines[0]}")" hello
  # A forced command on top of it: what counts is what the client asked for.
  SSH_ORIGINAL_COMMAND=id run "$SERVER" -c "p2v-server forced" </dev/null
  assert_status 2
  assert_output_contains '"id"'
  SSH_ORIGINAL_COMMAND="p2v-server session" run "$SERVER" -c "$SERVER forced" \
    <<<'{"type":"hello","version":1}'
  assert_equal "$(jq -r .type <<<"${lines[0]}")" hello
  run bash -c 'exec -a -p2v-server "$0"' "$SERVER" </dev/null
  assert_status 2
}

@test "work done by root on another user's job leaves files that are his" {
  ((EUID == 0)) || assert_fail "run the tests as root, as all that start a server need it"
  make_failed_job db01
  chmod 755 "$T" "$T/bin"
  # As if nobody had worked on it yet.
  rm -r "$T/state/jobs/$JOB/worker.log" "$T/state/run"/*
  chown -R nobody "$T/state" "$T/images"
  PATH=$T/bin run "$SERVER" --config "$CONFIG" retry "$JOB" --wait
  assert_status 8
  assert_equal "$(find "$T/state" ! -user nobody)" ""
}

@test "retry with changed options: networks and root, with the images where they are" {
  make_failed_job db01
  local image
  image=$(server show "$JOB" --json | jq -r '.plan.images[0].path')
  PATH=$T/bin run "$SERVER" --config "$CONFIG" retry "$JOB" --wait --root /dev/sda2
  assert_status 8
  run server show "$JOB" --json
  assert_equal "$(jq -r '.plan | .root + " " + .storage + " " + .images[0].path' <<<"$output")" \
    "/dev/sda2 $T/images $image"
  assert_equal "$(server log "$JOB" --json | jq -r 'select(.kind == "info").message' | grep changed)" \
    "changed by the administrator: root"
  assert_file_exists "$image"
  run server retry "$JOB" --network lan0
  assert_status 6
  assert_output_contains "no such interface"
}

@test "retry does not move images, and refuses what a client would be refused" {
  make_failed_job db01
  local before
  before=$(sha256_of "$T/state/jobs/$JOB/job.json")
  mkdir "$T/images/other"
  run server retry "$JOB" --storage "$T/images/other"
  assert_status 6
  assert_output_contains "stay where they were received"
  run server retry "$JOB" --format qcow2
  assert_status 6
  run server retry "$JOB" --output qemu --storage "$T/images"
  assert_status 6
  run server retry "$JOB" --profile nowhere
  assert_status 6
  assert_output_contains nowhere
  run server retry "$JOB" --option os-password=x
  assert_status 6
  assert_equal "$(sha256_of "$T/state/jobs/$JOB/job.json")" "$before"
  # Too late for another root.
  jq '.failed_stage = "define" | .failed_state = "defining"' "$T/state/jobs/$JOB/job.json" >"$T/new"
  cp "$T/new" "$T/state/jobs/$JOB/job.json"
  run server retry "$JOB" --root first
  assert_status 6
  assert_output_contains "past its conversion"
}

@test "retry --network plugs one interface, or all of them, in elsewhere" {
  local said
  said=$({ client_says db01 | jq -c 'if .type == "create" then .request |= (
      .machine.nics = [{name: "eno1", mac: "52:54:00:00:00:01"}, {name: "eno2", mac: "52:54:00:00:00:02"}] |
      .guest.nics = [{nic: "eno1", network: "lan"}, {nic: "eno2", network: "lan"}]) else . end'
    echo '{"type":"landed"}'; sleep 0.5; } | PATH=$T/bin "$SERVER" --config "$CONFIG" session) || true
  JOB=$(jq -r 'select(.type == "created").job' <<<"$said")
  wait_until 20 has_failed
  networks () { server show "$JOB" --json | jq -c '[.plan.nics[].source]'; }
  assert_equal "$(networks)" '["lan","lan"]'
  PATH=$T/bin run "$SERVER" --config "$CONFIG" retry "$JOB" --wait --network eno2:dmz
  assert_equal "$(networks)" '["lan","dmz"]'
  PATH=$T/bin run "$SERVER" --config "$CONFIG" retry "$JOB" --wait --network all --network eno1:one
  assert_equal "$(networks)" '["one","all"]'
}

@test "retry sends a guest elsewhere where virt-v2v writes it" {
  mkdir "$T/images/first" "$T/images/second"
  cat >"$T/bin/virt-v2v" <<'END'
#!/bin/sh
[ "$1" != --machine-readable ] || { echo virt-v2v; echo output:qemu; echo output:json; exit 0; }
echo "told $*"
exit 1
END
  chmod 755 "$T/bin/virt-v2v"
  ln -s "$(command -v sh)" "$T/bin/sh"
  local said
  said=$({ client_says db01 | jq -c --arg storage "$T/images/first" \
      'if .type == "create" then .request.output = {mode: "qemu", storage: $storage} else . end'
    echo '{"type":"landed"}'; sleep 0.5; } | PATH=$T/bin "$SERVER" --config "$CONFIG" session) || true
  JOB=$(jq -r 'select(.type == "created").job' <<<"$said")
  wait_until 20 has_failed
  run server log "$JOB" --conversion
  assert_output_contains "-os $T/images/first"
  PATH=$T/bin run "$SERVER" --config "$CONFIG" retry "$JOB" --wait --storage "$T/images/second" --format raw
  assert_status 8
  run server log "$JOB" --conversion
  assert_output_contains "told"
  assert_output_contains "-os $T/images/second"
  assert_output_contains "-of raw"
  refute_output_contains "$T/images/first"
  assert_file_exists "$T/state/jobs/$JOB/staging-sda.qcow2"
}
