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
  # The kernel names SCSI disks in the order in which it finds them, which differs from boot to boot.
  boot_convert many bios-cd @on-ahci="$T/ahci" nvme0n1="$T/nvme" @on-scsi="$T/scsi" vda="$T/virtio" \
    @on-usb="$T/usb" -- \
    -drive "file=$T/ahci,format=raw,if=none,id=ahci" -device ahci,id=ahci0 \
    -device ide-hd,drive=ahci,bus=ahci0.0,serial=on-ahci \
    -drive "file=$T/nvme,format=raw,if=none,id=nvme" -device nvme,drive=nvme,serial=on-nvme \
    -drive "file=$T/scsi,format=raw,if=none,id=scsi" -device virtio-scsi-pci,id=scsi0 \
    -device scsi-hd,drive=scsi,bus=scsi0.0,serial=on-scsi \
    -drive "file=$T/virtio,format=raw,if=none,id=virtio" \
    -device virtio-blk-pci,drive=virtio,serial=on-virtio \
    -drive "file=$T/usb,format=raw,if=none,id=usb" -device qemu-xhci \
    -device usb-storage,drive=usb,serial=on-usb
  assert_equal "$(jq -r '.request.machine.disks[].serial' "$BOOT_OUT/p2v-many.json" | grep ^on- | sort | xargs)" \
    "on-ahci on-nvme on-scsi on-usb on-virtio"
}

@test "disks on IDE, two on one cable" {
  boot_disk "$T/master" 40 512 master
  boot_disk "$T/slave" 40 512 slave
  boot_convert ide kernel @master="$T/master" @slave="$T/slave" -- \
    -drive "file=$T/master,format=raw,if=none,id=master" -device ide-hd,drive=master,bus=ide.0,unit=0,serial=master \
    -drive "file=$T/slave,format=raw,if=none,id=slave" -device ide-hd,drive=slave,bus=ide.0,unit=1,serial=slave
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
