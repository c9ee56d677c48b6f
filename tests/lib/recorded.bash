# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a person's interface is tested with: a machine that is none, and a server that takes its disks.

# A server on which virt-v2v is missing, so that a conversion ends when everything has landed; and
# a recorded machine to convert, for the whole of a test file.
recorded_server_start ()
{
  server_start
  server_root mount --bind /dev/null "$(command -v virt-v2v-in-place)"
  RECORDED_MACHINE=$(mktemp -d /var/tmp/t-XXXXXX)
  "$P2V_TOP/tests/machines/recorded/make" \
    "$P2V_TOP/tests/unit/p2v-client/fixtures/dell-r720.tree" "$RECORDED_MACHINE/machine"
  RECORDED_MACHINE+=/machine
  export RECORDED_MACHINE
}

recorded_server_stop ()
{
  server_stop
  rm -rf -- "${RECORDED_MACHINE%/machine}"
}

p2v_server () { server_exec p2v-server --config "$SERVER_CONFIG" "$@"; }
state_of () { p2v_server jobs --json | jq -r --arg g "$1" '[.jobs[] | select(.guest == $g)][-1].state'; }
job_of () { p2v_server jobs --json | jq -r --arg g "$1" '[.jobs[] | select(.guest == $g)][-1].id'; }
state_is () { [[ $(state_of "$1") = "$2" ]]; }
