#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Volumes that lie in several pieces on several disks: the live image's kernel maps them, their
# filesystems are asked through it, and what they call free is not read from any of the disks.

load ../lib/boot

MIB=$((1 << 20))
STRIPE=$((64 * 1024))

setup_file ()
{
  boot_start map
  boot_site
}

teardown_file () { boot_stop; }

setup () { common_setup; }

teardown ()
{
  local loop
  for loop in "${loops[@]}"; do
    # p2v has set it read-only, which outlives the file behind it.
    blockdev --setrw "$loop"
    losetup -d "$loop"
  done
  common_teardown
}

loops=()

# lvm_on COMMAND...: LVM on the two disks, without the device mapper.
lvm_on ()
{
  LVM_SYSTEM_DIR=$T LVM_SUPPRESS_FD_WARNINGS=1 lvm "$1" --driverloaded n \
    --config "devices { filter=[\"a|^${loops[0]}\$|\",\"a|^${loops[1]}\$|\",\"r|.*|\"] use_devicesfile=0 }
      activation { udev_sync=0 udev_rules=0 } backup { backup=0 archive=0 }" "${@:2}" >/dev/null 2>"$T/lvm.err" ||
    assert_fail "lvm $*" "$(<"$T/lvm.err")"
}

# make_ext4 FILE MIB: a filesystem with some files, noise where it is free.
make_ext4 ()
{
  random_bytes "$1" "$(($2 * MIB))" >"$1"
  mke2fs -q -F -t ext4 -E nodiscard,lazy_itable_init=0 -d "$T/tree" "$1"
}

# stripes in|out FILE MIB ONE TWO: a striped volume of that size, which begins at 1 MiB of both disks,
# from a file or to one.
stripes ()
{
  perl -e '
    my ($way, $name, $size, $stripe, @disks) = @ARGV;
    open my $file, $way eq "in" ? "<" : ">", $name or die;
    my @handles = map { open my $h, "+<", $_ or die; $h } @disks;
    for (my $at = 0; $at < $size; $at += $stripe) {
      my $piece = $at / $stripe;
      my $disk = $handles[$piece % 2];
      my ($from, $to) = $way eq "in" ? ($file, $disk) : ($disk, $file);
      seek $disk, (1 << 20) + int($piece / 2) * $stripe, 0 or die;
      read($from, my $data, $stripe) == $stripe or die "short\n";
      print $to $data or die;
    }
    close $_ or die for $file, @handles' "$1" "$2" "$(($3 * MIB))" "$STRIPE" "$4" "$5"
}

# piece FILE SKIP COUNT [TO SEEK]: some MiB of a file, to standard output or into another.
piece ()
{
  dd if="$1" bs=1M skip="$2" count="$3" status=none ${4:+of="$4" seek="$5" conv=notrunc}
}

# What arrived of a disk is the disk, or zeroes, in every block of 1 KiB.
assert_arrived ()
{
  perl -e 'open my $a, "<", $ARGV[0] or die; open my $b, "<", $ARGV[1] or die; my ($n, $free) = (0, 0);
    while (my $got = read $a, my $one, 1024) { read $b, my $two, 1024; $n++;
      next if $one eq $two; die "block $n differs\n" if $two =~ /[^\0]/; $free++ }
    print "$free of $n blocks are free\n"; exit($free < 50000)' "$1" "$2" || assert_fail "$1 and $2 differ"
}

assert_files ()
{
  e2fsck -fn "$1" >"$T/fsck" 2>&1 || assert_fail "$(<"$T/fsck")"
  rm -rf "$T/out"
  mkdir "$T/out"
  debugfs -R "rdump / $T/out" "$1" 2>/dev/null
  rm -rf "$T/out/lost+found"
  diff -r "$T/tree" "$T/out"
}

@test "a striped volume and one in two pieces over two disks arrive, without their free space" {
  local disk
  mkdir -p "$T/tree/a"
  random_bytes first 7000000 >"$T/tree/first"
  random_bytes second 3000 >"$T/tree/a/second"
  for disk in one two; do
    random_bytes "$disk" $((128 * MIB)) >"$T/$disk"
    loops+=("$(losetup --show -f "$T/$disk")")
    blockdev --setrw "${loops[-1]}"
  done
  lvm_on pvcreate "${loops[@]}"
  lvm_on vgcreate web "${loops[@]}"
  lvm_on lvcreate -an -Zn -Wn -n wide -L 96M -i 2 -I 64 web
  lvm_on lvcreate -an -Zn -Wn -n pieces -L 96M web "${loops[0]}:12-23" "${loops[1]}:12-23"
  sync
  blockdev --flushbufs "${loops[@]}"
  make_ext4 "$T/wide" 96
  make_ext4 "$T/pieces" 96
  # Twelve extents of 4 MiB of each disk for the stripes, twelve for the pieces.
  stripes in "$T/wide" 96 "$T/one" "$T/two"
  piece "$T/pieces" 0 48 "$T/one" 49
  piece "$T/pieces" 48 48 "$T/two" 49
  sha256sum "$T/one" "$T/two" >"$T/sums"
  boot_machine map kernel \
    -drive "file=$T/one,format=raw,if=none,id=one" -device virtio-blk-pci,drive=one,serial=one \
    -drive "file=$T/two,format=raw,if=none,id=two" -device virtio-blk-pci,drive=two,serial=two
  boot_wait_off map
  sha256sum --quiet -c "$T/sums"
  assert_said_landed map
  assert_said map 'Asking the filesystems what is in use'
  assert_said map 'ext4 on /dev/web/wide, 48.0 MiB: only'
  assert_said map 'ext4 on /dev/web/pieces, 48.0 MiB: only'
  refute_said map 'not active'
  assert_arrived "$T/one" "$SERVER_IMAGES/p2v-map-vda"
  assert_arrived "$T/two" "$SERVER_IMAGES/p2v-map-vdb"
  cp "$SERVER_IMAGES/p2v-map-vda" "$T/vda"
  cp "$SERVER_IMAGES/p2v-map-vdb" "$T/vdb"
  stripes out "$T/after" 96 "$T/vda" "$T/vdb"
  assert_files "$T/after"
  piece "$T/vda" 49 48 "$T/joined" 0
  piece "$T/vdb" 49 48 "$T/joined" 48
  assert_files "$T/joined"
}
