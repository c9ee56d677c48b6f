#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The image itself, without starting it: its size, what is in it, and that it can be made again.

load ../lib/common

setup_file ()
{
  assert_file_exists "$P2V_BUILD/p2v.iso"
  export EPOCH=1700000000
}

# Makes the image in $1 as `make iso` does, compressed in a hurry.
make_image ()
{
  SOURCE_DATE_EPOCH=$EPOCH P2V_VERSION=0 P2V_ZSTD_LEVEL=1 "$P2V_TOP/iso/build" image \
    "$P2V_BUILD/image/stage" "$P2V_BUILD/image/keymaps" "$1" &&
    SOURCE_DATE_EPOCH=$EPOCH P2V_VERSION=0 "$P2V_TOP/iso/build" iso "$1" "$1/p2v.iso" &&
    SOURCE_DATE_EPOCH=$EPOCH P2V_VERSION=0 "$P2V_TOP/iso/build" pxe "$1" "$1/pxe"
}

@test "the same packages and programs give the same bytes, ISO and network tree" {
  make_image "$T/one"
  # Another second, so that no time of the building gets in.
  sleep 1.1
  make_image "$T/two"
  cmp "$T/one/initramfs.img" "$T/two/initramfs.img"
  cmp "$T/one/p2v.iso" "$T/two/p2v.iso"
  diff -r "$T/one/pxe" "$T/two/pxe"
}

@test "without firmware the ISO is no larger than 130 MB" {
  local firmware size
  # What it takes up packed, as the whole is.
  firmware=$(cd / && awk '$2 ~ "^usr/lib/firmware/" { print $2 }' "$P2V_BUILD/image/contents" |
    cpio --quiet --create --format=newc | zstd -9 | wc -c)
  size=$(stat -c %s "$P2V_BUILD/p2v.iso")
  ((size - firmware <= 130000000)) ||
    assert_fail "the ISO has $size bytes, $firmware of firmware"
}

@test "what the client calls and a person needs is in it" {
  local name missing=''
  for name in p2v-client p2v-text p2v-kiosk partclone.ext4 partclone.xfs partclone.btrfs \
    partclone.ntfs partclone.vfat partclone.f2fs partclone.hfsp xfs_logprint lvm mdadm cryptsetup \
    dmsetup multipathd iscsiadm smartctl ethtool lspci nvme debugfs grub-fstest nmcli nmtui ping getent mokutil \
    nm-initrd-generator; do
    grep -q "/$name\$" "$P2V_BUILD/image/contents" || missing+=" $name"
  done
  assert_equal "$missing" ""
}

@test "it speaks its languages, and has letters for them" {
  local name missing=''
  for name in locale/{de,zh_CN}/LC_MESSAGES/{p2v,gtk30}.mo fonts/truetype/droid/DroidSansFallbackFull.ttf; do
    grep -q "usr/share/$name\$" "$P2V_BUILD/image/contents" || missing+=" $name"
  done
  assert_equal "$missing" ""
}

@test "text consoles have the layouts that X has, each with Latin letters" {
  local name layouts keymaps
  layouts=$(awk '/^! / { section = $2; next } section == "layout" && NF > 0 && $1 != "custom"' \
    /usr/share/X11/xkb/rules/base.lst | wc -l)
  keymaps=$(grep -c 'usr/share/keymaps/xkb/[a-z_]*\.map\.gz$' "$P2V_BUILD/image/contents")
  assert_equal "$keymaps" "$layouts"
  for name in us de de-nodeadkeys us-dvorak ru gr-polytonic; do
    zcat "$P2V_BUILD/image/keymaps/$name.map.gz" >"$T/$name"
    grep -q 'U+0061' "$T/$name" || assert_fail "$name has no a"
    loadkeys --parse "$T/$name"
  done
  grep -q 'U+0430' "$T/ru" || assert_fail "ru has no а"
}

@test "drivers of fifteen years of servers are in it" {
  local name missing=''
  # Storage, network, screens: one of each family that was ever common.
  for name in megaraid_sas mpt3sas hpsa aacraid mptsas smartpqi 3w-9xxx arcmsr isci \
    qla2xxx lpfc bfa ahci ata_piix nvme mtip32xx uas virtio_scsi vmw_pvscsi hv_storvsc \
    e1000 e1000e igb ixgbe i40e ice bnx2 bnx2x bnxt_en tg3 r8169 be2net mlx4_en mlx5_core qede \
    sfc cxgb4 forcedeth sky2 atlantic virtio_net vmxnet3 hv_netvsc bonding 8021q \
    ast mgag200 bochs cirrus; do
    grep -q "/$name\.ko\$" "$P2V_BUILD/image/contents" || missing+=" $name"
  done
  assert_equal "$missing" ""
}

@test "the build says which drivers have no firmware here" {
  # Broadcom's ask for files that are in non-free-firmware only; Intel's e1000e for none.
  local name status=0
  for name in bnx2 bnx2x; do
    compgen -G "/lib/firmware/$name/*" >/dev/null && continue
    grep -qx "$name" "$P2V_BUILD/image/firmware-missing" || status=1
  done
  assert_equal "$status" 0
  run grep -x e1000e "$P2V_BUILD/image/firmware-missing"
  assert_status 1
}

@test "nothing in it starts a server, mounts a disk or swaps" {
  run grep -E '/(sshd|mdmon|mdmonitor\.service|lvm2-monitor\.service|64-md-raid-assembly\.rules|69-lvm\.rules|systemd-fstab-generator|systemd-gpt-auto-generator|fstab)$' \
    "$P2V_BUILD/image/contents"
  assert_status 1
}

@test "the base image knows no server and holds no key" {
  local site=$T/site
  xorriso -osirrox on -indev "$P2V_BUILD/p2v.iso" -extract /p2v/site.img "$site" 2>/dev/null
  assert_equal "$(cpio -t --quiet <"$site")" ""
  run grep -E 'etc/p2v/(identity|defaults|known_hosts)' "$P2V_BUILD/image/contents"
  assert_status 1
}

@test "the boot chain is the distribution's, with its signatures" {
  local efi=$T/efi
  xorriso -osirrox on -indev "$P2V_BUILD/p2v.iso" -extract /EFI/efi.img "$efi" 2>/dev/null
  mcopy -i "$efi" ::EFI/BOOT/BOOTX64.EFI "$T/shim"
  mcopy -i "$efi" ::EFI/BOOT/grubx64.efi "$T/grub"
  cmp "$T/shim" /usr/lib/shim/shimx64.efi.signed
  cmp "$T/grub" /usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed
  xorriso -osirrox on -indev "$P2V_BUILD/p2v.iso" -extract /p2v/vmlinuz "$T/vmlinuz" 2>/dev/null
  cmp "$T/vmlinuz" "/boot/vmlinuz-$(<"$P2V_BUILD/image/kernel-version")"
}
