# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# name, work, suite and root_password are make-machine's:
# shellcheck disable=SC2154
#
# debian-uefi-lvm: GPT, EFI system partition, root (XFS) and swap on LVM. The boot loader is
# \EFI\debian alone, with nothing in \EFI\BOOT: firmware finds it by its boot entry only.

machine_make ()
{
  local root_uuid swap_uuid packages

  need mkfs.vfat dosfstools
  root_uuid=$(uuid_of root)
  swap_uuid=$(uuid_of swap)

  # With the guest agent, as the other one is without: virt-v2v treats them differently.
  packages=grub-efi-amd64,grub-efi-amd64-signed,shim-signed,lvm2,xfsprogs,dosfstools
  debian_root uefi1 "$packages,qemu-guest-agent" 'xfs dm_mod' "\
/dev/mapper/uefi1--vg-root / xfs defaults 0 0
UUID=7032-7645 /boot/efi vfat umask=0077 0 1
/dev/mapper/uefi1--vg-swap_1 none swap sw 0 0"

  stage "system disk: partitions, LVM, filesystems, files, GRUB"
  truncate -s 2G sda.raw
  sfdisk -q sda.raw <<END
label: gpt
label-id: $(uuid_of disk)
start=2048, size=64M, type=uefi, uuid=$(uuid_of esp)
type=lvm, uuid=$(uuid_of lvm)
END
  # Made here because guestfish cannot give a FAT its number. 64 MiB, from sector 2048.
  mkfs.vfat -F 32 -s 1 -n ESP -i 70327645 -h 2048 --offset 2048 sda.raw 65536 \
    >"$work/vfat.log" 2>&1
  guestfish_run <<END
pvcreate /dev/sda2
vgcreate uefi1-vg /dev/sda2
lvcreate swap_1 uefi1-vg 128
lvcreate-free root uefi1-vg 100
mkswap /dev/uefi1-vg/swap_1 uuid:$swap_uuid
mkfs xfs /dev/uefi1-vg/root
xfs-admin /dev/uefi1-vg/root uuid:$root_uuid
mount /dev/uefi1-vg/root /
mkdir-p /boot/efi
mount /dev/sda1 /boot/efi
tar-in ../work/root.tar /
command "grub-install --target=x86_64-efi --efi-directory=/boot/efi --no-nvram --uefi-secure-boot"
command "update-grub"
END

  debian_env uefi1 uefi sda.raw
  cat >>machine.env <<END
EFI_LOADER=/EFI/debian/shimx64.efi
EFI_LABEL=debian
EFI_PARTITION=1
END
}
