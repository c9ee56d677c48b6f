# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A site in a network namespace, and a machine with two network cards, eno1 and eno2, in another one.
# The site has the addresses 192.0.2.1/24 and 2001:db8::1/64, gives addresses by DHCP and router
# advertisements, and is the name server that knows kvm1.site. After "load ../lib/common":
#
#   site_start; site_stop          for the file; $SITE is its namespace, e.g. for SERVER_NETNS
#   machine_start; machine_stop    for each test: NetworkManager as in the live image; a cable in eno1
#   machine COMMAND...             runs a command there; machine_wrap makes a program of that

site_start ()
{
  export SITE="p2v-site-$$" SITE_DIR
  SITE_DIR=$(mktemp -d /var/tmp/t-XXXXXX)
  ip netns add "$SITE"
  ip -n "$SITE" link set lo up
  ip -n "$SITE" link add lan type bridge
  ip -n "$SITE" address add 192.0.2.1/24 dev lan
  ip -n "$SITE" address add 2001:db8::1/64 dev lan nodad
  ip -n "$SITE" link set lan up
  ip netns exec "$SITE" dnsmasq --keep-in-foreground --conf-file=/dev/null --pid-file= --user=root \
    --interface=lan --bind-dynamic --no-resolv --no-hosts --address=/kvm1.site/192.0.2.1 \
    --dhcp-leasefile="$SITE_DIR/leases" --dhcp-range=192.0.2.100,192.0.2.150,255.255.255.0 \
    --dhcp-range=2001:db8::,ra-only --enable-ra </dev/null >"$SITE_DIR/dnsmasq" 2>&1 3>&- &
  echo $! >"$SITE_DIR/pid"
}

site_stop ()
{
  kill "$(<"$SITE_DIR/pid")" 2>/dev/null || true
  ip netns delete "$SITE"
  rm -rf -- "$SITE_DIR"
}

machine_start ()
{
  MACHINE="p2v-machine-$$-$BATS_TEST_NUMBER"
  MACHINE_DIR=$T/machine
  local card
  mkdir "$MACHINE_DIR"
  ip netns add "$MACHINE"
  ip -n "$MACHINE" link set lo up
  for card in eno1 eno2; do
    ip -n "$MACHINE" link add "$card" type veth peer name "$card-$BATS_TEST_NUMBER" netns "$SITE"
    ip -n "$SITE" link set "$card-$BATS_TEST_NUMBER" master lan
  done
  ip -n "$SITE" link set "eno1-$BATS_TEST_NUMBER" up
  ip netns exec "$MACHINE" "$COMMON_LIB/network-machine" "$MACHINE_DIR" </dev/null \
    >"$MACHINE_DIR/log" 2>&1 3>&- &
  MACHINE_PID=$!
  wait_until 20 test -s "$MACHINE_DIR/ready"
}

machine_stop ()
{
  [[ -n ${MACHINE_PID-} ]] || return 0
  kill "$MACHINE_PID" 2>/dev/null || true
  wait "$MACHINE_PID" || true
  ip netns delete "$MACHINE"
  rm -rf -- "$MACHINE_DIR"
  unset MACHINE_PID
}

machine ()
{
  DBUS_SYSTEM_BUS_ADDRESS=unix:path=$MACHINE_DIR/bus \
    nsenter --target "$MACHINE_PID" --net --mount --uts -- "$@"
}

# machine_wrap FILE PROGRAM: makes FILE a program that runs PROGRAM there.
machine_wrap ()
{
  cat >"$1" <<END
#!/bin/bash
export DBUS_SYSTEM_BUS_ADDRESS=unix:path=$MACHINE_DIR/bus
exec nsenter --target $MACHINE_PID --net --mount --uts -- $(printf %q "$2") "\$@"
END
  chmod 755 "$1"
}

# Prints the PID of the program of that name that runs there.
machine_runs ()
{
  local pid
  for pid in $(ip netns pids "$MACHINE"); do
    [[ $(</proc/"$pid"/comm) != "$1" ]] 2>/dev/null || { echo "$pid"; return 0; }
  done
  return 1
}

# The addresses of a card, without those that are valid on its link only.
addresses_of ()
{
  machine ip -json address show dev "$1" 2>/dev/null | jq -r '.[].addr_info[] |
    select(.scope == "global") | "\(.local)/\(.prefixlen)"' | xargs
}
has_address () { [[ " $(addresses_of "$1") " = *" $2"* ]]; }

# The names of the connections that are ours.
our_connections () { machine nmcli -g NAME connection show | grep '^p2v-' | sort | xargs; }

NETWORK_PROGRAM=$P2V_BUILD/tests/unit/p2v-client/network
network_apply () { machine "$NETWORK_PROGRAM" apply "$@"; }
network_check () { machine "$NETWORK_PROGRAM" check "$@"; }
