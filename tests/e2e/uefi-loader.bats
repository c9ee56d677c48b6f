#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The fallback boot loader of UEFI guests, through real libguestfs.

load ../lib/common

setup_file ()
{
  export BOOT_LOADER=$P2V_BUILD/tests/unit/p2v-server/boot-loader
}

setup ()
{
  common_setup
  work=$T/'con vert'
  mkdir -p "$work/state"
}

without_kvm ()
{
  LIBGUESTFS_BACKEND=direct LIBGUESTFS_BACKEND_SETTINGS=force_tcg "$@"
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

  run "$BOOT_LOADER" /dev/sda1 "$work/state" '\EFI\debian\shimx64.efi' "$work/sda.raw"
  echo "$output"
  [ "$status" -eq 0 ]
  jq -s -e 'any(.kind == "info" and (.message | contains("/EFI/Debian/shimx64.efi")))
    and (any(.kind == "warning") | not)' "$output/events.jsonl"
  run without_kvm guestfish --ro --format=raw -a "$work/sda.raw" run : mount-ro /dev/sda1 / : \
    ls /efi/boot : cat /EFI/BOOT/BOOTX64.EFI : cat /EFI/BOOT/grubx64.efi
  echo "$output"
  [ "$output" = $'BOOTX64.EFI\ngrubx64.efi\nshim\ngrub' ]

  # Once more: what is there stays.
  run "$BOOT_LOADER" /dev/sda1 "$work/state" '\EFI\other\loader.efi' "$work/sda.raw"
  [ "$status" -eq 0 ]
  jq -s -e 'all(.kind == "progress" or .kind == "started" or .stage == null)' "$output/events.jsonl"
}
