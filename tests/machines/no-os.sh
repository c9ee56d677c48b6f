# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# name, work, suite and root_password are make-machine's:
# shellcheck disable=SC2154
#
# no-os: a disk with one ext4 filesystem of plain files. Nothing to convert: virt-v2v refuses it.

machine_make ()
{
  need mke2fs e2fsprogs
  need sfdisk fdisk

  stage "disk without an operating system"
  mkdir "$work/plain"
  noise 1048576 plain >"$work/plain/noise"
  printf 'no operating system here\n' >"$work/plain/readme"
  find "$work/plain" -exec touch -d "@$SOURCE_DATE_EPOCH" {} +
  truncate -s 64M sda.raw
  sfdisk -q sda.raw <<'END'
label: dos
label-id: 0x7032766e
start=2048, type=83
END
  mke2fs -q -t ext4 -L plain -U "$(uuid_of plain)" \
    -E "offset=1048576,hash_seed=$(uuid_of plain),root_owner=0:0" -d "$work/plain" sda.raw 63M

  cat >machine.env <<END
NAME=$name
OS=none
FIRMWARE=bios
DISKS=sda.raw
END
}
