#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The trial connection that front ends make: what it says of the host key, the login and the
# server, against the real ones, and that no secret leaves before the host key is trusted.

load ../lib/common

readonly OTHER_KEY=SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA

setup_file () { server_start --no-libvirt; }
teardown_file () { server_stop; }

teardown ()
{
  [[ -z ${LISTENER-} ]] || kill "$LISTENER"
  common_teardown
}

# probe "ARGUMENT..." [MILLISECONDS]: against the server, with these arguments as well.
probe ()
{
  run "$P2V_BUILD/tests/unit/p2v-client/probe" \
    "p2v.server=127.0.0.1 p2v.port=$SERVER_PORT p2v.username=$SERVER_USER $1" "${@:2}"
}

# assert_found NAME VALUE
assert_found ()
{
  [[ $'\n'$output$'\n' = *$'\n'"$1=$2"$'\n'* ]] || assert_fail "expected $1=$2 in" "$output"
}

# A server that takes connections and says nothing, at port $SILENT_PORT.
silent_start ()
{
  SILENT_PORT=$((SERVER_PORT + 1))
  nc -lk 127.0.0.1 "$SILENT_PORT" >/dev/null 2>&1 3>&- &
  LISTENER=$!
  wait_until 10 bash -c "exec 3<>/dev/tcp/127.0.0.1/$SILENT_PORT" 2>/dev/null
}

log_lines () { wc -l <"$SERVER_LOG"; }

@test "a trusted server with the right key: logged in, greeted, and no job made" {
  probe "p2v.hostkey=$SERVER_HOSTKEY p2v.identity=file://$SERVER_IDENTITY"
  assert_status 0
  assert_found trust trusted
  assert_found fingerprint "$SERVER_HOSTKEY"
  assert_found type ssh-ed25519
  assert_found logged_in 1
  [[ $output = *$'\n'"program=p2v-server 0."* ]]
  assert_found error ""
  assert_equal "$(ls "$SERVER_STATE/jobs" 2>/dev/null || true)" ""
}

@test "the password is as good as a key" {
  probe "p2v.hostkey=$SERVER_HOSTKEY p2v.password=$SERVER_PASSWORD"
  assert_status 0
  assert_found logged_in 1
}

@test "an unknown host key is shown before anybody logs in" {
  local before
  before=$(log_lines)
  probe "p2v.password=$SERVER_PASSWORD"
  assert_status 3
  assert_found trust unknown
  assert_found fingerprint "$SERVER_HOSTKEY"
  assert_found logged_in 0
  sleep 1
  run tail -n +$((before + 1)) "$SERVER_LOG"
  assert_output_contains "Connection closed"
  refute_output_contains "Accepted"
  refute_output_contains "Failed password"
}

@test "another host key than p2v.hostkey is a mismatch, and nobody logs in" {
  probe "p2v.hostkey=$OTHER_KEY p2v.password=$SERVER_PASSWORD"
  assert_status 3
  assert_found trust mismatch
  assert_found fingerprint "$SERVER_HOSTKEY"
  assert_found logged_in 0
  assert_output_contains "$OTHER_KEY"
}

@test "p2v.hostkey=any says so" {
  probe "p2v.hostkey=any p2v.password=$SERVER_PASSWORD"
  assert_status 0
  assert_found trust any
  assert_found fingerprint "$SERVER_HOSTKEY"
}

@test "the known_hosts file of the image trusts, and a changed key in it is a mismatch" {
  # A copy of /etc in a mount namespace: the machine's own is not touched.
  cp -a /etc "$T/etc"
  mkdir -p "$T/etc/p2v"
  local inside=(unshare --mount --propagation=private sh -c "mount --bind $T/etc /etc && exec \"\$@\"" sh
    "$P2V_BUILD/tests/unit/p2v-client/probe"
    "p2v.server=127.0.0.1 p2v.port=$SERVER_PORT p2v.username=$SERVER_USER \
     p2v.password=$SERVER_PASSWORD")
  printf '[127.0.0.1]:%s %s\n' "$SERVER_PORT" "$(<"$SERVER_DIR/ssh/host_ed25519.pub")" \
    >"$T/etc/p2v/known_hosts"
  run "${inside[@]}"
  assert_status 0
  assert_found trust trusted
  ssh-keygen -q -t ed25519 -N '' -f "$T/other"
  printf '[127.0.0.1]:%s %s\n' "$SERVER_PORT" "$(<"$T/other.pub")" >"$T/etc/p2v/known_hosts"
  run "${inside[@]}"
  assert_status 3
  assert_found trust mismatch
  assert_found logged_in 0
  assert_output_contains "/etc/p2v/known_hosts"
}

@test "a wrong password is told from a wrong host key" {
  probe "p2v.hostkey=$SERVER_HOSTKEY p2v.password=no$SERVER_PASSWORD"
  assert_status 4
  assert_found trust trusted
  assert_found logged_in 0
  refute_output_contains "$SERVER_PASSWORD"
}

@test "a wrong key is told from a wrong host key" {
  ssh-keygen -q -t ed25519 -N '' -f "$T/other"
  probe "p2v.hostkey=$SERVER_HOSTKEY p2v.identity=file://$T/other"
  assert_status 4
  assert_found trust trusted
  assert_found logged_in 0
}

@test "a key that cannot be fetched ends it before anything is connected to" {
  probe "p2v.identity=file://$T/none"
  assert_status 4
  assert_found trust unseen
  assert_output_contains "file://$T/none"
}

@test "an account that runs something else is logged in and refused" {
  server_root mount --bind /bin/false "$SERVER_DIR/usr/bin/p2v-server"
  probe "p2v.hostkey=$SERVER_HOSTKEY p2v.password=$SERVER_PASSWORD"
  server_root umount "$SERVER_DIR/usr/bin/p2v-server"
  assert_status 6
  assert_found logged_in 1
  assert_found program ""
  assert_output_contains "p2v-server does not answer"
}

@test "nobody listening is no connection and no host key" {
  run "$P2V_BUILD/tests/unit/p2v-client/probe" "p2v.server=127.0.0.1 p2v.port=1"
  assert_status 3
  assert_found trust unseen
  assert_output_contains "127.0.0.1 port 1"
}

@test "a server that says nothing does not keep a cancelled probe" {
  silent_start
  run "$P2V_BUILD/tests/unit/p2v-client/probe" "p2v.server=127.0.0.1 p2v.port=$SILENT_PORT" 500
  assert_status 9
  assert_found trust unseen
  (($(sed -n 's/^milliseconds=//p' <<<"$output") < 5000))
}

@test "a key's web server that says nothing does not keep a cancelled probe" {
  silent_start
  probe "p2v.identity=http://127.0.0.1:$SILENT_PORT/key" 500
  assert_status 9
  (($(sed -n 's/^milliseconds=//p' <<<"$output") < 5000))
}

@test "a session that says nothing does not keep a cancelled probe" {
  printf '#!/bin/sh\nexec sleep 100\n' >"$T/sleeper"
  chmod 755 "$T/sleeper"
  server_root mount --bind "$T/sleeper" "$SERVER_DIR/usr/bin/p2v-server"
  probe "p2v.hostkey=$SERVER_HOSTKEY p2v.password=$SERVER_PASSWORD" 3000
  server_root umount "$SERVER_DIR/usr/bin/p2v-server"
  assert_status 9
  assert_found logged_in 1
  (($(sed -n 's/^milliseconds=//p' <<<"$output") < 12000))
}
