#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# How the data goes: several lanes, several disks, compression, the limit of bandwidth, what a lane
# takes of the server. The server's sshd wants new keys after every few megabytes.

load ../lib/common
load ../lib/session

setup_file ()
{
  server_start --no-libvirt --sshd-option="RekeyLimit 4M" --sshd-option="LogLevel DEBUG1"
  server_root mount --bind /dev/null "$(command -v virt-v2v-in-place)"
}

teardown_file () { server_stop; }
setup () { common_setup; }

teardown ()
{
  session_end
  common_teardown
}

# lane_hello NAME: begins a job; $hello is the first line of a compressed lane to it.
lane_hello ()
{
  session_create "$1" '{"mode": "local", "storage": "'"$SERVER_IMAGES"'"}'
  hello=$(jq -c '{type: "lane", version: 1, job, token, disk: "sda", compress: "zstd"}' <<<"$answer")
}

# text_disk FILE BYTES: a disk full of words, which compress to a quarter or less.
text_disk ()
{
  perl -e 'srand 7; my @w = map { join "", map { ("a".."z")[rand 26] } 0 .. 3 + rand 6 } 0 .. 999;
           my $left = shift;
           while ($left > 0) { my $t = join(" ", map { $w[rand @w] } 0 .. 9999);
                               print substr $t, 0, $left; $left -= length $t }' "$2" >"$1"
}

# convert NAME ARGUMENT...: sends the disks $T/sd* into the server's directory; JSON into $T/json.
convert ()
{
  local disks=("$T"/sd?)
  client --json-progress "p2v.name=$1" "p2v.disks=$(IFS=,; printf '%s' "${disks[*]}")" \
    p2v.interfaces= p2v.memory=512M p2v.o=local "p2v.os=$SERVER_IMAGES" "${@:2}" \
    </dev/null >"$T/json" 2>"$T/errors" || local status=$?
  # All that follows the transfer is made impossible.
  [[ ${status-0} -eq 8 ]] || assert_fail "status ${status-0}" "$(cat "$T/json" "$T/errors")"
  local disk
  for disk in "${disks[@]}"; do
    assert_same_contents "$SERVER_IMAGES/$1-${disk##*/}" "$disk"
  done
}

# Bytes sent over the network, as the client counts them.
wire () { jq -s 'map(select(.type == "progress"))[-1].wire' "$T/json"; }

# The most memory that each lane's process has taken so far, KiB, one a line.
lane_peaks ()
{
  server_root sh -c 'for pid in $(pgrep -x p2v-server-lane); do
      sed -n "s/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p" "/proc/$pid/status"
    done; true' 2>/dev/null
}

@test "every number of lanes and kind of compression carries the same bytes" {
  local how
  disk_make "$T/sda" 60000256 lanes
  for how in "p2v.lanes=1 p2v.compress=off" "p2v.lanes=4 p2v.compress=off" \
      "p2v.lanes=3 p2v.compress=1" "p2v.lanes=2 p2v.compress=19" "p2v.lanes=16 p2v.compress=auto" ""; do
    # shellcheck disable=SC2086 # words on purpose
    convert "how-$(tr -cd 'a-z0-9' <<<"$how")" p2v.of=raw $how
  done
}

@test "compression leaves less for the network, and off means off" {
  text_disk "$T/sda" 60000256
  convert plain p2v.of=raw p2v.compress=off
  local plain
  plain=$(wire)
  ((plain >= 60000256)) || assert_fail "$plain bytes sent of 60000256"
  convert level p2v.of=raw p2v.compress=3
  (($(wire) < plain / 2)) || assert_fail "$(wire) bytes sent of $plain"
  convert auto p2v.of=raw p2v.bwlimit=20M
  (($(wire) < plain / 2)) || assert_fail "$(wire) bytes sent of $plain, with a slow link"
}

@test "several disks are sent at once, none waits for another" {
  local disk client now most=0
  for disk in sda sdb sdc; do
    disk_make "$T/$disk" 40000000 "several.$disk"
  done
  # With fewer lanes than disks there is still one for each.
  convert several p2v.of=raw p2v.lanes=2 p2v.compress=off p2v.bwlimit=8M 3>&- &
  client=$!
  while kill -0 "$client" 2>/dev/null; do
    now=$(lane_peaks | wc -l)
    most=$((now > most ? now : most))
    sleep 0.2
  done
  wait "$client"
  assert_equal "$most" 3
}

@test "the bandwidth limit holds for all lanes together" {
  local before after
  random_bytes limit 24000000 >"$T/sda"
  before=$(date +%s%N)
  convert limit p2v.of=raw p2v.lanes=4 p2v.bwlimit=4M
  after=$(date +%s%N)
  # 24 MB at 4 MiB a second are 5.7 s at the least.
  ((after - before > 5600002560)) || assert_fail "$(((after - before) / 1000000)) ms"
}

@test "a lane takes no more than 16 MiB of the server, at any level" {
  local level client peak lanes=0
  text_disk "$T/sda" 80000000
  for level in 1 19; do
    convert "memory$level" p2v.of=raw p2v.lanes=2 "p2v.compress=$level" p2v.bwlimit=3M 3>&- &
    client=$!
    while kill -0 "$client" 2>/dev/null; do
      while read -r peak; do
        lanes=$((lanes + 1))
        ((peak > 0 && peak <= 16384)) || assert_fail "a lane's process takes $peak KiB at level $level"
      done < <(lane_peaks)
      sleep 0.3
    done
    wait "$client"
  done
  ((lanes > 4)) || assert_fail "no lane was seen"
}

@test "the client takes no more than 256 MiB with four lanes, at any level" {
  local level client peak
  # More than all of its buffers hold; what is sent of it is as little as the level allows.
  random_bytes client 262144000 >"$T/sda"
  for level in 1 19; do
    "$P2V_CLIENT" --cmdline="p2v.server=127.0.0.1 p2v.port=$SERVER_PORT p2v.username=$SERVER_USER \
      p2v.identity=file://$SERVER_IDENTITY p2v.hostkey=$SERVER_HOSTKEY p2v.name=client$level \
      p2v.disks=$T/sda p2v.interfaces= p2v.memory=512M p2v.o=local p2v.os=$SERVER_IMAGES p2v.of=raw \
      p2v.lanes=4 p2v.compress=$level p2v.bwlimit=4M" </dev/null >"$T/errors" 2>&1 3>&- &
    client=$!
    wait_until 60 has_lanes 4
    # Until the buffers are full, and each lane has compressed what fills its tables.
    wait_until 60 takes "$client" 40000
    sleep 4
    peak=$(peak_of "$client")
    kill -INT "$client"
    wait "$client" || assert_equal "$?" 9
    ((peak <= 262144)) || assert_fail "the client takes $peak KiB at level $level"
  done
}

# The most memory that a process has taken so far, KiB.
peak_of () { sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$1/status"; }
takes () { (($(peak_of "$1") >= $2)); }
has_lanes () { (($(lane_peaks | wc -l) >= $1)); }

@test "AES-GCM is used where the processor has AES" {
  local wanted=chacha20-poly1305@openssh.com
  if grep -qw aes /proc/cpuinfo && grep -qw pclmulqdq /proc/cpuinfo; then
    wanted=aes128-gcm@openssh.com
  fi
  disk_make "$T/sda" 5000192 cipher
  : >"$SERVER_LOG"
  convert cipher p2v.of=raw p2v.lanes=2
  # Of the session and of two lanes, and each once more with every new key.
  grep -o 'kex: client->server cipher: [^ ]*' "$SERVER_LOG" >"$T/ciphers"
  (($(wc -l <"$T/ciphers") >= 3))
  assert_equal "$(sort -u "$T/ciphers")" "kex: client->server cipher: $wanted"
}

@test "a lane that sends rubbish for zstd is ended with the reason" {
  local hello status=0
  lane_hello rubbish
  { printf '%s\n' "$hello"; head -c 100000 /dev/zero | tr '\0' x; } |
    server_ssh p2v-server lane >"$T/lane" 2>"$T/errors" || status=$?
  assert_equal "$(head -n 1 "$T/lane" | jq -r '.type + " " + .compress')" "ready zstd"
  assert_equal "$status" 7
  grep -q 'not the zstd stream' "$T/errors" || assert_fail "$(cat "$T/errors")"
}

@test "a lane takes no stream that wants more memory than it has" {
  local hello status=0
  lane_hello window
  { printf '%s\n' "$hello"; head -c 20000000 /dev/zero | zstd -q --long=27 -c; } |
    server_ssh p2v-server lane >"$T/lane" 2>"$T/errors" || status=$?
  assert_equal "$status" 7
}
