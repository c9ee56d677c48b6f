#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A machine's disks with free space in them, against a real server: what is in use arrives, and
# nothing else is read.

load ../lib/common

MIB=$((1 << 20))

setup_file ()
{
  server_start
  server_root mount --bind /dev/null "$(command -v virt-v2v-in-place)"
}

teardown_file () { server_stop; }

convert ()
{
  local name=$1
  shift
  client "p2v.name=$name" "p2v.disks=$T/sda" p2v.interfaces= p2v.memory=512M p2v.o=local \
    "p2v.os=$SERVER_IMAGES" p2v.of=raw "$@" </dev/null
}

p2v_server () { server_exec p2v-server --config "$SERVER_CONFIG" "$@"; }
job_of () { p2v_server jobs --json | jq -r --arg guest "$1" '[.jobs[] | select(.guest == $guest)][-1].id'; }

noise () { random_bytes "$1" "$(($2 * MIB))" >"$1"; }
put () { dd if="$1" of="$T/sda" bs=1M seek="$2" conv=notrunc status=none; }

# A disk of 230 MiB and three sectors, full of noise: ext4 at 1, swap at 97, a gap from 129, ext4
# at 150 that was not unmounted cleanly.
make_disk ()
{
  noise "$T/sda" 230
  random_bytes tail 1536 >>"$T/sda"
  printf '%s\n' 'label: dos' '2048,96M,83' '198656,32M,82' '307200,64M,83' |
    sfdisk -q "$T/sda"
  mkdir -p "$T/tree/a"
  random_bytes first 9000000 >"$T/tree/first"
  random_bytes second 3000 >"$T/tree/a/second"
  noise "$T/ext4" 96
  mke2fs -q -t ext4 -F -E nodiscard -d "$T/tree" "$T/ext4"
  put "$T/ext4" 1
  noise "$T/swap" 32
  mkswap -q "$T/swap" 2>/dev/null
  put "$T/swap" 97
  noise "$T/dirty" 64
  mke2fs -q -t ext4 -F -E nodiscard -d "$T/tree" "$T/dirty"
  # needs_recovery, as after a power failure.
  debugfs -w -R 'feature needs_recovery' "$T/dirty" 2>/dev/null
  put "$T/dirty" 150
}

@test "files arrive, free space is zeroes, and everything else is the same byte for byte" {
  make_disk
  local before
  before=$(sha256_of "$T/sda")
  "$P2V_CLIENT" --json --map "$T/sda" >"$T/map"
  run convert map1
  assert_status 8
  assert_equal "$(sha256_of "$T/sda")" "$before"
  assert_output_contains "Asking the filesystems what is in use"
  assert_output_contains "sda: ext4 on sda partition 1, 96.0 MiB: only "
  assert_output_contains "sda: swap on sda partition 2, 32.0 MiB: only 2.0 MiB are in use and read"
  assert_output_contains "sda: ext4 on sda partition 3, 64.0 MiB, is read in full: "
  # The same disk, its free extents zeroed here.
  (($(jq '.disks[0].free' "$T/map") > 90 * MIB))
  jq -r '.disks[0].extents[] | select(.kind == "free") | "\(.offset) \(.size)"' "$T/map" |
    perl -e 'open my $f, "+<", $ARGV[0] or die; while (<STDIN>) { my ($o, $s) = split;
      seek $f, $o, 0; print $f "\0" x $s or die } close $f or die' "$T/sda"
  assert_same_contents "$SERVER_IMAGES/map1-sda" "$T/sda"
  dd if="$SERVER_IMAGES/map1-sda" of="$T/after" bs=1M skip=1 count=96 status=none
  e2fsck -fn "$T/after"
  mkdir "$T/out"
  debugfs -R "rdump / $T/out" "$T/after" 2>/dev/null
  rm -rf "$T/out/lost+found"
  diff -r "$T/tree" "$T/out"
  # Whole chunks of free space are told from others.
  run p2v_server show --json "$(job_of map1)"
  assert_equal "$(jq -c '.transfers[0] | [.unknown, .skipped > 10]' <<<"$output")" '[0,true]'
}

@test "programs hear of every part, and the server of the machine as it was found" {
  make_disk
  run convert map2 --json-progress
  assert_status 8
  grep '^{' <<<"$output" >"$T/lines"
  assert_equal "$(jq -r 'select(.type == "map") | .message' "$T/lines" | wc -l)" 3
  assert_equal "$(jq -r 'select(.type == "activity") | .activity' "$T/lines" | grep -c filesystems)" 1
  p2v_server show --json "$(job_of map2)" >"$T/job"
  assert_equal "$(jq -c '[.request.machine.disks[] | select(.name == "sda").content.partitions[].content | .used > 0, (.read_in_full // "" | length > 0)]' \
    "$T/job")" '[true,false,true,false,false,true]'
}

# fuzz CONFIG...: filesystems on which random things were done, each on a disk whose size and whose
# partition's place are multiples of a sector and of nothing else. P2V_FUZZ_SEED repeats a run.
fuzz ()
{
  local seed=${P2V_FUZZ_SEED:-$((RANDOM * 32768 + RANDOM))}
  echo "seed $seed"
  # shellcheck disable=SC2016 # expanded there
  "$COMMON_LIB/filesystem-fuzz" --seed="$seed" --transfer='transfer "$1" "$2"' "$@"
}

# transfer DISK IMAGE: what arrives of the disk.
transfer ()
{
  local name=fuzz$BASHPID status=0
  client "p2v.name=$name" "p2v.disks=$1" p2v.interfaces= p2v.memory=512M p2v.o=local \
    "p2v.os=$SERVER_IMAGES" p2v.of=raw p2v.lanes=2 </dev/null || status=$?
  [[ $status -eq 8 ]]
  mv "$SERVER_IMAGES/$name-${1##*/}" "$2"
}
export -f client kernel_argument transfer

@test "ext4, XFS, Btrfs, F2FS: after the transfer every file is there" { fuzz ext4 xfs btrfs f2fs; }

@test "FAT, exFAT, NTFS: after the transfer every file is there" { fuzz fat32 exfat ntfs; }

@test "sectors of 4096 bytes: after the transfer every file is there" {
  fuzz ext4-4kn xfs-4kn ntfs-4kn
}

@test "disks of zeroes, of one sector, of odd sizes" {
  local size name used number=0
  for size in 512 1049088 4194304 4194816 104858112; do
    rm -f "$T/sda"
    truncate -s "$size" "$T/sda"
    # The second time they occupy their space.
    for name in hole zero; do
      number=$((number + 1))
      [[ $name = hole ]] || head -c "$size" /dev/zero >"$T/sda"
      run convert "$name$number" --json-progress
      assert_status 8
      assert_same_contents "$SERVER_IMAGES/$name$number-sda" "$T/sda"
      # qemu-img itself gives a new image its first block.
      used=$(du -k "$SERVER_IMAGES/$name$number-sda" | cut -f 1)
      ((used <= 64)) || assert_fail "the image of $size bytes takes $used KiB"
      (($(grep '^{' <<<"$output" | jq -s 'map(select(.type == "progress"))[-1].wire') < 20000))
    done
    random_bytes odd "$size" >"$T/sda"
    run convert "full$number"
    assert_status 8
    assert_same_contents "$SERVER_IMAGES/full$number-sda" "$T/sda"
  done
}
