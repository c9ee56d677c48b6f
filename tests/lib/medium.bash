# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Makes small media of p2v's layout: the boot loaders are real, the kernel is random bytes.

# medium_files DIR: what an image and a PXE tree have in common.
medium_files ()
{
  mkdir -p "$1/p2v"
  random_bytes kernel 300000 >"$1/p2v/vmlinuz"
  random_bytes initramfs 500000 >"$1/p2v/initramfs.img"
  echo 'console=ttyS0,115200 console=tty0 quiet' >"$1/p2v/arguments"
  : | cpio -o -H newc --quiet >"$1/p2v/site.img"
}

# medium_sums DIR: SHA256SUMS as on a real medium.
medium_sums ()
{
  local sums
  sums=$(find "$1" -type f ! -name SHA256SUMS ! -name isolinux.bin ! -name boot.cat -printf './%P\n' |
    LC_ALL=C sort | env -C "$1" xargs sha256sum)
  printf '%s\n' "$sums" >"$1/SHA256SUMS"
}

# medium_image FILE: a hybrid image that BIOS and UEFI can start from CD and USB.
medium_image ()
{
  local tree=$1.tree
  mkdir -p "$tree/isolinux" "$tree/boot/grub" "$tree/.disk" "$tree/EFI"
  medium_files "$tree"
  echo p2v >"$tree/.disk/info"
  cp /usr/lib/ISOLINUX/isolinux.bin /usr/lib/syslinux/modules/bios/ldlinux.c32 "$tree/isolinux"
  printf 'DEFAULT convert\nINCLUDE site.cfg\nLABEL convert\n  KERNEL /p2v/vmlinuz\n' \
    >"$tree/isolinux/isolinux.cfg"
  printf 'set default=convert\nsource /boot/grub/site.cfg\n' >"$tree/boot/grub/grub.cfg"
  echo '# No settings.' | tee "$tree/isolinux/site.cfg" >"$tree/boot/grub/site.cfg"
  truncate -s 1M "$tree/EFI/efi.img"
  mformat -i "$tree/EFI/efi.img" -h 16 -t 2 -s 63 ::
  mmd -i "$tree/EFI/efi.img" ::/EFI ::/EFI/BOOT
  random_bytes efi 60000 | mcopy -i "$tree/EFI/efi.img" - ::/EFI/BOOT/BOOTX64.EFI
  medium_sums "$tree"
  xorriso -as mkisofs -quiet -r -J -joliet-long -V P2V -o "$1" \
    -isohybrid-mbr /usr/lib/ISOLINUX/isohdpfx.bin -partition_offset 16 \
    -b isolinux/isolinux.bin -c isolinux/boot.cat -no-emul-boot -boot-load-size 4 \
    -boot-info-table -eltorito-alt-boot -e EFI/efi.img -no-emul-boot -isohybrid-gpt-basdat \
    "$tree" 2>"$1.log" || assert_fail "xorriso:" "$(<"$1.log")"
  rm -rf "$tree"
}

# medium_tree DIR: a directory for PXE.
medium_tree ()
{
  medium_files "$1"
  mkdir -p "$1/pxelinux.cfg" "$1/grub"
  echo '# No settings.' | tee "$1/pxelinux.cfg/site.cfg" >"$1/grub/site.cfg"
  printf '#!ipxe\n' >"$1/site.ipxe"
  medium_sums "$1"
}
