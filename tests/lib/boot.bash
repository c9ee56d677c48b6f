# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# For the tests that boot the live image in QEMU: a conversion server on loopback, a medium that was
# prepared for it as an administrator would, machines with disks of their own, and what came of it.
#
#   setup_file () { boot_start NAME; boot_site [ARGUMENT...]; }
#   teardown_file () { boot_stop; }
#   @test ... boot_machine NAME FIRMWARE [QEMU-ARGUMENT...]; boot_wait_off NAME SECONDS; assert_...
#
# To QEMU's user network this machine is 10.0.2.2. The server has no virt-v2v (it is made missing,
# tests/e2e has it): a job ends when all data has landed, and the machine's p2v.fail switches it off.
# Screendumps and what the serial ports said are kept in build/boot for a person to look at.

# shellcheck source=tests/lib/common.bash
source "${BASH_SOURCE[0]%/*}/common.bash"

BOOT_OVMF=/usr/share/OVMF
# How long a machine may take from power on to power off, seconds: emulated, on a shared machine.
BOOT_SECONDS=${BOOT_SECONDS:-300}
# A screendump is taken as often, seconds.
BOOT_SCREEN_INTERVAL=5

# boot_start NAME [convert]: starts a server; $BOOT_DIR is for files. With "convert" the server has
# virt-v2v.
boot_start ()
{
  assert_file_exists "$P2V_BUILD/p2v.iso"
  export BOOT_OUT=$P2V_BUILD/boot/$1
  rm -rf -- "$BOOT_OUT"
  mkdir -p "$BOOT_OUT"
  if [[ ${2-} = convert ]]; then
    # shellcheck disable=SC2119 # no options
    server_start
  else
    server_start --no-libvirt
    server_root mount --bind /dev/null "$(command -v virt-v2v-in-place)"
  fi
  export BOOT_DIR=$SERVER_DIR/boot
  mkdir "$BOOT_DIR"
}

# Ends the server and every machine that still runs.
boot_stop ()
{
  [[ -n ${BOOT_DIR-} ]] || return 0
  local file
  for file in "$BOOT_DIR"/*.pid; do
    [[ ! -e $file ]] || boot_kill "${file%.pid}"
  done
  cp "$SERVER_LOG" "$BOOT_OUT/sshd.log" || true
  cp -r "$SERVER_STATE/jobs" "$BOOT_OUT/" || true
  server_stop
}

# The arguments of a medium: those given, and the usual ones that are not given. "-p2v.fail" leaves
# that one out.
boot_arguments ()
{
  local argument given=' '
  for argument; do
    given+="${argument#-} "
    [[ $argument = -* ]] || printf '%s\n' "$argument"
  done
  for argument in p2v.o=local "p2v.os=$SERVER_IMAGES" p2v.of=raw p2v.memory=512M p2v.fail=poweroff \
      p2v.wait=defined; do
    [[ $given = *" ${argument%%=*}="* || $given = *" ${argument%%=*} "* ]] || printf '%s\n' "$argument"
  done
}

# boot_site ARGUMENT...: $BOOT_MEDIUM, the live image with this server's settings and these
# arguments, which converts by itself; and $BOOT_SITE, its small initramfs alone.
boot_site ()
{
  local argument arguments=()
  while IFS= read -r argument; do
    arguments+=(--argument "$argument")
  done < <(boot_arguments "$@")
  export BOOT_MEDIUM=$BOOT_DIR/site.iso BOOT_SITE=$BOOT_DIR/site.img
  boot_media "${arguments[@]}" --unattended --timeout 1
  xorriso -osirrox on -indev "$BOOT_MEDIUM" -extract /p2v/site.img "$BOOT_SITE" \
    >"$BOOT_OUT/xorriso.log" 2>&1
}

# boot_site_secure: the same; every console shows what the image knows of Secure Boot, see
# assert_secure.
boot_site_secure ()
{
  boot_site 'p2v.pre="bash -c '\''mokutil --sb-state; cat /sys/kernel/security/lockdown; dmesg | grep -i secure'\''"'
}

# boot_media OPTION...: makes $BOOT_MEDIUM with "p2v-server media".
boot_media ()
{
  rm -f -- "$BOOT_MEDIUM"
  "$P2V_BUILD/p2v-server/p2v-server" media "$P2V_BUILD/p2v.iso" -o "$BOOT_MEDIUM" \
    --server 10.0.2.2 --port "$SERVER_PORT" --user "$SERVER_USER" --hostkey "$SERVER_HOSTKEY" \
    --identity "$SERVER_IDENTITY" "$@" >"$BOOT_OUT/media.txt" 2>&1 ||
    assert_fail "p2v-server media:" "$(<"$BOOT_OUT/media.txt")"
}

# boot_disk FILE MIB [SECTOR [SEED]]: a disk with a partition table and an ext4 file system with
# random files, the same for the same seed. SECTOR is its sector size, bytes.
boot_disk ()
{
  local file=$1 mib=$2 sector=${3:-512} seed=${4:-disk} tree
  rm -f -- "$file"
  truncate -s "${mib}M" -- "$file"
  boot_partition "$file" "$sector" "$(((1 << 20) / sector))" "$(((mib - 1 << 20) / sector))"
  tree=$(mktemp -d "$T/tree-XXXXXX")
  mkdir "$tree/etc"
  printf '%s\n' "$seed" >"$tree/etc/name"
  random_bytes "$seed.1" $((5 << 20)) >"$tree/large"
  random_bytes "$seed.2" 12345 >"$tree/small"
  # mke2fs and the kernel must not fill in their own idea of the time and of names.
  mke2fs -q -F -t ext4 -b 4096 -E "offset=$((1 << 20)),lazy_itable_init=0,lazy_journal_init=0" \
    -d "$tree" "$file" "$((mib - 1))M"
  rm -rf -- "$tree"
  # A bit where no file system is.
  random_bytes "$seed.gap" 4096 | dd of="$file" bs=4096 seek=100 conv=notrunc status=none
}

# A DOS partition table with one Linux partition. sfdisk takes the sector size from the device, and
# a file's is always 512.
boot_partition ()
{
  perl -e 'print pack("x440 V x2 C C3 C C3 V V x48 v", 0x70327631, 0x80, 254, 255, 255, 0x83,
    254, 255, 255, $ARGV[0], $ARGV[1], 0xaa55)' "$3" "$4" | dd of="$1" conv=notrunc status=none
}

# The machine's firmware and the medium it boots from, into the array "options".
boot_firmware ()
{
  local name=$1 firmware=$2 chipset=pc code='' vars=OVMF_VARS_4M.fd
  case $firmware in
    kernel | bios-*) ;;
    uefi-*) chipset=q35 code=OVMF_CODE_4M.fd ;;
    secure-*)
      chipset=q35,smm=on code=OVMF_CODE_4M.secboot.fd vars=OVMF_VARS_4M.ms.fd
      # shellcheck disable=SC2054 # one argument
      options+=(-global driver=cfi.pflash01,property=secure,value=on)
      ;;
    *) assert_fail "boot_machine: no firmware $firmware" || return 1 ;;
  esac
  options+=(-machine "${BOOT_CHIPSET:-$chipset}")
  if [[ -n $code ]]; then
    cp "$BOOT_OVMF/$vars" "$BOOT_DIR/$name.vars"
    options+=(-drive "if=pflash,unit=0,format=raw,readonly=on,file=$BOOT_OVMF/$code"
      -drive "if=pflash,unit=1,format=raw,file=$BOOT_DIR/$name.vars")
  fi
  case $firmware in
    *-cd)
      # shellcheck disable=SC2054 # arguments of QEMU
      options+=(-drive "if=none,id=medium,media=cdrom,readonly=on,format=raw,file=$BOOT_MEDIUM"
        -device ide-cd,drive=medium,bootindex=0)
      ;;
    *-usb)
      # shellcheck disable=SC2054
      options+=(-drive "if=none,id=medium,readonly=on,format=raw,file=$BOOT_MEDIUM"
        -device "${BOOT_USB:-qemu-xhci},id=boot-usb"
        -device usb-storage,bus=boot-usb.0,drive=medium,bootindex=0)
      ;;
    kernel)
      # As the boot loaders do it: two archives, one after the other, each from a multiple of four.
      cat "$P2V_BUILD/image/initramfs.img" >"$BOOT_DIR/$name.initrd"
      truncate -s %512 "$BOOT_DIR/$name.initrd"
      cat "${BOOT_SITE:-$P2V_BUILD/image/site.img}" >>"$BOOT_DIR/$name.initrd"
      options+=(-kernel "$P2V_BUILD/image/vmlinuz" -initrd "$BOOT_DIR/$name.initrd"
        -append "console=tty0 console=ttyS0,115200 quiet ${BOOT_APPEND-p2v.server=10.0.2.2}")
      ;;
  esac
}

# boot_machine NAME FIRMWARE [QEMU-ARGUMENT...]: starts a machine. FIRMWARE says what it is and
# boots from: bios-cd, bios-usb, uefi-cd, uefi-usb, secure-cd, secure-usb (UEFI with Secure Boot on
# and Microsoft's keys), or kernel: without boot loader, with the arguments $BOOT_APPEND or else with
# the one that starts the conversion. It has $BOOT_MEMORY MiB (1024); an e1000 on QEMU's user network,
# unless another network is given, and a screen unless one is given. The guest that is made of it has
# the name p2v-NAME.
boot_machine ()
{
  local name=$1 options=()
  boot_firmware "$name" "$2" || return 1
  shift 2
  [[ " $* " = *' -nic '* || " $* " = *' -netdev '* ]] || options+=(-nic 'user,model=e1000')
  [[ " $* " = *' -vga '* ]] || options+=(-vga std)
  rm -f "$BOOT_DIR/$name".{pid,off,serial,qmp}
  : >"$BOOT_OUT/$name.serial"
  qemu-system-x86_64 -accel tcg -smp 2 -m "${BOOT_MEMORY:-1024}" -display none -nodefaults \
    -smbios "type=1,manufacturer=Test,product=p2v,serial=$name" "${options[@]}" \
    -chardev "socket,id=serial,path=$BOOT_DIR/$name.serial,server=on,wait=off,logfile=$BOOT_OUT/$name.serial" \
    -serial chardev:serial -qmp "unix:$BOOT_DIR/$name.qmp,server=on,wait=off" \
    "$@" >"$BOOT_OUT/$name.qemu" 2>&1 3>&- &
  echo $! >"$BOOT_DIR/$name.pid"
  # Screendumps go to files of their own, by the seconds since the machine was switched on.
  BOOT_SINCE=$SECONDS
  rm -f "$BOOT_OUT/$name"-*.png
  wait_until 20 test -S "$BOOT_DIR/$name.qmp" ||
    assert_fail "QEMU: $(<"$BOOT_OUT/$name.qemu")"
}

# boot_qmp NAME COMMAND...: gives commands (JSON) to QEMU, one after the other, prints its answers.
boot_qmp ()
{
  local name=$1
  shift
  # shellcheck disable=SC2016 # Perl's
  timeout 20 perl -MIO::Socket::UNIX -e '
    my $socket = IO::Socket::UNIX->new (shift) or die "no QEMU: $!\n";
    $socket->autoflush (1);
    for my $command (q({"execute":"qmp_capabilities"}), @ARGV)
      {
        print $socket "$command\n";
        # Events and the greeting come in between.
        while (<$socket>) { print; last if /^\{"(return|error)"/; }
      }' "$BOOT_DIR/$name.qmp" "$@"
}

# boot_type NAME KEYS: types on the serial port.
boot_type ()
{
  printf %s "$2" | nc -U -q 1 "$BOOT_DIR/$1.serial" >/dev/null
}

# boot_press NAME KEY...: presses keys on the machine's keyboard, all at once (QEMU's names: alt n).
boot_press ()
{
  local name=$1 keys
  shift
  keys=$(printf '{"type":"qcode","data":"%s"},' "$@")
  boot_qmp "$name" "{\"execute\":\"send-key\",\"arguments\":{\"keys\":[${keys%,}]}}" >/dev/null
}

# boot_screen NAME [FILE]: what the machine's screen shows, as PNG or, by FILE's name, PPM.
boot_screen ()
{
  local file=${2:-$BOOT_OUT/$1-$(printf %03d $((SECONDS - BOOT_SINCE))).png} format=png
  [[ $file != *.ppm ]] || format=ppm
  boot_qmp "$1" "{\"execute\":\"screendump\",\"arguments\":{\"filename\":\"$file\",\"format\":\"$format\"}}" \
    >/dev/null 2>&1 || true
}

boot_runs ()
{
  local pid
  pid=$(<"$BOOT_DIR/$1.pid")
  # Not a zombie, and not another process with the same number.
  [[ $(ps -o stat=,args= -p "$pid" 2>/dev/null) = [^Z]*qemu-system*"$BOOT_DIR/$1.qmp"* ]]
}

# boot_screen_share NAME RED GREEN BLUE: how much of the machine's screen has nearly that colour,
# in percent.
boot_screen_share ()
{
  boot_screen "$1" "$BOOT_DIR/$1.ppm"
  perl -e '
    my @wanted = splice @ARGV, 0, 3;
    binmode STDIN;
    local $/ = undef;
    my ($pixels) = <STDIN> =~ /^P6\s+\d+\s+\d+\s+255\s(.*)$/s or print "0\n" and exit;
    my ($same, $count) = (0, 0);
    for (my $i = 0; $i + 2 < length $pixels; $i += 3 * 97, $count++)
      {
        my @pixel = unpack "C3", substr $pixels, $i, 3;
        $same++ unless grep { abs ($pixel[$_] - $wanted[$_]) > 0x30 } 0 .. 2;
      }
    print int (100 * $same / $count), "\n"' "${@:2}" <"$BOOT_DIR/$1.ppm"
}

# boot_shows NAME PERCENT RED GREEN BLUE: so much of the screen or more has that colour.
boot_shows () { (($(boot_screen_share "$1" "${@:3}") >= $2)); }

# boot_choose NAME KEY: chooses the boot menu's entry with that key on the serial port, as a person
# there does.
boot_choose ()
{
  boot_wait_serial "$1" 'Starting in [0-9]|GRUB version'
  boot_type "$1" "$2"
  boot_type "$1" $'\r'
}

# boot_kill NAME (or its files' path): switches a machine off as a power cut does.
boot_kill ()
{
  local name=${1##*/} pid
  boot_runs "$name" || return 0
  pid=$(<"$BOOT_DIR/$name.pid")
  kill "$pid" 2>/dev/null || true
  wait_until 20 sh -c "! kill -0 $pid 2>/dev/null || [ \"\$(ps -o stat= -p $pid)\" = Z ]"
}

# What the serial port has said so far, without the terminal's control sequences.
boot_serial ()
{
  tr -d '\r' <"$BOOT_OUT/$1.serial" | sed -E 's/\x1b(\[[0-9;?]*[A-Za-z]|[()][A-Z0-9]|[=>78c])//g'
}

# boot_wait NAME SECONDS COMMAND...: until COMMAND succeeds, with screendumps on the way. Fails when
# the machine is off before that, and says what its serial port said last.
boot_wait ()
{
  local name=$1 seconds=$2 deadline next=0
  shift 2
  deadline=$((SECONDS + seconds))
  until "$@"; do
    if ! boot_runs "$name"; then
      # It may have happened in the meantime.
      "$@" && return 0
      assert_fail "$name: the machine went off before: $*" "$(<"$BOOT_OUT/$name.qemu")" \
        "Its serial port:" "$(boot_serial "$name" | tail -n 25)"
      return 1
    elif ((SECONDS >= deadline)); then
      boot_screen "$name" "$BOOT_OUT/$name-timeout.png"
      assert_fail "$name: waited $seconds s in vain for: $* (see $BOOT_OUT)." \
        "Its serial port:" "$(boot_serial "$name" | tail -n 25)"
      return 1
    elif ((SECONDS >= next)); then
      boot_screen "$name"
      next=$((SECONDS + BOOT_SCREEN_INTERVAL))
    else
      sleep 0.3
    fi
  done
}

# boot_wait_off NAME [SECONDS]: until the machine has switched itself off. (A reset or a panic would
# leave QEMU running.)
boot_wait_off ()
{
  boot_wait "$1" "${2:-$BOOT_SECONDS}" boot_is_off "$1"
}

boot_is_off () { ! boot_runs "$1"; }

# boot_wait_serial NAME PATTERN [SECONDS]: until the serial port has said what matches the extended
# regular expression.
boot_wait_serial ()
{
  boot_wait "$1" "${3:-$BOOT_SECONDS}" boot_has_said "$1" "$2"
}

boot_has_said () { boot_serial "$1" | grep -Eq -- "$2"; }

# assert_said NAME PATTERN... : the serial port has said all of these, in this order.
assert_said ()
{
  local name=$1 text pattern rest
  shift
  rest=$(boot_serial "$name")
  text=$rest
  for pattern; do
    [[ $rest =~ $pattern ]] ||
      assert_fail "not said by $name (after what is asked for before it): $pattern" "$text" || return 1
    rest=${rest#*"${BASH_REMATCH[0]}"}
  done
}

refute_said ()
{
  ! boot_has_said "$1" "$2" || assert_fail "$1 should not have said: $2" "$(boot_serial "$1")"
}

# boot_shell NAME SECONDS: runs the commands on standard input in the shell on the machine's serial
# port, which has so long to appear; see live-shell. What they print goes to $BOOT_OUT/NAME.shell.
boot_shell ()
{
  local status=0
  "$COMMON_LIB/live-shell" --timeout="$2" "$BOOT_DIR/$1.serial" >"$BOOT_OUT/$1.shell" \
    2>"$BOOT_OUT/$1.shell.err" || status=$?
  ((status < 2)) ||
    assert_fail "the shell of $1: $(<"$BOOT_OUT/$1.shell.err")" "$(tail -n 20 "$BOOT_OUT/$1.shell")" \
      "Its serial port:" "$(boot_serial "$1" | tail -n 25)"
}

# boot_shell_said NAME COMMAND: what the command printed, and its exit code as the last line.
boot_shell_said ()
{
  awk -v command="> $2" '
    $0 == command { found = 1; next }
    found && /^: / { print substr($0, 3); next }
    found && /^= / { print "exit " substr($0, 3); exit }' "$BOOT_OUT/$1.shell"
}

# What an unattended run that was switched off by p2v.fail has said on the serial console, in order.
# The progress of virt-v2v, which is missing, differs.
assert_said_landed ()
{
  assert_said "$1" 'has the address' 'Looking at this machine' 'Connecting to [0-9.]+' \
    'Connected: p2v-server' "The server calls this job [0-9]*-[0-9]*-${2:-p2v-$1}" \
    'Sending the disks' 'Everything has reached the server' 'virt-v2v-in-place is not installed' \
    'Running the command of p2v.fail' 'reboot: Power down' || return 1
  # Being switched off by one's own command is no failure.
  refute_said "$1" 'was stopped'
}

# assert_secure NAME: firmware, kernel and inventory agree that Secure Boot was on.
assert_secure ()
{
  assert_said "$1" 'SecureBoot enabled' || return 1
  assert_said "$1" 'none \[integrity\] confidentiality' || return 1
  assert_said "$1" 'secureboot: Secure boot enabled' || return 1
  assert_equal "$(jq .request.machine.firmware.secure_boot "$BOOT_OUT/p2v-$1.json")" true
}

# boot_convert NAME FIRMWARE DISK=FILE... -- [QEMU-ARGUMENT...]: the whole of it: the machine starts,
# its disks arrive, it says so, it switches itself off, and its disks' files are as they were. DISK is
# what the kernel calls the disk; the arguments of QEMU attach the files.
boot_convert ()
{
  local name=$1 firmware=$2 pair disks=() before=()
  shift 2
  while [[ $1 != -- ]]; do
    disks+=("$1")
    before+=("$(sha256_of "${1#*=}")")
    shift
  done
  shift
  boot_machine "$name" "$firmware" "$@" || return 1
  boot_wait_off "$name" || return 1
  for pair in "${disks[@]}"; do
    assert_equal "$(sha256_of "${pair#*=}")" "${before[0]}" || return 1
    before=("${before[@]:1}")
  done
  assert_said_landed "$name" && assert_landed "p2v-$name" "${disks[@]}"
}

p2v_server () { server_exec p2v-server --config "$SERVER_CONFIG" "$@"; }

# boot_job GUEST: the job's id.
boot_job ()
{
  p2v_server jobs --json | jq -r --arg guest "$1" '[.jobs[] | select(.guest == $guest)][-1].id'
}

# assert_landed GUEST [DISK=FILE...]: everything of the machine has reached the server, whose images
# equal the disks' files, and virt-v2v was what the job ended for. DISK is a name (sda) or, where the
# kernel gives several disks names in any order, @SERIAL.
assert_landed ()
{
  local guest=$1 job pair disk
  shift
  job=$(boot_job "$guest")
  [[ $job != null ]] ||
    assert_fail "the server has no job of $guest. It has: $(p2v_server jobs)" || return 1
  p2v_server show --json "$job" >"$BOOT_OUT/$guest.json"
  assert_equal "$(jq -r '"\(.transfers | length) disks, \([.transfers[].unknown] | add) unknown"' \
    "$BOOT_OUT/$guest.json")" "$# disks, 0 unknown" || return 1
  assert_equal "$(jq -r ".state, .failed_stage" "$BOOT_OUT/$guest.json" | xargs)" "failed convert" ||
    return 1
  p2v_server show "$job" >"$BOOT_OUT/$guest.txt"
  grep -q virt-v2v "$BOOT_OUT/$guest.txt" || assert_fail "$(<"$BOOT_OUT/$guest.txt")" || return 1
  for pair; do
    disk=${pair%%=*}
    if [[ $disk = @* ]]; then
      disk=$(jq -r --arg serial "${disk#@}" \
        '.request.machine.disks[] | select(.serial == $serial).name' "$BOOT_OUT/$guest.json")
    fi
    qemu-img compare -q -f raw -F raw "${pair#*=}" "$SERVER_IMAGES/$guest-$disk" ||
      assert_fail "${pair%%=*} of $guest is not what the server has" || return 1
  done
}

# A network namespace, $TAGGED, with the address 192.0.2.1 behind a switch's port that passes only
# frames of VLAN 42: QEMU's "-netdev dgram" from $BOOT_DIR/nic to $BOOT_DIR/port. Who connects there
# is led to the server, which listens on the loopback interface outside.
tagged_start ()
{
  TAGGED=p2v-boot-$SERVER_PORT
  local in=(ip -n "$TAGGED")
  ip netns add "$TAGGED"
  ip netns exec "$TAGGED" "$COMMON_LIB/vlan-port" 42 lan "$BOOT_DIR/port" "$BOOT_DIR/nic" \
    >"$BOOT_OUT/vlan-port" 2>&1 3>&- &
  echo $! >"$BOOT_DIR/vlan-port.child"
  wait_until 10 "${in[@]}" -o link show lan >/dev/null 2>&1
  "${in[@]}" address add 192.0.2.1/24 dev lan
  "${in[@]}" link set lan up
  ip netns exec "$TAGGED" systemd-socket-activate --listen="192.0.2.1:$SERVER_PORT" --accept --inetd \
    nsenter --net="/proc/$$/ns/net" nc -N 127.0.0.1 "$SERVER_PORT" >"$BOOT_OUT/relay" 2>&1 3>&- &
  echo $! >"$BOOT_DIR/relay.child"
  wait_until 10 sh -c "ip netns exec $TAGGED ss -Hltn 'sport = :$SERVER_PORT' | grep -q ."
}

tagged_end ()
{
  local file
  for file in "$BOOT_DIR"/*.child; do
    [[ ! -e $file ]] || kill "$(<"$file")" 2>/dev/null || true
    rm -f -- "$file"
  done
  ip netns delete "p2v-boot-$SERVER_PORT" 2>/dev/null || true
}
