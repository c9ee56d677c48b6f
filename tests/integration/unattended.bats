#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# p2v-client --unattended: that it waits for the network, tries again, shows everything on every
# console and tells the server how it went. The machine is a network namespace with two cards, their
# cables lead to another one with a real server in it. virt-v2v is missing there (tests/e2e has it),
# so the end of a conversion whose disks have arrived is exit status 8.

load ../lib/common

bats_require_minimum_version 1.5.0

setup_file ()
{
  export MACHINE="p2v-machine-$$" SWITCH="p2v-server-$$"
  ip netns add "$MACHINE"
  ip netns add "$SWITCH"
  ip -n "$MACHINE" link set lo up
  ip -n "$SWITCH" link set lo up
  # In the order of names; the address of the server is behind the second card.
  ip -n "$MACHINE" link add eno1 type veth peer name port1 netns "$SWITCH"
  ip -n "$MACHINE" link add eno2 type veth peer name port2 netns "$SWITCH"
  ip -n "$SWITCH" address add 192.0.2.1/24 dev port2
  ip -n "$SWITCH" link set port2 up
  SERVER_DIR=$(nsenter --net="/run/netns/$SWITCH" "$PRIVATE_SERVER" start --owner="$$" --no-libvirt \
    --listen=0.0.0.0)
  while read -r setting; do
    export "${setting?}"
  done < <("$PRIVATE_SERVER" env --prefix=SERVER_ "$SERVER_DIR")
  server_root mount --bind /dev/null "$(command -v virt-v2v-in-place)"
}

teardown_file ()
{
  server_stop
  ip netns delete "$MACHINE"
  ip netns delete "$SWITCH"
}

setup ()
{
  common_setup
  disk_make "$T/sda" 20000256 "$BATS_TEST_NUMBER"
  before=$(sha256_of "$T/sda")
  network_up
  consoles_start tty1 ttyS0
}

# Whatever a test did, the source is as it was and nobody tried to switch this machine off.
teardown ()
{
  local after off
  after=$(sha256_of "$T/sda")
  off=$(cat "$T/switched-off" 2>/dev/null || true)
  [[ -z ${CLIENT_PID-} ]] || pkill -KILL -P "$CLIENT_PID" || true
  kill "$CONSOLES_PID"
  common_teardown
  assert_equal "$after" "$before"
  assert_equal "$off" ""
}

# Both cards switched on, the second with a cable and an address.
network_up ()
{
  ip -n "$SWITCH" link set port1 down
  ip -n "$SWITCH" link set port2 up
  ip -n "$MACHINE" link set eno1 up
  ip -n "$MACHINE" link set eno2 up
  ip -n "$MACHINE" address flush dev eno2 scope global
  ip -n "$MACHINE" address add 192.0.2.5/24 dev eno2
}

# consoles_start NAME...: what each of them shows is in $T/NAME.log; NAME- is one that is stopped.
consoles_start ()
{
  local name logs=() terminals
  for name in "$@"; do
    if [[ $name = *- ]]; then logs+=(-); else logs+=("$T/$name.log"); fi
  done
  [[ -z ${CONSOLES_PID-} ]] || kill "$CONSOLES_PID"
  rm -f "$T/terminals"
  "$COMMON_LIB/consoles" "${logs[@]}" >"$T/terminals" 3>&- &
  CONSOLES_PID=$!
  wait_until 10 test -s "$T/terminals"
  read -ra terminals <"$T/terminals"
  : >"$T/consoles"
  while (($# > 0)); do
    echo "${1%-} ${terminals[0]}" >>"$T/consoles"
    terminals=("${terminals[@]:1}")
    shift
  done
}

# Runs a command as the machine.
machine () { "$COMMON_LIB/machine-namespace" "$T" "/run/netns/$MACHINE" "$@"; }

# The arguments that every run here has; never without a p2v.post of its own.
arguments ()
{
  printf '%s ' p2v.server=192.0.2.1 "p2v.port=$SERVER_PORT" "p2v.username=$SERVER_USER" \
    "p2v.identity=file://$SERVER_IDENTITY" "p2v.hostkey=$SERVER_HOSTKEY" "p2v.disks=$T/sda" \
    p2v.interfaces= p2v.memory=512M p2v.o=local "p2v.os=$SERVER_IMAGES" \
    p2v.of=raw p2v.post= p2v.wait=defined
}

# unattended NAME ARGUMENT...: an argument takes the place of the same one of those above.
unattended ()
{
  local argument key given=" " cmdline=""
  for argument in "p2v.name=$1" "${@:2}"; do
    given+="${argument%%=*} "
    cmdline+=" $(kernel_argument "$argument")"
  done
  for argument in $(arguments); do
    key=${argument%%=*}
    [[ $given = *" $key "* ]] || cmdline+=" $argument"
  done
  machine "$P2V_CLIENT" --unattended --cmdline="${cmdline# }"
}

# The same in the background, its output in $T/out; CLIENT_PID.
unattended_start ()
{
  unattended "$@" >"$T/out" 2>&1 3>&- &
  CLIENT_PID=$!
}

unattended_end ()
{
  local ended=$CLIENT_PID
  status=0
  unset CLIENT_PID
  wait "$ended" || status=$?
  output=$(<"$T/out")
}

# What a console shows comes through another process.
assert_console ()
{
  wait_until 5 grep -qF -- "$2" "$T/$1.log" ||
    assert_fail "expected on $1:" "  $2" "there is:" "$(cat "$T/$1.log")"
}

assert_everywhere ()
{
  assert_output_contains "$1"
  assert_console tty1 "$1"
  assert_console ttyS0 "$1"
}

p2v_server () { server_exec p2v-server --config "$SERVER_CONFIG" "$@"; }
jobs_of () { p2v_server jobs --json | jq -c --arg guest "$1" '[.jobs[] | select(.guest == $guest)]'; }

# The server's sshd as if the server were booted late.
sshd_stop () { server_root sh -c 'kill $(cat "$1")' sh "$SERVER_DIR/sshd.pid"; }
sshd_start ()
{
  nsenter --net="/run/netns/$SWITCH" "$PRIVATE_SERVER" exec --root "$SERVER_DIR" \
    /usr/sbin/sshd -f "$SERVER_DIR/etc/sshd_config" -E "$SERVER_DIR/sshd.log" 3>&-
}

@test "every console has every line, what commands print and the error included" {
  run unattended lines1 "p2v.pre=echo from the command" "p2v.fail=sh -c 'echo status \$P2V_STATUS'"
  assert_status 8
  assert_everywhere "Running the command of p2v.pre"
  assert_everywhere "from the command"
  assert_everywhere "eno2 has the address 192.0.2.5"
  assert_everywhere "Connecting to 192.0.2.1"
  assert_everywhere "Everything has reached the server"
  assert_everywhere "p2v-client: "
  assert_everywhere "virt-v2v"
  assert_everywhere "Alt-F2"
  assert_everywhere "p2v-client --unattended"
  assert_everywhere "status 8"
  assert_equal "$(grep -c 'from the command' "$T/tty1.log")" 1
  assert_same_contents "$SERVER_IMAGES/lines1-sda" "$T/sda"
  # A serial line needs a carriage return, and nothing that moves a cursor.
  grep -q $'reached the server.*\r$' "$T/ttyS0.log"
  run ! grep -q $'\033' "$T/ttyS0.log"
}

@test "a console that is stopped does not hold up the others" {
  consoles_start tty1 ttyS0 ttyS1-
  # More than any terminal keeps for later.
  run unattended stopped1 "p2v.pre=seq 1000000 1020000"
  assert_status 8
  assert_everywhere "1020000"
  assert_everywhere "Everything has reached the server"
}

@test "a mistake in the arguments is on every console" {
  run unattended wrong1 p2v.sever=x
  assert_status 2
  assert_everywhere "p2v.sever: there is no such argument. Did you mean p2v.server?"
}

@test "a server that comes up late is waited for" {
  sshd_stop
  unattended_start late1 p2v.retry_for=2m
  wait_until 20 grep -q 'Attempt 2 failed' "$T/out"
  sshd_start
  unattended_end
  assert_status 8
  assert_everywhere "Attempt 1 failed: cannot reach the conversion server 192.0.2.1"
  assert_everywhere "Waiting 2 s to try again"
  assert_everywhere "Waiting 4 s to try again"
  assert_everywhere 'To stop: `kill '
  assert_same_contents "$SERVER_IMAGES/late1-sda" "$T/sda"
}

@test "a transfer that breaks goes on where it was" {
  disk_make "$T/sda" 500000256 broken
  before=$(sha256_of "$T/sda")
  # Slow enough to be broken on the way, however fast the machine is.
  unattended_start broken1 p2v.retry_for=2m p2v.bwlimit=20M
  wait_until 60 grep -q 'Sending' "$T/out"
  server_root sh -c 'kill -KILL $(pgrep -f "sshd: p2v( |@|$)")'
  unattended_end
  assert_status 8
  assert_everywhere "The connection to the server is lost (attempt 1)"
  assert_everywhere "Connected to the server again"
  assert_same_contents "$SERVER_IMAGES/broken1-sda" "$T/sda"
  # The same job all the time.
  assert_equal "$(jobs_of broken1 | jq -c 'map([.state, .failed_stage])')" '[["failed","convert"]]'
}

landed1_has_failed () { jobs_of landed1 | grep -q failed_stage; }

@test "the machine is free as soon as its disks have landed" {
  run unattended landed1 p2v.wait=landed "p2v.post=sh -c 'echo status \$P2V_STATUS >$T/post'"
  assert_status 0
  assert_everywhere "Everything has reached the server"
  refute_output_contains "virt-v2v"
  assert_equal "$(<"$T/post")" "status 0"
  assert_same_contents "$SERVER_IMAGES/landed1-sda" "$T/sda"
  # The server goes on alone.
  wait_until 30 landed1_has_failed
  assert_equal "$(jobs_of landed1 | jq -r '.[].failed_stage')" convert
}

@test "p2v.fail runs once, after the last try" {
  sshd_stop
  run unattended giveup1 p2v.retry_for=7 "p2v.fail=sh -c 'echo \$P2V_STATUS >>$T/failed'"
  sshd_start
  assert_status 3
  assert_everywhere "Attempt 2 failed"
  assert_everywhere "given up after 4 attempts in 7 s"
  assert_equal "$(<"$T/failed")" 3
}

@test "what trying again cannot mend is not tried again" {
  ssh-keygen -q -t ed25519 -N '' -f "$T/other"
  for argument in p2v.hostkey=SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA \
      "p2v.identity=file://$T/other" "p2v.identity=file://$T/none" p2v.os=/etc; do
    run unattended lasting1 "$argument"
    ((status == 3 || status == 4 || status == 6)) || assert_fail "status $status" "$output"
    refute_output_contains "try again"
  done
}

@test "without --unattended there is one try unless p2v.retry_for says more" {
  run machine "$P2V_CLIENT" --cmdline="$(arguments) p2v.port=1"
  assert_status 2
  run machine "$P2V_CLIENT" --cmdline="$(arguments | sed "s/p2v.port=$SERVER_PORT/p2v.port=1/")"
  assert_status 3
  refute_output_contains "Attempt"
  run machine "$P2V_CLIENT" \
    --cmdline="$(arguments | sed "s/p2v.port=$SERVER_PORT/p2v.port=1/") p2v.retry_for=3s"
  assert_status 3
  assert_output_contains "given up after 3 attempts"
  [[ ! -s $T/tty1.log ]]
}

@test "a machine that fails before there is a job is listed on the server" {
  local id
  run unattended early1 p2v.disks=sdzz
  assert_status 5
  assert_everywhere "The server lists it as job"
  assert_equal "$(jobs_of early1 | jq -c 'map([.state, .failed_stage, .error_code])')" \
    '[["failed","machine","source"]]'
  id=$(jobs_of early1 | jq -r '.[0].id')
  assert_output_contains "$id"
  run p2v_server show "$id"
  assert_status 0
  assert_output_contains "failed: machine"
  assert_output_contains 'this machine has no disk "sdzz"'
  assert_output_contains "convert it again"
  run p2v_server jobs
  assert_output_contains "early1"
  run p2v_server retry "$id"
  assert_status 6
  run p2v_server remove "$id"
  assert_status 0
  assert_equal "$(jobs_of early1)" "[]"
}

@test "so are a p2v.pre that fails, a disk that cannot be opened, and a refusal" {
  run unattended early2 p2v.pre=false
  assert_status 1
  run unattended early3 "p2v.disks=$T/none"
  assert_status 5
  run unattended early4 p2v.os=/etc
  assert_status 6
  assert_equal "$(jobs_of early2 | jq -r '.[].error_message')" \
    "p2v.pre: false failed with exit status 1. What it printed above says more."
  assert_equal "$(jobs_of early3 | jq -r '.[].failed_stage')" machine
  assert_equal "$(jobs_of early4 | jq -r '.[].error_code')" refused
}

@test "a report that is none makes no job" {
  local before_jobs line
  before_jobs=$(p2v_server jobs --json)
  while read -r line; do
    # The server is in another network than the tests.
    run nsenter --net="/run/netns/$SWITCH" bash -c 'source "$1"; T=$2; shift 2; server_ssh "$@"' \
      bash "$COMMON_LIB/common.bash" "$T" p2v-server session < <(printf '%b\n' "$line")
    assert_output_contains '"error"'
    refute_output_contains '"noted"'
  done <<'END'
{"type":"failed","code":"source","message":"x","request":{}}
{"type":"hello","version":1}\n{"type":"failed","code":"source","message":"x"}
{"type":"hello","version":1}\n{"type":"failed","code":"source","message":"x","request":{"guest":{"name":"a"}}}
{"type":"hello","version":1}\n{"type":"failed","code":"x","message":"x","request":{"guest":{"name":"../a"},"output":{},"machine":{"cpu":{},"firmware":{},"clock":{},"smbios":{}}}}
END
  assert_equal "$(p2v_server jobs --json)" "$before_jobs"
}

@test "a cable that is plugged in later, and an address that comes later, are waited for" {
  ip -n "$SWITCH" link set port2 down
  ip -n "$MACHINE" address flush dev eno2 scope global
  unattended_start later1
  wait_until 10 grep -qF 'Waiting for a network link on eno1, eno2: none has a cable (5 min 00 s left)' \
    "$T/out"
  ip -n "$SWITCH" link set port2 up
  wait_until 10 grep -qF 'Waiting for an address on eno2' "$T/out"
  refute_file_exists "$SERVER_IMAGES/later1-sda"
  # An address that is good on the cable only does not do.
  ip -n "$MACHINE" address add 169.254.1.1/16 dev eno2 scope link
  sleep 1
  run ! grep -q 'Connecting' "$T/out"
  ip -n "$MACHINE" address add 192.0.2.5/24 dev eno2
  unattended_end
  assert_status 8
  assert_everywhere "eno2 has the address 192.0.2.5"
  assert_same_contents "$SERVER_IMAGES/later1-sda" "$T/sda"
}

@test "a network card that appears later counts" {
  ip -n "$MACHINE" link set eno1 netns "$SWITCH"
  ip -n "$MACHINE" link set eno2 netns "$SWITCH"
  unattended_start hotplug1
  wait_until 10 grep -qF 'Waiting for a network card: the kernel has found none yet' "$T/out"
  ip -n "$SWITCH" link set eno1 netns "$MACHINE"
  ip -n "$SWITCH" link set eno2 netns "$MACHINE"
  wait_until 10 grep -qF 'not switched on yet' "$T/out"
  network_up
  unattended_end
  assert_status 8
}

@test "without a cable or an address it ends in the time given, and says what to look at" {
  ip -n "$SWITCH" link set port2 down
  run unattended cable1 p2v.wait_for=2 "p2v.fail=touch $T/failed"
  assert_status 3
  assert_everywhere "no network card (eno1, eno2) has had a link in 2 s. Check the cable"
  assert_file_exists "$T/failed"
  refute_output_contains "try again"
  ip -n "$SWITCH" link set port2 up
  ip -n "$MACHINE" address flush dev eno2 scope global
  run unattended address1 p2v.wait_for=2s
  assert_status 3
  assert_everywhere "eno2 has been given no IPv4 address in 2 s. Check the DHCP server"
  assert_everywhere "ip=ADDRESS"
}

@test "it can be stopped while it waits, p2v.fail does not run" {
  ip -n "$SWITCH" link set port2 down
  unattended_start stop1 "p2v.fail=touch $T/failed"
  wait_until 10 grep -q 'Waiting for a network link' "$T/out"
  pkill -TERM -P "$CLIENT_PID"
  unattended_end
  assert_status 9
  refute_file_exists "$T/failed"
}

@test "being ended by its own last command, as when that switches the machine off, is no failure" {
  run unattended off1 "p2v.fail=sh -c 'kill -TERM \$PPID; sleep 1; touch $T/fail'"
  assert_status 8
  assert_file_exists "$T/fail"
  refute_output_contains 'was stopped'
}

# The files of an image: the machine's own /etc with defaults for p2v in it.
image_etc ()
{
  mkdir -p "$T/etc/p2v"
  cp -a /etc/passwd /etc/group /etc/nsswitch.conf /etc/hosts "$T/etc"
  cat >"$T/etc/p2v/defaults"
  chmod 600 "$T/etc/p2v/defaults"
}

@test "the image's defaults are used, the kernel command line goes before them" {
  { echo "# for all machines here"; arguments | tr ' ' '\n'; echo "p2v.name=nobody"; } | image_etc
  echo "quiet p2v.server=192.0.2.1 p2v.name=kernel1 p2v.post=" >"$T/cmdline"
  run machine "$P2V_CLIENT" --unattended
  assert_status 8
  assert_same_contents "$SERVER_IMAGES/kernel1-sda" "$T/sda"
}

@test "a server among the defaults alone starts nothing" {
  arguments | image_etc
  echo "quiet p2v.post=" >"$T/cmdline"
  run machine "$P2V_CLIENT" --unattended
  assert_status 2
  assert_everywhere "there is no p2v.server in the kernel command line"
  assert_everywhere "boot with p2v.server=192.0.2.1"
  arguments | sed 's/p2v.port/p2v.prot/' | image_etc
  run machine "$P2V_CLIENT"
  assert_status 2
  assert_output_contains "/etc/p2v/defaults, line 1: p2v.prot: there is no such argument"
}
