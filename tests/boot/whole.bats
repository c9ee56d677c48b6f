#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A whole conversion without anybody: a machine with an operating system on its disk starts from the
# CD and switches itself off, and there is its guest.

load ../lib/boot

setup_file ()
{
  boot_start whole convert
  boot_site -p2v.o -p2v.os -p2v.of -p2v.fail -p2v.wait p2v.profile=libvirt
}

teardown_file () { boot_stop; }

@test "a machine with Debian converts itself from the CD and switches itself off; the guest is there" {
  local disk=$P2V_TOP/build/machines/debian-bios/sda.raw name
  name=$(sed -n 's/^HOSTNAME=//p' "${disk%/*}/machine.env")
  qemu-img create -q -f qcow2 -F raw -b "$disk" "$T/sda.qcow2"
  boot_machine whole bios-cd -drive "file=$T/sda.qcow2,format=qcow2,if=ide,index=0"
  boot_wait_off whole 300
  # Not a word went to the disk.
  qemu-img compare -q -f qcow2 -F raw "$T/sda.qcow2" "$disk"
  assert_said whole 'Connected: p2v-server' 'The server calls this job' \
    'Everything has reached the server' 'Running the command of p2v.post' 'reboot: Power down'
  refute_said whole '^p2v-client: '
  # The server goes on alone. The longest by far is virt-v2v in its emulated appliance.
  run timeout 1800 "$PRIVATE_SERVER" exec "$SERVER_DIR" \
    p2v-server --config "$SERVER_CONFIG" log --follow "$(boot_job "$name")"
  assert_status 0
  run p2v_server show --json "$(boot_job "$name")"
  assert_equal "$(jq -r .state <<<"$output")" done
  server_virsh dominfo "$name"
}
