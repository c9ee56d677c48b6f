# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the bats files share. "load ../lib/common" at the top of a file gives each of its tests a
# new directory $T, removed when the test is over. A file that needs a server says
#
#   setup_file () { server_start; }
#   teardown_file () { server_stop; }
#
# and finds $SERVER_DIR, $SERVER_PORT, $SERVER_USER, $SERVER_PASSWORD, $SERVER_HOSTKEY,
# $SERVER_IDENTITY, $SERVER_STATE, $SERVER_IMAGES, $SERVER_POOL, $SERVER_CONFIG, $SERVER_LOG, …
# (private-server's settings) in its tests.

COMMON_LIB=$(realpath -- "${BASH_SOURCE[0]%/*}")
P2V_TOP=${P2V_TOP:-$(realpath -- "$COMMON_LIB/../..")}
P2V_BUILD=${P2V_BUILD:-$P2V_TOP/build}
P2V_LOCALEDIR=$P2V_BUILD/po
PRIVATE_SERVER=$COMMON_LIB/private-server
P2V_CLIENT=$P2V_BUILD/p2v-client/p2v-client
export COMMON_LIB P2V_TOP P2V_BUILD P2V_LOCALEDIR PRIVATE_SERVER P2V_CLIENT
# Messages are compared, so nobody's language may be in them.
export LC_ALL=C.UTF-8

# A test file that has a setup or teardown of its own calls these two from there.
common_setup ()
{
  # Short, as sockets are made in it: 107 characters is all that the path of one may have.
  T=$(mktemp -d /var/tmp/t-XXXXXX)
  # The server's account may be given files in it by name.
  chmod 711 "$T"
}

common_teardown ()
{
  [[ ${T-} != /var/tmp/t-* ]] || rm -rf -- "$T"
}

setup () { common_setup; }
teardown () { common_teardown; }

# server_start [OPTION...]: start a server (options of "private-server start") that lasts until
# server_stop, in the network namespace $SERVER_NETNS if that is set. Should bats die before that,
# the next start of any server clears it away.
server_start ()
{
  local setting
  SERVER_DIR=$(${SERVER_NETNS:+ip netns exec "$SERVER_NETNS"} \
    "$PRIVATE_SERVER" start --owner="$$" "$@")
  while read -r setting; do
    export "${setting?}"
  done < <("$PRIVATE_SERVER" env --prefix=SERVER_ "$SERVER_DIR")
}

server_stop ()
{
  [[ -z ${SERVER_DIR-} ]] || "$PRIVATE_SERVER" stop "$SERVER_DIR"
  unset SERVER_DIR
}

# Runs a command as the server's account, or as root, among the server's processes and mounts.
server_exec () { "$PRIVATE_SERVER" exec "$SERVER_DIR" "$@"; }
server_root () { "$PRIVATE_SERVER" exec --root "$SERVER_DIR" "$@"; }
server_virsh () { server_exec virsh -q "$@"; }

# server_ssh [COMMAND...]: the server through OpenSSH's client, trusting its host key alone, with
# the private key $SSH_IDENTITY if it is set and else the one that the server knows.
server_ssh ()
{
  printf '[127.0.0.1]:%s %s\n' "$SERVER_PORT" "$(<"$SERVER_DIR/ssh/host_ed25519.pub")" \
    >"$T/known_hosts"
  ssh -F none -T -p "$SERVER_PORT" -l "$SERVER_USER" -o UserKnownHostsFile="$T/known_hosts" \
    -o GlobalKnownHostsFile=none -o StrictHostKeyChecking=yes -o LogLevel=ERROR \
    -o IdentitiesOnly=yes -i "${SSH_IDENTITY-$SERVER_IDENTITY}" -o BatchMode=yes \
    -o ConnectTimeout=30 127.0.0.1 "$@"
}

# client [ARGUMENT...]: run p2v-client against the server. What begins with "--" is an option;
# everything else is a kernel argument such as p2v.name=web. Those that reach the server are
# added unless they are given; "-p2v.hostkey" leaves that one out.
client ()
{
  local argument key options=() cmdline="" given=" "
  for argument in "$@"; do
    if [[ $argument = --* ]]; then
      options+=("$argument")
    else
      key=${argument%%=*}
      given+="${key#-} "
      [[ $argument = -* ]] || cmdline+=" $(kernel_argument "$argument")"
    fi
  done
  for argument in p2v.server=127.0.0.1 "p2v.port=$SERVER_PORT" "p2v.username=$SERVER_USER" \
      "p2v.identity=file://$SERVER_IDENTITY" "p2v.hostkey=$SERVER_HOSTKEY"; do
    key=${argument%%=*}
    [[ $given = *" $key "* ]] || cmdline+=" $argument"
  done
  "$P2V_CLIENT" --cmdline="${cmdline# }" "${options[@]}"
}

# A kernel argument whose value has blanks stands in quotes, as on a kernel command line.
kernel_argument ()
{
  if [[ $1 = *=*[[:space:]]* ]]; then
    printf '%s="%s"' "${1%%=*}" "${1#*=}"
  else
    printf '%s' "$1"
  fi
}

# guest_run GUEST PASSWORD TIMEOUT: log in as root at the console of GUEST, which has TIMEOUT
# seconds to boot, and run the commands on standard input; tests/lib/console says what is printed.
# What the console showed is kept in $T/console.log.
guest_run ()
{
  "$COMMON_LIB/console" --log="$T/console.log" root "$2" "$3" -- \
    "$PRIVATE_SERVER" exec "$SERVER_DIR" virsh -q console --force "$1"
}

# Every failed assertion says what was expected and what there was; bats shows that as comments.
assert_fail ()
{
  printf '%s\n' "$@" >&2
  return 1
}

# After "run": the exit code is $1.
assert_status ()
{
  # shellcheck disable=SC2154 # bats's run sets it
  ((status == $1)) || assert_fail "expected exit code $1, got $status. Output:" "$output"
}

# After "run": the output has $1 in it, taken literally.
assert_output_contains ()
{
  [[ $output = *"$1"* ]] || assert_fail "expected in the output:" "  $1" "output:" "$output"
}

refute_output_contains ()
{
  [[ $output != *"$1"* ]] || assert_fail "not expected in the output:" "  $1" "output:" "$output"
}

# assert_equal ACTUAL EXPECTED
assert_equal ()
{
  [[ $1 = "$2" ]] ||
    assert_fail "expected (-) and actual (+):" \
      "$(diff -u <(printf '%s\n' "$2") <(printf '%s\n' "$1") | tail -n +3)"
}

# assert_same_contents FILE FILE: byte for byte; says where the first difference is.
assert_same_contents ()
{
  local difference
  difference=$(cmp -- "$1" "$2" 2>&1) || assert_fail "$difference"
}

assert_file_exists ()
{
  [[ -e $1 ]] || assert_fail "there is no $1. What there is:" "$(ls -lA -- "${1%/*}" 2>&1)"
}

refute_file_exists ()
{
  [[ ! -e $1 && ! -L $1 ]] || assert_fail "$1 should not be there: $(ls -ld -- "$1")"
}

sha256_of ()
{
  local sum
  sum=$(sha256sum <"$1")
  printf '%s\n' "${sum%% *}"
}

# wait_until SECONDS COMMAND...: until COMMAND succeeds.
wait_until ()
{
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < deadline)) || assert_fail "waited in vain for: $*" || return 1
    sleep 0.1
  done
}

# random_bytes SEED COUNT: the same bytes for the same seed, and incompressible.
random_bytes ()
{
  head -c "$2" /dev/zero |
    openssl enc -aes-128-ctr -nosalt -K "$(printf %s "$1" | md5sum | cut -c 1-32)" \
      -iv 00000000000000000000000000000000
}

# disk_make FILE BYTES [SEED]: a disk with a bit of everything, the same for the same seed. Of each
# four chunks of 4 MiB the first is data, the second a hole, the third zeroes that occupy space
# and the fourth a hole with 4 KiB of data in it; the last 512 bytes are data in any case.
disk_make ()
{
  local file=$1 bytes=$2 seed=${3-disk} chunk=$((4 << 20)) at=0 index=0 length
  rm -f -- "$file"
  truncate -s "$bytes" -- "$file"
  while ((at < bytes)); do
    length=$((bytes - at < chunk ? bytes - at : chunk))
    case $((index % 4)) in
      0) random_bytes "$seed.$index" "$length" ;;
      2) head -c "$length" /dev/zero ;;
      3) random_bytes "$seed.$index" "$((length < 4096 ? length : 4096))" ;;
    esac | dd of="$file" bs=1M seek="$at" oflag=seek_bytes conv=notrunc iflag=fullblock status=none
    at=$((at + chunk))
    index=$((index + 1))
  done
  ((bytes < 512)) || random_bytes "$seed.end" 512 |
    dd of="$file" bs=512 seek="$((bytes - 512))" oflag=seek_bytes conv=notrunc status=none
}
