# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A network of its own for machines that start over it: a network namespace with a bridge, a real
# dnsmasq with the configuration that p2v ships (iso/pxe/dnsmasq.conf), and QEMU's machine on a tap.
# Nothing of it can be seen from the outside; processes and namespaces of a test file that died are
# cleared away by the next. Needs dnsmasq-base, iproute2, netcat-openbsd, python3, qemu, ovmf.
#
#   pxe_start; pxe_serve TREE SETTING...; pxe_boot NAME ARGUMENT...; pxe_wait NAME SECONDS; pxe_stop

PXE_ADDRESS=192.0.2.1
PXE_MAC=52:54:00:00:02:01
PXE_OVMF=/usr/share/OVMF

# pxe_start: the namespace $PXE_NET with the bridge br0, the tap "machine" on it, and $PXE_DIR for
# files, which the server may read.
pxe_start ()
{
  local net directory
  # Left by test files that were killed: what is in a namespace of this name, we have started.
  for net in $(ip netns list | sed -nE 's/^(p2v-pxe-[0-9]+).*/\1/p' | sort -u); do
    if ! kill -0 "${net##*-}" 2>/dev/null; then
      pxe_clear "$net"
      pxe_clear "$net-dhcp"
      for directory in "/var/tmp/pxe-${net##*-}"-*; do
        rm -rf -- "$directory"
      done
    fi
  done
  export PXE_NET=p2v-pxe-$$
  PXE_DIR=$(mktemp -d "/var/tmp/pxe-$$-XXXXXX")
  export PXE_DIR
  chmod 755 "$PXE_DIR"
  ip netns add "$PXE_NET"
  ip netns add "$PXE_NET-dhcp"
  local in=(ip -n "$PXE_NET")
  "${in[@]}" link set lo up
  "${in[@]}" link add br0 type bridge
  "${in[@]}" address add "$PXE_ADDRESS/24" dev br0
  "${in[@]}" tuntap add machine mode tap
  "${in[@]}" link set machine master br0 up
  # The place of a DHCP server that is not ours.
  "${in[@]}" link add other type veth peer name eth0 netns "$PXE_NET-dhcp"
  "${in[@]}" link set other master br0 up
  "${in[@]}" link set br0 up
  ip -n "$PXE_NET-dhcp" link set lo up
  ip -n "$PXE_NET-dhcp" address add 192.0.2.2/24 dev eth0
  ip -n "$PXE_NET-dhcp" link set eth0 up
}

pxe_clear ()
{
  local pids
  pids=$(ip netns pids "$1" 2>/dev/null) || true
  # shellcheck disable=SC2086 # a list
  [[ -z $pids ]] || kill -KILL $pids 2>/dev/null || true
  ip netns delete "$1" 2>/dev/null || true
}

pxe_stop ()
{
  [[ -n ${PXE_NET-} ]] || return 0
  pxe_clear "$PXE_NET-dhcp"
  pxe_clear "$PXE_NET"
  rm -rf -- "$PXE_DIR"
}

# pxe_end servers | machines: ends those that an earlier test has started. ("ip netns exec" becomes
# the program, so these are the programs' own PIDs.)
pxe_end ()
{
  local pid
  [[ -f $PXE_DIR/$1 ]] || return 0
  while read -r pid; do
    [[ $(ip netns identify "$pid" 2>/dev/null) = "$PXE_NET"* ]] || continue
    kill -KILL "$pid" 2>/dev/null || true
    wait_until 10 pxe_gone "$pid"
  done <"$PXE_DIR/$1"
  rm "$PXE_DIR/$1"
}

# Nothing of the process is left, a zombie that its parent has not asked for aside.
pxe_gone () { ! kill -0 "$1" 2>/dev/null || grep -q '^State:.*Z' "/proc/$1/status" 2>/dev/null; }

pxe_exec () { ip netns exec "$PXE_NET" "$@"; }

# pxe_config TREE SETTING...: prints iso/pxe/dnsmasq.conf for this network. What an administrator
# would set is set: the interface and the folder; and of these settings those that are named:
#   dhcp       variant B (this server hands out addresses) instead of variant A (proxy)
#   no-ipxe    iPXE is treated as firmware. QEMU's network cards have iPXE as their PXE ROM.
#   ipxe-http  iPXE gets its files by HTTP
pxe_config ()
{
  local edit=(-e 's/^interface=.*/interface=br0/' -e "s|^tftp-root=.*|tftp-root=$1|") setting
  shift
  for setting; do
    case $setting in
      dhcp) edit+=(-e 's/^dhcp-range=.*,proxy$/#&/' -e 's/^pxe-service=/#&/'
        -e 's/^#\(dhcp-range=.*,1h\)$/\1/' -e 's/^#\(dhcp-option=option:\)/\1/') ;;
      no-ipxe) edit+=(-e '/^dhcp-userclass=set:ipxe/d' -e '/^dhcp-boot=tag:ipxe/d') ;;
      ipxe-http) edit+=(-e '/^dhcp-boot=tag:ipxe,boot/d' -e 's/^#\(dhcp-boot=tag:ipxe\)/\1/') ;;
      *) assert_fail "pxe_config: no setting $setting" ;;
    esac
  done
  sed "${edit[@]}" "$P2V_TOP/iso/pxe/dnsmasq.conf"
}

# pxe_serve TREE SETTING...: starts dnsmasq as pxe_config says, and an HTTP server for TREE. Those
# of an earlier call end. Without "dhcp" another server hands out addresses and names ours as
# the boot server.
pxe_serve ()
{
  local tree=$1
  pxe_end servers
  pxe_config "$@" >"$PXE_DIR/dnsmasq.conf"
  dnsmasq --test --conf-file="$PXE_DIR/dnsmasq.conf" 2>"$PXE_DIR/dnsmasq.test" ||
    assert_fail "$(<"$PXE_DIR/dnsmasq.test")" || return 1
  : >"$PXE_DIR/dnsmasq.log"
  # It reads files as the account that it changes to, as the service of a distribution does.
  ip netns exec "$PXE_NET" dnsmasq --keep-in-foreground --conf-file="$PXE_DIR/dnsmasq.conf" --user=dnsmasq \
    --pid-file= --dhcp-leasefile="$PXE_DIR/leases" --log-facility=- 2>"$PXE_DIR/dnsmasq.log" 3>&- &
  echo "$!" >"$PXE_DIR/servers"
  if [[ " ${*:2} " != *' dhcp '* ]]; then
    ip netns exec "$PXE_NET-dhcp" dnsmasq --keep-in-foreground --conf-file=/dev/null --port=0 \
      --interface=eth0 --bind-interfaces --dhcp-range=192.0.2.100,192.0.2.199,1h \
      --dhcp-boot=",,$PXE_ADDRESS" --pid-file= \
      --dhcp-leasefile="$PXE_DIR/other.leases" --log-facility=- 2>"$PXE_DIR/other.log" 3>&- &
    echo "$!" >>"$PXE_DIR/servers"
  fi
  (cd "$tree" && exec ip netns exec "$PXE_NET" \
    python3 -m http.server --bind "$PXE_ADDRESS" 80 >"$PXE_DIR/http.log" 2>&1 3>&-) &
  echo "$!" >>"$PXE_DIR/servers"
  wait_until 10 pxe_exec sh -c "ss -Hltn 'sport = :80' | grep -q ." &&
    wait_until 10 pxe_exec sh -c "ss -Hlun 'sport = :69' | grep -q ."
}

# pxe_boot NAME FIRMWARE [QEMU-ARGUMENT...]: starts a machine that boots from the network. FIRMWARE:
# bios, uefi, secure (UEFI with Secure Boot on and Microsoft's keys). What its serial port says is in
# $PXE_DIR/NAME.serial; it has a screen, for pxe_screen. PXE_MACHINE is its process.
pxe_boot ()
{
  pxe_end machines
  local name=$1 firmware=$2 machine=q35 code='' vars='' card=virtio-net-pci,netdev=net,mac=$PXE_MAC
  shift 2
  card+=,bootindex=1
  local options=(-accel tcg -m "${PXE_MEMORY:-1024}" -smp 2 -vga std -display none)
  case $firmware in
    bios) ;;
    uefi) code=OVMF_CODE_4M.fd vars=OVMF_VARS_4M.fd ;;
    secure)
      code=OVMF_CODE_4M.secboot.fd vars=OVMF_VARS_4M.ms.fd machine+=,smm=on
      # shellcheck disable=SC2054 # one argument
      options+=(-global driver=cfi.pflash01,property=secure,value=on)
      ;;
    *) assert_fail "pxe_boot: no firmware $firmware" || return 1 ;;
  esac
  if [[ -n $code ]]; then
    # OVMF's own network boot, not iPXE's ROM.
    card+=,romfile=
    cp "$PXE_OVMF/$vars" "$PXE_DIR/$name.vars"
    options+=(-drive "if=pflash,unit=0,format=raw,readonly=on,file=$PXE_OVMF/$code"
      -drive "if=pflash,unit=1,format=raw,file=$PXE_DIR/$name.vars")
  fi
  ip netns exec "$PXE_NET" qemu-system-x86_64 -machine "$machine" "${options[@]}" \
    -serial "file:$PXE_DIR/$name.serial" -qmp "unix:$PXE_DIR/$name.qmp,server,nowait" \
    -netdev tap,id=net,ifname=machine,script=no,downscript=no -device "$card" "$@" \
    >"$PXE_DIR/$name.qemu" 2>&1 3>&- &
  PXE_MACHINE=$!
  echo "$PXE_MACHINE" >"$PXE_DIR/machines"
}

# pxe_screen NAME FILE.png: what the machine's screen shows.
pxe_screen ()
{
  printf '%s\n' '{"execute":"qmp_capabilities"}' \
    "{\"execute\":\"screendump\",\"arguments\":{\"filename\":\"$2\",\"format\":\"png\"}}" |
    nc -U -q 2 "$PXE_DIR/$1.qmp" >/dev/null || true
}

# pxe_wait NAME SECONDS: until the machine has switched itself off. Else its end, a look at its
# screen, and failure.
pxe_wait ()
{
  local deadline=$((SECONDS + $2)) status=0
  while kill -0 "$PXE_MACHINE" 2>/dev/null; do
    if ((SECONDS >= deadline)); then
      pxe_keep "$1"
      kill "$PXE_MACHINE"
      wait "$PXE_MACHINE" || true
      assert_fail "the machine was not off after $2 s (see $(pxe_logs)). Its serial port at the end:" \
        "$(tail -n 15 "$PXE_DIR/$1.serial" | tr -d '\r')" "dnsmasq:" \
        "$(tail -n 8 "$PXE_DIR/dnsmasq.log")"
      return 1
    fi
    sleep 0.5
  done
  wait "$PXE_MACHINE" || status=$?
  ((status == 0)) || assert_fail "QEMU ended with $status: $(<"$PXE_DIR/$1.qemu")"
}

pxe_logs () { printf '%s/pxe-logs' "$P2V_BUILD"; }

# Keeps what there is to see of a machine in build/pxe-logs.
pxe_keep ()
{
  mkdir -p "$(pxe_logs)"
  [[ ! -S $PXE_DIR/$1.qmp ]] || pxe_screen "$1" "$(pxe_logs)/$1.png"
  cp "$PXE_DIR/$1.serial" "$(pxe_logs)/$1.serial" || true
  cp "$PXE_DIR/dnsmasq.log" "$(pxe_logs)/$1.dnsmasq" || true
  cp "$PXE_DIR/http.log" "$(pxe_logs)/$1.http" || true
}

# pxe_assert_served FILE: dnsmasq has sent it by TFTP, whole.
pxe_assert_served ()
{
  grep -q "sent $1 to" "$PXE_DIR/dnsmasq.log" ||
    assert_fail "not sent by TFTP: $1" "$(grep tftp "$PXE_DIR/dnsmasq.log")"
}
