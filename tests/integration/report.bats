#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# "p2v-server report" makes one file of all that a bug report needs, and of no secret.

load ../lib/common
load ../lib/session
load ../lib/conversion

# Shell, JSON and XML each write it in another way.
PASSWORD='hunter"2<&>'

setup_file () { server_start --no-libvirt; }
teardown_file () { server_stop; }

setup ()
{
  common_setup
  replaced=()
  chmod 777 "$T"
}

teardown ()
{
  session_end
  programs_restore
  common_teardown
}

# A job that has failed in virt-v2v, which has printed everything that it was told.
make_failed_job ()
{
  program_replace virt-v2v <<'END'
#!/bin/bash
if [[ $1 = --machine-readable ]]; then
  printf 'virt-v2v\noutput:openstack\n'
  exit 0
fi
[[ $1 != --version ]] || { echo "virt-v2v 0.0"; exit 0; }
printf 'told: %s\n' "$@"
printf 'NUL \0 and no UTF-8 \377\n'
echo "virt-v2v: error: this one always fails" >&2
exit 1
END
  sed -i '/^modes=/d; /^\[output\]/d' "$SERVER_CONFIG"
  printf '[output]\nmodes=openstack\n' >>"$SERVER_CONFIG"
  job_land "$1" "$(jq -cn --arg password "os-password=$PASSWORD" '{mode: "openstack",
    format: "raw", options: ["server-id=abc", $password, "os-auth-token=t0ps3cret"],
    connection: "esx://root:s3same@vcenter/x"}')"
  wait_until 30 state_is "$JOB" failed
  wait_until 10 is_idle "$JOB"
}

@test "a report has the job, its events, every log, versions and the check, for its owner alone" {
  make_failed_job all1
  run server_exec sh -c 'cd "$1" && p2v-server --config "$2" report "$3"' sh "$T" "$SERVER_CONFIG" "$JOB"
  assert_status 0
  assert_output_contains "p2v-report-$JOB.tar.gz"
  local file=$T/p2v-report-$JOB.tar.gz
  assert_equal "$(stat -c %a "$file")" 600
  assert_equal "$(tar -tzf "$file" | sort | sed "s|^p2v-report-$JOB/||" | grep -v qemu-nbd)" \
    "$(printf '%s\n' check.txt convert.log convert.xml events.jsonl job.json versions.txt worker.log | sort)"
  tar -C "$T" -xzf "$file"
  cd "$T/p2v-report-$JOB"
  assert_equal "$(jq -r '.id + " " + .state + " " + (.transfers[1].zero | tostring)' job.json)" "$JOB failed 4"
  jq -es 'map(select(.kind == "failed")) | length == 1' events.jsonl
  grep -q "this one always fails" convert.log
  grep -q "server-id=abc" convert.log
  grep -q "^p2v-server " versions.txt
  grep -q "^virt-v2v 0.0" versions.txt
  grep -q "qemu-nbd" versions.txt
  grep -q "$(uname -r)" versions.txt
  grep -q "^PRETTY_NAME=" versions.txt
  grep -q "libvirt" check.txt
}

@test "no secret is in a report" {
  make_failed_job secret1
  local token
  token=$(jq -r .token "$SERVER_STATE/jobs/$JOB/job.json")
  [[ ${#token} = 64 ]]
  # As if some program had printed what it should not have.
  printf 'token %s\npassword=swordfish\n{"password": "sword\\"fish", "x": 1}\n' "$token" |
    server_exec tee -a "$SERVER_STATE/jobs/$JOB/worker.log" >/dev/null
  grep -qF "hunter" "$SERVER_STATE/jobs/$JOB/convert.log"
  run p2v_server report "$JOB" -o "$T/r.tar.gz"
  assert_status 0
  tar -C "$T" -xzf "$T/r.tar.gz"
  local secret
  for secret in "$token" hunter t0ps3cret s3same swordfish 'sword\"'; do
    run grep -rF -- "$secret" "$T/p2v-report-$JOB"
    assert_status 1
  done
  # What is not secret has stayed.
  jq -e '.request.output.options | contains(["server-id=abc"])' "$T/p2v-report-$JOB/job.json"
  grep -q '"x": 1' "$T/p2v-report-$JOB/worker.log"
}

@test "a report of a job that is being worked on can be made, and replaces an older one" {
  session_create busy1 "$(jq -cn --arg storage "$SERVER_IMAGES" '{mode: "local", storage: $storage}')"
  JOB=$(jq -r .job <<<"$answer")
  server_exec sh -c 'echo old >"$1"' sh "$T/r.tar.gz"
  run p2v_server report "$JOB" -o "$T/r.tar.gz"
  assert_status 0
  assert_equal "$(tar -xzOf "$T/r.tar.gz" "p2v-report-$JOB/job.json" | jq -r .state)" receiving
}

@test "a place that cannot be written is named, and nothing is left there" {
  make_failed_job full1
  run p2v_server report "$JOB" -o /nowhere/r.tar.gz
  assert_status 1
  assert_output_contains /nowhere
  server_root mkdir "$SERVER_DIR/small"
  server_root mount -t tmpfs -o size=4k,mode=777 tmpfs "$SERVER_DIR/small"
  server_root sh -c 'head -c 4096 /dev/zero >"$1/filler"' sh "$SERVER_DIR/small"
  run p2v_server report "$JOB" -o "$SERVER_DIR/small/r.tar.gz"
  local left
  left=$(server_root ls -A "$SERVER_DIR/small")
  server_root umount "$SERVER_DIR/small"
  assert_status 1
  assert_output_contains "No space left"
  assert_equal "$left" filler
}
