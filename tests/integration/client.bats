#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What p2v-client promises to whoever starts it: exit codes, messages, hooks, signals, and that
# nothing but what was asked for is on standard output. Servers here are unreachable or silent;
# with real ones it is tested elsewhere.

load ../lib/common

bats_require_minimum_version 1.5.0

setup () {
  common_setup
  truncate -s 1M "$T/disk"
  # Nothing listens on port 1.
  export NOWHERE="p2v.server=127.0.0.1 p2v.port=1 p2v.hostkey=any p2v.memory=1G p2v.disks=$T/disk"
}

teardown () {
  [[ -z ${SILENT_PID-} ]] || kill "$SILENT_PID"
  common_teardown
}

# client_run TEXT [OPTION...]: standard output in $output, standard error in $stderr.
client_run () {
  local cmdline=$1
  shift
  run --separate-stderr "$P2V_CLIENT" --cmdline="$cmdline" "$@"
}

assert_stderr_contains () {
  # shellcheck disable=SC2154 # bats's run sets it
  [[ $stderr = *"$1"* ]] || assert_fail "expected on standard error:" "  $1" "there is:" "$stderr"
}

# A server that takes connections and then says nothing; $SILENT_PORT.
silent_start () {
  # shellcheck disable=SC2016 # the variables are perl's
  perl -MIO::Socket::INET -e '$| = 1;
    my $server = IO::Socket::INET->new(Listen => 5, LocalAddr => "127.0.0.1") or die;
    print $server->sockport, "\n";
    my @kept; while (my $client = $server->accept) { push @kept, $client }' >"$T/port" 3>&- &
  SILENT_PID=$!
  wait_until 10 test -s "$T/port"
  SILENT_PORT=$(<"$T/port")
}

@test "without a server it says what to give" {
  client_run "quiet ro"
  assert_status 2
  assert_stderr_contains "p2v-client: there is no p2v.server in --cmdline"
  assert_stderr_contains "p2v.server=HOST"
  assert_equal "$output" ""
}

@test "usage errors are exit status 2 and nothing has run" {
  for wrong in p2v.sever=x p2v.port=0 p2v.lanes=17 p2v.compress=20 p2v.bwlimit=20 'p2v.post="a; b"'; do
    client_run "$NOWHERE p2v.pre=\"touch $T/ran\" $wrong"
    assert_status 2
    assert_stderr_contains "p2v-client: ${wrong%%=*}"
  done
  run "$P2V_CLIENT" --bogus
  assert_status 2
  run "$P2V_CLIENT" --cmdline p2v.server=x p2v.password=hush
  assert_status 2
  refute_output_contains hush
  refute_file_exists "$T/ran"
}

@test "an unknown disk is exit status 5 and the message lists those there are" {
  client_run "p2v.server=127.0.0.1 p2v.memory=1G p2v.disks=sdzz"
  assert_status 5
  assert_stderr_contains "no disk \"sdzz\". Disks it has:"
}

@test "a server that does not answer is exit status 3" {
  client_run "$NOWHERE"
  assert_status 3
  assert_stderr_contains "127.0.0.1"
  [[ $output = *"Connecting to 127.0.0.1"* ]]
}

@test "an identity that cannot be fetched is exit status 4" {
  client_run "$NOWHERE p2v.identity=file://$T/none"
  assert_status 4
  assert_stderr_contains "cannot use the SSH identity file://$T/none"
}

@test "p2v.fail is told why, p2v.post does not run" {
  client_run "$NOWHERE p2v.name=web1 p2v.post=\"touch $T/post\" \
    p2v.fail=\"sh -c 'echo \$P2V_STATUS \$P2V_GUEST \$P2V_SERVER \$P2V_MESSAGE >$T/fail'\""
  assert_status 3
  refute_file_exists "$T/post"
  [[ $(<"$T/fail") = "3 web1 127.0.0.1 "* ]]
}

@test "a p2v.pre that fails ends it before anything else" {
  client_run "p2v.server=127.0.0.1 p2v.disks=sdzz p2v.pre=false p2v.fail=\"touch $T/fail\""
  assert_status 1
  assert_stderr_contains "p2v.pre: false failed with exit status 1"
  assert_file_exists "$T/fail"
}

@test "with --json-progress standard output is JSON only, whatever the hooks print" {
  client_run "$NOWHERE p2v.pre=\"echo from pre\" p2v.fail=\"echo from fail\"" --json-progress
  assert_status 3
  assert_stderr_contains "from pre"
  assert_stderr_contains "from fail"
  types=$(jq -r .type <<<"$output" | sort -u | paste -sd ' ')
  assert_equal "$types" "activity error"
  error=$(jq -r 'select(.type == "error") | "\(.code) \(.status)"' <<<"$output")
  assert_equal "$error" "connect 3"
}

@test "a signal stops it with exit status 9, p2v.fail does not run" {
  for signal in INT TERM HUP; do
    : >"$T/out"
    # A shell without job control has its background jobs ignore SIGINT; env undoes that.
    env --default-signal=INT "$P2V_CLIENT" --cmdline="$NOWHERE p2v.pre=\"sleep 300\" \
      p2v.fail=\"touch $T/fail\"" >"$T/out" 2>"$T/err" 3>&- &
    pid=$!
    wait_until 10 grep -q p2v.pre "$T/out"
    kill -s "$signal" "$pid"
    status=0
    wait "$pid" || status=$?
    output=$(<"$T/err")
    assert_status 9
    refute_file_exists "$T/fail"
  done
}

@test "a signal ends the wait for an identity whose server says nothing" {
  silent_start
  "$P2V_CLIENT" --cmdline="$NOWHERE p2v.identity=http://127.0.0.1:$SILENT_PORT/key" \
    >"$T/out" 2>&1 3>&- &
  pid=$!
  wait_until 10 grep -q Connecting "$T/out"
  kill "$pid"
  started=$SECONDS
  status=0
  wait "$pid" || status=$?
  assert_status 9
  ((SECONDS - started < 10)) || assert_fail "it took $((SECONDS - started)) seconds"
}

@test "the password cannot be seen in the list of processes" {
  silent_start
  "$P2V_CLIENT" --cmdline="p2v.server=127.0.0.1 p2v.port=$SILENT_PORT p2v.password=hush \
    p2v.hostkey=any p2v.memory=1G p2v.disks=$T/disk" >"$T/out" 2>&1 3>&- &
  pid=$!
  wait_until 10 grep -q Connecting "$T/out"
  output=$(tr '\0' ' ' <"/proc/$pid/cmdline")
  kill -KILL "$pid"
  wait "$pid" || true
  assert_output_contains "--cmdline=****"
  refute_output_contains hush
}

@test "the configuration is printed as virt-p2v prints it, and nothing is connected to" {
  client_run "$NOWHERE p2v.password=hush p2v.name=web1 p2v.dump_config_and_exit \
    p2v.pre=\"touch $T/ran\""
  assert_status 0
  assert_output_contains "remote.port          1
auth.username        root
auth.password        ***"
  assert_output_contains "guestname            web1"
  assert_output_contains "memory               1073741824"
  refute_file_exists "$T/ran"
}

@test "the inventory is one JSON object" {
  run "$P2V_CLIENT" --inventory
  assert_status 0
  jq -e '.cpu.online >= 1 and (.disks | type) == "array" and .firmware.type' <<<"$output"
  run "$P2V_CLIENT" --inventory --root=/nonexistent
  assert_status 1
  assert_output_contains "p2v-client: "
}

@test "on a terminal a line is redrawn, in a file it is not" {
  silent_start
  local cmdline="p2v.server=127.0.0.1 p2v.port=$SILENT_PORT p2v.hostkey=any p2v.memory=1G"
  TERM=xterm script -qec "timeout -s KILL 3 '$P2V_CLIENT' --cmdline='$cmdline p2v.disks=$T/disk'" \
    "$T/typescript" >/dev/null </dev/null || true
  grep -qF $'\033[1A' "$T/typescript"
  timeout -s KILL 3 "$P2V_CLIENT" --cmdline="$cmdline p2v.disks=$T/disk" >"$T/out" 2>&1 || true
  run ! grep -qF $'\033' "$T/out"
}

@test "the manual page is well-formed" {
  run --separate-stderr env LC_ALL=C.UTF-8 MANWIDTH=80 \
    man --warnings -E UTF-8 -l -Tutf8 -Z "$P2V_TOP/docs/p2v-client.1"
  assert_status 0
  assert_equal "$stderr" ""
}
