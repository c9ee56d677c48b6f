#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A BIOS machine with two disks becomes a guest. On the way virt-v2v is missing once: the received
# images are compared with the machine, and the job is retried without it.

load ../lib/e2e

setup_file ()
{
  e2e_start debian-bios bios1
  "$PRIVATE_SERVER" exec --root "$SERVER" mount --bind /dev/null "$(command -v virt-v2v-in-place)"
  e2e_convert p2v.profile=libvirt
  JOB=$(p2v_server jobs --json | jq -r '.[0].id // .jobs[0].id')
  export JOB
  p2v_server show --json "$JOB" >"$OUT/received.json"
  local disk
  for disk in ${DISKS//,/ }; do
    qemu-img compare -f raw -F "$(image_of "$disk" .format)" "$MACHINE_DIR/$disk.raw" \
      "$(image_of "$disk" .path)" >"$OUT/compare.$disk.txt" 2>&1 || true
  done
  "$PRIVATE_SERVER" exec --root "$SERVER" umount "$(command -v virt-v2v-in-place)"
  p2v_server retry --wait "$JOB" >"$OUT/retry.txt" 2>&1 || true
  p2v_server show --json "$JOB" >"$OUT/done.json" || true
  guest_virsh dumpxml "$GUEST" >"$OUT/domain.xml" || true
  e2e_boot <<END
hostname
cd / && sha256sum --quiet -c $SUMS
cd / && sha256sum --quiet -c $DATA_SUMS
cat /sys/class/net/e*/address
readlink /sys/block/vda /sys/block/vdb
systemd-detect-virt --quiet && echo virtual
END
}

teardown_file ()
{
  e2e_stop
}

# A fact about a disk's image in the job.
image_of ()
{
  jq -r --arg disk "$1" ".plan.images[] | select(.disk == \$disk) | $2" "$OUT/received.json"
}

@test "without virt-v2v the client ends with 8 and names the package" {
  assert_equal "$(cat "$OUT/client.status")" 8
  assert_in_file "$OUT/client.txt" 'virt-v2v'
  assert_in_file "$OUT/client.txt" 'p2v-server retry'
}

@test "before conversion each received image equals the machine's disk byte for byte" {
  assert_in_file "$OUT/compare.sda.txt" '^Images are identical'
  assert_in_file "$OUT/compare.sdb.txt" '^Images are identical'
}

@test "holes and zeroes were not stored" {
  local stored source
  stored=$(du -B1 "$(image_of sda .path)" | cut -f1)
  source=$(du -B1 "$MACHINE_DIR/sda.raw" -L | cut -f1)
  # The conversion adds a new initramfs and little else.
  ((stored < source + 256 * 1024 * 1024))
}

@test "retry converts and defines without the machine" {
  assert_equal "$(jq -r .state "$OUT/done.json")" done
  assert_in_file "$OUT/domain.xml" '<name>bios1</name>'
}

@test "the domain is the machine: disks in order on virtio, its MAC, its memory" {
  local xml=$OUT/domain.xml
  assert_equal "$(xmllint --xpath 'string(//disk[@device="disk"][1]/target/@dev)' "$xml")" vda
  assert_equal "$(xmllint --xpath 'string(//disk[@device="disk"][2]/target/@dev)' "$xml")" vdb
  assert_equal "$(xmllint --xpath 'string(//interface/mac/@address)' "$xml")" 52:54:00:b1:05:01
  assert_equal "$(xmllint --xpath 'string(//memory)' "$xml")" 1048576
  virt-xml-validate "$xml" domain
}

@test "the guest boots to a login with its host name, MAC and both disks on virtio" {
  assert_equal "$(in_guest hostname)" $'bios1\nexit 0'
  assert_equal "$(in_guest 'cat /sys/class/net/e*/address')" $'52:54:00:b1:05:01\nexit 0'
  [[ $(in_guest 'readlink /sys/block/vda /sys/block/vdb') == *virtio*virtio* ]]
}

@test "every file of the machine is in the guest, unchanged" {
  assert_equal "$(in_guest "cd / && sha256sum --quiet -c $SUMS")" 'exit 0'
  assert_equal "$(in_guest "cd / && sha256sum --quiet -c $DATA_SUMS")" 'exit 0'
}

@test "the machine's disks are untouched" {
  assert_equal "$(e2e_sums)" "$(cat "$OUT/sums.before")"
}
