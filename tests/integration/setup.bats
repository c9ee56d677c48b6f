#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# "p2v-server setup" makes an account on a host of its own (the machine's /etc and /var/lib are
# copies in a mount namespace), into which a real sshd lets its key in, for conversions only.

load ../lib/common
load ../lib/medium

setup ()
{
  common_setup
  chmod 755 "$T"
  SSHD=
  # It ends by itself, should this test be killed.
  unshare --mount --propagation private -- sleep 600 3>&- &
  HOST=$!
  wait_until 10 is_apart
  mkdir "$T/bin"
  cp "$P2V_BUILD/p2v-server/p2v-server" "$T/bin/"
  chmod 755 "$T/bin" "$T/bin/p2v-server"
  cp -a /etc "$T/etc"
  rm -rf "$T/etc/p2v"
  sed -i '/^p2v:/d' "$T"/etc/{passwd,group,shadow,gshadow}
  grep -q ^kvm: "$T/etc/group" || echo kvm:x:64900: >>"$T/etc/group"
  echo libvirt:x:64901: >>"$T/etc/group"
  # shellcheck disable=SC2016 # $1 is the inner shell's
  on_host sh -ec '
    mount --bind "$1/etc" /etc
    mount --bind "$1/bin" /usr/local/bin
    mount -t tmpfs -o mode=755 tmpfs /var/lib
    mount -t tmpfs -o mode=755 tmpfs /var/log
    mount -t tmpfs -o mode=755 tmpfs /run
    mkdir -m 755 /run/sshd
    ssh-keygen -q -A' sh "$T"
}

teardown ()
{
  if [[ -n $SSHD ]]; then
    kill "$SSHD" 2>/dev/null || true
    wait "$SSHD" 2>/dev/null || true
  fi
  kill "$HOST" 2>/dev/null || true
  wait "$HOST" 2>/dev/null || true
  common_teardown
}

is_apart () { [[ $(readlink "/proc/$HOST/ns/mnt") != $(readlink /proc/self/ns/mnt) ]]; }

on_host () { nsenter --mount="/proc/$HOST/ns/mnt" --wd=/ -- "$@"; }
setup_host () { on_host /usr/local/bin/p2v-server setup "$@"; }

# Every file of the host that setup could touch: name, mode, owner, time of change, contents.
host_state ()
{
  on_host sh -c '
    find /etc /var/lib -xdev ! -name "passwd-" ! -name "group-" ! -name "*shadow-" \
      ! -name .pwd.lock -printf "%p %m %U:%G %T@\n" | sort
    find /etc /var/lib -xdev -type f -exec sha256sum {} + | sort -k 2'
}

# Starts the host's sshd with its own configuration, but on a free port.
start_sshd ()
{
  PORT=$((20000 + SRANDOM % 10000))
  printf 'Port %s\nListenAddress 127.0.0.1\nPidFile /run/sshd-test.pid\n' "$PORT" |
    cat - "$T/etc/ssh/sshd_config" >"$T/sshd_config"
  cp "$T/sshd_config" "$T/etc/ssh/sshd_config"
  # Not by a function, whose process would not be sshd itself.
  nsenter --mount="/proc/$HOST/ns/mnt" --wd=/ -- /usr/sbin/sshd -D -E "$T/sshd.log" 3>&- &
  SSHD=$!
  wait_until 10 grep -q 'Server listening' "$T/sshd.log"
}

# login [OPTION...] [COMMAND]: with the host's private key, or that in $KEY.
login ()
{
  local key=${KEY-$T/etc/p2v/identity}
  printf '[127.0.0.1]:%s %s\n' "$PORT" "$(<"$T/etc/ssh/ssh_host_ed25519_key.pub")" >"$T/known_hosts"
  # What should be refused may wait for ever when it is not.
  timeout 20 ssh -F none -p "$PORT" -l p2v -i "$key" -o IdentitiesOnly=yes -o BatchMode=yes -o LogLevel=INFO \
    -o UserKnownHostsFile="$T/known_hosts" -o StrictHostKeyChecking=yes -o ConnectTimeout=10 \
    "$@" </dev/stdin
}

hello () { echo '{"type":"hello","version":1}' | login -T 127.0.0.1 p2v-server session; }

@test "without root setup says that it needs root, and does nothing" {
  run on_host setpriv --reuid 65534 --regid 65534 --clear-groups /usr/local/bin/p2v-server setup
  assert_status 1
  assert_output_contains "only root can run it"
  assert_output_contains "sudo p2v-server setup"
}

@test "a dry run says what would be done and changes nothing" {
  local before
  before=$(host_state)
  run setup_host --dry-run
  assert_status 0
  assert_output_contains "would     make the user p2v: home directory /var/lib/p2v, login shell /usr/local/bin/p2v-server, no password"
  assert_output_contains "would     make a key pair: /etc/p2v/identity"
  assert_output_contains "Nothing was changed (--dry-run)."
  assert_equal "$(host_state)" "$before"
}

@test "setup lets systemd recover jobs at boot where the unit is installed, and warns where not" {
  rm -f "$T"/etc/systemd/system/{,*/}p2v-recover.service
  run setup_host
  assert_status 0
  assert_output_contains "warning   p2v-recover.service is not installed"
  cp "$P2V_TOP/p2v-server/p2v-recover.service" "$T/etc/systemd/system/"
  run setup_host
  assert_status 0
  assert_output_contains "change    enable p2v-recover.service"
  assert_equal "$(on_host readlink -f /etc/systemd/system/multi-user.target.wants/p2v-recover.service)" \
    /etc/systemd/system/p2v-recover.service
  run setup_host
  assert_output_contains "ok        p2v-recover.service"
  assert_output_contains "Nothing had to be changed."
}

@test "the account that setup makes belongs to conversions alone" {
  setup_host
  assert_equal "$(on_host getent passwd p2v | cut -d : -f 6,7)" \
    /var/lib/p2v:/usr/local/bin/p2v-server
  assert_equal "$(on_host getent shadow p2v | cut -d : -f 2)" '*'
  assert_equal "$(on_host id -Gn p2v | tr ' ' '\n' | sort | tr '\n' ' ')" "kvm libvirt p2v "
  assert_equal "$(grep -c '^/usr/local/bin/p2v-server$' "$T/etc/shells")" 1
  assert_equal "$(on_host stat -c '%n %U:%G %a' /etc/p2v/identity /var/lib/p2v \
    /var/lib/p2v/images /var/lib/p2v/.ssh /var/lib/p2v/.ssh/authorized_keys)" \
"/etc/p2v/identity root:root 600
/var/lib/p2v p2v:p2v 711
/var/lib/p2v/images p2v:p2v 711
/var/lib/p2v/.ssh root:p2v 750
/var/lib/p2v/.ssh/authorized_keys root:p2v 640"
  assert_equal "$(on_host cat /var/lib/p2v/.ssh/authorized_keys)" \
    "restrict,command=\"/usr/local/bin/p2v-server forced\" $(<"$T/etc/p2v/identity.pub") (made by p2v-server setup)"
}

@test "setup run twice changes nothing the second time" {
  local before
  setup_host
  before=$(host_state)
  run setup_host
  assert_status 0
  assert_output_contains "Nothing had to be changed."
  refute_output_contains "change "
  assert_equal "$(host_state)" "$before"
}

@test "with its key a session is answered, as the account" {
  setup_host
  start_sshd
  run hello
  assert_output_contains '"type":"hello"'
  # The state directory is the account's to write.
  on_host setpriv --reuid p2v --regid p2v --init-groups /usr/local/bin/p2v-server jobs
}

@test "with its key there is no shell, no sftp, no terminal and no forwarding" {
  local command
  setup_host
  start_sshd
  for command in bash 'p2v-server jobs' 'p2v-server session; id' /usr/lib/openssh/sftp-server; do
    run login -T 127.0.0.1 "$command"
    assert_status 2
    assert_output_contains "this account only receives machines"
  done
  run login -T 127.0.0.1
  assert_status 2
  run login -T -s 127.0.0.1 sftp
  assert_status 2
  run login -tt 127.0.0.1 'p2v-server session'
  assert_output_contains "PTY allocation request failed"
  run login -T -W "127.0.0.1:$PORT" 127.0.0.1
  refute_output_contains SSH-2.0
  assert_output_contains "open failed"
  run login -N -o ExitOnForwardFailure=yes -R 0:127.0.0.1:22 127.0.0.1
  assert_status 255
  assert_output_contains "remote port forwarding failed"
}

@test "the login shell alone, without a forced command, lets nothing else in either" {
  setup_host
  ssh-keygen -q -t ed25519 -N '' -f "$T/other"
  on_host sh -c 'cat >>/var/lib/p2v/.ssh/authorized_keys' <"$T/other.pub"
  start_sshd
  KEY=$T/other
  run hello
  assert_output_contains '"type":"hello"'
  run login -T 127.0.0.1 'id; echo in'
  assert_status 2
  run setup_host
  assert_output_contains "1 other key without command="
}

@test "what is printed at the end: host keys, kernel arguments, and a media command that works" {
  local output fingerprint command
  start_sshd
  run setup_host
  assert_status 0
  fingerprint=$(on_host ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub | cut -d ' ' -f 2)
  assert_output_contains "  $fingerprint  ssh-ed25519"
  assert_output_contains " p2v.port=$PORT p2v.username=p2v p2v.hostkey=$fingerprint p2v.identity="
  command=$(sed -n 's/^  p2v-server media/\/usr\/local\/bin\/p2v-server media/p' <<<"$output")
  mkdir "$T/medium"
  medium_image "$T/medium/p2v.iso"
  # Its name may mean nothing outside, so it is not looked for there.
  run nsenter --mount="/proc/$HOST/ns/mnt" --wd="$T/medium" -- sh -c "$command --hostkey $fingerprint"
  assert_status 0
  assert_output_contains "p2v.port=$PORT"
  assert_output_contains "$(on_host ssh-keygen -lf /etc/p2v/identity | cut -d ' ' -f 2)"
  [[ -s $T/medium/site.iso ]]
}

@test "a new key takes the place of those made before, and keys of others stay" {
  setup_host
  on_host ssh-keygen -q -t ed25519 -N '' -C other -f /etc/other
  setup_host --key /etc/other.pub
  # Two private keys in use, of which one has gone to a place that setup knows nothing of.
  setup_host --identity /etc/second
  mv "$T/etc/p2v/identity" "$T/first"
  start_sshd
  run setup_host --identity /etc/second --dry-run --new-key
  assert_status 0
  KEY=$T/etc/second run hello
  assert_output_contains '"type":"hello"'
  cp "$T/etc/second" "$T/second"
  run setup_host --identity /etc/second --new-key
  assert_status 0
  assert_output_contains "make a new key pair"
  KEY=$T/first run hello
  assert_output_contains "Permission denied"
  KEY=$T/second run hello
  assert_output_contains "Permission denied"
  KEY=$T/etc/second run hello
  assert_output_contains '"type":"hello"'
  KEY=$T/etc/other run hello
  assert_output_contains '"type":"hello"'
  assert_equal "$(on_host grep -c . /var/lib/p2v/.ssh/authorized_keys)" 2
  assert_equal "$(find "$T/etc" -name 'second*' -printf '%f\n' | sort | tr '\n' ' ')" "second second.pub "
}

@test "a new key that cannot be let in leaves the old one in use" {
  setup_host
  start_sshd
  on_host mount --bind /var/lib/p2v/.ssh /var/lib/p2v/.ssh
  on_host mount -o remount,bind,ro /var/lib/p2v/.ssh
  run setup_host --new-key
  assert_status 1
  assert_output_contains "cannot write authorized_keys"
  assert_equal "$(find "$T/etc/p2v" -name 'identity*' -printf '%f\n' | sort | tr '\n' ' ')" \
    "identity identity.pub "
  run hello
  assert_output_contains '"type":"hello"'
}

@test "a key of one's own: it is let in, and no private key is made" {
  ssh-keygen -q -t ecdsa -N '' -C mine -f "$T/mine"
  run setup_host --key "$T/mine"
  assert_status 2
  assert_output_contains "this is a private key. Name its .pub file."
  setup_host --key "$T/mine.pub"
  refute_file_exists "$T/etc/p2v/identity"
  start_sshd
  KEY=$T/mine run hello
  assert_output_contains '"type":"hello"'
}

@test "an account made by hand becomes one whose shell is p2v-server" {
  on_host useradd --system --home-dir /var/lib/p2v --create-home --shell /bin/sh p2v
  on_host chpasswd <<<p2v:secret
  run setup_host
  assert_status 0
  assert_output_contains "make /usr/local/bin/p2v-server the login shell of p2v (was /bin/sh)"
  assert_output_contains "let nobody log in as p2v with a password"
  assert_equal "$(on_host getent passwd p2v | cut -d : -f 7)" /usr/local/bin/p2v-server
  assert_equal "$(on_host getent shadow p2v | cut -d : -f 2)" '*'
}

@test "root and people's accounts are refused" {
  run setup_host --user root
  assert_status 2
  assert_output_contains "machines do not log in as root"
  on_host useradd --uid 61234 alice
  run setup_host --user alice
  assert_status 2
  assert_output_contains "that is a person's account"
  run setup_host --user 'a b'
  assert_status 2
}

@test "a directory of others is not given away" {
  on_host mkdir /var/lib/p2v
  on_host touch /var/lib/p2v/precious
  run setup_host
  assert_status 2
  assert_output_contains "has other things in it"
  assert_equal "$(on_host stat -c %U /var/lib/p2v)" root
}

@test "a symbolic link in the home directory is not followed" {
  setup_host
  on_host sh -c 'rm -r /var/lib/p2v/.ssh && mkdir /var/lib/elsewhere &&
    ln -s ../elsewhere /var/lib/p2v/.ssh'
  run setup_host
  assert_status 1
  assert_equal "$(on_host ls /var/lib/elsewhere)" ""
}

@test "what keeps sshd from letting the account in is warned of" {
  printf 'AllowUsers root admin\nPubkeyAuthentication no\n' | cat - "$T/etc/ssh/sshd_config" >"$T/new"
  cp "$T/new" "$T/etc/ssh/sshd_config"
  run setup_host
  assert_status 0
  assert_output_contains "AllowUsers does not let the account in. Add to it: p2v"
  assert_output_contains "PubkeyAuthentication is off."
}

@test "a program that others cannot run cannot be the login shell" {
  on_host sh -c 'mkdir -m 700 /var/lib/hidden && cp /usr/local/bin/p2v-server /var/lib/hidden'
  run on_host /var/lib/hidden/p2v-server setup
  assert_status 2
  assert_output_contains "cannot be a login shell"
}

@test "a program that somebody else could replace cannot be the login shell" {
  on_host sh -c 'mkdir -m 755 /var/lib/theirs && cp /usr/local/bin/p2v-server /var/lib/theirs &&
    chown nobody /var/lib/theirs'
  run on_host /var/lib/theirs/p2v-server setup
  assert_status 2
  assert_output_contains "/var/lib/theirs is not root's"
  on_host sh -c 'chown root:daemon /var/lib/theirs && chmod g+w /var/lib/theirs'
  run on_host /var/lib/theirs/p2v-server setup
  assert_status 0
  assert_output_contains "the group 1 may change /var/lib/theirs"
}
