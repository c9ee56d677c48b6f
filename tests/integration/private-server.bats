#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The ground that the other tests stand on: that a private server is a real one, keeps to itself
# and leaves nothing behind.

load ../lib/common

setup_file () { server_start; }
teardown_file () { server_stop; }

@test "sshd shows the host key whose fingerprint the settings give" {
  run bash -c "ssh-keyscan -t ed25519 -p $SERVER_PORT 127.0.0.1 2>/dev/null | ssh-keygen -lf -"
  assert_status 0
  assert_output_contains " $SERVER_HOSTKEY "
}

@test "the client's key is let in" {
  run server_ssh p2v-server session </dev/null
  refute_output_contains "Permission denied"
  grep -q "Accepted publickey for $SERVER_USER " "$SERVER_LOG"
}

@test "another key is refused" {
  ssh-keygen -q -t ed25519 -N '' -f "$T/key"
  SSH_IDENTITY=$T/key run server_ssh p2v-server session </dev/null
  assert_status 255
  assert_output_contains "Permission denied"
}

@test "the password is let in, another is not" {
  local options=(-F none -p "$SERVER_PORT" -l "$SERVER_USER" -o StrictHostKeyChecking=no
    -o UserKnownHostsFile="$T/known_hosts" -o PreferredAuthentications=password
    -o NumberOfPasswordPrompts=1)
  printf '#!/bin/sh\nprintf "%%s\\n" "$TRIED_PASSWORD"\n' >"$T/askpass"
  chmod +x "$T/askpass"
  export SSH_ASKPASS=$T/askpass SSH_ASKPASS_REQUIRE=force
  TRIED_PASSWORD=no$SERVER_PASSWORD run ssh "${options[@]}" 127.0.0.1 p2v-server session </dev/null
  assert_status 255
  assert_output_contains "Permission denied"
  TRIED_PASSWORD=$SERVER_PASSWORD run ssh "${options[@]}" 127.0.0.1 p2v-server session </dev/null
  refute_output_contains "Permission denied"
  grep -q "Accepted password for $SERVER_USER " "$SERVER_LOG"
}

@test "nothing but the forced command runs" {
  run server_ssh "id; touch $SERVER_IMAGES/proof" </dev/null
  refute_output_contains "uid="
  refute_file_exists "$SERVER_IMAGES/proof"
  grep -qF "forced-command (config) '$SERVER_DIR/usr/bin/p2v-server forced --config" "$SERVER_LOG"
}

@test "no port is forwarded" {
  run server_ssh -W "127.0.0.1:$SERVER_PORT" </dev/null
  ((status != 0))
  refute_output_contains "SSH-2.0"
}

@test "the account is the server's own and the machine's files do not know it" {
  run server_exec id -un
  assert_equal "$output" "$SERVER_USER"
  run server_exec id -u
  assert_equal "$output" "$SERVER_UID"
  run getent passwd "$SERVER_UID"
  assert_status 2
  run server_root id -u
  assert_equal "$output" 0
}

@test "libvirt's session has a running pool in the server's directory" {
  run server_virsh uri
  assert_equal "$output" qemu:///session
  run server_virsh pool-info default
  assert_output_contains running
  run server_virsh pool-dumpxml default
  assert_output_contains "<path>$SERVER_POOL</path>"
}

@test "libvirt boots a guest with UEFI, TPM and a user network" {
  cat >"$SERVER_HOME/guest.xml" <<'END'
<domain type='qemu'>
  <name>firmware only</name>
  <memory unit='MiB'>256</memory>
  <os firmware='efi'><type arch='x86_64' machine='q35'>hvm</type></os>
  <features><acpi/></features>
  <devices>
    <interface type='user'><model type='virtio'/></interface>
    <serial type='pty'/>
    <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
    <tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>
  </devices>
</domain>
END
  run server_virsh define "$SERVER_HOME/guest.xml"
  assert_status 0
  run server_virsh start "firmware only"
  assert_status 0
  run server_virsh domstate "firmware only"
  assert_equal "$output" running
  server_virsh destroy "firmware only"
  run server_virsh undefine --nvram "firmware only"
  assert_status 0
}

@test "the environment of the forced command reaches what exec runs" {
  run server_exec env
  assert_output_contains LIBGUESTFS_BACKEND=direct
  assert_output_contains LIBGUESTFS_BACKEND_SETTINGS=force_tcg
  assert_output_contains LIBVIRT_DEFAULT_URI=qemu:///session
  assert_output_contains "TMPDIR=$SERVER_DIR/tmp"
  # sshd's own words for the same: it shows what it would set.
  run server_root /usr/sbin/sshd -T -f "$SERVER_DIR/etc/sshd_config"
  assert_output_contains "setenv LIBGUESTFS_BACKEND=direct"
  assert_output_contains "setenv TMPDIR=$SERVER_DIR/tmp"
}

@test "what is mounted on the server is not mounted on the machine" {
  server_root mount --bind /dev/null /usr/bin/qemu-nbd
  run server_exec qemu-nbd --version
  assert_status 126
  run qemu-nbd --version
  assert_status 0
  server_root umount /usr/bin/qemu-nbd
}

@test "two servers have nothing in common, and stop leaves no process and no file" {
  local other uid port
  other=$("$PRIVATE_SERVER" start --owner=$$)
  uid=$("$PRIVATE_SERVER" env "$other" | sed -n 's/^UID=//p')
  port=$("$PRIVATE_SERVER" env "$other" | sed -n 's/^PORT=//p')
  [[ $uid != "$SERVER_UID" && $port != "$SERVER_PORT" && $other != "$SERVER_DIR" ]]
  # Something that outlives whoever started it, and something outside the directory.
  "$PRIVATE_SERVER" exec "$other" sh -c 'setsid sleep 1000 </dev/null >/dev/null 2>&1 &'
  "$PRIVATE_SERVER" exec "$other" mktemp -p /tmp >/dev/null
  wait_until 10 pgrep -U "$uid" -x sleep
  "$PRIVATE_SERVER" stop "$other"
  run pgrep -l -U "$uid"
  assert_equal "$output" ""
  refute_file_exists "$other"
  run find /tmp /var/tmp /dev/shm -maxdepth 1 -uid "$uid"
  assert_equal "$output" ""
  run bash -c "exec 3<>/dev/tcp/127.0.0.1/$port"
  assert_status 1
  # The first one is as it was.
  run server_virsh pool-list --name
  assert_output_contains default
}

@test "gc ends a server whose owner has died and no other" {
  local other owner
  sleep 1000 3>&- &
  owner=$!
  other=$("$PRIVATE_SERVER" start --no-libvirt --owner="$owner")
  "$PRIVATE_SERVER" gc
  assert_file_exists "$other/settings"
  kill "$owner"
  wait "$owner" || true
  # Some other test's gc may be at it just now.
  wait_until 20 eval '"$PRIVATE_SERVER" gc && [[ ! -e $other ]]'
  assert_file_exists "$SERVER_DIR/settings"
}

@test "a directory that is not empty, too long or of a strange name is refused" {
  mkdir "$T/full"
  touch "$T/full/file"
  run "$PRIVATE_SERVER" start "$T/full"
  assert_status 1
  assert_output_contains "is not empty"
  run "$PRIVATE_SERVER" start "$T/a-name-that-leaves-no-room-for-sockets"
  assert_status 1
  assert_output_contains "too long"
  run "$PRIVATE_SERVER" start "$T/a b"
  assert_status 1
  assert_output_contains "only letters, digits"
  assert_file_exists "$T/full/file"
}

@test "stop does not touch a directory that is no server's" {
  run "$PRIVATE_SERVER" stop "$T"
  assert_status 1
  assert_output_contains "there is no server in $T"
  assert_file_exists "$T"
}

@test "a server that cannot start says why and leaves nothing" {
  run "$PRIVATE_SERVER" start --install-from="$T" "$T/s"
  assert_status 1
  assert_output_contains "no usr/bin/p2v-server in $T"
  refute_file_exists "$T/s"
}

@test "the made disk is the same for the same seed and has holes" {
  disk_make "$T/a b" $((18 << 20)) one
  disk_make "$T/b" $((18 << 20)) one
  disk_make "$T/c" $((18 << 20)) two
  assert_same_contents "$T/a b" "$T/b"
  run assert_same_contents "$T/b" "$T/c"
  assert_status 1
  assert_equal "$(stat -c %s "$T/b")" $((18 << 20))
  (($(du -k "$T/b" | cut -f 1) < 12 << 10))
}
