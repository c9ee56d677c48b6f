#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# An output mode that virt-v2v itself writes, from the images that were received: -o qemu.

load ../lib/e2e

setup_file ()
{
  e2e_start debian-bios bios1
  e2e_convert p2v.o=qemu "p2v.os=$SERVER_IMAGES" p2v.of=qcow2
  export JOB
  JOB=$(p2v_server jobs --json | jq -r '.jobs[0].id')
  p2v_server show --json "$JOB" >"$OUT/show.json"
}

teardown_file ()
{
  e2e_stop
}

@test "the client ends with 0 and the job is done" {
  assert_equal "$(<"$OUT/client.status")" 0 || assert_fail "$(<"$OUT/client.txt")"
  assert_equal "$(jq -r .state "$OUT/show.json")" done
}

@test "virt-v2v wrote the guest: a script for QEMU and both disks in the format asked for" {
  assert_in_file "$SERVER_IMAGES/bios1.sh" 'qemu-system-x86_64'
  local disk
  for disk in sda sdb; do
    assert_equal "$(qemu-img info --output=json "$SERVER_IMAGES/bios1-$disk" | jq -r .format)" qcow2
  done
}

@test "the converted system is in it, files unchanged" {
  # /boot is the first partition and / the second; the initramfs is the new one, with virtio.
  run env LIBGUESTFS_BACKEND=direct LIBGUESTFS_BACKEND_SETTINGS=force_tcg \
    guestfish --ro --format=qcow2 -a "$SERVER_IMAGES/bios1-sda" run : mount-ro /dev/sda2 / : \
    mount-ro /dev/sda1 /boot : cat /etc/hostname : checksum sha256 /srv/SHA256SUMS
  assert_status 0
  assert_output_contains bios1
  local expected
  expected=$(LIBGUESTFS_BACKEND=direct LIBGUESTFS_BACKEND_SETTINGS=force_tcg \
    guestfish --ro --format=raw -a "$MACHINE_DIR/sda.raw" run : mount-ro /dev/sda2 / : \
    checksum sha256 /srv/SHA256SUMS)
  assert_output_contains "$expected"
}

@test "what was received is not kept twice" {
  [[ -z $(find "$SERVER_STATE" -name '*.qcow2' -print -quit) ]]
}

@test "the machine's disks are untouched" {
  assert_equal "$(e2e_sums)" "$(<"$OUT/sums.before")"
}
