#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A UEFI machine with its root on LVM and XFS, which boots only through its boot entry, becomes a
# guest that boots from a fresh variable store.

load ../lib/e2e

setup_file ()
{
  e2e_start debian-uefi-lvm uefi1
  e2e_convert p2v.profile=libvirt
  p2v_server jobs --json >"$OUT/jobs.json" || true
  server_virsh dumpxml "$GUEST" >"$OUT/domain.xml" || true
  e2e_boot <<END
hostname
cd / && sha256sum --quiet -c $MACHINE_SUMS
cat /sys/class/net/e*/address
readlink /sys/block/vda
test -d /sys/firmware/efi && echo uefi
findmnt -no FSTYPE /
swapon --noheadings --show=TYPE
END
}

teardown_file ()
{
  e2e_stop
}

@test "the conversion ends with 0 and says where the guest is" {
  assert_equal "$(<"$OUT/client.status")" 0
  assert_in_file "$OUT/client.txt" 'uefi1'
  assert_in_file "$OUT/client.txt" 'qemu:///session'
}

@test "progress was shown: bytes done of bytes to do, and the server's stages" {
  assert_in_file "$OUT/client.txt" 'sda.*(MiB|GiB)'
  assert_in_file "$OUT/client.txt" '[Cc]onvert'
  assert_in_file "$OUT/client.txt" '[Dd]efin'
}

@test "the domain has UEFI firmware and is valid" {
  assert_equal "$(xpath //domain/os/@firmware)" efi
  virt-xml-validate "$OUT/domain.xml" domain
}

@test "the guest boots by UEFI to a login with its host name and MAC, root on XFS, swap on" {
  assert_equal "$(in_guest hostname)" $'uefi1\nexit 0'
  assert_equal "$(in_guest 'cat /sys/class/net/e*/address')" $'52:54:00:0e:f1:01\nexit 0'
  assert_equal "$(in_guest 'test -d /sys/firmware/efi && echo uefi')" $'uefi\nexit 0'
  assert_equal "$(in_guest 'findmnt -no FSTYPE /')" $'xfs\nexit 0'
  assert_equal "$(in_guest 'swapon --noheadings --show=TYPE')" $'partition\nexit 0'
  [[ $(in_guest 'readlink /sys/block/vda') = *virtio* ]]
}

@test "every file of the machine is in the guest, unchanged" {
  assert_equal "$(in_guest "cd / && sha256sum --quiet -c $MACHINE_SUMS")" 'exit 0'
}

@test "the machine's disks are untouched" {
  assert_equal "$(e2e_sums)" "$(<"$OUT/sums.before")"
}
