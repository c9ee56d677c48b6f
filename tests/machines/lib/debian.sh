# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# name, work, suite and root_password are make-machine's:
# shellcheck disable=SC2154
#
# Sourced by make-machine: what the Debian machines have in common. They are physical machines:
# the ordinary kernel, an initramfs that knows SATA and IDE disks and nothing of virtio, so that
# only a true conversion lets them boot as a guest.
#
# They are also made for speed under emulation. The initramfs is rebuilt inside virt-v2v's
# appliance, and a stock Debian spends eight minutes there; MODULES=list, few packages with
# hooks and the fastest compressor cut that down. The kernel keeps only the drivers below.

# Drivers that stay, below /lib/modules/VERSION/kernel/drivers. The virtio ones must be among
# them: virt-v2v asks the kernel package's modules what the guest supports.
debian_drivers=(
  'acpi/*' 'ata/*' 'block/*' 'cdrom/*' 'char/hw_random/*' 'char/virtio_console*' 'firmware/*'
  'hid/hid.ko' 'hid/hid-generic.ko' 'hid/usbhid/*' 'i2c/busses/i2c-i801*' 'i2c/i2c-smbus*'
  'input/*' 'md/dm-*' 'net/ethernet/intel/e1000*' 'net/ethernet/realtek/*' 'net/mii*'
  'net/net_failover*' 'net/phy/*' 'net/virtio_net*' 'nvme/*' 'pps/*' 'ptp/*' 'rtc/*' 'scsi/*'
  'usb/common/*' 'usb/core/*' 'usb/host/*' 'usb/storage/*' 'virtio/*'
)

# debian_settings ROOT HOSTNAME: the machine's own settings.
debian_settings ()
{
  local root=$1 hostname=$2 unit

  printf '%s\n' "$hostname" >"$root/etc/hostname"
  printf '127.0.0.1 localhost\n127.0.1.1 %s\n::1 localhost ip6-localhost ip6-loopback\n' \
    "$hostname" >"$root/etc/hosts"
  uuid_of machine-id | tr -d - >"$root/etc/machine-id"
  : >"$root/etc/resolv.conf"
  printf '0.0 0 0.0\n0\nUTC\n' >"$root/etc/adjtime"
  printf 'root:%s\n' "$root_password" | chroot "$root" chpasswd
  printf '[Match]\nType=ether\n\n[Network]\nDHCP=yes\n' \
    >"$root/etc/systemd/network/ethernet.network"
  mkdir -p "$root/etc/systemd/journald.conf.d"
  printf '[Journal]\nStorage=volatile\n' >"$root/etc/systemd/journald.conf.d/volatile.conf"

  chroot "$root" systemctl -q enable systemd-networkd serial-getty@ttyS0
  chroot "$root" systemctl -q disable systemd-networkd-wait-online
  # Nobody misses these in a machine that lives for five minutes, and each costs a second.
  for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
    e2scrub_reap.service fstrim.timer systemd-pstore.service systemd-binfmt.service \
    lvm2-monitor.service systemd-update-utmp-runlevel.service systemd-timesyncd.service; do
    chroot "$root" systemctl -q mask "$unit"
  done

  # The screen comes last: that makes it /dev/console, so that what services print there does not
  # garble a test's dialogue on the serial line. systemd starts a login prompt on both.
  cat >"$root/etc/default/grub" <<'END'
GRUB_DEFAULT=0
GRUB_TIMEOUT_STYLE=hidden
GRUB_TIMEOUT=0
GRUB_DISTRIBUTOR=Debian
GRUB_CMDLINE_LINUX_DEFAULT="quiet"
GRUB_CMDLINE_LINUX="console=ttyS0,115200 console=tty0"
GRUB_TERMINAL="console serial"
GRUB_SERIAL_COMMAND="serial --unit=0 --speed=115200"
GRUB_DISABLE_RECOVERY=true
GRUB_DISABLE_OS_PROBER=true
END
}

# debian_initramfs ROOT MODULE…: an initramfs with disks of real machines and MODULE….
debian_initramfs ()
{
  local root=$1
  shift
  cat >"$root/etc/initramfs-tools/conf.d/machine" <<'END'
MODULES=list
COMPRESS=zstd
COMPRESSLEVEL=1
KEYMAP=n
RESUME=none
END
  printf '%s\n' ahci ata_piix ata_generic sd_mod "$@" >"$root/etc/initramfs-tools/modules"
  chroot "$root" update-initramfs -u -k all
  if find "$root"/boot/initrd.img-* -exec lsinitramfs {} \; | grep virtio; then
    fail "the initramfs of $name has virtio drivers: it would boot without a conversion"
  fi
}

# debian_root HOSTNAME PACKAGES MODULES FSTAB: make the root filesystem in $work/root and
# pack it, with the tree of files, as $work/root.tar. PACKAGES and MODULES are lists of words.
debian_root ()
{
  local hostname=$1 root="$work/root" pattern options=() modules=()

  need mmdebstrap mmdebstrap
  need lsinitramfs initramfs-tools-core
  need openssl openssl
  need guestfish guestfish
  read -ra modules <<<"$3"

  for pattern in '/usr/share/doc/*' '/usr/share/man/*' '/usr/share/info/*' '/usr/share/locale/*' \
    '/usr/share/i18n/*' '/usr/lib/x86_64-linux-gnu/gconv/*' '/lib/modules/*/kernel/sound/*' \
    '/lib/modules/*/kernel/drivers/*'; do
    options+=("--dpkgopt=path-exclude=$pattern")
  done
  for pattern in "${debian_drivers[@]}"; do
    options+=("--dpkgopt=path-include=/lib/modules/*/kernel/drivers/$pattern")
  done

  stage "installing Debian $suite"
  # The options must not outlive the making, or the machine's own dpkg would drop files too.
  mmdebstrap --quiet --mode=root --variant=apt --components=main "${options[@]}" \
    --aptopt='Acquire::Languages "none"' \
    --include="dbus,e2fsprogs,initramfs-tools,iproute2,kmod,linux-image-amd64,login,passwd" \
    --include="systemd,systemd-sysv,udev,zstd,$2" \
    "$suite" "$root" ${P2V_TEST_MIRROR:+"$P2V_TEST_MIRROR"} >"$work/mmdebstrap.log" 2>&1 || {
      tail -n 30 "$work/mmdebstrap.log" >&2
      fail "mmdebstrap failed (its last lines are above). Check that the Debian mirror answers."
    }
  rm -f "$root/etc/dpkg/dpkg.cfg.d/99mmdebstrap" "$root/etc/apt/apt.conf.d/99mmdebstrap"

  stage "settings and initramfs"
  debian_settings "$root" "$hostname"
  printf '%s\n' "$4" >"$root/etc/fstab"
  debian_initramfs "$root" "${modules[@]}" >"$work/initramfs.log" 2>&1 || {
    cat "$work/initramfs.log" >&2
    fail "the initramfs of $name cannot be made (see above)"
  }

  stage "files and their sums"
  tree_make "$root/srv/checksums"
  tree_sums "$root/srv/checksums" /srv/checksums >"$root/srv/SHA256SUMS"
  tar --sparse --numeric-owner --xattrs --sort=name -C "$root" -cf "$work/root.tar" .
}

# debian_env HOSTNAME FIRMWARE DISKS: write machine.env. README.md says what the keys mean.
debian_env ()
{
  local kernel
  kernel=$(cd "$work/root/lib/modules" && printf '%s' *)
  cat >machine.env <<END
NAME=$name
OS=debian
SUITE=$suite
HOSTNAME=$1
FIRMWARE=$2
DISKS=$3
ROOT_PASSWORD=$root_password
KERNEL=$kernel
SUMS=/srv/SHA256SUMS
END
}
