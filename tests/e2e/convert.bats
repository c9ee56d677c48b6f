#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The stage "convert" with real virt-v2v-in-place and libguestfs on the test machines' disks.
# bats file_tags=slow

bats_require_minimum_version 1.5.0

setup_file() {
  : "${P2V_TOP:=$PWD}" "${P2V_BUILD:=$P2V_TOP/build}"
  export P2V_TOP P2V_BUILD
  export CONVERT_JOB="$P2V_BUILD/tests/unit/p2v-server/convert-job"
  make -s -C "$P2V_TOP" "${CONVERT_JOB#"$P2V_TOP/"}"
  export MACHINES="$P2V_TOP/build/machines"
}

setup() {
  work=$(mktemp -d "${BATS_TEST_TMPDIR:?}/con vert.XXXXXX")
  mkdir "$work/state"
}

teardown() {
  rm -rf "$work"
}

received() { # MACHINE DISK: a copy, as if it had been received
  test -f "$MACHINES/$1/$2.raw" || skip "make machines first"
  cp --sparse=always "$MACHINES/$1/$2.raw" "$work/$2.raw"
}

without_kvm() {
  LIBGUESTFS_BACKEND=direct LIBGUESTFS_BACKEND_SETTINGS=force_tcg "$@"
}

@test "a disk without an operating system is refused and left as it was received" {
  received no-os sda
  before=$(sha256sum < "$work/sda.raw")
  run --separate-stderr "$CONVERT_JOB" "$work/state" bios "$work/sda.raw"
  [ "$status" -eq 1 ]
  job=$output
  echo "$stderr"
  [[ $stderr == *"inspection could not detect the source guest"* ]]
  [[ $stderr == *"p2v.disks="* && $stderr == *"p2v-server retry"* ]]
  [[ $stderr == *"Log: $job/convert.log" ]]
  grep -q '^virt-v2v-in-place: error: ' "$job/convert.log"
  [ "$(sha256sum < "$work/sda.raw")" = "$before" ]
  [ ! -e "$job/sda.overlay.qcow2" ]
}

@test "debian-bios is converted on an overlay, which then is committed" {
  received debian-bios sda
  received debian-bios sdb
  before=$(sha256sum < "$work/sda.raw")
  run --separate-stderr "$CONVERT_JOB" "$work/state" bios "$work/sda.raw" "$work/sdb.raw"
  echo "$stderr"
  [ "$status" -eq 0 ]
  job=$output
  jq -e '.state == "converted" and .report.os == "debian12" and .report.block_bus == "virtio-blk"
    and .report.net_bus == "virtio-net" and .report.machine == "q35"' "$job/job.json"
  [ "$(sha256sum < "$work/sda.raw")" != "$before" ]
  [ ! -e "$job/sda.overlay.qcow2" ]
  [ ! -e "$job/sdb.overlay.qcow2" ]

  # It never looked hung: no gap of 20 seconds between two events (10 and a slow machine).
  jq -s -e '[.[].time] | [., .[1:]] | transpose | map(select(.[1])) | all(.[1] - .[0] < 20000)' \
    "$job/events.jsonl"
  # Percent only ever grows.
  jq -s -e '[.[] | select(.kind == "progress") | .percent] | . == sort' "$job/events.jsonl"
}

@test "a UEFI machine without a fallback loader gets its boot entry's loader and what that needs" {
  truncate -s 64M "$work/sda.raw"
  printf 'shim' > "$work/shim"
  printf 'grub' > "$work/grub"
  without_kvm guestfish --format=raw -a "$work/sda.raw" run : part-disk /dev/sda gpt : \
    part-set-gpt-type /dev/sda 1 C12A7328-F81F-11D2-BA4B-00A0C93EC93B : \
    mkfs vfat /dev/sda1 : mount /dev/sda1 / : mkdir-p /EFI/Debian : \
    upload "$work/shim" /EFI/Debian/shimx64.efi : upload "$work/grub" /EFI/Debian/grubx64.efi : \
    write /EFI/Debian/fbx64.efi fallback : write /EFI/Debian/BOOTX64.CSV entry

  run "$CONVERT_JOB" --boot-loader /dev/sda1 "$work/state" '\EFI\debian\shimx64.efi' "$work/sda.raw"
  echo "$output"
  [ "$status" -eq 0 ]
  jq -s -e 'any(.kind == "info" and (.message | contains("/EFI/Debian/shimx64.efi")))
    and (any(.kind == "warning") | not)' "$output/events.jsonl"
  run without_kvm guestfish --ro --format=raw -a "$work/sda.raw" run : mount-ro /dev/sda1 / : \
    ls /efi/boot : cat /EFI/BOOT/BOOTX64.EFI : cat /EFI/BOOT/grubx64.efi
  echo "$output"
  [ "$output" = $'BOOTX64.EFI\ngrubx64.efi\nshim\ngrub' ]

  # Once more: what is there stays.
  run "$CONVERT_JOB" --boot-loader /dev/sda1 "$work/state" '\EFI\other\loader.efi' "$work/sda.raw"
  [ "$status" -eq 0 ]
  jq -s -e 'all(.kind == "progress" or .kind == "started" or .stage == null)' "$output/events.jsonl"
}
