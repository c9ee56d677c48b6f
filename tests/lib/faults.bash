# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the tests in tests/faults share: a server without virt-v2v, transfers that are slow enough to
# be hit while they run, and what has to hold afterwards. Moments are random, from a seed that the
# test's name gives: P2V_FAULT_SEED adds to it. P2V_FAULT_ROUNDS: how often each fault strikes.

load ../lib/common

# shellcheck disable=SC2034 # for the tests
ROUNDS=${P2V_FAULT_ROUNDS:-3}

setup_file ()
{
  server_start --no-libvirt
  server_root mount --bind /dev/null "$(command -v virt-v2v-in-place)"
}

teardown_file () { server_stop; }

setup ()
{
  common_setup
  RANDOM=$(printf '%s%s' "$BATS_TEST_DESCRIPTION" "${P2V_FAULT_SEED-}" | cksum | cut -d ' ' -f 1)
  NAME=$(printf '%s%s' "$BATS_TEST_FILENAME" "$BATS_TEST_NUMBER" | md5sum | cut -c 1-10)
  NAME=f$NAME
  disk_make "$T/sda" 120000512 "$NAME"
  before=$(sha256_of "$T/sda")
}

# Whatever happened, the source is as it was.
teardown ()
{
  local after
  after=$(sha256_of "$T/sda")
  [[ -z ${CLIENT-} ]] || kill -KILL "$CLIENT" 2>/dev/null || true
  [[ -z ${replaced-} ]] || programs_restore
  common_teardown
  assert_equal "$after" "$before"
}

p2v_server () { server_exec p2v-server --config "$SERVER_CONFIG" "$@"; }
jobs_of () { p2v_server jobs --json | jq -c --arg guest "$1" '[.jobs[] | select(.guest == $guest)]'; }
job_of () { jobs_of "$1" | jq -r '.[-1].id'; }

# A moment between $1 and $2 milliseconds.
random_pause ()
{
  local ms=$(($1 + RANDOM % ($2 - $1 + 1)))
  sleep "$((ms / 1000)).$(printf %03d $((ms % 1000)))"
}

# transfer_start [ARGUMENT...]: sends $T/sda, about 30 MB that do not compress, in some four seconds.
# Its process is $CLIENT, its output is in $T/out.
transfer_start ()
{
  local argument cmdline="" given=" "
  for argument in "$@"; do
    given+="${argument%%=*} "
    cmdline+=" $argument"
  done
  for argument in p2v.server="${SERVER_ADDRESS-127.0.0.1}" "p2v.port=$SERVER_PORT" \
      "p2v.username=$SERVER_USER" "p2v.identity=file://$SERVER_IDENTITY" \
      "p2v.hostkey=$SERVER_HOSTKEY" "p2v.name=$NAME" "p2v.disks=$T/sda" p2v.interfaces= \
      p2v.memory=512M p2v.o=local "p2v.os=$SERVER_IMAGES" p2v.of=raw p2v.wait=landed p2v.post= \
      p2v.bwlimit=8M p2v.lanes=2 p2v.retry_for=5m; do
    [[ $given = *" ${argument%%=*} "* ]] || cmdline+=" $argument"
  done
  # No shell between us and the client, whose process it is that gets killed.
  ${CLIENT_NETNS:+ip netns exec "$CLIENT_NETNS"} "$P2V_CLIENT" --json-progress \
    --cmdline="${cmdline# }" </dev/null >>"$T/out" 2>>"$T/err" 3>&- &
  CLIENT=$!
}

# What the client has said: objects of one type, or some member of them.
said () { jq -c "select(.type == \"$1\")" "$T/out" 2>/dev/null; }

sending () { grep -q '"type": *"progress"' "$T/out"; }
wait_until_sending () { wait_until 60 sending; }
lost () { grep -q '"type": *"lost"' "$T/out"; }
restored () { grep -q '"type": *"restored"' "$T/out"; }

# transfer_end [SECONDS]: waits for its end.
# shellcheck disable=SC2120 # the tests give it some
transfer_end ()
{
  local ended=$CLIENT deadline=$((SECONDS + ${1-240}))
  while kill -0 "$ended" 2>/dev/null && ((SECONDS < deadline)); do sleep 0.2; done
  ! kill -0 "$ended" 2>/dev/null || assert_fail "the client has not ended" "$(tail -n 20 "$T/out")"
  # shellcheck disable=SC2034 # what the assertions look at, as after "run"
  status=0
  unset CLIENT
  # shellcheck disable=SC2034
  wait "$ended" || status=$?
  # shellcheck disable=SC2034
  output="$(tail -n 20 "$T/out"; cat "$T/err")"
}

# strike LOW HIGH FAULT [ARGUMENT...]: FAULT strikes ROUNDS times, each time after LOW to HIGH
# milliseconds in the middle of a transfer, and of another one whenever that has ended. Each of them
# lands. What their clients have said is in $T/all.
strike ()
{
  local low=$1 high=$2 fault=$3 name=$NAME struck=0
  shift 3
  while ((struck < ROUNDS)); do
    NAME=$name-$struck
    transfer_start "$@"
    wait_until_sending
    while ((struck < ROUNDS)); do
      random_pause "$low" "$high"
      kill -0 "$CLIENT" 2>/dev/null || break
      "$fault"
      struck=$((struck + 1))
    done
    # shellcheck disable=SC2119
    transfer_end
    assert_landed
    cat "$T/out" >>"$T/all"
    rm "$T/out" "$SERVER_IMAGES/$NAME-sda"
  done
}

# How often a client has said something of a type.
count_of () { grep -c "\"type\": *\"$1\"" "$T/all" || true; }

transfer_kill ()
{
  kill -KILL "$CLIENT"
  wait "$CLIENT" 2>/dev/null || true
  unset CLIENT
}

# The disk is on the server, and one job has done it.
assert_landed ()
{
  assert_status 0
  if [[ $(qemu-img info --output=json "$SERVER_IMAGES/$NAME-sda" | jq -r .format) = qcow2 ]]; then
    qemu-img compare -f raw -F qcow2 "$T/sda" "$SERVER_IMAGES/$NAME-sda" ||
      assert_fail "the image differs"
  else
    assert_same_contents "$SERVER_IMAGES/$NAME-sda" "$T/sda"
  fi
  assert_equal "$(jobs_of "$NAME" | jq length)" 1
  assert_nothing_left
}

server_processes ()
{
  # Seen from within the server's own process namespace.
  server_root sh -c 'ps -eo pid=,args= | grep -E "[q]emu-nbd|[p]2v-server(-lane| forced| .* work)" || true'
}
no_server_processes () { [[ -z $(server_processes) ]]; }

# No process, socket, overlay or temporary file of the job.
assert_nothing_left ()
{
  wait_until 30 no_server_processes || assert_fail "still running:" "$(server_processes)"
  local left
  left=$(find "$SERVER_STATE/run" "$SERVER_STATE/jobs" \( -type s -o -name '*.overlay*' -o -name '*.tmp' \))
  assert_equal "$left" ""
}

# The process of the job's session.
session_pid () { cat "$SERVER_STATE/jobs/$(job_of "$NAME")/lock"; }

# The processes of its lanes.
lane_pids () { server_root pgrep -x p2v-server-lane; }

# Ends processes of the server by a pattern of their command lines, at once; it must not fit itself:
# '[q]emu-nbd'.
# shellcheck disable=SC2016 # expanded by the shell there
server_kill () { server_root sh -c 'pkill -KILL -f "$1" || true' sh "$1"; }
