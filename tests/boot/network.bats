#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The network as it may be around a machine: a second card that alone has a cable, no DHCP, VLANs,
# a cable that is plugged in late.

load ../lib/boot

setup_file ()
{
  boot_start network
  boot_site
  export TAGGED=p2v-boot-$$
}

teardown_file ()
{
  tagged_end
  boot_stop
}

@test "of two cards only the second has a cable: it is found, and the disk arrives" {
  boot_disk "$T/sda" 40
  local before
  before=$(sha256_of "$T/sda")
  # Stopped at first, so that the first card never has a cable.
  boot_machine second kernel -S \
    -drive "file=$T/sda,format=raw,if=ide,index=0" \
    -netdev user,id=net0 -device e1000,netdev=net0,id=nic0 \
    -netdev user,id=net1 -device virtio-net-pci,netdev=net1,id=nic1
  boot_qmp second '{"execute":"set_link","arguments":{"name":"nic0","up":false}}' '{"execute":"cont"}'
  boot_wait_off second
  assert_equal "$(sha256_of "$T/sda")" "$before"
  assert_said_landed second
  assert_landed p2v-second "sda=$T/sda"
  # Which of the two the cable is in is known of the machine, too.
  assert_equal "$(jq -r '.request.machine.nics[] | "\(.driver) \(.link)"' "$BOOT_OUT/p2v-second.json" | sort | xargs)" \
    "e1000 false virtio_net true"
}

@test "a cable that is plugged in late is waited for, and the consoles say so" {
  boot_disk "$T/sda" 40
  boot_machine late kernel -S \
    -drive "file=$T/sda,format=raw,if=ide,index=0" -netdev user,id=net0 -device e1000,netdev=net0,id=nic0
  boot_qmp late '{"execute":"set_link","arguments":{"name":"nic0","up":false}}' '{"execute":"cont"}'
  boot_wait_serial late 'Waiting for a network link on e[a-z0-9]+: it has no cable'
  boot_qmp late '{"execute":"set_link","arguments":{"name":"nic0","up":true}}'
  boot_wait_off late
  assert_said_landed late
  assert_landed p2v-late "sda=$T/sda"
}

@test "a static address on the kernel command line is used, no DHCP" {
  boot_disk "$T/sda" 40
  # QEMU's DHCP server would give 10.0.2.15.
  BOOT_APPEND="p2v.server=10.0.2.2 ip=10.0.2.77::10.0.2.2:255.255.255.0:::none" \
    boot_convert static kernel "sda=$T/sda" -- -drive "file=$T/sda,format=raw,if=ide,index=0"
  assert_said static 'e[a-z0-9]+ has the address 10\.0\.2\.77'
  refute_said static '10\.0\.2\.15'
}

# A network namespace behind a switch's port that passes only frames of VLAN 42. Who connects to its
# address is led to the server, which listens on the loopback interface outside.
tagged_start ()
{
  local in=(ip -n "$TAGGED")
  ip netns add "$TAGGED"
  ip netns exec "$TAGGED" "$COMMON_LIB/vlan-port" 42 lan "$BOOT_DIR/port" "$BOOT_DIR/nic" \
    >"$BOOT_OUT/vlan-port" 2>&1 3>&- &
  echo $! >"$BOOT_DIR/vlan-port.child"
  wait_until 10 "${in[@]}" -o link show lan >/dev/null 2>&1
  "${in[@]}" address add 192.0.2.1/24 dev lan
  "${in[@]}" link set lan up
  ip netns exec "$TAGGED" systemd-socket-activate --listen="192.0.2.1:$SERVER_PORT" --accept --inetd \
    nsenter --net="/proc/$$/ns/net" nc -N 127.0.0.1 "$SERVER_PORT" >"$BOOT_OUT/relay" 2>&1 3>&- &
  echo $! >"$BOOT_DIR/relay.child"
  wait_until 10 sh -c "ip netns exec $TAGGED ss -Hltn 'sport = :$SERVER_PORT' | grep -q ."
}

tagged_end ()
{
  local file
  for file in "$BOOT_DIR"/*.child; do
    [[ ! -e $file ]] || kill "$(<"$file")" 2>/dev/null || true
    rm -f -- "$file"
  done
  ip netns delete "$TAGGED" 2>/dev/null || true
}

@test "a VLAN and a name for the card on the kernel command line: tagged frames carry the disk" {
  boot_disk "$T/sda" 40
  tagged_start
  BOOT_APPEND="p2v.server=192.0.2.1 ifname=lan:52:54:00:00:02:01 vlan=lan.42:lan ip=192.0.2.50:::255.255.255.0::lan.42:none" \
    boot_convert vlan kernel "sda=$T/sda" -- -drive "file=$T/sda,format=raw,if=ide,index=0" \
    -netdev "dgram,id=net,local.type=unix,local.path=$BOOT_DIR/nic,remote.type=unix,remote.path=$BOOT_DIR/port" \
    -device e1000,netdev=net,mac=52:54:00:00:02:01
  tagged_end
  assert_said vlan 'lan\.42 has the address 192\.0\.2\.50' 'Connecting to 192\.0\.2\.1'
  wait_until 5 grep -q 'frames passed' "$BOOT_OUT/vlan-port"
}
