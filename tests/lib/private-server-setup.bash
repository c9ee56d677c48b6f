# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The part of private-server that makes an instance: its directory, account, keys and
# configuration files.

setup_directory ()
{
  local dir=$1 parent
  if [[ -z $dir ]]; then
    mktemp -d /var/tmp/p2v-XXXXXX
    return
  fi
  dir=$(realpath -m -- "$dir")
  [[ $dir =~ ^/[A-Za-z0-9/._-]+$ ]] ||
    fail "$dir: only letters, digits and /._- may be in the name, as sshd's files take no others."
  ((${#dir} <= LONGEST_DIR)) ||
    fail "$dir is too long by $((${#dir} - LONGEST_DIR)) characters for the sockets in it."
  [[ $dir != /run/* ]] || fail "$dir: the server has a /run of its own. Choose another place."
  mkdir -p -- "$dir"
  [[ -z $(ls -A -- "$dir") ]] || fail "$dir is not empty. Name a directory that is, or a new one."
  parent=${dir%/*}
  if ! setpriv --reuid "$FIRST_UID" --regid "$FIRST_UID" --clear-groups test -x "${parent:-/}"; then
    rmdir -- "$dir"
    fail "$dir cannot be reached by other accounts than root. Choose a place in /var/tmp."
  fi
  printf '%s\n' "$dir"
}

# Finds a uid that no account, process or other instance has, and registers DIR ($1) under it.
# Prints the entry.
setup_register ()
{
  local dir=$1 owner=$2 uid
  (
    flock 9
    for ((uid = FIRST_UID; uid <= LAST_UID; uid++)); do
      if [[ ! -e $REGISTRY/$uid ]] && ! getent passwd "$uid" >/dev/null && ! getent group "$uid" >/dev/null &&
           [[ -z $(processes_of_uid "$uid") ]]; then
        printf 'dir=%s\nowner=%s\nstarter=%s\n' "$dir" "${owner:+$(process_name "$owner")}" \
               "$(process_name "$$")" >"$REGISTRY/new"
        # Complete from the start: gc would take a half-written entry for a dead one's.
        mv "$REGISTRY/new" "$REGISTRY/$uid"
        printf '%s\n' "$REGISTRY/$uid"
        exit 0
      fi
    done
    fail "no user id between $FIRST_UID and $LAST_UID is free."
  ) 9>"$REGISTRY/lock"
}

setup_account ()
{
  local dir=$1 uid=$2 password=$3 hash file
  hash=$(openssl passwd -6 -stdin <<<"$password")
  mkdir "$dir/etc"
  for file in passwd group shadow; do
    # A machine may have an account of the same name, as a real conversion server has.
    grep -v "^$ACCOUNT:" "/etc/$file" >"$dir/etc/$file"
  done
  # In group kvm, as the account of a real server is.
  sed -i -E "s/^(kvm:[^:]*:[^:]*:)(.*[^,])?,*$/\1\2,$ACCOUNT/; s/^(kvm:.*:),/\1/" "$dir/etc/group"
  printf '%s:x:%s:%s:p2v test server:%s:/bin/sh\n' "$ACCOUNT" "$uid" "$uid" "$dir/home" \
         >>"$dir/etc/passwd"
  printf '%s:x:%s:\n' "$ACCOUNT" "$uid" >>"$dir/etc/group"
  printf '%s:%s:19000:0:99999:7:::\n' "$ACCOUNT" "$hash" >>"$dir/etc/shadow"
  chmod 600 "$dir/etc/shadow"
}

# The build directory may lie where only root may go, so the programs are copied, and readable
# whatever the umask was when they were made.
setup_programs ()
{
  local dir=$1 stage=$2 built=${P2V_BUILD:-$LIB/../../build}/p2v-server
  if [[ -n $stage ]]; then
    [[ -x $stage/usr/bin/p2v-server ]] ||
      fail "no usr/bin/p2v-server in $stage. Make it: make install DESTDIR=$stage PREFIX=/usr"
    mkdir "$dir/usr"
    cp -a -- "$stage/usr/." "$dir/usr/"
    chmod -R u=rwX,go=rX "$dir/usr"
  else
    [[ -x $built/p2v-server ]] || fail "there is no $built/p2v-server. Build it first: make"
    install -d -m 755 "$dir/usr" "$dir/usr/bin"
    install -m 755 -- "$built/p2v-server" "$built/p2v-server-lane" "$dir/usr/bin"
  fi
}

setup_directories ()
{
  local dir=$1 uid=$2 name
  chmod 711 "$dir"
  mkdir -m 755 "$dir/ssh" "$dir/appliance"
  mkdir -m 700 "$dir/client"
  for name in home state images pool tmp run c; do
    mkdir "$dir/$name"
    chown "$uid:$uid" "$dir/$name"
  done
  chmod 700 "$dir/run" "$dir/tmp"
}

# Everything that programs on the server find in their environment, NAME=VALUE a line. libvirt's
# configuration has a short directory of its own because of the sockets in it.
setup_environment ()
{
  local dir=$1
  shift
  printf '%s\n' "PATH=$dir/usr/bin:/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin" \
         LIBGUESTFS_BACKEND=direct LIBGUESTFS_BACKEND_SETTINGS=force_tcg \
         "LIBGUESTFS_CACHEDIR=$dir/tmp" LIBVIRT_DEFAULT_URI=qemu:///session "TMPDIR=$dir/tmp" \
         "XDG_CONFIG_HOME=$dir/c" "XDG_CACHE_HOME=$dir/home/.cache" "XDG_RUNTIME_DIR=$dir/run"
  if [[ -n ${PRIVATE_SERVER_APPLIANCE-} ]]; then
    printf 'LIBGUESTFS_PATH=%s\n' "$dir/appliance"
  fi
  (($# == 0)) || printf '%s\n' "$@"
}

# sshd knows only its first SetEnv line, so all variables are on one, quoted (sshd_config(5)).
setup_sshd ()
{
  local dir=$1 listen=$2 forced="$1/usr/bin/p2v-server forced --config $1/server.conf" variables
  ssh-keygen -q -t ed25519 -N '' -C p2v-server -f "$dir/ssh/host_ed25519"
  ssh-keygen -q -t ed25519 -N '' -C p2v-client -f "$dir/client/id_ed25519"
  printf 'restrict,command="%s" %s\n' "$forced" "$(<"$dir/client/id_ed25519.pub")" \
         >"$dir/ssh/authorized_keys"
  chmod 644 "$dir/ssh/authorized_keys"
  variables=$(sed 's/.*/"&"/' "$dir/environment" | tr '\n' ' ')
  # The first line for a keyword counts.
  printf '%s\n' "${@:3}" >"$dir/etc/sshd_config.in"
  cat >>"$dir/etc/sshd_config.in" <<END
ListenAddress $listen
Port @PORT@
HostKey $dir/ssh/host_ed25519
AuthorizedKeysFile /run/p2v-ssh/authorized_keys
PidFile $dir/sshd.pid
LogLevel VERBOSE
UsePAM no
PubkeyAuthentication yes
PasswordAuthentication yes
KbdInteractiveAuthentication no
PermitRootLogin no
AllowUsers $ACCOUNT
DisableForwarding yes
PermitTTY no
PermitUserEnvironment no
# The same for whoever comes with the password instead of the key.
ForceCommand $forced
SetEnv $variables
MaxSessions 64
MaxStartups 256
MaxAuthTries 6
UseDNS no
PrintMotd no
END
}

setup_server_files ()
{
  local dir=$1
  cat >"$dir/server.conf" <<END
[server]
state-dir=$dir/state

[libvirt]
uri=qemu:///session

[storage]
allow=libvirt-pools;$dir/images

[profiles]
file=$dir/virt-v2v.conf
END
  cat >"$dir/virt-v2v.conf" <<END
<virt-v2v>
  <profile name="libvirt">
    <method>libvirt</method>
    <storage>default</storage>
    <network type="default">
      <network type="user"/>
    </network>
  </profile>
  <profile name="local">
    <method>local</method>
    <storage>$dir/images</storage>
    <network type="default">
      <network type="user"/>
    </network>
  </profile>
</virt-v2v>
END
}

setup_settings ()
{
  local dir=$1 uid=$2 password=$3 fingerprint
  fingerprint=$(ssh-keygen -l -E sha256 -f "$dir/ssh/host_ed25519.pub")
  read -r _ fingerprint _ <<<"$fingerprint"
  (
    umask 077
    printf '%s\n' "DIR=$dir" "PORT=$(<"$dir/port")" "USER=$ACCOUNT" "PASSWORD=$password" \
           "HOSTKEY=$fingerprint" "IDENTITY=$dir/client/id_ed25519" "HOME=$dir/home" \
           "STATE=$dir/state" "IMAGES=$dir/images" "POOL=$dir/pool" "CONFIG=$dir/server.conf" \
           LIBVIRT_URI=qemu:///session "LOG=$dir/sshd.log" "UID=$uid" >"$dir/settings"
  )
}

# Starts the namespaces' first process, detached from whoever called, and waits for sshd.
setup_launch ()
{
  local dir=$1 entry=$2 launcher holder waited=0
  (
    # An inherited descriptor (bats's for one) would keep its reader waiting for ever.
    for fd in "/proc/$BASHPID/fd"/*; do
      fd=${fd##*/}
      if ((fd > 2)); then
        exec {fd}>&-
      fi
    done
    exec setsid unshare --mount --pid --fork --kill-child --mount-proc --propagation private \
         -- "$SELF" namespace "$dir" </dev/null >"$dir/holder.log" 2>&1
  ) &
  launcher=$!
  printf 'launcher=%s\n' "$(process_name "$launcher")" >>"$entry"
  while [[ ! -s $dir/port ]]; do
    if ((waited++ >= START_SECONDS * 50)) || ! process_alive "$(process_name "$launcher")"; then
      fail "the server in $dir did not start: $(tail -n 5 "$dir/holder.log")"
    fi
    sleep 0.02
  done
  holder=$(pgrep -P "$launcher")
  printf 'holder=%s\n' "$(process_name "$holder")" >>"$entry"
}

setup_pool ()
{
  local dir=$1 command
  for command in "pool-define-as default dir --target $dir/pool" "pool-start default" \
                 "pool-autostart default"; do
    # shellcheck disable=SC2086 # a list of words, and DIR has no special characters
    "$SELF" exec "$dir" virsh -q $command >>"$dir/holder.log" 2>&1 ||
      fail "libvirt's session daemon did not make the pool: $(tail -n 5 "$dir/holder.log")"
  done
}

# The directory of the appliance that fits what is installed, below the build directory.
appliance_path ()
{
  local key
  key=$({ dpkg-query -W libguestfs0 supermin qemu-system-x86 2>/dev/null; ls /boot; } | sha256sum)
  printf '%s/appliance/%s\n' "${P2V_BUILD:-$LIB/../../build}" "${key:0:16}"
}

command_appliance ()
{
  local path
  path=$(appliance_path)
  mkdir -p "${path%/*}"
  (
    flock 9
    [[ ! -d $path ]] || exit 0
    rm -rf "$path.new"
    LIBGUESTFS_BACKEND=direct LIBGUESTFS_BACKEND_SETTINGS=force_tcg \
      libguestfs-make-fixed-appliance "$path.new"
    chmod -R a+rX "$path.new"
    mv "$path.new" "$path"
  ) 9>"${path%/*}/lock"
}

command_start ()
{
  local stage="" owner="" libvirt=yes listen=127.0.0.1 extra=() options=()
  local dir entry uid password
  while [[ ${1-} = --* ]]; do
    case $1 in
      --install-from=*) stage=${1#*=} ;;
      --owner=*) owner=${1#*=} ;;
      --env=[A-Za-z_]*=*) extra+=("${1#*=}") ;;
      --sshd-option=*) options+=("${1#*=}") ;;
      --listen=[0-9a-f]*) listen=${1#*=} ;;
      --no-libvirt) libvirt= ;;
      *) fail "start: no option '$1'. 'private-server help' lists them." ;;
    esac
    shift
  done
  command_gc
  dir=$(setup_directory "${1-}")
  # It is told apart by this file from directories that stop must not remove.
  : >"$dir/private-server"
  entry=$(setup_register "$dir" "$owner")
  # Whatever goes wrong from here on leaves nothing behind.
  trap 'instance_end "$entry"' EXIT
  uid=${entry##*/}
  password=$(openssl rand -hex 12)
  PRIVATE_SERVER_APPLIANCE=$(appliance_path)
  [[ -d $PRIVATE_SERVER_APPLIANCE ]] || PRIVATE_SERVER_APPLIANCE=
  export PRIVATE_SERVER_APPLIANCE
  umask 022
  setup_account "$dir" "$uid" "$password"
  setup_programs "$dir" "$stage"
  setup_directories "$dir" "$uid"
  setup_environment "$dir" "${extra[@]}" >"$dir/environment"
  setup_sshd "$dir" "$listen" "${options[@]}"
  setup_server_files "$dir"
  setup_launch "$dir" "$entry"
  setup_settings "$dir" "$uid" "$password"
  [[ -z $libvirt ]] || setup_pool "$dir"
  trap - EXIT
  printf '%s\n' "$dir"
}
