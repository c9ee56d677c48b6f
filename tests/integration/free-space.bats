#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a filesystem's own word makes of it: nothing in use is called free, whatever has been done to
# the filesystem (tests/lib/filesystem-fuzz; P2V_FUZZ_SEED repeats a run), and one that is not known
# to be clean is refused with a reason that a person can act on.

load ../lib/common

FREE_SPACE=$P2V_BUILD/tests/unit/p2v-client/free-space

setup ()
{
  common_setup
  cd "$T"
}

teardown ()
{
  cd /
  while mountpoint -q "$T/mnt"; do umount "$T/mnt"; done
  local loop
  for loop in "${loops[@]}"; do
    losetup -d "$loop" 2>/dev/null || true
  done
  common_teardown
}

loops=()
# loop_of FILE [OPTION...]: $loop becomes a loop device of it.
loop_of ()
{
  loop=$(losetup --show -f "${@:2}" "$1")
  # That a device is read-only lasts longer than what was attached to it then.
  [[ " $* " = *" -r "* || " $* " = *" --read-only "* ]] || blockdev --setrw "$loop"
  loops+=("$loop")
}

# fuzz CONFIG...: with the seed of the environment, or always the same; make fuzz-map takes others.
fuzz ()
{
  local seed=${P2V_FUZZ_SEED:-1}
  echo "seed $seed"
  "$COMMON_LIB/filesystem-fuzz" --seed="$seed" "$@"
}

# make MIB MKFS...: a filesystem in the file fs.
make ()
{
  rm -f fs
  truncate -s "$1M" fs
  "${@:2}" fs >/dev/null 2>&1
}

# poke OFFSET BYTES: bytes as for printf.
poke () { printf '%b' "$2" | dd of=fs bs=1 seek="$1" conv=notrunc status=none; }

mount_fs ()
{
  mkdir -p mnt
  loop_of fs
  # What somebody has once said of a device's number lasts longer than the device.
  blockdev --setrw "$loop"
  mount "$loop" mnt
}

# copy_while_mounted: fs becomes what a machine leaves that loses its power while writing.
copy_while_mounted ()
{
  mount_fs
  random_bytes a 3000000 >mnt/file
  sync -f mnt/file
  # Small: new space for data would have Btrfs write everything out instead of a log.
  echo other >mnt/other
  sync mnt/other
  cp --sparse=always fs copy
  umount mnt
  mv copy fs
}

assert_free ()
{
  run "$FREE_SPACE" fs 0 0 "$1"
  assert_status 0
  [[ -n $output ]]
}

assert_refused ()
{
  run "$FREE_SPACE" fs 0 0 "$1"
  assert_status 1
  assert_output_contains "refused: "
  assert_output_contains "$2"
}

@test "ext2, ext3, ext4: nothing in use is called free" { fuzz ext2-1k ext4 ext4-journal; }

@test "XFS: nothing in use is called free" { fuzz xfs xfs-4kn; }

@test "Btrfs: nothing in use is called free, both copies and data without checksums included" {
  fuzz btrfs-nodatasum btrfs-dup
}

@test "FAT and exFAT: nothing in use is called free" { fuzz fat32 exfat; }

@test "NTFS: nothing in use is called free" { fuzz ntfs ntfs-4kn; }

@test "F2FS: nothing in use is called free" { fuzz f2fs; }

@test "full filesystems" { fuzz --fill=full ext3 fat16; }

@test "an ext4 whose machine lost power is refused" {
  make 60 mkfs.ext4 -q -F
  assert_free ext4
  copy_while_mounted
  assert_refused ext4 "it was not unmounted cleanly: its journal needs recovery"
}

@test "an ext4 without what its empty journal once held recovers from a power cut" {
  make 300 mkfs.ext4 -q -F -J size=64
  mount_fs
  random_bytes b 20000000 >mnt/before
  umount mnt
  # In the copy all that was not sent is rubbish, the journal's old contents included.
  "$FREE_SPACE" --copy=fs.copy fs 0 0 ext4 >free
  mv fs.copy fs
  awk '{ bytes += $2 } END { exit bytes < 270 * 1024 * 1024 }' free
  copy_while_mounted
  assert_refused ext4 "its journal needs recovery"
  mount_fs
  [[ $(random_bytes a 3000000 | sha256sum) = $(sha256sum <mnt/file) ]]
  [[ $(random_bytes b 20000000 | sha256sum) = $(sha256sum <mnt/before) ]]
  umount mnt
  e2fsck -f -n fs
}

@test "an ext2 that is mounted, or has errors, is refused" {
  make 20 mkfs.ext2 -q -F
  debugfs -w -R "ssv state 0" fs 2>/dev/null
  assert_refused ext2 "it was not unmounted cleanly"
  debugfs -w -R "ssv state 3" fs 2>/dev/null
  assert_refused ext2 "it has errors"
}

@test "an ext4 with clusters, a journal by itself, and maps that contradict the counts are refused" {
  make 60 mkfs.ext4 -q -F -O bigalloc
  assert_refused ext4 "bigalloc"
  make 60 mkfs.ext4 -q -F -O journal_dev
  assert_refused ext4 "journal of another filesystem"
  make 60 mkfs.ext4 -q -F
  debugfs -w -R "ssv free_blocks_count 100" fs 2>/dev/null
  assert_refused ext4 "its map contradicts its superblock"
  make 60 mkfs.ext4 -q -F
  debugfs -w -R "set_bg 0 free_blocks_count 7" fs 2>/dev/null
  assert_refused ext4 "group 0"
}

@test "an XFS whose machine lost power is refused" {
  make 400 mkfs.xfs -q
  assert_free xfs
  copy_while_mounted
  assert_refused xfs "it was not unmounted cleanly"
}

@test "an XFS with its log elsewhere, or in need of repair, is refused" {
  truncate -s 64M log
  make 400 mkfs.xfs -q -l "logdev=$T/log,size=64m"
  assert_refused xfs "its log is on another device"
  make 400 mkfs.xfs -q -m crc=1
  xfs_admin -O bigtime=1 fs >/dev/null 2>&1 || true
  xfs_db -x -c 'sb 0' -c 'write -d features_incompat 0x1b' fs >/dev/null
  assert_refused xfs "in need of xfs_repair"
  poke 108 'another name'
  assert_refused xfs "the checksum of its superblock is wrong"
  make 400 mkfs.xfs -q
  xfs_db -x -c 'agf 0' -c 'write -c freeblks 12' fs >/dev/null
  assert_refused xfs "group 0"
}

@test "a Btrfs that has a log, or several devices, is refused" {
  make 200 mkfs.btrfs -q
  assert_free btrfs
  copy_while_mounted
  assert_refused btrfs "it was not unmounted cleanly: its log is not empty"
  rm -f fs
  truncate -s 200M fs second
  mkfs.btrfs -q -f fs second >/dev/null 2>&1
  assert_refused btrfs "it is spread over several devices"
}

@test "a Btrfs whose superblock or trees are damaged is refused" {
  make 200 mkfs.btrfs -q -m single
  poke $((65536 + 200)) '\xff'
  assert_refused btrfs "the checksum of its superblock is wrong"
  make 200 mkfs.btrfs -q -m single
  local extents
  extents=$(btrfs inspect-internal dump-tree -t extent fs | sed -n 's/^leaf \([0-9]*\) .*/\1/p' | head -1)
  extents=$(btrfs-map-logical -l "$extents" fs | sed -n 's/.*physical \([0-9]*\) .*/\1/p' | head -1)
  poke $((extents + 300)) '\x55\x55\x55\x55'
  assert_refused btrfs "its trees are damaged"
}

@test "a FAT that was in use, or had errors, is refused" {
  make 60 mkfs.fat -F 32
  assert_free vfat
  poke 65 '\x01'
  assert_refused vfat "it was not unmounted cleanly"
  poke 65 '\x02'
  assert_refused vfat "has failed before"
  poke 65 '\x00'
  poke $((32 * 512 + 4)) '\xff\xff\xff\x07'
  assert_refused vfat "it was not unmounted cleanly"
  poke $((32 * 512 + 4)) '\xff\xff\xff\x0b'
  assert_refused vfat "has failed before"
  make 60 mkfs.fat -F 16
  local table=$((512 * $(od -An -tu2 -j 14 -N 2 fs)))
  poke $((table + 2)) '\xff\x7f'
  assert_refused vfat "it was not unmounted cleanly"
  make 4 mkfs.fat -F 12
  assert_refused vfat "FAT12 does not tell"
}

@test "an exFAT that was in use, or had errors, is refused" {
  make 60 mkfs.exfat
  assert_free exfat
  poke 106 '\x02'
  assert_refused exfat "it was not unmounted cleanly"
  poke 106 '\x04'
  assert_refused exfat "has failed before"
}

@test "an NTFS that Windows has marked is refused" {
  make 60 mkfs.ntfs -F -Q -q
  assert_free ntfs
  ntfsfix fs >/dev/null
  assert_refused ntfs "Windows has marked it as dirty"
  ntfsfix -d fs >/dev/null
  assert_free ntfs
}

# ntfs_log CLIENTS FLAGS MAJOR: the log as Windows leaves it, both restart pages alike.
ntfs_log ()
{
  python3 - "$@" >log <<'END'
import struct, sys
clients, flags, major = (int(word, 0) for word in sys.argv[1:])
page = bytearray(4096)
page[0:30] = struct.pack("<4sHHQIIHhh", b"RSTR", 0x1E, 9, 0, 4096, 4096, 0x30, 1, major)
page[0x30:0x30 + 24] = struct.pack("<QHHHHII", 1000, 1, 0xFFFF, clients, flags, 0, 0)
for i in range(8):
    page[0x20 + 2 * i:0x22 + 2 * i] = page[512 * i + 510:512 * i + 512]
    page[512 * i + 510:512 * i + 512] = b"\x07\0"
page[0x1E:0x20] = b"\x07\0"
sys.stdout.buffer.write(bytes(page) * 2 + b"\xff" * (256 * 1024))
END
  ntfscp -f -i -q fs log 2
}

@test "an NTFS whose log is not empty is refused" {
  make 60 mkfs.ntfs -F -Q -q
  ntfs_log 0 2 1
  assert_free ntfs
  ntfs_log 0xffff 0 1
  assert_free ntfs
  ntfs_log 0 0 1
  assert_refused ntfs "it was not unmounted cleanly: its log is not empty"
  ntfs_log 0 2 2
  assert_refused ntfs "fast startup"
  head -c 300000 /dev/zero >log
  ntfscp -f -i -q fs log 2
  assert_refused ntfs "its log cannot be read"
}

@test "an NTFS with a hibernated Windows is refused, however many files there are" {
  make 60 mkfs.ntfs -F -Q -q
  mkdir mnt
  ntfs-3g fs mnt
  head -c 10000 /dev/zero >mnt/hiberfil.sys
  umount mnt
  wait_until 10 assert_free ntfs
  local files header
  for files in 0 900; do
    for header in hibr HIBR; do
      ntfs-3g fs mnt
      ((files == 0)) || (cd mnt && seq -f 'a file of the root folder %g' "$files" | xargs -d '\n' touch)
      rm -f mnt/*.sys
      { printf %s $header; random_bytes x 9000; } >mnt/HiberFil.sys
      umount mnt
      wait_until 10 assert_refused ntfs "Windows is hibernated"
    done
  done
  ntfs-3g fs mnt
  { printf wake; random_bytes x 9000; } >mnt/HiberFil.sys
  umount mnt
  wait_until 10 assert_free ntfs
  ntfs-3g fs mnt
  random_bytes x 9000 >mnt/HiberFil.sys
  umount mnt
  wait_until 10 assert_refused ntfs "hibernation file cannot be told"
}

# f2fs_flags FLAGS: in both checkpoints.
f2fs_flags ()
{
  python3 - "$1" <<'END'
import struct, sys
def crc(data, value=0xF2F52010):
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ (0xEDB88320 if value & 1 else 0)
    return value
with open("fs", "r+b") as file:
    file.seek(1024 + 76)
    first, = struct.unpack("<I", file.read(4))
    for pack in range(2):
        at = (first + 512 * pack) * 4096
        file.seek(at)
        count = struct.unpack("<I", file.read(4096)[136:140])[0]
        for block in (at, at + (count - 1) * 4096) if count else ():
            file.seek(block)
            data = bytearray(file.read(4096))
            data[132:136] = struct.pack("<I", int(sys.argv[1], 0))
            data[4092:] = struct.pack("<I", crc(data[:4092]))
            file.seek(block)
            file.write(data)
END
}

@test "an F2FS that was in use, or needs a check, is refused" {
  make 120 mkfs.f2fs -q -f
  assert_free f2fs
  f2fs_flags 4
  assert_refused f2fs "it was not unmounted cleanly"
  f2fs_flags 0x15
  assert_refused f2fs "in need of fsck.f2fs"
  make 120 mkfs.f2fs -q -f
  poke $((1024 + 2201)) '/dev/sdb'
  assert_refused f2fs "it is spread over several devices"
}

@test "a filesystem larger than its partition is refused" {
  local type
  for type in ext4 xfs btrfs ntfs exfat; do
    case $type in
      ntfs) make 400 mkfs.ntfs -F -Q -q ;;
      exfat) make 400 mkfs.exfat ;;
      *) make 400 "mkfs.$type" -q ;;
    esac
    truncate -s 390M fs
    assert_refused "$type" "larger than what it lies in"
  done
}

@test "a filesystem that is mounted here is refused" {
  make 60 mkfs.ext4 -q -F
  loop_of fs
  mkdir mnt
  mount -o ro "$loop" mnt
  run "$FREE_SPACE" "$loop" 0 0 ext4
  assert_status 1
  assert_output_contains "it is in use by this system"
  umount mnt
  run "$FREE_SPACE" "$loop" 0 0 ext4
  assert_status 0
}

no_loop_of () { ! losetup -l -n -O BACK-FILE | grep -qF "$1"; }

@test "no loop device is left, even when killed in the middle" {
  make 400 mkfs.xfs -q
  assert_free xfs
  no_loop_of "$T/fs"
  make 120 mkfs.f2fs -q -f
  # It takes long enough to be seen at it.
  mkdir bin
  printf '#!/bin/sh\nsleep 3\nexec %s "$@"\n' "$(command -v partclone.f2fs)" >bin/partclone.f2fs
  chmod +x bin/partclone.f2fs
  PATH=$PWD/bin:$PATH "$FREE_SPACE" fs 0 0 f2fs 3>&- &
  wait_until 20 eval '! no_loop_of "$T/fs"'
  kill -9 $!
  wait_until 20 no_loop_of "$T/fs"
}

@test "nothing is written: the filesystem may be read-only" {
  make 400 mkfs.xfs -q
  local before
  before=$(sha256_of fs)
  loop_of fs -r
  run "$FREE_SPACE" "$loop" 0 0 xfs
  assert_status 0
  assert_equal "$(sha256_of fs)" "$before"
}
