# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# USB sticks of a recorded machine (recorded.bash): their partitions are files, which mount puts
# behind a loop device.

# As sticks have it where this kernel knows it.
stick_type ()
{
  modprobe vfat 2>/dev/null || true
  if grep -qw vfat /proc/filesystems; then echo vfat; else echo ext4; fi
}

# What was converted from a loop device has set it read-only, and so it stays when it is free again.
free_loops_writable ()
{
  local loop
  for loop in /dev/loop[0-9]*; do
    losetup "$loop" >/dev/null 2>&1 || blockdev --setrw "$loop" 2>/dev/null || true
  done
}

# stick_plug NAME NUMBER: a stick of that name with one partition.
stick_plug ()
{
  free_loops_writable
  local usb=sys/devices/pci0000:00/0000:00:1d.0/usb9/9-$2/9-$2:1.0/host9$2/target9$2:0:0/9$2:0:0:0
  local disk=$RECORDED_MACHINE/$usb/block/$1
  mkdir -p "$disk/$1"1 "$RECORDED_MACHINE/dev"
  echo "Stick $2" >"$RECORDED_MACHINE/$usb/model"
  ln -s "../../../9$2:0:0:0" "$disk/device"
  printf '%s\n' 0 | tee "$disk/ro" "$disk/$1"1/ro >/dev/null
  echo 1 | tee "$disk/removable" "$disk/$1"1/partition >/dev/null
  echo 65536 | tee "$disk/size" "$disk/$1"1/size >/dev/null
  echo "99:${2}0" >"$disk/dev"
  echo "99:${2}1" >"$disk/$1"1/dev
  ln -s "../../$usb/block/$1" "$RECORDED_MACHINE/sys/block/$1"
  ln -s "../../../$usb/block/$1" "$RECORDED_MACHINE/sys/class/block/$1"
  ln -s "../../../$usb/block/$1/${1}1" "$RECORDED_MACHINE/sys/class/block/${1}1"
  truncate -s 32M "$RECORDED_MACHINE/dev/${1}1"
  "mkfs.$(stick_type)" "$RECORDED_MACHINE/dev/${1}1" >/dev/null 2>&1
}

# stick_read NAME: mounts the stick where it says, until stick_unplug.
stick_read ()
{
  mkdir "$T/stick-$1"
  mount -o ro,loop "$RECORDED_MACHINE/dev/${1}1" "$T/stick-$1"
  echo "$T/stick-$1"
}

stick_unplug ()
{
  if [[ -d $T/stick-$1 ]]; then umount "$T/stick-$1"; fi
  [[ -L $RECORDED_MACHINE/sys/block/$1 ]] || return 0
  rm -rf "$(realpath "$RECORDED_MACHINE/sys/block/$1")" "$RECORDED_MACHINE/dev/${1}1" \
    "$RECORDED_MACHINE/sys/block/$1" "$RECORDED_MACHINE"/sys/class/block/"$1"{,1}
}
