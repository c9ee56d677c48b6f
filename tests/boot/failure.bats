#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# An unattended conversion that fails: the machine stays on, says why, and can be worked with.

load ../lib/boot

WRONG_KEY=SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA

setup_file ()
{
  boot_start failure
  boot_site -p2v.fail
}

teardown_file () { boot_stop; }

@test "a wrong host key: the error stays on every console, p2v.fail is run, the shell mends it" {
  boot_disk "$T/sda" 40
  BOOT_APPEND="p2v.server=10.0.2.2 p2v.hostkey=$WRONG_KEY p2v.fail=\"sh -c 'echo told of it: \$P2V_STATUS'\"" \
    boot_machine key kernel -drive "file=$T/sda,format=raw,if=ide,index=0"
  boot_wait_serial key 'told of it: 3'
  # A shell on the serial console, below the error.
  boot_shell key 60 <<'SHELL'
cat /dev/vcs1
systemctl is-failed p2v-unattended.service
p2v-client --cmdline="$(sed 's/p2v.hostkey=[^ ]*//' /proc/cmdline | tr '\n' ' ') $(grep -v '^#' /etc/p2v/defaults | grep -v p2v.server | tr '\n' ' ')" 2>&1
SHELL
  assert_said key 'Connecting to 10\.0\.2\.2' "${SERVER_HOSTKEY//+/\\+}" 'There is a shell on the second screen' \
    'told of it: 3'
  # Trying again would not mend it.
  refute_said key 'Attempt 1 failed'
  # The screen has it too. (A line that is too long goes on in the next row.)
  [[ $(boot_shell_said key 'cat /dev/vcs1') = *"$SERVER_HOSTKEY"*'told of it: 3'* ]] ||
    assert_fail "$(<"$BOOT_OUT/key.shell")"
  boot_screen key
  # The machine is still on, and from its shell the conversion has gone through.
  boot_runs key
  assert_landed p2v-key "sda=$T/sda"
  boot_kill key
}

@test "a server that is not there yet: tried again, and reached when it is" {
  boot_disk "$T/sda" 40
  # Nobody listens at this port before the relay does.
  local port=$((SERVER_PORT + 1))
  BOOT_APPEND="p2v.server=10.0.2.2 p2v.port=$port p2v.fail=poweroff" \
    boot_machine again kernel -drive "file=$T/sda,format=raw,if=ide,index=0"
  boot_wait_serial again 'Waiting [0-9]+ s to try again'
  systemd-socket-activate --listen="127.0.0.1:$port" --accept --inetd nc -N 127.0.0.1 "$SERVER_PORT" \
    >"$BOOT_OUT/relay" 2>&1 3>&- &
  local relay=$!
  boot_wait_off again || { kill "$relay"; return 1; }
  kill "$relay"
  assert_said again 'Attempt 1 failed: cannot reach the conversion server 10\.0\.2\.2' 'Waiting [0-9]+ s to try again' \
    'Everything has reached the server'
  assert_landed p2v-again "sda=$T/sda"
}

@test "no server until p2v.retry_for is over: given up, the shell is there" {
  BOOT_APPEND="p2v.server=10.0.2.2 p2v.port=1 p2v.retry_for=5" boot_machine gone kernel
  boot_wait_serial gone 'given up after [0-9]+ attempts'
  boot_shell gone 60 <<'SHELL'
systemctl is-failed p2v-unattended.service
poweroff
SHELL
  assert_equal "$(boot_shell_said gone 'systemctl is-failed p2v-unattended.service')" $'failed\nexit 0'
  boot_wait_off gone 60
}

@test "a machine without a disk: the server hears of it" {
  BOOT_APPEND="p2v.server=10.0.2.2 p2v.fail=poweroff" boot_machine none kernel
  boot_wait_off none
  assert_said none 'Telling 10\.0\.2\.2 about it' 'The server lists it as job'
  run p2v_server show --json "$(boot_job p2v-none)"
  assert_equal "$(jq -r .failed_stage <<<"$output")" machine
}
