#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What of a disk is read, by `p2v-client --map` and by a whole conversion: free space is found where
# filesystems lie, through partitions, LVM and mirrors, and never where something else may lie. Every
# disk here is full of noise, so that nothing is a hole or zero by chance.

load ../lib/common

MIB=$((1 << 20))

setup () { common_setup; }

teardown ()
{
  local loop
  for loop in "${loops[@]}"; do
    mountpoint -q "$T/mnt" && umount "$T/mnt"
    losetup -d "$loop" || true
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

# noise FILE MIB: a disk of that size, full of noise.
noise () { random_bytes "$1" "$(($2 * MIB))" >"$1"; }

# put FILE OFFSET: what FILE has replaces what the disk has from OFFSET (MiB) on.
put () { dd if="$1" of="$T/sda" bs=1M seek="$2" conv=notrunc status=none; }

# make_ext4 FILE MIB: a filesystem with some files in it, its free space full of noise.
make_ext4 ()
{
  noise "$1" "$2"
  mkdir -p "$T/tree/a"
  random_bytes first 5000000 >"$T/tree/first"
  random_bytes second 3000 >"$T/tree/a/second"
  mke2fs -q -t ext4 -F -E nodiscard,lazy_itable_init=0 -d "$T/tree" "$1"
}

# make_swap FILE MIB: a swap area, noise behind its header.
make_swap ()
{
  noise "$1" "$2"
  mkswap -q "$1" 2>/dev/null
}

# map DISK...: the map as JSON in $T/map.
map ()
{
  local disk options=()
  for disk in "$@"; do
    options+=("--map=$disk")
  done
  "$P2V_CLIENT" --json "${options[@]}" >"$T/map" || assert_fail "no map" "$(<"$T/map")"
}

# area DISK OFFSET MEMBER: of the area that begins at OFFSET (MiB) on disk number DISK.
area ()
{
  jq -r --argjson disk "$1" --argjson offset "$(($2 * MIB))" --arg member "$3" \
    '.disks[$disk].areas[] | select(.offset == $offset) | .[$member] // "-"' "$T/map"
}

# assert_reason DISK OFFSET REASON: the area there is read in full, for this reason.
assert_reason ()
{
  local reason
  reason=$(area "$1" "$2" read_in_full)
  [[ $reason = *"$3"* ]] || assert_fail "expected: $3" "got: $reason" "$(jq -c '.disks[].areas[]' "$T/map")"
  assert_equal "$(area "$1" "$2" free)" 0
}

# assert_free DISK OFFSET LEAST: of the area there at least so many MiB are free.
assert_free ()
{
  assert_equal "$(area "$1" "$2" read_in_full)" -
  (($(area "$1" "$2" free) >= $3 * MIB)) ||
    assert_fail "free: $(area "$1" "$2" free)" "$(jq -c '.disks[].areas[]' "$T/map")"
}

# The map covers the disk, and its parts agree with each other.
assert_sound ()
{
  jq -e '.disks[] | . as $disk
    | ([.extents[].size] | add) == .size and ([.areas[].size] | add) == .size
      and (reduce .extents[] as $e (0; if . == $e.offset then . + $e.size else -1 end)) == .size
      and (reduce .areas[] as $a (0; if . == $a.offset then . + $a.size else -1 end)) == .size
      and ([.extents[] | select(.kind == "free") | .size] | add // 0) == .free
      and ([.areas[].free] | add) == .free and ([.areas[].read] | add) == .read' "$T/map" >/dev/null ||
    assert_fail "the map is not sound" "$(jq -c '.disks[].areas[]' "$T/map")"
}

# scrub FILE DISK: every free extent of disk number DISK in the map is overwritten in FILE.
scrub ()
{
  jq -r --argjson disk "$2" '.disks[$disk].extents[] | select(.kind == "free") | "\(.offset) \(.size)"' \
    "$T/map" | perl -e 'open my $f, "+<", $ARGV[0] or die; while (<STDIN>) { my ($o, $s) = split;
      seek $f, $o, 0; print $f "\xff" x $s or die } close $f or die' "$1"
}

# extract FILE OFFSET MIB TO: a part of a disk, both in MiB.
extract () { dd if="$1" of="$4" bs=1M skip="$2" count="$3" status=none; }

# The ext4 of $T/tree in a file is whole.
assert_whole_ext4 ()
{
  rm -rf "$T/out"
  mkdir "$T/out"
  e2fsck -fn "$1" >"$T/fsck" 2>&1 || assert_fail "$(<"$T/fsck")"
  debugfs -R "rdump / $T/out" "$1" 2>/dev/null
  rm -rf "$T/out/lost+found"
  diff -r "$T/tree" "$T/out"
}

# A disk with GPT: an ESP at 1, ext4 at 17, swap at 81, something unknown at 113, a gap from 121.
make_gpt ()
{
  noise "$T/sda" 160
  sgdisk -Z "$T/sda" >/dev/null 2>&1 || true
  sgdisk -n1:2048:+16M -t1:ef00 -n2:0:+64M -n3:0:+32M -t3:8200 -n4:0:+8M "$T/sda" >/dev/null
  random_bytes esp $((16 * MIB)) >"$T/esp"
  mkfs.vfat "$T/esp" >/dev/null
  put "$T/esp" 1
  make_ext4 "$T/ext4" 64
  put "$T/ext4" 17
  make_swap "$T/swap" 32
  put "$T/swap" 81
}

@test "of each partition there is what is free, or why it is read in full" {
  make_gpt
  map "$T/sda"
  assert_sound
  assert_reason 0 0 "always read"
  assert_equal "$(area 0 0 what)" "partition table and boot loader"
  assert_reason 0 1 "EFI system partition"
  assert_equal "$(area 0 17 what)" "ext4 on sda partition 2"
  assert_free 0 17 40
  assert_equal "$(area 0 81 what)" "swap on sda partition 3"
  # All but the first and the last MiB, as a swap area ends where its partition does.
  assert_equal "$(area 0 81 free)" $((30 * MIB))
  assert_reason 0 113 "nothing is known"
  assert_reason 0 121 "between partitions"
  scrub "$T/sda" 0
  extract "$T/sda" 17 64 "$T/after"
  assert_whole_ext4 "$T/after"
}

@test "the tables for people say the same" {
  make_gpt
  run "$P2V_CLIENT" --map "$T/sda"
  assert_status 0
  assert_output_contains "$T/sda: 160.0 MiB, of which"
  assert_output_contains "ext4 on sda partition 2"
  assert_output_contains "partition 1: an EFI system partition is always read"
  assert_output_contains "its filesystem says it is free"
  assert_output_contains "free: not read"
  run "$P2V_CLIENT" --map "$T/none"
  assert_status 5
  assert_output_contains "$T/none"
  run "$P2V_CLIENT" --json
  assert_status 2
  assert_output_contains "--map"
}

@test "the inventory says what is in use, and why something is read in full" {
  make_gpt
  loop_of "$T/sda"
  mkdir -p "$T/root/dev" "$T/root/sys/block" "$T/root/sys/class/block/sda/queue" "$T/root/proc"
  ln -s ../class/block/sda "$T/root/sys/block/sda"
  echo $((160 * MIB / 512)) >"$T/root/sys/class/block/sda/size"
  mv "$T/sda" "$T/root/dev/sda"
  "$P2V_CLIENT" --inventory --root="$T/root" >"$T/inventory"
  assert_equal "$(jq -c '.disks[0].content.partitions[] | [.number, .content.used > 0, .content.read_in_full]' \
    "$T/inventory")" '[1,false,"an EFI system partition is always read"]
[2,true,null]
[3,true,null]
[4,false,"nothing is known about what is in it"]'
}

@test "logical partitions of an MBR are looked into, their table's sectors are read" {
  noise "$T/sda" 150
  dd if=/dev/zero of="$T/sda" bs=1M count=1 conv=notrunc status=none
  printf '%s\n' 'label: dos' '2048,16M,83' '34816,,5' '36864,40M,83' '120832,40M,83' |
    sfdisk -q "$T/sda"
  make_ext4 "$T/ext4" 40
  put "$T/ext4" 18
  put "$T/ext4" 59
  map "$T/sda"
  assert_sound
  assert_reason 0 1 "nothing is known"
  assert_equal "$(area 0 18 what)" "ext4 on sda partition 5"
  assert_free 0 18 20
  assert_equal "$(area 0 59 what)" "ext4 on sda partition 6"
  assert_free 0 59 20
  assert_equal "$(area 0 17 what)" gap
  assert_equal "$(area 0 58 what)" gap
  # The chain of the logical partitions is whole.
  scrub "$T/sda" 0
  assert_equal "$(sfdisk -d "$T/sda" | grep -c 'start=')" 4
}

# mbr TYPE START SIZE ...: an MBR of up to four partitions, in sectors.
mbr ()
{
  perl -e 'my $m = ""; while (my ($t, $s, $l) = splice @ARGV, 0, 3) {
      $m .= pack "C4 C4 V V", 0, 0, 0, 0, hex $t, 0, 0, 0, $s, $l }
    print "\0" x 446, $m, "\0" x (64 - length $m), "\x55\xaa"' "$@" >"$T/mbr"
  dd if="$T/mbr" of="$T/sda" conv=notrunc status=none
}

@test "partitions that overlap are read in full" {
  noise "$T/sda" 100
  mbr 83 2048 81920 83 40960 81920 83 131072 65536
  make_ext4 "$T/ext4" 40
  put "$T/ext4" 20
  put "$T/ext4" 1
  make_ext4 "$T/third" 32
  put "$T/third" 64
  map "$T/sda"
  assert_sound
  assert_reason 0 1 "it overlaps partition 2"
  assert_reason 0 41 "it overlaps partition 1"
  assert_free 0 64 15
}

@test "a partition that holds a sector of the partition table is read in full" {
  noise "$T/sda" 100
  # Partition 5 from 2 MiB on; the next link of the chain lies within it, at 20 MiB.
  mbr 5 2048 194560
  mv "$T/mbr" "$T/first"
  mbr 83 2048 81920 5 38912 45056
  dd if="$T/mbr" of="$T/sda" bs=512 seek=2048 conv=notrunc status=none
  mbr 83 45056 65536
  dd if="$T/mbr" of="$T/sda" bs=512 seek=40960 conv=notrunc status=none
  dd if="$T/first" of="$T/sda" conv=notrunc status=none
  make_ext4 "$T/ext4" 40
  extract "$T/sda" 20 1 "$T/link"
  put "$T/ext4" 2
  put "$T/link" 20
  make_ext4 "$T/ext4" 32
  put "$T/ext4" 42
  map "$T/sda"
  assert_sound
  assert_reason 0 2 "it overlaps a sector of the partition table"
  assert_equal "$(area 0 42 what)" "ext4 on sda partition 6"
  assert_free 0 42 15
}

@test "a partition of a hybrid MBR that the GPT does not have is nobody's free space" {
  make_gpt
  # From 60 to 70 MiB, within the ext4; and the ESP, as it is in the GPT.
  mbr ee 1 2047 ef 2048 32768 83 122880 20480
  map "$T/sda"
  assert_sound
  assert_reason 0 17 "a partition of the MBR that the GPT does not have"
  assert_equal "$(area 0 81 free)" $((30 * MIB))
}

@test "a partition that goes on beyond the disk is read in full" {
  noise "$T/sda" 64
  mbr 83 2048 81920 83 92160 81920
  make_ext4 "$T/ext4" 40
  put "$T/ext4" 1
  map "$T/sda"
  assert_sound
  assert_free 0 1 20
  assert_reason 0 45 "beyond the end of the disk"
}

@test "a table beside the signs of a filesystem is believed by nobody" {
  make_ext4 "$T/sda" 100
  mbr 83 40960 81920
  make_ext4 "$T/ext4" 40
  put "$T/ext4" 20
  map "$T/sda"
  assert_reason 0 0 "both a partition table and the signs of ext4"
  # The same within a partition.
  noise "$T/sda" 100
  mbr 83 40960 81920
  mv "$T/mbr" "$T/inner"
  make_ext4 "$T/ext4" 40
  mbr 83 2048 2048
  dd if="$T/mbr" of="$T/ext4" conv=notrunc status=none
  dd if="$T/inner" of="$T/sda" conv=notrunc status=none
  put "$T/ext4" 20
  map "$T/sda"
  assert_reason 0 20 "both a partition table and the signs of ext4"
}

@test "signs of two filesystems are believed by nobody" {
  make_ext4 "$T/sda" 64
  printf '_BHRfS_M' | dd of="$T/sda" bs=1 seek=$((65536 + 64)) conv=notrunc status=none
  map "$T/sda"
  assert_reason 0 0 "several filesystems"
}

@test "encrypted, dynamic and unknown contents are read in full" {
  noise "$T/sda" 64
  printf 'LUKS\xba\xbe\0\x01' | dd of="$T/sda" conv=notrunc status=none
  map "$T/sda"
  assert_reason 0 0 "encrypted"
  make_ext4 "$T/ext4" 40
  noise "$T/sda" 64
  mbr 42 2048 81920
  put "$T/ext4" 1
  map "$T/sda"
  assert_reason 0 0 "dynamic disk"
  noise "$T/sda" 64
  map "$T/sda"
  assert_reason 0 0 "nothing is known"
  # Zeroes where signatures are do not mean that all is zero.
  dd if=/dev/zero of="$T/sda" bs=1M count=2 conv=notrunc status=none
  map "$T/sda"
  assert_reason 0 0 "nothing is known"
}

@test "of a hibernated machine nothing is believed, on any disk" {
  make_gpt
  make_ext4 "$T/sdb" 64
  map "$T/sda" "$T/sdb"
  assert_free 1 0 40
  printf S1SUSPEND | dd of="$T/sda" bs=1 seek=$((81 * MIB + 4086)) conv=notrunc status=none
  map "$T/sda" "$T/sdb"
  assert_sound
  assert_reason 0 17 hibernated
  assert_reason 0 81 hibernated
  assert_reason 1 0 hibernated
}

@test "a Windows that is hibernated is not believed about its other partitions either" {
  noise "$T/sda" 128
  mbr 7 2048 81920 7 83968 81920
  truncate -s 40M "$T/c" "$T/d"
  mkntfs -q -F -Q "$T/c" >/dev/null
  mkntfs -q -F -Q "$T/d" >/dev/null
  put "$T/c" 1
  put "$T/d" 41
  map "$T/sda"
  assert_free 0 1 10
  assert_free 0 41 10
  { printf HIBR; head -c 65532 /dev/zero; } >"$T/hiberfil.sys"
  ntfscp -q -f "$T/c" "$T/hiberfil.sys" hiberfil.sys
  put "$T/c" 1
  map "$T/sda"
  assert_reason 0 1 "Windows is hibernated"
  assert_reason 0 41 "the machine is hibernated"
}

@test "a swap area whose header makes no sense is read in full" {
  make_swap "$T/sda" 32
  # More pages than the disk has.
  printf '\xff\xff\xff\x0f' | dd of="$T/sda" bs=1 seek=1028 conv=notrunc status=none
  map "$T/sda"
  assert_reason 0 0 "makes no sense"
}

@test "a filesystem that is mounted here is read in full" {
  make_ext4 "$T/sda" 64
  loop_of "$T/sda"
  mkdir "$T/mnt"
  map "$loop"
  assert_free 0 0 40
  mount -o ro,noload "$loop" "$T/mnt"
  map "$loop"
  assert_reason 0 0 "this system itself uses it"
  map "$T/sda"
  assert_reason 0 0 "this system itself uses it"
  umount "$T/mnt"
}

@test "sectors of 4096 bytes" {
  noise "$T/sda" 100
  loop_of "$T/sda" -b 4096
  dd if=/dev/zero of="$loop" bs=1M count=1 status=none
  printf '%s\n' 'label: gpt' '256,64M' '16640,8M' | sfdisk -q "$loop"
  make_ext4 "$T/ext4" 64
  dd if="$T/ext4" of="$loop" bs=1M seek=1 status=none
  map "$loop"
  assert_sound
  assert_free 0 1 40
  assert_reason 0 65 "nothing is known"
  map "$T/sda"
  assert_free 0 1 40
}

# lvm DISK... -- COMMAND...: an LVM command that sees these disks only. There may be no device mapper.
lvm_on ()
{
  local filter='' devices=() disk
  while [[ $1 != -- ]]; do
    disk=$1
    shift
    filter+="\"a|^$disk\$|\","
    devices+=("$disk")
  done
  shift
  LVM_SYSTEM_DIR=$T LVM_SUPPRESS_FD_WARNINGS=1 lvm "$1" --driverloaded n \
    --config "devices { filter=[$filter\"r|.*|\"] use_devicesfile=0 dir=\"/dev\" }
      activation { udev_sync=0 udev_rules=0 } backup { backup=0 archive=0 }" "${@:2}" >/dev/null 2>"$T/lvm.err" ||
    assert_fail "lvm $*" "$(<"$T/lvm.err")"
}

# make_group: $T/sda and $T/sdb, a volume group over both: root (40 MiB, in one piece at 1 MiB of
# sda), wide (32 MiB, striped over both), home (32 MiB, in two pieces).
make_group ()
{
  noise "$T/sda" 128
  noise "$T/sdb" 128
  loop_of "$T/sda"
  local a=$loop
  loop_of "$T/sdb"
  local b=$loop
  lvm_on "$a" "$b" -- pvcreate "$a" "$b"
  lvm_on "$a" "$b" -- vgcreate web "$a" "$b"
  lvm_on "$a" "$b" -- lvcreate -an -Zn -Wn -n root -L 40M web "$a:0-9"
  lvm_on "$a" "$b" -- lvcreate -an -Zn -Wn -n wide -L 32M -i 2 -I 64 web
  lvm_on "$a" "$b" -- lvcreate -an -Zn -Wn -n home -L 32M web "$a:20-23" "$b:20-23"
  sync "$a" "$b"
  blockdev --flushbufs "$a" "$b"
  make_ext4 "$T/root" 40
  put "$T/root" 1
  pair=("$a" "$b")
}

@test "a logical volume in one piece is looked into" {
  make_group
  map "$T/sda" "$T/sdb"
  assert_sound
  assert_equal "$(area 0 0 what)" "LVM metadata on $T/sda"
  assert_equal "$(area 0 1 what)" "ext4 on /dev/web/root"
  assert_free 0 1 20
  assert_equal "$(area 0 41 what)" "/dev/web/wide"
  assert_reason 0 41 "in several pieces"
  assert_reason 1 1 "in several pieces"
  assert_equal "$(area 0 81 what)" "/dev/web/home"
  assert_equal "$(area 0 57 what)" "unallocated in the volume group web"
  assert_reason 0 57 "nothing is known"
  scrub "$T/sda" 0
  extract "$T/sda" 1 40 "$T/after"
  assert_whole_ext4 "$T/after"
  # With one disk only, what lies on it alone is still looked into.
  map "$T/sda"
  assert_free 0 1 20
  assert_reason 0 41 "not among those converted"
}

@test "a swap area in a logical volume is its header" {
  make_group
  make_swap "$T/swap" 40
  put "$T/swap" 1
  map "$T/sda" "$T/sdb"
  assert_equal "$(area 0 1 what)" "swap on /dev/web/root"
  assert_equal "$(area 0 1 free)" $((38 * MIB))
}

@test "hibernation into a volume in several pieces is seen" {
  make_group
  # The first page of "wide", which begins on sda.
  printf S1SUSPEND | dd of="$T/sda" bs=1 seek=$((41 * MIB + 4086)) conv=notrunc status=none
  map "$T/sda" "$T/sdb"
  assert_reason 0 1 hibernated
}

# change_group SED: the description of the group, changed. LVM itself writes it.
change_group ()
{
  lvm_on "${pair[@]}" -- vgcfgbackup -f "$T/text" web
  sed -i "$1" "$T/text"
  lvm_on "${pair[@]}" -- vgcfgrestore --force -f "$T/text" web
  sync "${pair[@]}"
  blockdev --flushbufs "${pair[@]}"
}

@test "snapshots and their origin are read in full" {
  make_group
  # "home" becomes the store of a snapshot of "root".
  change_group '/^\t\thome {/i\
\t\tsnapshot0 {\
\t\t\tid = "555555-cbKR-ycbj-r7DY-uiPc-XOmb-2odHN8"\
\t\t\tstatus = ["READ", "WRITE"]\
\t\t\tflags = []\
\t\t\tsegment_count = 1\
\t\t\tsegment1 {\
\t\t\t\tstart_extent = 0\
\t\t\t\textent_count = 10\
\t\t\t\ttype = "snapshot"\
\t\t\t\tchunk_size = 8\
\t\t\t\torigin = "root"\
\t\t\t\tcow_store = "home"\
\t\t\t}\
\t\t}'
  map "$T/sda" "$T/sdb"
  assert_sound
  assert_reason 0 1 "it has snapshots"
  assert_reason 0 81 "it is a snapshot"
}

@test "a group that is exported, or has missed a disk, is read in full" {
  make_group
  change_group 's/status = \["RESIZEABLE"/status = ["EXPORTED", "RESIZEABLE"/'
  map "$T/sda" "$T/sdb"
  assert_sound
  assert_reason 0 1 EXPORTED
}

@test "disks whose descriptions of the group differ are read in full" {
  make_group
  cp "$T/sdb" "$T/old"
  lvm_on "${pair[@]}" -- lvrename web home work
  sync "${pair[@]}"
  blockdev --flushbufs "${pair[@]}"
  map "$T/sda" "$T/sdb"
  assert_free 0 1 20
  map "$T/sda" "$T/old"
  assert_sound
  assert_reason 0 1 "different descriptions"
}

@test "a physical volume that is there twice is read in full" {
  make_group
  cp "$T/sda" "$T/clone"
  map "$T/sda" "$T/sdb" "$T/clone"
  assert_sound
  assert_reason 0 1 "there twice"
  assert_reason 2 1 "there twice"
}

@test "a damaged description of a group is believed by nobody" {
  make_group
  # A letter of every copy of the text, found by its own name for the volume.
  perl -0777 -pi -e 's/segment_count = 1/segment_count = 2/g' "$T/sda"
  map "$T/sda"
  assert_sound
  assert_reason 0 0 "no volume group"
}

@test "members of a mirror are looked into, whatever the version of their metadata" {
  local version data
  make_ext4 "$T/ext4" 48
  for version in 1.0 1.1 1.2 0.90; do
    data=1
    [[ $version = 1.[12] ]] || data=0
    noise "$T/sda" 64
    put "$T/ext4" "$data"
    "$COMMON_LIB/raid-superblock" "$T/sda" 0 $((64 * MIB)) "$version" length=$((48 * MIB))
    map "$T/sda"
    assert_sound
    assert_equal "$version $(area 0 "$data" what)" "$version ext4 on the array on $T/sda"
    assert_free 0 "$data" 30
    assert_equal "$(area 0 $((data + 48)) what)" "array metadata on $T/sda"
    scrub "$T/sda" 0
    extract "$T/sda" "$data" 48 "$T/after"
    assert_whole_ext4 "$T/after"
    mdadm --examine "$T/sda" | grep -q 'Checksum : .* - correct'
  done
}

@test "members that may not be a copy of their array's contents are read in full" {
  local settings reason
  make_ext4 "$T/ext4" 48
  noise "$T/sda" 64
  put "$T/ext4" 1
  while read -r settings reason; do
    "$COMMON_LIB/raid-superblock" "$T/sda" 0 $((64 * MIB)) 1.2 length=$((48 * MIB)) "$settings"
    map "$T/sda"
    assert_reason 0 0 "$reason"
  done <<'END'
level=5 level 5
level=0 level 0
clean=0 not stopped cleanly
features=2 rebuilt
features=8 rebuilt
features=4 rebuilt
features=512 rebuilt
role=65534 spare
END
  # A write-intent bitmap changes nothing about the data.
  "$COMMON_LIB/raid-superblock" "$T/sda" 0 $((64 * MIB)) 1.2 length=$((48 * MIB)) features=1
  map "$T/sda"
  assert_free 0 1 30
  printf x | dd of="$T/sda" bs=1 seek=$((4096 + 200)) conv=notrunc status=none
  map "$T/sda"
  assert_reason 0 0 "makes no sense"
}

@test "LVM on a mirror: what is free is free on both halves" {
  make_group
  # The first disk's contents become those of an array of two disks.
  local half
  for half in 0 1; do
    random_bytes "half$half" $((140 * MIB)) >"$T/half$half"
    dd if="$T/sda" of="$T/half$half" bs=1M seek=1 conv=notrunc status=none
    "$COMMON_LIB/raid-superblock" "$T/half$half" 0 $((140 * MIB)) 1.2 length=$((128 * MIB)) \
      number=$half
  done
  map "$T/half0" "$T/half1" "$T/sdb"
  assert_sound
  assert_free 0 2 20
  assert_free 1 2 20
  assert_equal "$(jq -c '.disks[0].extents == .disks[1].extents' "$T/map")" true
  # Halves that do not agree on what happened last.
  "$COMMON_LIB/raid-superblock" "$T/half1" 0 $((140 * MIB)) 1.2 length=$((128 * MIB)) number=1 events=21
  map "$T/half0" "$T/half1" "$T/sdb"
  assert_reason 0 2 "there twice"
}
