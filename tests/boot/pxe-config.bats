#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The sample configuration of dnsmasq and the network tree of `make pxe`, with each kind of firmware:
# the kernel arrives, with both initramfs and the arguments of its menu entry. A small probe stands in
# for the live image's root file system, which pxe.bats starts.

load ../lib/common
load ../lib/pxe

setup_file ()
{
  [[ -f $P2V_BUILD/pxe/SHA256SUMS ]] || assert_fail "there is no build/pxe: make pxe" || return 1
  pxe_start
  export TREE=$PXE_DIR/tree
  cp -r "$P2V_BUILD/pxe" "$TREE"
  mkdir "$PXE_DIR/probe"
  "${CC:-cc}" -O1 -static -s -o "$PXE_DIR/probe/init" "$P2V_TOP/tests/lib/boot-probe.c"
  pxe_cpio "$PXE_DIR/probe" | gzip >"$TREE/p2v/initramfs.img"
  mkdir -p "$PXE_DIR/site/etc/p2v"
  echo 'p2v.username=from-site-img' >"$PXE_DIR/site/etc/p2v/defaults"
  pxe_cpio "$PXE_DIR/site" >"$TREE/p2v/site.img"
  # As it should be on a real server: the key in it is for the TFTP server's account alone.
  chown dnsmasq "$TREE/p2v/site.img"
  chmod 600 "$TREE/p2v/site.img"
  # The menus' own way of taking a site's settings in; and nobody waits for a menu here.
  echo 'TIMEOUT 10' >"$TREE/pxelinux.cfg/site.cfg"
  printf 'set timeout=1\nset p2v_arguments=probe.from=grub\n' >"$TREE/grub/site.cfg"
  printf '#!ipxe\nset p2v_arguments probe.from=ipxe\n' >"$TREE/site.ipxe"
}

teardown_file () { pxe_stop; }

pxe_cpio ()
{
  (cd "$1" && find . -mindepth 1 | cpio --quiet -o -H newc -R 0:0)
}

# probe NAME FIRMWARE [QEMU-ARGUMENT...]: boots, and sets $seen to what the probe said.
probe ()
{
  pxe_boot "$@"
  pxe_wait "$1" 400
  seen=$(grep -a '^probe: ' "$PXE_DIR/$1.serial" | tr -d '\r')
  [[ $seen = *'probe: site: p2v.username=from-site-img'* ]] ||
    assert_fail "the second initramfs has not arrived:" "$seen"
}

# The kernel has the arguments that the medium's entries have.
assert_arguments ()
{
  local word
  for word in $(<"$TREE/p2v/arguments") "$@"; do
    [[ $(grep -a '^probe: arguments' <<<"$seen") = *"$word"* ]] ||
      assert_fail "not on the kernel command line: $word" "$seen"
  done
}

@test "BIOS, this server hands out addresses: pxelinux" {
  pxe_serve "$TREE" dhcp no-ipxe
  probe bios-dhcp bios
  assert_arguments
  pxe_assert_served "$TREE/pxelinux.0"
  pxe_assert_served "$TREE/p2v/site.img"
}

@test "BIOS, another server hands out addresses (proxy DHCP): pxelinux" {
  pxe_serve "$TREE" no-ipxe
  probe bios-proxy bios
  assert_arguments
  pxe_assert_served "$TREE/pxelinux.0"
  grep -q 'DHCPACK(eth0)' "$PXE_DIR/other.log"
}

@test "iPXE, by TFTP, either server handing out addresses" {
  pxe_serve "$TREE" dhcp
  probe ipxe-dhcp bios
  assert_arguments probe.from=ipxe
  pxe_assert_served "$TREE/boot.ipxe"
  pxe_assert_served "$TREE/p2v/site.img"
  pxe_serve "$TREE"
  probe ipxe-proxy bios
  assert_arguments probe.from=ipxe
  pxe_assert_served "$TREE/boot.ipxe"
}

@test "iPXE by HTTP: everything comes from there" {
  # An HTTP server has its own account.
  chmod 644 "$TREE/p2v/site.img"
  pxe_serve "$TREE" dhcp ipxe-http
  probe ipxe-http bios
  chmod 600 "$TREE/p2v/site.img"
  assert_arguments probe.from=ipxe
  grep -q 'GET /p2v/site.img HTTP/1.. 200' <(tr -d '"' <"$PXE_DIR/http.log")
  [[ $(grep -c 'dnsmasq-tftp.*sent' "$PXE_DIR/dnsmasq.log") = 0 ]]
}

@test "UEFI, this server hands out addresses: shim and GRUB" {
  pxe_serve "$TREE" dhcp
  probe uefi-dhcp uefi
  assert_arguments probe.from=grub
  pxe_assert_served "$TREE/grubx64.efi"
  pxe_assert_served "$TREE/p2v/site.img"
  [[ $seen = *'probe: lockdown: [none]'* ]]
}

@test "UEFI, another server hands out addresses (proxy DHCP)" {
  pxe_serve "$TREE"
  probe uefi-proxy uefi
  assert_arguments probe.from=grub
  pxe_assert_served "$TREE/grubx64.efi"
}

@test "UEFI with Secure Boot: the kernel is locked down" {
  pxe_serve "$TREE" dhcp
  probe secure secure
  assert_arguments probe.from=grub
  [[ $seen = *'probe: lockdown: none [integrity]'* ]] || assert_fail "$seen"
}
