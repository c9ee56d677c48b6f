# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Runs that are interrupted. After "load ../lib/common":
#
#   unfinished_make NAME DISK [ARGUMENT...]   leaves a job with a part of DISK on the server
#   sshd_away; sshd_back                      no connection lasts, and none can be made

# A client that sends slowly is killed as soon as it sends. What begins with "--" is an
# option, the rest are kernel arguments that come with those of the server.
unfinished_make ()
{
  local argument options=() cmdline="p2v.name=$1 p2v.disks=$2" client
  shift 2
  for argument in p2v.server=127.0.0.1 "p2v.port=$SERVER_PORT" "p2v.username=$SERVER_USER" \
      "p2v.identity=file://$SERVER_IDENTITY" "p2v.hostkey=$SERVER_HOSTKEY" p2v.interfaces= \
      p2v.memory=512M p2v.o=local "p2v.os=$SERVER_IMAGES" p2v.of=raw p2v.bwlimit=1M \
      p2v.lanes=1 p2v.compress=off "$@"; do
    if [[ $argument = --* ]]; then options+=("$argument"); else cmdline+=" $argument"; fi
  done
  "$P2V_CLIENT" --json-progress "${options[@]}" --cmdline="$cmdline" </dev/null \
    >"$T/interrupted" 2>&1 3>&- &
  client=$!
  # Holes and zeroes have landed by then; the data takes seconds.
  wait_until 60 grep -q '"type": *"progress"' "$T/interrupted" ||
    assert_fail "nothing was sent:" "$(tail -n 5 "$T/interrupted")" || return 1
  kill -KILL "$client"
  wait "$client" 2>/dev/null || true
}

# The sshd processes that carry the client's connections.
connections_cut ()
{
  # shellcheck disable=SC2016 # for the server's shell
  server_root sh -c 'pkill -KILL -f "$1" || true' sh '[s]shd: p2v( |@|$)'
}

sshd_away ()
{
  # shellcheck disable=SC2016
  server_root sh -c 'kill $(cat "$1")' sh "$SERVER_DIR/sshd.pid"
  connections_cut
}

sshd_back ()
{
  server_root /usr/sbin/sshd -f "$SERVER_DIR/etc/sshd_config" -E "$SERVER_DIR/sshd.log" 3>&-
}
