# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# For the end-to-end tests: takes one of the test machines through a real conversion on a private
# server and into its guest. Each file converts its machine once, in setup_file, and its tests then
# look at what came of it, in $OUT.

# shellcheck source=tests/lib/common.bash
source "${BASH_SOURCE[0]%/*}/common.bash"

# How long a guest may take to its login prompt and for one command, seconds: emulated, on a shared
# machine.
BOOT_SECONDS=900
COMMAND_SECONDS=300

# e2e_start MACHINE RECORDED: starts a server and makes ready the disks of a test machine (a name
# below build/machines) and its recorded hardware.
e2e_start ()
{
  local line
  # Lines of KEY=VALUE without blanks, tests/machines/README.md.
  while IFS= read -r line; do
    export "MACHINE_${line?}"
  done <"$P2V_TOP/build/machines/$1/machine.env"
  export MACHINE_DIR=$P2V_TOP/build/machines/$1
  export GUEST=$MACHINE_HOSTNAME
  # shellcheck disable=SC2119 # no options
  server_start
  export OUT=$SERVER_DIR/out
  mkdir -p "$OUT" "$SERVER_DIR/machine"
  local disk
  export MACHINE_PATHS=''
  for disk in ${MACHINE_DISKS//,/ }; do
    ln -s "$MACHINE_DIR/$disk" "$SERVER_DIR/machine/${disk%.raw}"
    MACHINE_PATHS+=${MACHINE_PATHS:+,}$SERVER_DIR/machine/${disk%.raw}
  done
  e2e_sums >"$OUT/sums.before"
  "$P2V_TOP/tests/machines/recorded/make" "$2" "$SERVER_DIR/machine/root"
}

# Ends the server. Logs stay in build/e2e-logs, for when something failed.
e2e_stop ()
{
  local logs=$P2V_BUILD/e2e-logs/$GUEST
  rm -rf "$logs"
  mkdir -p "$logs"
  cp -r "$OUT/." "$SERVER_LOG" "$logs/" || true
  cp "$SERVER_STATE"/jobs/*/*.{log,json,jsonl} "$logs/" || true
  server_stop
}

# SHA-256 of every disk of the machine.
e2e_sums ()
{
  local disk
  for disk in ${MACHINE_DISKS//,/ }; do
    sha256_of "$MACHINE_DIR/$disk"
  done
}

p2v_server ()
{
  server_exec p2v-server --config "$SERVER_CONFIG" "$@"
}

# e2e_convert ARGUMENT...: converts the machine. Output and exit status go to OUT/client.txt and
# OUT/client.status.
e2e_convert ()
{
  local status=0
  client --root="$SERVER_DIR/machine/root" "p2v.disks=$MACHINE_PATHS" "p2v.name=$GUEST" "$@" \
    >"$OUT/client.txt" 2>&1 </dev/null || status=$?
  echo "$status" >"$OUT/client.status"
}

# Boots the guest and runs the commands on standard input in it, as root over its serial console.
e2e_boot ()
{
  server_virsh start "$GUEST" >"$OUT/start.txt" 2>&1 || return 0
  "$COMMON_LIB/console" --log="$OUT/console.log" --command-timeout="$COMMAND_SECONDS" \
    root "$MACHINE_ROOT_PASSWORD" "$BOOT_SECONDS" -- \
    "$PRIVATE_SERVER" exec "$SERVER_DIR" virsh -q console --force "$GUEST" \
    >"$OUT/guest.txt" 2>"$OUT/console.err" || true
}

# What a command in the guest printed, and its exit code as the last line.
in_guest ()
{
  awk -v command="> $1" '
    $0 == command { found = 1; next }
    found && /^: / { print substr($0, 3); next }
    found && /^= / { print "exit " substr($0, 3); exit }' "$OUT/guest.txt"
}

# Fails with the file's text when it does not hold the pattern (extended regular expression).
assert_in_file ()
{
  grep -Eq -- "$2" "$1" || assert_fail "not found: $2" "in $1:" "$(<"$1")"
}

# xpath EXPRESSION: the string value of an expression in the guest's domain XML.
xpath ()
{
  xmllint --xpath "string($1)" "$OUT/domain.xml"
}

# clear_unread FILE: what nobody reads again of the ext4 filesystems in a disk's image need not
# arrive: it becomes zeroes.
clear_unread ()
{
  local file=$1 start size loop offset length
  while read -r start size; do
    loop=$(losetup --read-only --find --show --offset "$start" --sizelimit "$size" "$file")
    if [[ $(blkid -p -o value -s TYPE "$loop") = ext4 ]]; then
      while read -r offset length; do
        fallocate --punch-hole --offset "$((start + offset))" --length "$length" "$file"
      done < <(python3 "$COMMON_LIB/ext4_unread.py" "$loop")
    fi
    losetup -d "$loop"
  done < <(sfdisk --json "$file" |
    jq -r '.partitiontable | (.sectorsize // 512) as $s | .partitions[] | "\(.start * $s) \(.size * $s)"')
}
