#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The kickstart files, as far as a machine without Fedora can tell: they are well-formed, what they
# name of this tree is there, and their packages are those of the Makefile under Fedora's names.

load ../lib/common

bats_require_minimum_version 1.5.0

KICKSTART=$P2V_TOP/kickstart
FILES=(p2v server)

setup ()
{
  common_setup
  local name
  for name in "${FILES[@]}"; do
    cp "$KICKSTART/$name.ks" "$T/$name.ks"
    # As the head of each file says.
    sed -e '/#fedora$/d' -e 's/^#el9 //' "$KICKSTART/$name.ks" >"$T/$name-el9.ks"
  done
}

kickstart () { "$COMMON_LIB/kickstart" "$@"; }

@test "both files, and their variants for release 9, are well-formed" {
  local file
  for file in "$T"/*.ks; do
    kickstart check "$file"
  done
  for file in "${FILES[@]}"; do
    grep -qF "sed -e '/#fedora\$/d' -e 's/^#el9 //' kickstart/$file.ks" "$KICKSTART/$file.ks"
    run cmp -s "$T/$file.ks" "$T/$file-el9.ks"
    assert_status 1
  done
}

# broken EXPRESSION MESSAGE: p2v.ks changed by a sed expression is refused with that message.
broken ()
{
  sed -E "$1" "$T/p2v.ks" >"$T/broken"
  run ! cmp -s "$T/p2v.ks" "$T/broken"
  run kickstart check "$T/broken"
  assert_status 1
  assert_output_contains "$2"
}

@test "the check notices what pykickstart would" {
  broken '0,/^%end$/{/^%end$/d}' 'has no %end'
  broken '$d' 'has no %end'
  broken 's/^keyboard/keybord/' 'no such command: keybord'
  broken 's/^%packages/%package/' 'no such section: %package'
  broken 's/^(timezone.*)--utc/\1--utcc/' 'timezone takes no --utcc'
  broken 's/^(selinux.*)/\1=yes/' '--disabled takes no value'
  broken 's/--fstype=ext4/--fstype/' '--fstype needs a value'
  broken 's/^part \//part/' 'part takes 1 words, not 0'
  broken 's/^rootpw.*/rootpw secret/' 'there is --lock'
  broken 's/^kmod$/lvm2/' 'named twice: lvm2'
  broken 's/^kmod$/kmod lvm2/' 'no package name'
  broken 's/^url .*//' 'no url'
}

@test "every script in them passes bash -n and shellcheck" {
  local file script count=0
  for file in "$T"/*.ks; do
    mkdir "${file%.ks}"
    kickstart scripts "$file" "${file%.ks}"
    for script in "${file%.ks}"/*.sh; do
      [[ $(head -n 1 "$script") = '#!/bin/bash' ]]
      bash -n "$script"
      shellcheck "$script"
      count=$((count + 1))
    done
  done
  # Three of p2v.ks and two of server.ks, in both variants.
  assert_equal "$count" 10
}

# make_list NAME...: the packages in lists of the Makefile.
make_list ()
{
  local name text=''
  for name; do
    text+=" \$($name)"
  done
  make --no-print-directory -C "$P2V_TOP" --eval="kickstart-list:;@echo $text" kickstart-list |
    tr ' ' '\n' | sort -u | sed '/^$/d'
}

# table COLUMN USE: of the lines in kickstart/packages for USE, what is in COLUMN ("debian",
# "fedora", "el9"), without those that are not needed there.
table ()
{
  awk -v column="$1" -v use="$2" '
    /^#/ || NF == 0 { next }
    NF < 4 { print "kickstart/packages: " $0 " has not four columns"; next }
    ("," $4 ",") !~ ("," use ",") { next }
    {
      text = column == "debian" ? $1 : column == "fedora" || $3 == "=" ? $2 : $3
      gsub(",", "\n", text)
      if (text != "-") print text
    }' "$KICKSTART/packages" | sort -u
}

@test "every package of the Makefile's lists is in kickstart/packages, and no other" {
  assert_equal "$(table debian build)" "$(make_list DEPS_BUILD)"
  assert_equal "$(table debian image)" "$(make_list DEPS_CLIENT DEPS_IMAGE)"
  assert_equal "$(table debian server)" "$(make_list DEPS_SERVER)"
}

@test "every package of kickstart/packages is in the kickstart files, and no other" {
  local name release use
  for name in "${FILES[@]}"; do
    [[ $name = p2v ]] && use=image || use=server
    for release in fedora el9; do
      [[ $release = fedora ]] && file=$T/$name.ks || file=$T/$name-el9.ks
      # Groups and packages that are to stay away are no entries of the table.
      assert_equal "$(kickstart packages "$file" | grep -v '^[-@]' | sort)" "$(table "$release" "$use")"
      assert_equal "$(sed -n '/^build=($/,/^)$/p' "$file" | sed '1d;$d' | xargs -n 1 | sort)" \
        "$(table "$release" build)"
    done
  done
}

@test "every file of this tree that they name is there" {
  local name path paths
  for name in "${FILES[@]}"; do
    # Not what is below another folder, such as /var/tmp or a URL.
    paths=$(grep -oE '(^|[ =])(iso|kickstart|docs|tests|common|p2v-client|p2v-server)/[A-Za-z0-9@._/-]+' \
      "$KICKSTART/$name.ks" | sed 's/^[ =]//; s/[.]$//' | sort -u)
    [[ -n $paths ]]
    for path in $paths; do
      assert_file_exists "$P2V_TOP/$path"
    done
  done
}

@test "the server's large volume is where jobs and images go, and SELinux knows what is there" {
  local path volume
  volume=$(sed -nE 's/^logvol (\/[^ ]+) .* --grow$/\1/p' "$KICKSTART/server.ks")
  # What p2v-server takes when nobody configures it.
  for path in state-dir storage.default; do
    path=$(sed -nE "s/.*KEY \\(\"[a-z]*\", \"${path#storage.}\", KEY_PATH, [a-z_]+, \"([^\"]+)\".*/\\1/p" \
      "$P2V_TOP/p2v-server/config.c" | head -n 1)
    [[ $path/ = "$volume"/* ]] || assert_fail "$path is not on the volume $volume"
  done
  grep -qF "ssh_home_t '$volume/\\.ssh(/.*)?'" "$KICKSTART/server.ks"
  grep -qF "virt_image_t '$path(/.*)?'" "$KICKSTART/server.ks"
  grep -qx "ExecStartPost=/usr/sbin/restorecon -R $volume" "$KICKSTART/p2v-setup.service"
}

@test "every program and unit of p2v that they name is installed by make or by iso/rootfs" {
  local name word installed
  # What make would install, without building it.
  installed=$(make --no-print-directory -C "$P2V_TOP" -n install DESTDIR=/S PREFIX=/usr |
    grep -oE '(build|sanitize)/p2v-[a-z]+/([a-z]+/)?p2v-[a-z]+' | sed 's,.*/,,' | sort -u)
  for name in "${FILES[@]}"; do
    for word in $(grep -oE '/usr/bin/p2v-[a-z]+' "$KICKSTART/$name.ks" | sort -u); do
      grep -qx "${word##*/}" <<<"$installed" || assert_fail "$name.ks: make does not install $word"
    done
    for word in $(grep -oE '/usr/lib/p2v/[a-z-]+' "$KICKSTART/$name.ks" | sort -u); do
      assert_file_exists "$P2V_TOP/iso/rootfs$word"
    done
    for word in $(grep -oE 'p2v[a-z-]*\.(service|target)' "$KICKSTART/$name.ks" | sort -u); do
      [[ -e $KICKSTART/$word || -e $P2V_TOP/iso/rootfs/usr/lib/systemd/system/$word ]] ||
        assert_fail "$name.ks: there is no unit $word"
    done
  done
  # The programs of the machine's side are all in the image.
  for word in $(grep -v -- -server <<<"$installed"); do
    grep -q "/usr/bin/$word" "$KICKSTART/p2v.ks" || assert_fail "p2v.ks leaves $word out"
  done
}

@test "programs that the image's scripts find at Debian's places are put there" {
  local word
  for word in $(grep -rhoE '/usr/lib/NetworkManager/[a-z-]+' "$P2V_TOP/iso/rootfs/usr" | sort -u); do
    grep -qE "ln -sf /usr/libexec/${word##*/} $word\$" "$KICKSTART/p2v.ks" ||
      assert_fail "p2v.ks does not make $word"
  done
  # What inventory runs is grub-fstest; Fedora's is grub2-fstest.
  grep -q '"grub-fstest"' "$P2V_TOP"/p2v-client/*.c
  grep -q 'ln -sf /usr/bin/grub2-fstest /usr/bin/grub-fstest' "$KICKSTART/p2v.ks"
}

@test "every command of p2v-server and every kernel argument that they name exists" {
  local word help arguments
  help=$("$P2V_BUILD/p2v-server/p2v-server" --help)
  for word in $(grep -rhoE '"?p2v-server (setup|media|check|[a-z]+)\b' "$KICKSTART" |
      grep -oE '[a-z]+$' | sort -u); do
    # "p2v-server is …", "p2v-server lacks …" are sentences.
    [[ $word != lacks ]] || continue
    grep -qE "^ +$word\b" <<<"$help" || assert_fail "p2v-server has no command $word" "$help"
  done
  # The server's are read by server.ks itself; the image's by p2v-client.
  arguments=$("$P2V_CLIENT" --help-arguments 2>/dev/null || "$P2V_CLIENT" --help)
  for word in $(grep -oE '\bp2v\.[a-z_]+=' "$KICKSTART/p2v.ks" | sort -u); do
    grep -qF "$word" <<<"$arguments" || assert_fail "p2v-client takes no $word"
  done
  for word in $(grep -oE '\bp2v\.[a-z_]+=' "$KICKSTART/server.ks" | sort -u); do
    grep -qE "^ +$word\*\)" "$KICKSTART/server.ks" || assert_fail "server.ks does not read $word"
  done
}

@test "every kernel argument that docs/PXE.md and the sample files name exists" {
  local word arguments
  arguments=$("$P2V_CLIENT" --help-arguments 2>/dev/null || "$P2V_CLIENT" --help)
  for word in $(grep -rhoE '\bp2v\.[a-z_]+=?' "$P2V_TOP/docs/PXE.md" "$P2V_TOP/iso/pxe" | sort -u); do
    # p2v.iso, p2v.ks and p2v.conf are files.
    [[ $word =~ ^p2v\.(iso|ks|conf)$ ]] || grep -qE "\\b${word//./\\.}" <<<"$arguments" ||
      assert_fail "p2v-client takes no $word"
  done
}

@test "no password, and no key of somebody's, is in them" {
  run grep -nEi '^ *(rootpw|user|sshpw)\b' "$KICKSTART/p2v.ks" "$KICKSTART/server.ks"
  assert_equal "$(sed 's/.*ks:[0-9]*://' <<<"$output" | sort -u)" 'rootpw --lock'
  run grep -nE '^sshkey' "$KICKSTART"/*.ks
  assert_status 1
}
