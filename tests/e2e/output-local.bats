#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Method local: images and the domain's XML in a directory, for an administrator to define.

load ../lib/e2e

setup_file ()
{
  e2e_start debian-bios bios1
  e2e_convert p2v.o=local "p2v.os=$SERVER_IMAGES" p2v.of=raw p2v.vcpu.cores=3 p2v.memory=768M
  cp "$SERVER_IMAGES/bios1.xml" "$OUT/domain.xml" || true
}

teardown_file ()
{
  e2e_stop
}

@test "the client ends with 0 and says where the XML is" {
  assert_equal "$(<"$OUT/client.status")" 0 || assert_fail "$(<"$OUT/client.txt")"
  assert_in_file "$OUT/client.txt" "$SERVER_IMAGES/bios1.xml"
}

@test "the XML is valid and has what was asked for" {
  virt-xml-validate "$OUT/domain.xml" domain
  assert_equal "$(xpath //domain/name)" bios1
  assert_equal "$(xpath //vcpu)" 3
  assert_equal "$(xpath //memory)" 786432
  assert_equal "$(xpath '//disk[@device="disk"][1]/source/@file')" "$SERVER_IMAGES/bios1-sda"
  assert_equal "$(xpath '//disk[@device="disk"][2]/source/@file')" "$SERVER_IMAGES/bios1-sdb"
}

@test "the images are raw, converted and sparse" {
  local disk
  for disk in sda sdb; do
    assert_equal "$(qemu-img info --output=json "$SERVER_IMAGES/bios1-$disk" | jq -r .format)" raw
  done
  run cmp -s "$SERVER_IMAGES/bios1-sda" "$MACHINE_DIR/sda.raw"
  assert_status 1
  (($(stat -c '%b * 512' "$SERVER_IMAGES/bios1-sda") < $(stat -c %s "$SERVER_IMAGES/bios1-sda")))
}

@test "libvirt defines it as it is, and no guest was defined before" {
  [[ -z $(server_virsh list --all --name | tr -d '\n') ]]
  run server_virsh define --validate "$SERVER_IMAGES/bios1.xml"
  assert_status 0
}

@test "the machine's disks are untouched" {
  assert_equal "$(e2e_sums)" "$(<"$OUT/sums.before")"
}
