#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The machine's disks are never written to, whatever is on them that a system would like to mend:
# ext4 whose journal is to be replayed, a degraded and dirty RAID1, logical volumes of whole and of
# incomplete groups, swap. They are made in the live image itself, whose kernel has md and
# device-mapper, by a first machine that loses its power in the middle of writing.

load ../lib/boot

DISKS=(plain mirror whole torn)

setup_file ()
{
  boot_start sources
  boot_site -p2v.fail
  make_disks
  disk_sums >"$BOOT_OUT/sums.before"
  convert
  disk_sums >"$BOOT_OUT/sums.after"
}

teardown_file () { boot_stop; }

disk_sums () { (cd "$BOOT_DIR" && sha256sum "${DISKS[@]}"); }

# The image's initramfs with this over it: a shell on the serial console, and no conversion.
workshop_site ()
{
  local tree=$BOOT_DIR/workshop units=etc/systemd/system
  mkdir -p "$tree/$units/p2v.target.wants"
  ln -s /dev/null "$tree/$units/p2v-start.service"
  ln -s /dev/null "$tree/$units/p2v-disks.service"
  ln -s /usr/lib/systemd/system/p2v-shell@.service "$tree/$units/p2v.target.wants/p2v-shell@ttyS0.service"
  mkdir -p "$tree/etc/udev/rules.d" "$tree/etc/modprobe.d" "$tree/etc/lvm"
  ln -s /dev/null "$tree/etc/udev/rules.d/10-p2v-read-only.rules"
  : >"$tree/etc/modprobe.d/p2v.conf"
  printf 'devices { use_devicesfile = 0 }\nactivation { monitoring = 0 }\nbackup { backup = 0 archive = 0 }\n' \
    >"$tree/etc/lvm/lvm.conf"
  (cd "$tree" && find . -mindepth 1 | cpio --quiet -o -H newc -R 0:0) >"$BOOT_DIR/workshop.img"
}

# Disks and what can be put on them without the live image: partitions, swap, file systems.
prepare_disks ()
{
  local tree=$BOOT_DIR/tree
  truncate -s 80M "$BOOT_DIR/plain"
  truncate -s 48M "$BOOT_DIR"/{mirror,whole,torn,lost}
  truncate -s 24M "$BOOT_DIR/system"
  truncate -s 14M "$BOOT_DIR/swap"
  mkdir "$tree"
  random_bytes sources 3000000 >"$tree/file"
  mke2fs -q -F -t ext4 -b 1024 -d "$tree" "$BOOT_DIR/system"
  mkswap -q "$BOOT_DIR/swap"
  sfdisk --quiet "$BOOT_DIR/plain" <<<$'label: dos\nstart=1MiB, size=60MiB, type=83\nstart=62MiB, size=14MiB, type=82'
  dd if="$BOOT_DIR/system" of="$BOOT_DIR/plain" bs=1M seek=1 conv=notrunc,sparse status=none
  dd if="$BOOT_DIR/swap" of="$BOOT_DIR/plain" bs=1M seek=62 conv=notrunc status=none
}

# disk_options NAME...: for QEMU; vda, vdb, ...
disk_options ()
{
  local name
  for name; do
    printf '%s\n' -drive "file=$BOOT_DIR/$name,format=raw,if=virtio"
  done
}

make_disks ()
{
  local options
  workshop_site
  prepare_disks
  mapfile -t options < <(disk_options plain mirror whole torn lost system)
  BOOT_SITE=$BOOT_DIR/workshop.img boot_machine workshop kernel "${options[@]}" -nic none
  boot_shell workshop 240 <<'SHELL'
modprobe raid1
mdadm --create /dev/md0 --run --metadata=1.2 --level=1 --raid-devices=2 --bitmap=internal missing /dev/vdb
echo 3600 > /sys/block/md0/md/safe_mode_delay
dd if=/dev/vdf of=/dev/md0 bs=1M
lvm vgcreate whole /dev/vdc
lvm lvcreate --yes --name data --size 32M whole
dd if=/dev/vdf of=/dev/whole/data bs=1M
lvm vgcreate torn /dev/vdd /dev/vde
lvm lvcreate --yes --name data --extents 100%FREE torn
mkdir /mnt/1 /mnt/2 /mnt/3
mount -t ext4 /dev/vda1 /mnt/1
mount -t ext4 /dev/md0 /mnt/2
mount -t ext4 /dev/whole/data /mnt/3
setsid bash -c 'while :; do for i in 1 2 3; do head -c 500000 /dev/urandom > /mnt/$i/new; sync -f /mnt/$i/new; done; done' > /dev/null 2>&1 < /dev/null &
sleep 5
cat /proc/mdstat
SHELL
  boot_kill workshop
  ! grep -q '^= [^0]' "$BOOT_OUT/workshop.shell" || assert_fail "$(<"$BOOT_OUT/workshop.shell")"
}

convert ()
{
  local options
  mapfile -t options < <(disk_options "${DISKS[@]}")
  boot_machine sources bios-cd "${options[@]}"
  boot_wait_serial sources 'There is a shell on the second screen'
  boot_shell sources 60 <<'SHELL'
cat /proc/mdstat
lvm lvs --noheadings --separator : -o vg_name,lv_name,lv_active,lv_health_status
lvm vgs --noheadings --separator : -o vg_name,vg_missing_pv_count
for device in /dev/vd? /dev/vda[12] /dev/md?* /dev/mapper/whole-data; do [[ ! -b $device ]] || echo "$device $(blockdev --getro $device)"; done
dmesg | grep 'write to read-only'
cat /proc/swaps
grep -E '^/dev/(vd|md|dm|mapper)' /proc/mounts
dd if=/dev/zero of=/dev/vdb bs=512 count=1
dd if=/dev/zero of=/dev/mapper/whole-data bs=512 count=1
mount -t ext4 -o ro /dev/vda1 /mnt
mount -t ext4 -o ro /dev/mapper/whole-data /mnt
mount -t ext4 -o ro,noload /dev/vda1 /mnt && ls /mnt/file && umount /mnt
dmesg -n 7
poweroff
SHELL
  boot_wait_off sources 60
}

in_shell () { boot_shell_said sources "$1"; }

@test "the disks were in need of mending" {
  dd if="$BOOT_DIR/plain" of="$T/ext4" bs=1M skip=1 count=60 status=none
  assert_contains "$(dumpe2fs -h "$T/ext4" 2>&1)" needs_recovery
  local raid
  raid=$(mdadm --examine "$BOOT_DIR/mirror" 2>&1)
  assert_contains "$raid" 'State : active'
  assert_contains "$raid" 'Array State : .A'
  # mdadm takes a file for a bitmap alone.
  local loop
  loop=$(losetup --read-only --find --show "$BOOT_DIR/mirror")
  raid=$(mdadm --examine-bitmap "$loop" 2>&1)
  losetup --detach "$loop"
  assert_contains "$raid" ' [1-9][0-9]* dirty'
}

# assert_contains TEXT PATTERN
assert_contains () { [[ $1 =~ $2 ]] || assert_fail "not in this: $2" "$1"; }

@test "the RAID was started all the same, degraded and read-only" {
  assert_contains "$(in_shell 'cat /proc/mdstat')" 'md[0-9]+ : active \(read-only\) raid1 dm-[0-9]+\[1\]'
  assert_contains "$(in_shell 'cat /proc/mdstat')" '\[2/1\] \[_U\]'
}

@test "the logical volume of the whole group is there, read-only; that of the torn one is left alone" {
  local volumes
  volumes=$(in_shell 'lvm lvs --noheadings --separator : -o vg_name,lv_name,lv_active,lv_health_status')
  assert_contains "$volumes" 'whole:data:active'
  assert_contains "$volumes" 'torn:data::partial'
  assert_contains "$(in_shell 'lvm vgs --noheadings --separator : -o vg_name,vg_missing_pv_count')" 'torn:1'
}

@test "every disk, partition, array and volume is read-only in the kernel; nothing is mounted or swapped to" {
  local devices
  # shellcheck disable=SC2016 # the other shell's
  devices=$(boot_shell_said sources 'for device in /dev/vd? /dev/vda[12] /dev/md?* /dev/mapper/whole-data; do [[ ! -b $device ]] || echo "$device $(blockdev --getro $device)"; done')
  assert_contains "$devices" '/dev/vda 1'
  assert_contains "$devices" '/dev/vda1 1'
  assert_contains "$devices" '/dev/vda2 1'
  assert_contains "$devices" '/dev/vdb 1'
  assert_contains "$devices" '/dev/vdc 1'
  assert_contains "$devices" '/dev/vdd 1'
  assert_contains "$devices" '/dev/md[0-9]+ 1'
  assert_contains "$devices" '/dev/mapper/whole-data 1'
  [[ ! $devices =~ /[^[:space:]]+\ 0 ]] || assert_fail "one can be written to:" "$devices" || return 1
  assert_equal "$(in_shell 'cat /proc/swaps' | wc -l)" 2
  assert_equal "$(in_shell "grep -E '^/dev/(vd|md|dm|mapper)' /proc/mounts")" "exit 1"
}

@test "who writes by hand is refused; a file system that needs recovery is not recovered" {
  assert_contains "$(in_shell 'dd if=/dev/zero of=/dev/vdb bs=512 count=1')" 'not permitted|Read-only'
  assert_contains "$(in_shell 'dd if=/dev/zero of=/dev/mapper/whole-data bs=512 count=1')" 'not permitted|Read-only'
  assert_contains "$(in_shell 'mount -t ext4 -o ro /dev/vda1 /mnt')" 'exit 32'
  assert_contains "$(in_shell 'mount -t ext4 -o ro /dev/mapper/whole-data /mnt')" 'exit 32'
  assert_contains "$(in_shell 'mount -t ext4 -o ro,noload /dev/vda1 /mnt && ls /mnt/file && umount /mnt')" '/mnt/file'
}

@test "the kernel has not tried to write to a disk, nor does it at power off" {
  # Of what is sent to a read-only device by the kernel itself it says so, and does it.
  assert_equal "$(in_shell "dmesg | grep 'write to read-only'")" "exit 1"
  refute_said sources 'write to read-only'
}

@test "not a byte of the disks has changed, from the start to power off" {
  assert_equal "$(<"$BOOT_OUT/sums.after")" "$(<"$BOOT_OUT/sums.before")"
}

@test "the disks have arrived as they are" {
  assert_said sources 'Everything has reached the server' 'virt-v2v-in-place is not installed'
  local array offset
  array=$(in_shell 'cat /proc/mdstat' | grep -o '^md[0-9]*')
  # The array is what is converted, not its member.
  offset=$(mdadm --examine "$BOOT_DIR/mirror" | sed -n 's/ *Data Offset : \([0-9]*\) sectors/\1/p')
  dd if="$BOOT_DIR/mirror" of="$T/array" bs=512 skip="$offset" status=none
  truncate -s "$(stat -c %s "$SERVER_IMAGES/p2v-sources-$array")" "$T/array"
  assert_landed p2v-sources "vda=$BOOT_DIR/plain" "vdc=$BOOT_DIR/whole" "vdd=$BOOT_DIR/torn" "$array=$T/array"
}
