#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The domains that tests/unit/p2v-server/test-domain.c builds, given to a real libvirt with its
# QEMU driver.

PRIVATE_SERVER=$BATS_TEST_DIRNAME/../lib/private-server

setup_file ()
{
  bats_require_minimum_version 1.5.0
  export BUILD=${P2V_BUILD:-$BATS_TEST_DIRNAME/../../build}
  # The server's account cannot see what only root may enter.
  DOMAINS=$(mktemp -d /var/tmp/p2v-domains-XXXXXX)
  export DOMAINS
  chmod 755 "$DOMAINS"
  P2V_KEEP_DOMAINS=$DOMAINS "$BUILD/tests/unit/p2v-server/test-domain" >/dev/null
  mkdir -p "$BATS_FILE_TMPDIR/stage/usr/bin"
  cp "$BUILD/p2v-server/p2v-server" "$BATS_FILE_TMPDIR/stage/usr/bin"
  SERVER=$("$PRIVATE_SERVER" start --install-from="$BATS_FILE_TMPDIR/stage" --owner=$$)
  export SERVER
}

teardown_file ()
{
  [[ -z ${SERVER-} ]] || "$PRIVATE_SERVER" stop "$SERVER"
  [[ -z ${DOMAINS-} ]] || rm -rf -- "$DOMAINS"
}

teardown ()
{
  virsh_ destroy web1 >/dev/null 2>&1 || true
  virsh_ undefine --nvram web1 >/dev/null 2>&1 || true
}

virsh_ ()
{
  "$PRIVATE_SERVER" exec "$SERVER" virsh -q -c qemu:///session "$@"
}

@test "libvirt accepts every domain" {
  local file kvm=no defined=0
  ! virsh_ domcapabilities --virttype kvm >/dev/null 2>&1 || kvm=yes
  for file in "$DOMAINS"/*.xml; do
    # Where this libvirt knows that there is no KVM, it takes no domain that needs it.
    if [[ $kvm = no ]] && grep -q '<domain type="kvm">' "$file"; then
      continue
    fi
    virsh_ define --validate "$file" || { echo "${file##*/} was refused"; return 1; }
    virsh_ undefine --nvram web1
    defined=$((defined + 1))
  done
  echo "# $defined domains, KVM: $kvm" >&3
  if [[ $kvm = yes ]]; then ((defined > 20)); else ((defined > 2)); fi
}

# Starts QEMU with the guest's processors paused: every device is made, no instruction runs.
starts ()
{
  local copy=$DOMAINS/start.xml disk=$DOMAINS/disk
  [[ -e $disk ]] || qemu-img create -q -f qcow2 "$disk" 1M
  chmod 666 "$disk"
  # A session's libvirt has no networks of its own, and there need not be a gigabyte.
  sed -e "s,<source file=.*,<source file=\"$disk\"/>," -e 's,type="network",type="user",' \
      -e '/<source network=/d' -e 's,>1048576<,>131072<,' "$DOMAINS/$1.xml" >"$copy"
  virsh_ define --validate "$copy"
  virsh_ start --paused web1
  [[ $(virsh_ domstate web1) = paused ]]
}

@test "QEMU starts the domain of a Linux machine without KVM" {
  starts no-kvm-is-a-qemu-domain-with-a-warning
  virsh_ qemu-monitor-command web1 --hmp 'info qtree' >"$BATS_TEST_TMPDIR/devices"
  grep -q 'dev: virtio-blk-pci' "$BATS_TEST_TMPDIR/devices"
  grep -q 'dev: virtio-net-pci' "$BATS_TEST_TMPDIR/devices"
  grep -q 'name = "org.qemu.guest_agent.0"' "$BATS_TEST_TMPDIR/devices"
}

@test "QEMU starts the domain of a Windows machine without virtio drivers and KVM" {
  starts windows-without-kvm-has-no-hyperv
  virsh_ qemu-monitor-command web1 --hmp 'info qtree' >"$BATS_TEST_TMPDIR/devices"
  grep -q 'dev: ide-hd' "$BATS_TEST_TMPDIR/devices"
  grep -q 'dev: rtl8139' "$BATS_TEST_TMPDIR/devices"
  run ! grep -q "dev: virtio-blk" "$BATS_TEST_TMPDIR/devices"
}
