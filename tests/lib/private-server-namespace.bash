# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The part of private-server that runs as the first process of the namespaces: it lays the
# server's own files over the machine's, starts sshd and then stays, as every namespace needs
# a process that reaps orphans.

namespace_mounts ()
{
  local dir=$1 file
  # sshd wants /run/sshd, which is missing where systemd does not run; nscd's and udev's sockets
  # in the machine's /run would answer for the machine's accounts instead of ours.
  mount -t tmpfs -o mode=755 tmpfs /run
  mkdir -m 755 /run/sshd
  mkdir -m 1777 /run/lock
  # sshd does not trust keys below a directory that others may write to, as /var/tmp is.
  mkdir -m 755 /run/p2v-ssh
  mount --bind "$dir/ssh" /run/p2v-ssh
  for file in passwd group shadow; do
    mount --bind "$dir/etc/$file" "/etc/$file"
  done
  if [[ -n ${PRIVATE_SERVER_APPLIANCE-} ]]; then
    # The build directory may lie below one that only root may enter; a mount does not mind.
    mount --bind "$PRIVATE_SERVER_APPLIANCE" "$dir/appliance"
    mount -o remount,bind,ro "$dir/appliance"
  fi
}

# Starts sshd on one port. Succeeds once it listens: sshd writes its PID file only then.
namespace_sshd_try ()
{
  local dir=$1 port=$2 sshd
  sed "s/@PORT@/$port/" "$dir/etc/sshd_config.in" >"$dir/etc/sshd_config"
  rm -f "$dir/sshd.pid"
  env -i /usr/sbin/sshd -D -f "$dir/etc/sshd_config" -E "$dir/sshd.log" &
  sshd=$!
  while [[ ! -s $dir/sshd.pid ]]; do
    kill -0 "$sshd" 2>/dev/null || return 1
    sleep 0.02
  done
}

namespace_sshd ()
{
  local dir=$1 attempt port
  for ((attempt = 0; attempt < PORT_ATTEMPTS; attempt++)); do
    port=$((FIRST_PORT + SRANDOM % (LAST_PORT - FIRST_PORT)))
    if namespace_sshd_try "$dir" "$port"; then
      printf '%s\n' "$port" >"$dir/port.new"
      mv "$dir/port.new" "$dir/port"
      return
    fi
  done
  echo "sshd did not start on any of $PORT_ATTEMPTS ports; its log:"
  tail -n 20 "$dir/sshd.log"
  exit 1
}

namespace_main ()
{
  local dir=$1
  umask 022
  namespace_mounts "$dir"
  namespace_sshd "$dir"
  while :; do
    sleep infinity &
    wait "$!" || true
  done
}
