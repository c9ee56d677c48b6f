#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The live image's root file system, as a dracut module. dracut calls the functions below with its own
# helpers (inst, instmods, ...) in scope. From iso/build come, in the environment:
#   P2V_STAGE   where `make install` has put the programs of p2v
#   P2V_KEYMAPS what iso/keymaps has made
#   P2V_ROOTFS  iso/rootfs, copied as it is
# dracut's functions and variables are not visible here:
# shellcheck disable=SC2154

check() {
  # Only when asked for by --add.
  return 255
}

depends() {
  echo bash systemd systemd-udevd systemd-journald systemd-tmpfiles systemd-modules-load \
    systemd-sysctl dbus-daemon udev-rules fs-lib base
}

installkernel() {
  # The image is for any machine, so nothing here may depend on the one it is built on.
  # shellcheck disable=SC2034  # instmods reads it
  local hostonly=''
  # Storage: buses, host adapters, RAID controllers. The disks' own layers: md, device-mapper.
  instmods sd_mod sr_mod sg st virtio_blk virtio_scsi xen-blkfront hv_storvsc nvme vmd \
    nvme-tcp nvme-rdma scsi_dh_rdac scsi_dh_emc scsi_dh_alua usb-storage uas \
    '=drivers/ata' '=drivers/scsi' '=drivers/message' '=drivers/block/mtip32xx' \
    '=drivers/block/aoe' '=drivers/mmc' firewire-ohci firewire-sbp2 \
    loop nbd dm-mod dm-crypt dm-mirror dm-multipath dm-queue-length dm-service-time \
    dm-round-robin dm-snapshot linear raid0 raid1 raid10 raid456 md-mod \
    iscsi_tcp libiscsi iscsi_boot_sysfs iscsi_ibft
  # Network, with the PHYs that gigabit cards are silent without.
  instmods '=drivers/net/ethernet' '=drivers/net/phy' '=drivers/net/mdio' '=drivers/net/usb' \
    virtio_net vmxnet3 xen-netfront hv_netvsc bonding 8021q af_packet ipv6 bridge \
    macvlan hyperv pci-hyperv hv_vmbus virtio_pci virtio_mmio
  # Keyboard, mouse, and what they hang on.
  instmods ehci-hcd ehci-pci ohci-hcd ohci-pci uhci-hcd xhci-hcd xhci-pci usbhid hid_generic \
    '=drivers/hid' atkbd i8042 psmouse evdev hyperv-keyboard virtio_input i2c-hid-acpi
  # Screens of servers and of virtual machines; the big ones' drivers are worth more than their size
  # on a machine whose firmware leaves no framebuffer behind.
  instmods bochs ast mgag200 cirrus vmwgfx virtio-gpu qxl hyperv_drm vboxvideo i915 radeon \
    simpledrm efifb
  # File systems: to mount the medium, to look at the disks from the shell, a stick for reports.
  instmods isofs vfat nls_cp437 nls_iso8859-1 nls_ascii nls_utf8 ext4 xfs btrfs squashfs udf fuse ntfs3 overlay \
    exfat efivarfs
  # Ciphers and checksums that the above ask the kernel for by name.
  instmods crc32c crc32c-intel crc32c_generic crc-t10dif crct10dif_pclmul aesni-intel xts sha256 \
    sha512 hmac cbc ecb
  # Clocks, IPMI for the machine's serial number, sensors of nothing else.
  instmods ipmi_si ipmi_devintf rtc-cmos msr dmi-sysfs
}

# What ldd says of a plugin: dracut follows the libraries of executable files only, and Debian's
# plugins have mode 0644. Without this the X server runs and no key does anything.
inst_plugin() {
  local file lib
  for file; do
    inst_simple "$file" || return 1
    while read -r lib; do
      [[ -e $initdir$lib ]] || inst_library "$lib"
    done < <(ldd "$file" | sed -n 's/.* => \(\/[^ ]*\) .*/\1/p')
  done
}

install_programs() {
  # The shell's, and a person's.
  inst_multiple bash agetty login setsid stty clear reset less more cat cp mv rm ln ls mkdir \
    rmdir mktemp chmod chown touch df du dd head tail sort uniq wc tr cut grep sed awk find xargs \
    date sleep env id tee stat sync truncate sha256sum md5sum od hexdump ps top free kill dmesg mount umount \
    lsblk blkid blockdev findmnt losetup partx wipefs fdisk sfdisk uname hostname nproc seq tty \
    timeout true false test basename dirname readlink realpath zstd gzip tar udevadm \
    journalctl systemctl poweroff reboot modprobe lsmod modinfo
  inst /usr/bin/vim.tiny /usr/bin/vi
  # The network's.
  inst_multiple ip ss ping getent ethtool nmcli nmtui nm-online NetworkManager ssh scp ssh-keygen curl nc \
    /usr/lib/NetworkManager/nm-initrd-generator /usr/lib/NetworkManager/nm-daemon-helper
  # The disks'.
  inst_multiple lvm vgs lvs pvs vgchange lvchange mdadm cryptsetup dmsetup multipath multipathd \
    kpartx iscsiadm iscsid smartctl lspci lsusb debugfs dumpe2fs e2label grub-fstest \
    nvme lsscsi mokutil nbdinfo nbdcopy xfs_logprint
  local program
  for program in /usr/sbin/partclone.*; do
    case $program in
      *.imager | *.restore | *.chkimg | *.ntfsfixboot | *.ntfsreloc) ;;
      *) inst "$program" ;;
    esac
  done
}

install_network() {
  inst_simple /usr/lib/systemd/system/NetworkManager.service
  inst_multiple /usr/share/dbus-1/system.d/org.freedesktop.NetworkManager.conf \
    /usr/lib/udev/rules.d/85-nm-unmanaged.rules /usr/lib/systemd/network/99-default.link
  inst_libdir_file 'libnss_dns.so*' 'libnss_files.so*' 'libnss_myhostname.so*'
  inst_multiple /etc/protocols /etc/services /etc/ssl/certs/ca-certificates.crt
  inst_multiple /usr/share/misc/pci.ids
}

install_storage() {
  inst_rules 10-dm.rules 11-dm-lvm.rules 13-dm-disk.rules 55-dm.rules 56-lvm.rules \
    60-persistent-storage-dm.rules 63-md-raid-arrays.rules 95-dm-notify.rules 60-multipath.rules \
    56-dm-mpath.rules 60-block.rules
  inst_libdir_file 'multipath/*.so' 'libgcc_s.so*'
  inst_plugin /lib/multipath/*.so
  inst_multiple /lib/systemd/system/multipathd.service /lib/systemd/system/multipathd.socket
  inst_multiple -o /etc/iscsi/iscsid.conf /lib/systemd/system/iscsid.service \
    /lib/systemd/system/iscsid.socket
}

install_screen() {
  inst_multiple Xorg xinit xkbcomp xset setxkbmap matchbox-window-manager
  inst /usr/lib/xorg/Xorg
  inst_plugin /usr/lib/xorg/modules/drivers/{fbdev,modesetting,vesa}_drv.so \
    /usr/lib/xorg/modules/input/libinput_drv.so \
    /usr/lib/xorg/modules/lib{exa,fbdevhw,int10,shadow,shadowfb,vgahw}.so
  inst_multiple /usr/lib/xorg/protocol.txt
  # Which driver a keyboard gets: without these no key does anything.
  inst_multiple /usr/share/X11/xorg.conf.d/10-quirks.conf /usr/share/X11/xorg.conf.d/40-libinput.conf
  inst_dir /var/lib/xkb
  # The keyboard: rules, and geometry too, without which X ends at once.
  (cd / && find usr/share/X11/xkb etc/matchbox usr/share/matchbox usr/share/themes/Default/matchbox \
    usr/share/libinput etc/fonts usr/share/fontconfig \
    usr/share/fonts/truetype/{dejavu,droid} \( -type f -o -type l \) -printf '/%p\n') \
    | grep -v -e Condensed -e ExtraLight -e /DejaVuSerif \
    | while read -r file; do inst_simple "$file"; done
  inst_multiple fc-match
  # GTK asks for its own settings' schemas when a file is chosen.
  inst_dir /usr/share/glib-2.0/schemas
  cp /usr/share/glib-2.0/schemas/org.gtk.Settings.*.xml "$initdir/usr/share/glib-2.0/schemas/"
  glib-compile-schemas "$initdir/usr/share/glib-2.0/schemas"
  rm -f "$initdir"/usr/share/glib-2.0/schemas/*.xml
  inst_multiple /usr/share/mime/mime.cache
}

install_terminals() {
  local name
  # Keymaps for the text consoles: loadkeys has gzip unpack them.
  inst_multiple loadkeys dumpkeys gzip
  mkdir -p "$initdir/usr/share/keymaps/xkb"
  cp "$P2V_KEYMAPS"/*.map.gz "$initdir/usr/share/keymaps/xkb/"
  # dracut makes one file of equal ones that have the same time: of all of them, always.
  touch --date="@$SOURCE_DATE_EPOCH" "$initdir"/usr/share/keymaps/xkb/*
  for name in linux vt100 vt102 vt220 ansi dumb xterm xterm-256color screen; do
    inst_simple "/lib/terminfo/${name:0:1}/$name"
  done
  (cd /usr/lib/locale && find C.utf8 -type f -printf '/usr/lib/locale/%p\n') \
    | while read -r name; do inst_simple "$name"; done
}

install_p2v() {
  local program file
  for program in p2v-client p2v-text p2v-kiosk; do
    inst "$P2V_STAGE/usr/bin/$program" "/usr/bin/$program"
  done
  # The catalogues, and those that GTK has for the same languages.
  (cd "$P2V_STAGE" && find usr/share/locale -name p2v.mo) | LC_ALL=C sort | while read -r file; do
    inst_simple "$P2V_STAGE/$file" "/$file"
    inst_simple "/${file%p2v.mo}gtk30.mo"
  done
  (cd "$P2V_ROOTFS" && find . -mindepth 1 \( -type f -o -type l \) -printf '%P\n') | LC_ALL=C sort \
    | while read -r file; do
      mkdir -p "$initdir/$(dirname "$file")"
      cp -a --remove-destination "$P2V_ROOTFS/$file" "$initdir/$file"
      chown 0:0 "$initdir/$file" 2>/dev/null || true
    done
  mkdir -p "$initdir"/{root,home,mnt,media,srv,tmp,run,var/log,var/lib/NetworkManager,var/lib/dbus}
}

# The accounts that udev's rules, D-Bus and a shell know by name; numbers as on the build machine.
install_accounts() {
  {
    echo 'root:x:0:0:root:/root:/bin/bash'
    grep -E '^(messagebus|nobody):' /etc/passwd
  } > "$initdir/etc/passwd"
  grep -E '^(root|adm|tty|disk|kmem|dialout|audio|video|render|input|kvm|sgx|cdrom|tape|lp|floppy|nogroup|messagebus|utmp|systemd-journal):' \
    /etc/group | sed 's/:[^:]*$/:/' > "$initdir/etc/group"
  # No password can be right: the consoles' shells ask for none, and nothing else lets anybody in.
  printf 'root:*:19000:0:99999:7:::\n' > "$initdir/etc/shadow"
  chmod 0600 "$initdir/etc/shadow"
}

install() {
  install_programs
  install_network
  install_storage
  install_screen
  install_terminals
  install_p2v
  install_accounts
}
