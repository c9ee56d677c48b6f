#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A machine that starts from the network tree of `make pxe`, with a site's settings in it and nobody
# at its keyboard, arrives on the server and switches itself off. DHCP, TFTP and HTTP are real; the
# configuration is the sample that comes with the tree.

load ../lib/common
load ../lib/pxe

setup_file ()
{
  [[ -f $P2V_BUILD/pxe/SHA256SUMS ]] || assert_fail "there is no build/pxe: make pxe" || return 1
  pxe_start
  SERVER_NETNS=$PXE_NET server_start --listen="$PXE_ADDRESS" --no-libvirt
  # A job ends when all has landed: conversion is what tests/e2e is about.
  server_root mount --bind /dev/null "$(command -v virt-v2v-in-place)"
  export TREE=$PXE_DIR/tree DISK=$PXE_DIR/disk
  cp -r "$P2V_BUILD/pxe" "$TREE"
  disk_make "$DISK" $((96 << 20)) pxe
  export DISK_SUM
  DISK_SUM=$(sha256_of "$DISK")
}

teardown_file ()
{
  server_stop
  pxe_stop
}

# site NAME: settings as an administrator makes them; the guest is called NAME.
site ()
{
  local argument arguments=()
  for argument in p2v.name="$1" p2v.o=local "p2v.os=$SERVER_IMAGES" p2v.of=raw p2v.memory=512M \
      p2v.fail=poweroff p2v.wait=defined; do
    arguments+=(--argument "$argument")
  done
  "$P2V_BUILD/p2v-server/p2v-server" media --pxe "$TREE" --owner dnsmasq --server "$PXE_ADDRESS" \
    --port "$SERVER_PORT" --user "$SERVER_USER" --hostkey "$SERVER_HOSTKEY" \
    --identity "$SERVER_IDENTITY" --unattended --timeout 1 "${arguments[@]}" >"$T/media" 2>&1 ||
    assert_fail "p2v-server media:" "$(<"$T/media")"
}

# convert NAME FIRMWARE: the machine starts and converts itself, and what arrives is its disk.
convert ()
{
  local job
  site "$1"
  pxe_boot "$1" "$2" -drive "if=none,id=disk,format=raw,file=$DISK" \
    -device virtio-blk-pci,drive=disk,serial=PXE1
  pxe_wait "$1" 900
  pxe_keep "$1"
  job=$(server_exec p2v-server --config "$SERVER_CONFIG" jobs --json |
    jq -r --arg name "$1" '.jobs[] | select(.guest == $name or .name == $name) | .id')
  [[ -n $job ]] || assert_fail "no job arrived. The machine said:" \
    "$(tail -n 30 "$PXE_DIR/$1.serial" | tr -d '\r')"
  server_exec p2v-server --config "$SERVER_CONFIG" show --json "$job" >"$T/job.json"
  assert_same_contents "$(jq -r '.plan.images[0].path' "$T/job.json")" "$DISK"
  grep -qF "$PXE_MAC" "$SERVER_STATE/jobs/$job"/*.json
  # The machine's disk has not been written to.
  assert_equal "$(sha256_of "$DISK")" "$DISK_SUM"
}

@test "BIOS, pxelinux: the disk arrives, the machine switches itself off" {
  pxe_serve "$TREE" dhcp no-ipxe
  convert pxe-bios bios
  pxe_assert_served "$TREE/pxelinux.cfg/site.cfg"
  pxe_assert_served "$TREE/p2v/site.img"
}

@test "UEFI with Secure Boot, shim and GRUB: the disk arrives, the machine switches itself off" {
  pxe_serve "$TREE" dhcp
  convert pxe-uefi secure
  pxe_assert_served "$TREE/grub/site.cfg"
  pxe_assert_served "$TREE/p2v/site.img"
}

@test "iPXE by HTTP beside another DHCP server: the disk arrives, the machine switches itself off" {
  pxe_serve "$TREE" ipxe-http
  convert pxe-ipxe bios
  [[ $(grep -c 'dnsmasq-tftp.*sent' "$PXE_DIR/dnsmasq.log") = 0 ]]
  # p2v-server has written the tree's sums anew.
  (cd "$TREE" && sha256sum --quiet --check SHA256SUMS)
}
