# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# For the end-to-end tests: takes one of the test machines through a real conversion on a private
# server and into its guest. Each file converts its machine once, in setup_file, and its tests then
# look at what came of it.

TOP=${P2V_TOP:?run the tests through make}
PRIVATE_SERVER=$TOP/tests/lib/private-server
CLIENT=$P2V_BUILD/p2v-client/p2v-client

# Starts a server for machine $1 (a name below build/machines) with recorded hardware $2; exports
# where everything is.
e2e_start ()
{
  MACHINE_DIR=$TOP/build/machines/$1
  # shellcheck disable=SC1091 # made by make-machine
  source "$MACHINE_DIR/machine.env"
  SERVER=$("$PRIVATE_SERVER" start --owner="$$" --install-from="$P2V_BUILD/stage")
  local line
  while IFS= read -r line; do
    export "${line?}"
  done < <("$PRIVATE_SERVER" env --prefix=SERVER_ "$SERVER")
  OUT=$SERVER/out
  mkdir -p "$OUT" "$SERVER/machine"
  MACHINE_DISKS=''
  local disk
  for disk in ${DISKS//,/ }; do
    ln -s "$MACHINE_DIR/$disk.raw" "$SERVER/machine/$disk"
    MACHINE_DISKS+=${MACHINE_DISKS:+,}$SERVER/machine/$disk
  done
  e2e_sums >"$OUT/sums.before"
  "$TOP/tests/machines/recorded/make" "$2" "$SERVER/machine/root"
  GUEST=$HOSTNAME
  export MACHINE_DIR SERVER OUT MACHINE_DISKS GUEST DISKS ROOT_PASSWORD SUMS HOSTNAME
  export DATA_SUMS=${DATA_SUMS-}
}

e2e_stop ()
{
  # Where CI looks when something failed.
  mkdir -p "$P2V_BUILD/e2e-logs/${GUEST:-unknown}"
  cp -r "$OUT/." "$P2V_BUILD/e2e-logs/${GUEST:-unknown}/" || true
  cp "$SERVER"/state/jobs/*/*.log "$P2V_BUILD/e2e-logs/${GUEST:-unknown}/" || true
  "$PRIVATE_SERVER" stop "$SERVER"
}

# SHA-256 of every disk of the machine.
e2e_sums ()
{
  local disk
  for disk in ${DISKS//,/ }; do
    sha256sum <"$MACHINE_DIR/$disk.raw"
  done
}

on_server ()
{
  "$PRIVATE_SERVER" exec "$SERVER" "$@"
}

p2v_server ()
{
  on_server p2v-server --config "$SERVER/server.conf" "$@"
}

guest_virsh ()
{
  on_server virsh -q -c qemu:///session "$@"
}

# Converts with the arguments given added to what every conversion needs. Output and exit status
# go to OUT/client.txt and OUT/client.status.
e2e_convert ()
{
  local status=0
  "$CLIENT" --root="$SERVER/machine/root" --cmdline="p2v.server=127.0.0.1 \
p2v.port=$SERVER_PORT p2v.username=$SERVER_USER p2v.identity=file://$SERVER_IDENTITY \
p2v.hostkey=$SERVER_HOSTKEY p2v.disks=$MACHINE_DISKS p2v.name=$GUEST $*" \
    >"$OUT/client.txt" 2>&1 </dev/null || status=$?
  echo "$status" >"$OUT/client.status"
}

# Boots the guest and runs the commands on standard input in it, as root over its serial console.
e2e_boot ()
{
  guest_virsh start "$GUEST" >"$OUT/start.txt" 2>&1
  "$TOP/tests/lib/console" --log="$OUT/console.log" --command-timeout=300 root "$ROOT_PASSWORD" 900 \
    -- "$PRIVATE_SERVER" exec "$SERVER" virsh -c qemu:///session console --force "$GUEST" \
    >"$OUT/guest.txt" || true
}

# What a command in the guest printed, and its exit code as the last line.
in_guest ()
{
  awk -v command="> $1" '
    $0 == command { found = 1; next }
    found && /^: / { print substr($0, 3); next }
    found && /^= / { print "exit " substr($0, 3); exit }' "$OUT/guest.txt"
}

# Fails with both texts when they differ.
assert_equal ()
{
  if [[ $1 != "$2" ]]; then
    printf 'expected: %s\n     got: %s\n' "$2" "$1" >&2
    return 1
  fi
}

# Fails with the file's text when it does not hold the pattern (extended regular expression).
assert_in_file ()
{
  if ! grep -Eq -- "$2" "$1"; then
    printf 'not found: %s\nin %s:\n' "$2" "$1" >&2
    cat "$1" >&2
    return 1
  fi
}
