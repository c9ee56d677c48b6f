# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Disks with something on them that is shown to people. After common.bash.

# Two halves of a mirror, $T/half0 and $T/half1, and a disk with a filesystem, $T/data.
array_and_data_make ()
{
  local half
  for half in 0 1; do
    truncate -s 64M "$T/half$half"
    "$COMMON_LIB/raid-superblock" "$T/half$half" 0 67108864 1.2 length=50331648 "number=$half"
  done
  truncate -s 64M "$T/data"
  sgdisk -n 1:2048:0 "$T/data" >/dev/null
  mkfs.ext4 -q -F -E offset=1048576 -L files "$T/data" 62M
}

# filesystem_add FILE START MIB LABEL FOLDER: ext4 with the folder's files, at MiB START of a disk.
filesystem_add ()
{
  mkfs.ext4 -q -F -E "offset=$(($2 << 20)),lazy_itable_init=1" -L "$4" -d "$5" "$1" "${3}M" 2>/dev/null
}

# system_disk_make FILE HOSTNAME: a disk of 8 GiB as an old server has it, some 700 MB in use: an EFI
# system partition, Debian's root, swap, and a data partition.
system_disk_make ()
{
  local file=$1 root=$1.root data=$1.srv
  truncate -s 8G "$file"
  sfdisk -q "$file" <<'END'
label: gpt
start=1MiB, size=128MiB, type=U
start=129MiB, size=4000MiB, type=L
start=4129MiB, size=1000MiB, type=S
start=5129MiB, size=3000MiB, type=L, name=srv
END
  mkfs.vfat -F 16 --offset 2048 -n EFI "$file" $((128 << 10)) >/dev/null 2>&1
  truncate -s 1000M "$root"
  mkswap -q "$root" 2>/dev/null
  dd if="$root" of="$file" bs=1M seek=4129 conv=notrunc,sparse status=none
  rm -- "$root"
  mkdir -p "$root/etc" "$root/boot/grub" "$root/usr" "$data"
  printf 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n' \
    >"$root/etc/os-release"
  printf '%s\n' "$2" >"$root/etc/hostname"
  random_bytes usr 500000000 >"$root/usr/data"
  random_bytes srv 200000000 >"$data/data"
  filesystem_add "$file" 129 4000 root "$root"
  filesystem_add "$file" 5129 3000 srv "$data"
  rm -r -- "$root" "$data"
}
