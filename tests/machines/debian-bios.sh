# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# name, work, suite and root_password are make-machine's:
# shellcheck disable=SC2154
#
# debian-bios: MBR, GRUB for BIOS, /boot and / on ext4, and a second disk for /data.

machine_make ()
{
  local root_uuid boot_uuid data_uuid

  root_uuid=$(uuid_of root)
  boot_uuid=$(uuid_of boot)
  data_uuid=$(uuid_of data)

  # A conversion may leave the second disk out, and the guest should still boot: hence nofail.
  # Who logs in finds it mounted if it is there: hence the order.
  debian_root bios1 'grub-pc' 'ext4' "\
UUID=$root_uuid / ext4 errors=remount-ro 0 1
UUID=$boot_uuid /boot ext4 defaults 0 2
UUID=$data_uuid /data ext4 nofail,x-systemd.device-timeout=20s,\
x-systemd.before=systemd-user-sessions.service 0 2"

  stage "data disk"
  mkdir "$work/data"
  noise 5242880 data >"$work/data/noise"
  seq 1 100000 >"$work/data/numbers"
  tree_sums "$work/data" /data >"$work/data.sums"
  mv "$work/data.sums" "$work/data/SHA256SUMS"
  find "$work/data" -exec touch -d "@$SOURCE_DATE_EPOCH" {} +
  truncate -s 64M sdb.raw
  mke2fs -q -t ext4 -L data -U "$data_uuid" -E hash_seed="$data_uuid",root_owner=0:0 \
    -d "$work/data" sdb.raw

  stage "system disk: partitions, filesystems, files, GRUB"
  truncate -s 2G sda.raw
  sfdisk -q sda.raw <<'END'
label: dos
label-id: 0x70327642
start=2048, size=256M, type=83, bootable
type=83
END
  guestfish_run <<END
mkfs ext4 /dev/sda1 label:boot
set-uuid /dev/sda1 $boot_uuid
mkfs ext4 /dev/sda2 label:root
set-uuid /dev/sda2 $root_uuid
mount /dev/sda2 /
mkdir /boot
mount /dev/sda1 /boot
tar-in ../work/root.tar /
mkdir-p /data
command "grub-install --target=i386-pc /dev/disk/guestfs/sda"
command "update-grub"
command "sh -c 'rm -f /boot/grub/*.o /boot/grub/device.map'"
END

  debian_env bios1 bios sda.raw,sdb.raw
  printf '%s\n' 'DATA_SUMS=/data/SHA256SUMS' >>machine.env
}
