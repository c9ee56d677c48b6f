# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A client by hand: the control channel's messages, one by one.

# session_create NAME [OUTPUT [NEEDED]]: asks for a job with two disks, of 8 and 16 MiB, and stays
# connected. OUTPUT: JSON of the request's output. $answer: the server's answer, "created" or
# "error".
session_create ()
{
  local request
  request=$(jq -cn --arg name "$1" --argjson output "${2-{\}}" --argjson needed "${3-0}" '
    {type: "create", needed: $needed, request: {
      machine: {cpu: {}, firmware: {type: "bios"}, clock: {}, smbios: {},
        disks: [{name: "sda", path: "/dev/sda", size: 8388608},
                {name: "sdb", path: "/dev/sdb", size: 16777216}],
        nics: [{name: "eno1", mac: "52:54:00:12:34:56"}]},
      guest: {name: $name, vcpus: 1, memory: 268435456, rtc_basis: "utc", disks: ["sda", "sdb"],
        nics: [{nic: "eno1", network: "default"}]},
      output: $output}}')
  coproc SESSION { server_ssh p2v-server session; }
  # shellcheck disable=SC2153 # bash sets it for the coprocess
  session_pid=$SESSION_PID
  # The session ends when nobody holds the writing end any more, so there must be but one of it.
  exec {to_server}>&"${SESSION[1]}" {from_server}<&"${SESSION[0]}"
  local other_to=${SESSION[1]} other_from=${SESSION[0]}
  exec {other_to}>&- {other_from}<&-
  printf '%s\n' '{"type": "hello", "version": 1, "program": "test"}' "$request" >&"$to_server"
  while read -r -t 60 answer <&"$from_server"; do
    case $(jq -r .type <<<"$answer") in
      created | error) return 0 ;;
    esac
  done
  assert_fail "the session ended without an answer"
}

# Hangs up, and waits for the session to have ended: after the landing. Before, it keeps everything
# for a client that comes back.
session_leave ()
{
  [[ -n ${to_server-} ]] || return 0
  exec {to_server}>&- {from_server}<&-
  unset to_server from_server
  wait "$session_pid" 2>/dev/null || true
}

# Gives the job up, and leaves.
session_end ()
{
  [[ -n ${to_server-} ]] || return 0
  # The session may have ended by itself.
  (trap '' PIPE
   echo '{"type": "cancel", "code": "cancelled", "message": "enough"}' >&"$to_server") 2>/dev/null || true
  session_leave
}
