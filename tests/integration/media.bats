#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# "p2v-server media" puts a site's settings on a small but real hybrid image, and into a directory
# for PXE: everything that boots stays, and the key is in one file alone.

load ../lib/common
load ../lib/medium

FINGERPRINT=SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA

setup_file ()
{
  MEDIA=$(mktemp -d /var/tmp/t-media-XXXXXX)
  export MEDIA
  medium_image "$MEDIA/p2v.iso"
  medium_tree "$MEDIA/pxe"
  ssh-keygen -q -t ed25519 -N '' -C 'p2v@test' -f "$MEDIA/identity"
}

teardown_file () { rm -rf -- "$MEDIA"; }

setup ()
{
  common_setup
  SERVER=$P2V_BUILD/p2v-server/p2v-server
  ISO=$MEDIA/p2v.iso
  OUT=$T/site.iso
  # What is there afterwards was left behind.
  mkdir "$T/tmp"
  export TMPDIR=$T/tmp
}

# media MEDIUM... [OPTION...]: with a server, its host key and a private key.
media ()
{
  "$SERVER" media "$@" --server kvm1.example.com --hostkey "$FINGERPRINT" \
    --identity "$MEDIA/identity"
}

# unpack IMAGE DIR: its files; DIR/site has what is in its site.img.
unpack ()
{
  xorriso -no_rc -report_about SORRY -osirrox on -indev "$1" -extract / "$2" >/dev/null
  mkdir "$2.site"
  (cd "$2.site" && cpio -i --quiet) <"$2/p2v/site.img"
}

# Where no file but site.img, and no temporary file, has the key.
assert_key_only_in_site_image ()
{
  local line files
  line=$(sed -n 2p "$MEDIA/identity")
  files=$(cd "$1" && grep -rlF -- "$line" .)
  assert_equal "$files" ./p2v/site.img
  assert_equal "$(ls -A "$TMPDIR")" ""
}

# The boot records of an image without what moves or is made anew with it: block addresses, GUIDs.
boot_records ()
{
  xorriso -no_rc -indev "$1" -report_el_torito plain -report_system_area plain 2>/dev/null |
    sed -E -e 's/(El Torito catalog  : +)[0-9]+/\1LBA/' -e '/GUID/s/[0-9a-f]{32}$/GUID/' \
      -e '/El Torito boot img/s/ +[0-9]+$/ LBA/' \
      -e '/MBR partition  /s/[0-9]+ +([0-9]+)$/START \1/;/MBR partition .* 1 .*START/s/[0-9]+$/SIZE/' \
      -e '/GPT start and size/s/: +([12]) +[0-9]+/: \1 START/' \
      -e '/GPT start and size : 1/s/[0-9]+$/SIZE/' \
      -e '/GPT lba range/s/[0-9]+ +[0-9]+$/END/' -e '/ISO image size/s/[0-9]+$/SIZE/'
}

# The types of the volume descriptors: primary, boot record, Joliet, end.
descriptors ()
{
  dd if="$1" bs=2048 skip=16 count=4 status=none | od -An -v -tu1 -w2048 | awk '{ print $1 }'
}

# boot_bytes IMAGE: the sums of what firmware reads: the MBR's code, and both El Torito images by
# their addresses, the first without the table of addresses in it (bytes 8 to 63, mkisofs(8)).
boot_bytes ()
{
  local report bios efi blocks
  report=$(xorriso -no_rc -indev "$1" -report_el_torito plain 2>/dev/null)
  bios=$(awk '/boot img :   1/ { print $NF }' <<<"$report")
  efi=$(awk '/boot img :   2/ { print $NF }' <<<"$report")
  blocks=$(awk '/boot img :   2/ { print $(NF - 1) / 4 }' <<<"$report")
  # The code's last bytes are the address of isolinux.bin.
  head -c 432 "$1" | sha256sum
  dd if="$1" bs=2048 skip="$bios" count=1 status=none | tail -c +65 | sha256sum
  dd if="$1" bs=2048 skip="$efi" count="$blocks" status=none | sha256sum
}

@test "the settings are in site.img, for root alone, and the checksums hold" {
  run media "$ISO" -o "$OUT" --argument p2v.profile=web --argument 'p2v.pre=modprobe megaraid_sas' \
    --port 2222 --user conv --argument ip=eno1:dhcp --argument acpi=off
  assert_status 0
  assert_equal "$(stat -c %a "$OUT")" 600
  unpack "$OUT" "$T/x"
  assert_equal "$(grep -v '^#' "$T/x.site/etc/p2v/defaults")" \
"p2v.server=kvm1.example.com
p2v.port=2222
p2v.username=conv
p2v.hostkey=$FINGERPRINT
p2v.identity=file:///etc/p2v/identity
p2v.profile=web
p2v.pre=\"modprobe megaraid_sas\""
  assert_same_contents "$T/x.site/etc/p2v/identity" "$MEDIA/identity"
  assert_equal "$(cpio -tv --quiet <"$T/x/p2v/site.img" 2>/dev/null | awk '{ print $1, $3, $4, $NF }')" \
"drwxr-xr-x root root etc
drwxr-xr-x root root etc/p2v
-rw------- root root etc/p2v/defaults
-rw------- root root etc/p2v/identity
-rw-r--r-- root root etc/p2v/kernel-arguments"
  assert_equal "$(<"$T/x.site/etc/p2v/kernel-arguments")" "ip=eno1:dhcp acpi=off"
  (cd "$T/x" && sha256sum --quiet -c SHA256SUMS)
  assert_equal "$(wc -l <"$T/x/SHA256SUMS")" "$(cd "$T/x" &&
    find . -type f ! -name SHA256SUMS ! -name isolinux.bin ! -name boot.cat | wc -l)"
  assert_key_only_in_site_image "$T/x"
}

@test "the image boots as before: El Torito, MBR and GPT, and what they point to" {
  local i
  media "$ISO" -o "$OUT"
  assert_equal "$(boot_records "$OUT")" "$(boot_records "$ISO")"
  assert_equal "$(boot_bytes "$OUT")" "$(boot_bytes "$ISO")"
  # The partition for UEFI from USB holds the FAT file system: it starts where El Torito says.
  for i in "$ISO" "$OUT"; do
    xorriso -no_rc -indev "$i" -report_el_torito plain -report_system_area plain 2>/dev/null >"$T/r"
    assert_equal "$(awk '/MBR partition  .* 2 / { print $(NF - 1) }' "$T/r")" \
      "$(awk '/boot img :   2/ { print $NF * 4 }' "$T/r")"
    assert_equal "$(awk '/GPT start and size : +2/ { print $(NF - 1) }' "$T/r")" \
      "$(awk '/boot img :   2/ { print $NF * 4 }' "$T/r")"
    # isolinux.bin knows where it is itself.
    assert_equal "$(dd if="$i" bs=2048 skip="$(awk '/boot img :   1/ { print $NF }' "$T/r")" \
      count=1 status=none | od -An -tu4 -j 12 -N 4 | tr -d ' ')" \
      "$(awk '/boot img :   1/ { print $NF }' "$T/r")"
  done
  assert_equal "$(descriptors "$OUT")" "$(descriptors "$ISO")"
  unpack "$ISO" "$T/before"
  unpack "$OUT" "$T/after"
  run diff -rq "$T/before" "$T/after"
  assert_equal "$(sort <<<"$output" | awk '{ print $2 }')" \
"$T/before/SHA256SUMS
$T/before/boot/grub/site.cfg
$T/before/isolinux/boot.cat
$T/before/isolinux/isolinux.bin
$T/before/isolinux/site.cfg
$T/before/p2v/site.img"
}

@test "the menus get an unattended entry, which is the default only when asked for" {
  media "$ISO" -o "$OUT" --argument ip=10.0.0.5::10.0.0.1:255.255.255.0::eno1:none
  unpack "$OUT" "$T/x"
  assert_equal "$(sed -n '/^LABEL/p;/KERNEL/p;/APPEND/p;/DEFAULT/p;/TIMEOUT/p' "$T/x/isolinux/site.cfg")" \
"LABEL unattended
  KERNEL /p2v/vmlinuz
  APPEND initrd=/p2v/initramfs.img,/p2v/site.img console=ttyS0,115200 console=tty0 quiet p2v.server=kvm1.example.com ip=10.0.0.5::10.0.0.1:255.255.255.0::eno1:none"
  run cat "$T/x/boot/grub/site.cfg"
  assert_output_contains "set p2v_arguments='ip=10.0.0.5::10.0.0.1:255.255.255.0::eno1:none'"
  assert_output_contains "--id unattended"
  assert_output_contains "initrd /p2v/initramfs.img /p2v/site.img"
  refute_output_contains "set default"
  grub-script-check "$T/x/boot/grub/site.cfg"

  media "$ISO" -o "$OUT" --unattended --timeout 7
  rm -rf "$T/x" "$T/x.site"
  unpack "$OUT" "$T/x"
  run cat "$T/x/isolinux/site.cfg"
  assert_output_contains "DEFAULT unattended"
  assert_output_contains "TIMEOUT 70"
  run cat "$T/x/boot/grub/site.cfg"
  assert_output_contains "set default=unattended"
  assert_output_contains "set timeout=7"
}

@test "preparing a prepared image replaces its settings" {
  media "$ISO" -o "$OUT" --argument p2v.profile=old --argument p2v.name=gone
  media "$OUT" -o "$T/again.iso" --argument p2v.profile=new
  unpack "$T/again.iso" "$T/x"
  run cat "$T/x.site/etc/p2v/defaults" "$T/x/isolinux/site.cfg"
  assert_output_contains p2v.profile=new
  refute_output_contains old
  refute_output_contains gone
  assert_equal "$(grep -c '^LABEL unattended' "$T/x/isolinux/site.cfg")" 1
  (cd "$T/x" && sha256sum --quiet -c SHA256SUMS)
  assert_equal "$(boot_records "$T/again.iso")" "$(boot_records "$ISO")"
}

@test "show tells what is set, and never the key" {
  run "$SERVER" media --show "$ISO"
  assert_status 0
  assert_output_contains "no settings of a site"
  media "$ISO" -o "$OUT" --unattended --argument ip=dhcp --argument p2v.oo=os-password=geheim
  run "$SERVER" media --show "$OUT"
  assert_status 0
  assert_output_contains p2v.server=kvm1.example.com
  assert_output_contains "menu starts: unattended"
  assert_output_contains ip=dhcp
  assert_output_contains "$(ssh-keygen -lf "$MEDIA/identity" | cut -d ' ' -f 2)"
  assert_output_contains 'p2v.oo=***'
  refute_output_contains geheim
  refute_output_contains "PRIVATE KEY"
  refute_output_contains "$(sed -n 2p "$MEDIA/identity")"
}

@test "a PXE directory: entries with relative paths, site.img for the TFTP server's account" {
  cp -a "$MEDIA/pxe" "$T/pxe"
  run media --pxe "$T/pxe" --owner nobody --argument ip=dhcp --unattended
  assert_status 0
  assert_output_contains "owner nobody"
  assert_equal "$(stat -c '%U %a' "$T/pxe/p2v/site.img")" "nobody 600"
  run cat "$T/pxe/pxelinux.cfg/site.cfg"
  assert_output_contains "  KERNEL p2v/vmlinuz"
  assert_output_contains "initrd=p2v/initramfs.img,p2v/site.img "
  assert_output_contains "p2v.server=kvm1.example.com ip=dhcp"
  grub-script-check "$T/pxe/grub/site.cfg"
  run cat "$T/pxe/site.ipxe"
  assert_equal "${lines[0]}" '#!ipxe'
  assert_output_contains "choose --default unattended"
  assert_output_contains "initrd p2v/site.img"
  (cd "$T/pxe" && sha256sum --quiet -c SHA256SUMS)
  assert_key_only_in_site_image "$T/pxe"
  assert_equal "$(find "$T/pxe" -name '.*' -type f)" ""
  # Again: the owner stays.
  media --pxe "$T/pxe"
  assert_equal "$(stat -c '%U %a' "$T/pxe/p2v/site.img")" "nobody 600"
}

@test "for PXE, who can read the key is said" {
  cp -a "$MEDIA/pxe" "$T/pxe"
  run media --pxe "$T/pxe"
  assert_output_contains "gives it to everybody on its network"
  assert_output_contains "only root can read it, and machines will not start"
  run media "$ISO" -o "$OUT"
  assert_output_contains "Whoever holds one can deliver machines"
}

@test "the image that is named is never changed, and what is no file is not written" {
  local before
  before=$(sha256_of "$ISO")
  run media "$ISO" -o "$ISO"
  assert_status 2
  assert_output_contains "it is the image itself"
  ln -s "$ISO" "$T/link.iso"
  run media "$ISO" -o "$T/link.iso"
  assert_status 2
  run media "$ISO" -o /dev/null
  assert_status 2
  assert_output_contains "no regular file"
  assert_equal "$(sha256_of "$ISO")" "$before"
}

@test "what is no medium of p2v is refused, and nothing is left behind" {
  random_bytes junk 300000 >"$T/junk.iso"
  run media "$T/junk.iso" -o "$OUT"
  assert_status 2
  assert_output_contains "it is no CD image"
  mkdir "$T/empty"
  echo x >"$T/empty/x"
  xorriso -as mkisofs -quiet -r -o "$T/other.iso" "$T/empty" 2>/dev/null
  run media "$T/other.iso" -o "$OUT"
  assert_status 2
  assert_output_contains "is no image of p2v: it has no p2v/vmlinuz"
  run media --pxe "$T/empty"
  assert_status 2
  assert_output_contains "is no PXE directory of p2v"
  head -c 600000 "$ISO" >"$T/short.iso"
  run media "$T/short.iso" -o "$OUT"
  ((status != 0))
  refute_file_exists "$OUT"
  assert_equal "$(ls -A "$T")" "$(printf '%s\n' empty junk.iso other.iso short.iso tmp)"
  assert_equal "$(ls -A "$TMPDIR")" ""
}

@test "when xorriso fails nothing is left behind, neither file nor key" {
  mkdir "$T/bin"
  printf '#!/bin/sh\necho "xorriso : FAILURE : no space left" >&2\nexit 5\n' >"$T/bin/xorriso"
  chmod 755 "$T/bin/xorriso"
  PATH=$T/bin:$PATH run media "$ISO" -o "$OUT"
  assert_status 1
  assert_output_contains "no space left"
  assert_equal "$(ls -A "$TMPDIR")" ""
  assert_equal "$(ls -A "$T")" "$(printf '%s\n' bin tmp)"
}

@test "ended by a signal, nothing is left behind, neither file nor key" {
  local pid
  mkdir "$T/bin"
  # It notes where the key is, and that it was there.
  # shellcheck disable=SC2016 # the script's own variables
  printf '#!/bin/sh\nstat -c %%a "$TMPDIR"/* "$TMPDIR"/*/* >"%s/modes"\nexec sleep 30\n' "$T" \
    >"$T/bin/xorriso"
  chmod 755 "$T/bin/xorriso"
  PATH=$T/bin:$PATH "$SERVER" media "$ISO" -o "$OUT" --server kvm1 --hostkey "$FINGERPRINT" \
    --identity "$MEDIA/identity" 3>&- &
  pid=$!
  wait_until 10 test -s "$T/modes"
  assert_equal "$(sort "$T/modes" | uniq -c | tr -s ' ')" "$(printf ' %s\n' '4 600' '1 700')"
  kill "$pid"
  wait "$pid" || true
  assert_equal "$(ls -A "$TMPDIR")" ""
  assert_equal "$(ls -A "$T")" "$(printf '%s\n' bin modes tmp)"
}

@test "arguments that would fail in front of the machine are refused here" {
  local argument
  for argument in p2v.sevrer=x p2v.memory=8 p2v.server=x p2v.hostkey=any p2v.password=x \
      p2v.vcpu.cores=many 'p2v.pre=echo "x"' p2v.text 'a b' 'a;reboot' 'a$b' p2v.of=vmdk \
      p2v.retry_for=soon initrd=x; do
    run media "$ISO" -o "$OUT" --argument "$argument"
    assert_status 2
    assert_output_contains "--argument ${argument%%=*}"
    refute_file_exists "$OUT"
  done
  run media "$ISO" -o "$OUT" --argument p2v.o=local --argument p2v.output.type=libvirt
  assert_status 2
  assert_output_contains "given twice"
  run media "$ISO" -o "$OUT" --argument "x=$(printf 'a%.0s' {1..2000})"
  assert_status 2
  assert_output_contains "the kernel cuts it off"
}

@test "every argument of p2v-client is known, and no other" {
  local name
  "$P2V_CLIENT" --help | grep -oE '\bp2v(\.[a-z_]+)+' | sort -u >"$T/names"
  [[ $(wc -l <"$T/names") -gt 40 ]]
  while read -r name; do
    run media "$ISO" -o "$OUT" --argument "$name=@@"
    refute_output_contains "there is no such argument"
  done <"$T/names"
  grep -oE '"p2v\.[a-z_.]+"' "$P2V_TOP/p2v-server/site-arguments.c" | tr -d '"' | grep -v '^p2v\.$' |
    sort -u >"$T/known"
  assert_equal "$(comm -13 "$T/names" "$T/known")" ""
}

@test "a key with a passphrase, a public key and no key are refused" {
  ssh-keygen -q -t ed25519 -N secret -f "$T/locked"
  local file
  for file in "$T/locked" "$MEDIA/identity.pub" "$T/none"; do
    run "$SERVER" media "$ISO" -o "$OUT" --server kvm1 --hostkey "$FINGERPRINT" --identity "$file"
    assert_status 2
    assert_output_contains "$file"
    refute_file_exists "$OUT"
  done
}

@test "another host's key has to be given, and any is warned of" {
  run "$SERVER" media "$ISO" -o "$OUT" --server 192.0.2.7 --identity "$MEDIA/identity"
  assert_status 2
  assert_output_contains "--hostkey SHA256:"
  run "$SERVER" media "$ISO" -o "$OUT" --server 192.0.2.7 --hostkey any --identity "$MEDIA/identity"
  assert_status 0
  assert_output_contains "whoever answers"
  run "$SERVER" media "$ISO" -o "$OUT" --server kvm1 --hostkey SHA256:short \
    --identity "$MEDIA/identity"
  assert_status 2
  assert_output_contains "--hostkey: expected SHA256:"
}

@test "without the server's name and host key, this host's are used" {
  # shellcheck disable=SC2016 # the variables are the inner shell's
  run unshare --mount --propagation private -- bash -ec '
    mount -t tmpfs tmpfs /etc/ssh
    ssh-keygen -q -t ed25519 -N "" -f /etc/ssh/ssh_host_ed25519_key
    "$@"
    ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub' bash \
    "$SERVER" media "$ISO" -o "$OUT" --identity "$MEDIA/identity"
  assert_status 0
  assert_output_contains "as this host sees itself"
  assert_output_contains "p2v.hostkey=$(tail -n 1 <<<"$output" | cut -d ' ' -f 2)"
}

@test "usage: what is missing or does not go together is said" {
  run "$SERVER" media
  assert_status 2
  assert_output_contains "which medium?"
  run media "$ISO"
  assert_status 2
  assert_output_contains "-o SITE.iso"
  run media "$ISO" -o "$OUT" --pxe "$MEDIA/pxe"
  assert_status 2
  run media "$MEDIA/pxe" -o "$OUT"
  assert_status 2
  assert_output_contains "Prepare it with --pxe DIR"
  run media "$ISO" -o "$OUT" --owner nobody
  assert_status 2
}
