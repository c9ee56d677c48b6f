#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Every way in which a machine's disks are attached.

load ../lib/boot

setup_file ()
{
  boot_start disks
  boot_site
}

teardown_file () { boot_stop; }

@test "disks on AHCI, NVMe, virtio-scsi, virtio-blk and USB of one machine all arrive" {
  local disk
  for disk in ahci nvme scsi virtio usb; do
    boot_disk "$T/$disk" 40 512 "$disk"
  done
  # AHCI disks come before those of other SCSI hosts in the kernel's order, as its driver is loaded
  # first; which of the three names each got does not matter, so they are told apart by their serial numbers.
  boot_machine many bios-cd \
    -drive "file=$T/ahci,format=raw,if=none,id=ahci" -device ahci,id=ahci0 \
    -device ide-hd,drive=ahci,bus=ahci0.0,serial=on-ahci \
    -drive "file=$T/nvme,format=raw,if=none,id=nvme" -device nvme,drive=nvme,serial=on-nvme \
    -drive "file=$T/scsi,format=raw,if=none,id=scsi" -device virtio-scsi-pci,id=scsi0 \
    -device scsi-hd,drive=scsi,bus=scsi0.0,serial=on-scsi \
    -drive "file=$T/virtio,format=raw,if=none,id=virtio" \
    -device virtio-blk-pci,drive=virtio,serial=on-virtio \
    -drive "file=$T/usb,format=raw,if=none,id=usb" -device qemu-xhci \
    -device usb-storage,drive=usb,serial=on-usb
  local before after
  before=$(sha256sum "$T"/{ahci,nvme,scsi,virtio,usb})
  boot_wait_off many
  after=$(sha256sum "$T"/{ahci,nvme,scsi,virtio,usb})
  assert_equal "$after" "$before"
  assert_said_landed many
  p2v_server show --json "$(boot_job p2v-many)" >"$BOOT_OUT/many.json"
  assert_equal "$(jq -r '.request.machine.disks[].serial' "$BOOT_OUT/many.json" | grep ^on- | sort | xargs)" \
    "on-ahci on-nvme on-scsi on-usb on-virtio"
  local name pairs=()
  for disk in ahci nvme scsi virtio usb; do
    name=$(jq -r --arg serial "on-$disk" '.request.machine.disks[] | select(.serial == $serial).name' "$BOOT_OUT/many.json")
    pairs+=("$name=$T/$disk")
  done
  [[ " ${pairs[*]} " = *" nvme0n1=$T/nvme "* && " ${pairs[*]} " = *" vda=$T/virtio "* ]]
  assert_landed p2v-many "${pairs[@]}"
}

@test "disks on IDE, two on one cable" {
  boot_disk "$T/sda" 40 512 master
  boot_disk "$T/sdb" 40 512 slave
  boot_convert ide kernel "sda=$T/sda" "sdb=$T/sdb" -- \
    -drive "file=$T/sda,format=raw,if=ide,index=0" -drive "file=$T/sdb,format=raw,if=ide,index=1"
}

@test "disks with sectors of 4096 bytes: SCSI, NVMe and virtio" {
  local disk
  for disk in scsi nvme virtio; do
    boot_disk "$T/$disk" 40 4096 "4k $disk"
  done
  boot_convert 4k kernel "sda=$T/scsi" "nvme0n1=$T/nvme" "vda=$T/virtio" -- \
    -drive "file=$T/scsi,format=raw,if=none,id=scsi" -device virtio-scsi-pci \
    -device scsi-hd,drive=scsi,logical_block_size=4096,physical_block_size=4096 \
    -drive "file=$T/nvme,format=raw,if=none,id=nvme" \
    -device nvme,drive=nvme,serial=1,logical_block_size=4096,physical_block_size=4096 \
    -drive "file=$T/virtio,format=raw,if=none,id=virtio" \
    -device virtio-blk-pci,drive=virtio,logical_block_size=4096,physical_block_size=4096
  assert_equal "$(jq -c '[.request.machine.disks[].logical_sector_size]' "$BOOT_OUT/p2v-4k.json")" '[4096,4096,4096]'
}
