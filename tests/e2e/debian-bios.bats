#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A BIOS machine with two disks becomes a guest. On the way virt-v2v is missing once: the received
# images are compared with the machine's disks, and the job is retried without the machine.

load ../lib/e2e

setup_file ()
{
  local v2v disk
  e2e_start debian-bios bios1
  v2v=$(command -v virt-v2v-in-place)
  server_root mount --bind /dev/null "$v2v"
  e2e_convert p2v.profile=libvirt
  export JOB
  JOB=$(p2v_server jobs --json | jq -r '.jobs[0].id')
  p2v_server show --json "$JOB" >"$OUT/received.json"
  for disk in ${MACHINE_DISKS//,/ }; do
    cp --sparse=always "$MACHINE_DIR/$disk" "$OUT/expected"
    clear_unread "$OUT/expected"
    qemu-img compare -f raw -F "$(image_of "${disk%.raw}" .format)" "$OUT/expected" \
      "$(image_of "${disk%.raw}" .path)" >"$OUT/compare.${disk%.raw}.txt" 2>&1 || true
    rm "$OUT/expected"
  done
  du -B1 "$(image_of sda .path)" | cut -f1 >"$OUT/stored.txt"
  server_root umount "$v2v"
  # Meanwhile somebody has defined another guest of that name.
  define_other
  p2v_server retry --wait "$JOB" >"$OUT/taken.txt" 2>&1 || true
  server_virsh dumpxml "$GUEST" >"$OUT/other.xml"
  server_virsh undefine "$GUEST"
  p2v_server retry --wait "$JOB" >"$OUT/retry.txt" 2>&1 || true
  p2v_server show --json "$JOB" >"$OUT/done.json" || true
  server_virsh dumpxml "$GUEST" >"$OUT/domain.xml" || true
  e2e_boot <<END
hostname
cd / && sha256sum --quiet -c $MACHINE_SUMS
mountpoint -q /data || mount /data
cd / && sha256sum --quiet -c $MACHINE_DATA_SUMS
cat /sys/class/net/e*/address
readlink /sys/block/vda /sys/block/vdb
END
}

teardown_file ()
{
  e2e_stop
}

define_other ()
{
  server_exec sh -c "cat >\$HOME/other.xml && virsh -q define \$HOME/other.xml" <<END
<domain type='qemu'>
  <name>$GUEST</name>
  <description>of somebody else</description>
  <memory unit='MiB'>64</memory>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
</domain>
END
}

# A fact about a disk's image in the job.
image_of ()
{
  jq -r --arg disk "$1" ".plan.images[] | select(.disk == \$disk) | $2" "$OUT/received.json"
}

@test "without virt-v2v the client ends with 8, names the package and says how to go on" {
  assert_equal "$(<"$OUT/client.status")" 8
  assert_in_file "$OUT/client.txt" 'virt-v2v'
  assert_in_file "$OUT/client.txt" "p2v-server retry $JOB"
}

@test "before conversion each received image equals the machine's disk, but for what nobody reads again" {
  assert_in_file "$OUT/compare.sda.txt" '^Images are identical'
  assert_in_file "$OUT/compare.sdb.txt" '^Images are identical'
}

@test "holes and zeroes were not stored" {
  local stored source
  stored=$(<"$OUT/stored.txt")
  source=$(du -L -B1 "$MACHINE_DIR/sda.raw" | cut -f1)
  # Neither stores blocks of quite the same size.
  ((stored > 0 && stored < source + source / 8)) || assert_fail "$stored stored of $source"
}

@test "a guest of that name, made meanwhile, is not replaced: the stage fails and says why" {
  assert_in_file "$OUT/taken.txt" 'bios1'
  assert_in_file "$OUT/taken.txt" '[Aa]lready|exists'
  assert_in_file "$OUT/other.xml" 'of somebody else'
}

@test "retry converts and defines without the machine" {
  assert_equal "$(jq -r .state "$OUT/done.json")" done
  assert_equal "$(xpath //domain/name)" bios1
}

@test "the conversion never looks hung: an event every 20 seconds, percent only grows" {
  local events=$OUT/events.jsonl
  cp "$SERVER_STATE/jobs/$JOB/events.jsonl" "$events"
  # From the first retry on.
  jq -s -e '. as $all | ([range(length) | select($all[.].kind == "failed")] | first) as $failed
    | .[$failed + 1:] | [.[].time] | [., .[1:]] | transpose | map(select(.[1]))
    | length > 5 and all(.[1] - .[0] < 20000)' "$events"
  jq -s -e '[.[] | select(.kind == "progress" and .stage == "convert") | .percent]
    | length > 3 and . == sort' "$events"
}

@test "the domain is the machine: disks in order on virtio, its MAC, its memory and CPUs" {
  assert_equal "$(xpath '//disk[@device="disk"][1]/target/@dev')" vda
  assert_equal "$(xpath '//disk[@device="disk"][2]/target/@dev')" vdb
  assert_equal "$(xpath '//interface/mac/@address')" 52:54:00:b1:05:01
  assert_equal "$(xpath //memory)" 1048576
  assert_equal "$(xpath //vcpu)" 2
  virt-xml-validate "$OUT/domain.xml" domain
}

@test "the guest boots to a login with its host name, MAC and both disks on virtio" {
  assert_equal "$(in_guest hostname)" $'bios1\nexit 0'
  assert_equal "$(in_guest 'cat /sys/class/net/e*/address')" $'52:54:00:b1:05:01\nexit 0'
  [[ $(in_guest 'readlink /sys/block/vda /sys/block/vdb') = *virtio*virtio* ]]
}

@test "every file of the machine is in the guest, unchanged" {
  # An emulated guest may give up waiting for its second disk before that is there.
  assert_equal "$(in_guest 'mountpoint -q /data || mount /data')" 'exit 0'
  assert_equal "$(in_guest "cd / && sha256sum --quiet -c $MACHINE_SUMS")" 'exit 0'
  assert_equal "$(in_guest "cd / && sha256sum --quiet -c $MACHINE_DATA_SUMS")" 'exit 0'
}

@test "the machine's disks are untouched" {
  assert_equal "$(e2e_sums)" "$(<"$OUT/sums.before")"
}
