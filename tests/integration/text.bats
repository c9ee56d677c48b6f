#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The text interface in a terminal of 80 columns and 24 lines, by its keys alone, against a real
# server: a conversion from the first page to the last, and what a person is told on the way.

load ../lib/common
load ../lib/sample-disks
load ../lib/text
load ../lib/interrupted
load ../lib/faulty-disk

bats_require_minimum_version 1.5.0

setup_file ()
{
  server_start
  # As in conversion.bats: a job that has landed, without the minutes of a conversion.
  server_root mount --bind /dev/null "$(command -v virt-v2v-in-place)"
}

teardown_file () { server_stop; }

setup ()
{
  LOOPS=()
  common_setup
  disk_make "$T/sda" 50000384 "$BATS_TEST_NUMBER"
}

teardown ()
{
  local device
  [[ -z ${faulty_pid-} ]] || kill -CONT "$faulty_pid"
  terminal kill-server 2>/dev/null || true
  faulty_disk_end
  for device in "${LOOPS[@]}"; do losetup -d "$device"; done
  [[ -z ${NETWORK_NAMESPACE-} ]] || ip netns delete "$NETWORK_NAMESPACE"
  common_teardown
}

p2v_server () { server_exec p2v-server --config "$SERVER_CONFIG" "$@"; }
states_of () { p2v_server jobs --json | jq -c --arg guest "$1" '[.jobs[] | select(.guest == $guest) | .state]'; }
state_of () { p2v_server jobs --json | jq -r --arg guest "$1" '[.jobs[] | select(.guest == $guest)][-1].state'; }

# From the first page to the review.
go_to_review ()
{
  see "Machine and network"
  press_button Next
  see "Conversion server"
  press_button Next
  see "Which disks become"
  press_button Next
  see "What shall the guest be?"
  press_button Next
  see "Is this right?"
}

@test "from the first page to a landed job, the password typed" {
  text_start p2v.name=typed1
  see "Machine and network"
  press_button Next
  see "Conversion server"
  # The server and the user are there: the cursor waits for the password.
  type_text "$SERVER_PASSWORD"
  run screen
  refute_output_contains "$SERVER_PASSWORD"
  assert_output_contains "127.0.0.1"
  press_button Test
  see "runs p2v-server 0."
  see "which has "
  press Enter
  press_button Next
  see "Which disks become"
  see "[*] sda"
  see "47.7 MiB"
  press_button Next
  see "What shall the guest be?"
  see "typed1"
  press_button Next
  see "Is this right?"
  see "typed1"
  see "$SERVER_HOSTKEY"
  see "-o local, -os $SERVER_IMAGES"
  press_button Convert
  see "Sent, but the conversion failed"
  see "virt-v2v-in-place is not installed"
  see "p2v-server retry"
  press_button Log
  see "Connected: p2v-server"
  press Enter
  see "Sent, but"
  press_button Quit
  wait_until 10 ended
  assert_equal "$(<"$T/status")" 8
  qemu-img compare -f raw "$T/sda" "$SERVER_IMAGES/typed1-sda"
}

@test "a wrong password is said, and another may be typed at once" {
  text_start p2v.password=wrong
  see "Machine and network"
  press_button Next
  press_button Next
  see "The server does not let us in"
  see "user $SERVER_USER"
  press Enter
  type_text "$SERVER_PASSWORD"
  press_button Next
  see "Which disks become"
}

@test "an unknown host key is asked about, and the password not sent before" {
  text_start -p2v.hostkey "p2v.password=$SERVER_PASSWORD" p2v.name=asked1
  local before
  before=$(wc -l <"$SERVER_LOG")
  see "Machine and network"
  press_button Next
  press_button Next
  see "Is this the server?"
  see "$SERVER_HOSTKEY"
  run tail -n +$((before + 1)) "$SERVER_LOG"
  refute_output_contains "Accepted"
  # The button that Enter presses is the careful one.
  press Enter
  see "Where does this machine go?"
  press_button Next
  see "Is this the server?"
  press_button "It is the same"
  see "Which disks become"
  # Accepted once, it is not asked about again.
  press Escape
  see "Where does this machine go?"
  press_button Next
  see "Which disks become"
}

@test "another host key than the one given blocks" {
  text_start p2v.hostkey=SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA \
    "p2v.password=$SERVER_PASSWORD"
  see "Machine and network"
  press_button Next
  press_button Next
  see "This is not the expected server"
  see "$SERVER_HOSTKEY"
  run screen
  refute_output_contains "It is the same"
  press Enter
  press_button Next
  see "This is not the expected server"
}

@test "a server without libvirt is said to be one, and to refuse what needs it" {
  cp "$SERVER_CONFIG" "$T/server.conf"
  server_root sed -i 's|^uri=.*|uri=qemu+unix:///session?socket=/nowhere|' "$SERVER_CONFIG"
  text_start "p2v.identity=file://$SERVER_IDENTITY" p2v.o=libvirt -p2v.os
  see "Machine and network"
  press_button Next
  see "Conversion server"
  press_button Next
  see "The server would refuse this conversion"
  see "cannot connect to libvirt at"
  press Enter
  see "Which disks become"
  press Escape
  see "Where does this machine go?"
  press_button Test
  see "The server would refuse this conversion"
  press Enter
  see "runs p2v-server 0."
  see "Its libvirt cannot be used: "
  cp "$T/server.conf" "$SERVER_CONFIG"
}

@test "a server that is not there is said, with what to check" {
  text_start p2v.port=1 p2v.password=x
  see "Machine and network"
  press_button Next
  press_button Next
  see "The server cannot be reached"
  see "127.0.0.1 port 1"
  see "Check the server's name and port"
}

@test "without a network it says so at once, and again when the server is tried" {
  WRAPPER=(unshare --net)
  text_start "p2v.password=$SERVER_PASSWORD"
  see "No driver for a network card"
  press_button Next
  see "Conversion server"
  press_button Next
  see "The server cannot be reached"
  see "Network is unreachable"
}

@test "a cable and an address are noticed as they come" {
  NETWORK_NAMESPACE=p2v-text-$$
  ip netns add "$NETWORK_NAMESPACE"
  WRAPPER=(ip netns exec "$NETWORK_NAMESPACE")
  text_start "p2v.password=$SERVER_PASSWORD"
  see "No driver for a network card"
  ip -n "$NETWORK_NAMESPACE" link add eno1 type veth peer name switch
  ip -n "$NETWORK_NAMESPACE" link set eno1 up
  ip -n "$NETWORK_NAMESPACE" link set switch up
  see "No address yet"
  ip -n "$NETWORK_NAMESPACE" address add 192.0.2.2/24 dev eno1
  see "The network looks ready"
  see "192.0.2.2/24"
}

@test "a connection that takes long can be cancelled" {
  local port=$((SERVER_PORT + 1))
  nc -lk 127.0.0.1 "$port" >/dev/null 2>&1 3>&- &
  local listener=$!
  text_start "p2v.port=$port" p2v.password=x
  see "Machine and network"
  press_button Next
  press_button Next
  see "Connecting to 127.0.0.1"
  press Enter
  wait_until 10 shows "Where does this machine go?"
  wait_until 10 eval '! shows "Connecting to"'
  kill "$listener"
}

@test "what is typed is checked with the next step" {
  text_start p2v.port=22 p2v.password=x p2v.name=checked1
  see "Machine and network"
  press_button Next
  see "Conversion server"
  # From "Next" to the first field, the port.
  press Tab Tab Tab Tab
  press BSpace BSpace
  type_text 99999
  press_button Next
  see "Port=99999: expected a number from 1 to 65535"
  press Enter
  press -N 5 BSpace
  type_text "$SERVER_PORT"
  press Tab Tab
  press BSpace
  type_text "$SERVER_PASSWORD"
  press_button Next
  # p2v.hostkey was for the server at the other port.
  see "Is this the server?"
  press_button "It is the same"
  see "Which disks become"
  press Space
  press_button Next
  see "No disk is chosen"
  press Enter
  press Space
  press_button Next
  see "What shall the guest be?"
  type_text " and more"
  press_button Next
  see "cannot be used"
  press Enter
  press -N 9 BSpace
  press Tab Tab
  press -N 4 BSpace
  type_text 7
  press_button Next
  see "expected a size"
  press Enter
  type_text G
  press_button Next
  see "7.0 GiB of memory"
  see "checked1"
}

@test "a conversion that is cancelled leaves nothing on the server" {
  disk_make "$T/sda" 1500000256 cancel
  text_start "p2v.identity=file://$SERVER_IDENTITY" p2v.name=cancel1 p2v.bwlimit=4M
  go_to_review
  press_button Convert
  see "Sending the disks"
  press_button Cancel
  see "Stop the conversion?"
  press_button Stop
  see "Stopped"
  see "This machine is as it was"
  wait_until 10 eval '[[ $(state_of cancel1) = cancelled ]]'
  [[ -z $(ls "$SERVER_IMAGES" | grep "^cancel1-" || true) ]]
  # "Again" has kept the answers.
  press_button Again
  see "Is this right?"
  see "cancel1"
}

sent () { stat -c %b "$SERVER_IMAGES/pause1-sda"; }

@test "a pause holds the sending, and then it goes on" {
  local before
  disk_make "$T/sda" 100000256 pause
  text_start "p2v.identity=file://$SERVER_IDENTITY" p2v.name=pause1 p2v.bwlimit=8M p2v.compress=off
  go_to_review
  press_button Convert
  see "Sending the disks"
  press_button Pause
  see "Nothing is sent until you go on"
  # What was on its way arrives.
  sleep 3
  before=$(sent)
  sleep 10
  assert_equal "$(sent)" "$before"
  assert_equal "$(state_of pause1)" receiving
  press_button "Go on"
  see "Sending the disks"
  wait_until 60 shows "Sent, but the conversion failed"
  qemu-img compare -f raw "$T/sda" "$SERVER_IMAGES/pause1-sda"
}

QUESTION="Go on with an unfinished conversion of this machine?"

@test "an unfinished job of this machine is asked about, Escape leaves it, Enter goes on with it" {
  unfinished_make again1 "$T/sda"
  text_start "p2v.identity=file://$SERVER_IDENTITY" p2v.name=again1
  go_to_review
  press_button Convert
  see "$QUESTION"
  see "of 47.7 MiB have landed"
  press Escape
  see "Stopped"
  [[ $(state_of again1) = @(receiving|waiting) ]]
  press_button Again
  see "Is this right?"
  press_button Convert
  see "$QUESTION"
  at_button "Go on"
  # A server that hears nothing for 45 seconds takes a client for gone: this one is not.
  sleep 50
  press Enter
  see "Sent, but the conversion failed"
  qemu-img compare -f raw "$T/sda" "$SERVER_IMAGES/again1-sda"
  assert_equal "$(states_of again1)" '["failed"]'
}

@test "begun anew, the unfinished job is given up; p2v.resume=no does so without asking" {
  unfinished_make anew1 "$T/sda"
  text_start "p2v.identity=file://$SERVER_IDENTITY" p2v.name=anew1
  go_to_review
  press_button Convert
  see "$QUESTION"
  press_button "Begin anew"
  see "Sent, but the conversion failed"
  qemu-img compare -f raw "$T/sda" "$SERVER_IMAGES/anew1-sda"
  assert_equal "$(states_of anew1)" '["cancelled","failed"]'
  terminal kill-server
  unfinished_make anew2 "$T/sda"
  text_start "p2v.identity=file://$SERVER_IDENTITY" p2v.name=anew2 p2v.resume=no
  go_to_review
  press_button Convert
  see "Sent, but the conversion failed"
  assert_equal "$(states_of anew2)" '["cancelled","failed"]'
}

@test "a question that nobody waits for any more goes away" {
  unfinished_make moot1 "$T/sda"
  text_start "p2v.identity=file://$SERVER_IDENTITY" p2v.name=moot1
  go_to_review
  press_button Convert
  see "$QUESTION"
  connections_cut
  see "This machine is as it was"
  run screen
  refute_output_contains "$QUESTION"
  [[ $(state_of moot1) = @(receiving|waiting) ]]
}

@test "a connection that is lost is being brought back, and the log has it" {
  text_start "p2v.identity=file://$SERVER_IDENTITY" p2v.name=lost1 p2v.bwlimit=2M p2v.compress=off
  go_to_review
  press_button Convert
  see "Sending the disks"
  sshd_away
  see "Reconnecting to the server ..."
  see "is lost (attempt"
  sshd_back
  see "Connected to the server again; going on"
  see "Sending the disks"
  run screen
  refute_output_contains "Reconnecting to the server"
  see "Sent, but the conversion failed"
  press_button Log
  see "Connected: p2v-server"
  see_further_down "is lost (attempt"
  qemu-img compare -f raw "$T/sda" "$SERVER_IMAGES/lost1-sda"
}

@test "stopped while the connection is lost, the job stays on the server, and that is said before" {
  local job
  text_start "p2v.identity=file://$SERVER_IDENTITY" p2v.name=cut1 p2v.bwlimit=2M p2v.compress=off
  go_to_review
  press_button Convert
  see "Sending the disks"
  job=$(p2v_server jobs --json | jq -r '.jobs[] | select(.guest == "cut1") | .id')
  press_button Cancel
  see "What has been sent is deleted on the server"
  sshd_away
  # The question is about what was so when it was asked: it is asked again.
  sleep 3
  press_button Stop
  see "The server cannot be told now"
  run screen
  assert_output_contains "$job"
  refute_output_contains "deleted"
  press_button Stop
  see "Stopped"
  see "The server could not be told"
  see "$job"
  sshd_back
  [[ $(state_of cut1) = @(receiving|waiting) ]]
  p2v_server cancel "$job"
  assert_equal "$(state_of cut1)" cancelled
}

# signal_leaves NAME SIGNAL TEXT [COMMAND...]: the program is told to end while TEXT is on the screen,
# where COMMAND leads.
signal_leaves ()
{
  local name=$1 signal=$2 text=$3
  shift 3
  text_start "p2v.identity=file://$SERVER_IDENTITY" "p2v.name=$name" p2v.bwlimit=2M p2v.compress=off
  go_to_review
  press_button Convert
  see "Sending the disks"
  [[ $# = 0 ]] || "$@"
  see "$text"
  kill -s "$signal" "$(text_pid)"
  wait_until 20 ended
  assert_equal "$(<"$T/status")" 9
  [[ $(state_of "$name") = @(receiving|waiting) ]]
  rm "$T/status"
  terminal kill-server
}

@test "a signal in the middle of a conversion leaves the job, which can be gone on with" {
  signal_leaves signal1 TERM "Sending the disks"
  signal_leaves signal2 TERM "Stop the conversion?" press_button Cancel
  signal_leaves signal3 HUP "Nothing is sent until you go on" press_button Pause
  text_start "p2v.identity=file://$SERVER_IDENTITY" p2v.name=signal1
  go_to_review
  press_button Convert
  see "$QUESTION"
  press Enter
  see "Sent, but the conversion failed"
  qemu-img compare -f raw "$T/sda" "$SERVER_IMAGES/signal1-sda"
  assert_equal "$(states_of signal1)" '["failed"]'
}

@test "a terminal that nobody knows is a VT100, and the frame fits on it" {
  TERMINAL=no-such-terminal
  text_start
  see "Machine and network"
  # 76 columns with the border and no line is broken.
  run screen
  assert_equal "$(grep -c '│.*│$' <<<"$output")" "$(grep -c '^ *│' <<<"$output")"
  assert_output_contains "Esc: go back"
}

@test "the password of --cmdline cannot be seen in the list of processes" {
  text_start p2v.password=hush-hush
  see "Machine and network"
  run tr '\0' ' ' <"/proc/$(text_pid)/cmdline"
  assert_output_contains "p2v-text --cmdline=***"
  refute_output_contains hush-hush
}

# memory_count PID TEXT: how often TEXT is in the memory that the process can write to.
memory_count ()
{
  perl -e '
    my ($pid, $text) = @ARGV;
    my $count = 0;
    open my $maps, "<", "/proc/$pid/maps" or die;
    open my $memory, "<:raw", "/proc/$pid/mem" or die;
    while (<$maps>) {
      my ($from, $to) = /^([0-9a-f]+)-([0-9a-f]+) rw/ or next;
      sysseek $memory, hex $from, 0;
      sysread $memory, my $data, hex($to) - hex $from or next;
      $count += () = $data =~ /\Q$text\E/g;
    }
    print "$count\n";' "$1" "$2"
}

@test "secrets that were typed are not left in memory" {
  # Freed memory has its first bytes overwritten at once, which is no merit of ours.
  local filler=0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdef secret=zebra-umbrella-19 pid
  text_start
  see "Machine and network"
  press_button Next
  see "Conversion server"
  type_text "$filler$secret"
  pid=$(text_pid)
  assert_equal "$(memory_count "$pid" "$secret")" 1
  # The page takes it over into the configuration: one copy again, the field's is gone.
  press Escape
  see "Machine and network"
  assert_equal "$(memory_count "$pid" "$secret")" 1
  press_button Next
  see "Conversion server"
  press_button Next
  see "The server does not let us in"
  # A password that is wrong is no longer wanted.
  press Enter
  press Escape
  see "Machine and network"
  assert_equal "$(memory_count "$pid" "$secret")" 0
}

# The machine's own systemctl is out of reach in there, and /etc a copy: "live" in the sense of
# p2v-text(1).
live_start ()
{
  cp -a /etc "$T/etc"
  mkdir -p "$T/etc/p2v" "$T/bin"
  : >"$T/etc/p2v/live"
  printf '%s\n' "$@" >"$T/etc/p2v/defaults"
  printf '#!/bin/sh\necho "$@" >>%s\n' "$T/systemctl" >"$T/bin/systemctl"
  chmod 755 "$T/bin/systemctl"
  cat >"$T/inside" <<END
set -e
mount --bind '$T/etc' /etc
for program in systemctl poweroff reboot halt shutdown; do
  path=\$(command -v \$program) || continue
  mount --bind '$T/bin/systemctl' "\$(realpath "\$path")"
done
PATH='$T/bin':\$PATH
[ "\$(command -v systemctl)" = '$T/bin/systemctl' ]
exec "\$@"
END
  WRAPPER=(unshare --mount --propagation=private sh "$T/inside")
  text_run
}

@test "on the live image the defaults are filled in, and the machine is switched off when asked" {
  live_start "# for this site" "p2v.server=127.0.0.1 p2v.port=$SERVER_PORT" \
    "p2v.username=$SERVER_USER p2v.identity=file://$SERVER_IDENTITY" \
    "p2v.hostkey=$SERVER_HOSTKEY p2v.disks=$T/sda p2v.name=live1 p2v.memory=512M" \
    "p2v.interfaces= p2v.o=local p2v.os=$SERVER_IMAGES p2v.post=reboot"
  see "<Shell>"
  run screen
  refute_output_contains "<Quit>"
  # Escape does not end it either: nobody would start it again.
  press Escape
  go_to_review
  press_button Convert
  see "Sent, but the conversion failed"
  refute_file_exists "$T/systemctl"
  press_button "Power off"
  see "The machine is going down"
  assert_equal "$(<"$T/systemctl")" poweroff
  press Enter
  press_button Reboot
  see "The machine is going down"
  assert_equal "$(tail -n 1 "$T/systemctl")" reboot
}

@test "a mistake in the live image's arguments is shown, and nothing is filled in" {
  live_start "p2v.sever=kvm1"
  see "has a mistake"
  see "p2v.sever"
  press Enter
  see "Machine and network"
}

@test "without a terminal it says what to use" {
  run "$TEXT" --cmdline= </dev/null
  assert_status 2
  assert_output_contains "p2v-client"
  run "$TEXT" --version
  assert_equal "${output%%.*}" "p2v-text 0"
  run "$TEXT" --help
  assert_output_contains "--cmdline"
  run "$TEXT" surplus
  assert_status 2
}

@test "its manual page is well-formed" {
  run --separate-stderr env LC_ALL=C.UTF-8 MANWIDTH=80 \
    man --warnings -E UTF-8 -l -Tutf8 -Z "$P2V_TOP/docs/p2v-text.1"
  assert_status 0
  # shellcheck disable=SC2154 # bats's run sets it
  assert_equal "$stderr" ""
}

# Two halves of a mirror, and a disk with a clean filesystem in a partition.
@test "what is in use is shown, and half of an array is warned of as it is chosen" {
  array_and_data_make
  text_start "p2v.password=$SERVER_PASSWORD" "p2v.disks=$T/data,$T/half0,$T/half1"
  see "Machine and network"
  press_button Next
  see "Conversion server"
  press_button Next
  see "Which disks become"
  see "Caution: No operating system"
  see ' used'
  # However many disks this machine has itself.
  until shows "half1:"; do press Down; done
  press Up
  see "half0:"
  press Space
  press Down
  see "Warning: Array"
  see "other members on half0"
  press_button Next
  see "The guest will probably not work"
  see "half1: Array"
  press_button Back
  see "Which disks become"
}

@test "a look at the disks that takes long is left for the first page, and begun again" {
  # What asks the disks hangs, and cannot be ended.
  mkdir "$T/bin"
  printf '#!/bin/sh\nexec sleep 600\n' >"$T/bin/debugfs"
  chmod +x "$T/bin/debugfs"
  array_and_data_make
  PATH=$T/bin:$PATH text_start "p2v.identity=file://$SERVER_IDENTITY" "p2v.disks=$T/data"
  see "Looking at this machine and its disks"
  press Enter
  see "Machine and network"
  see "The disks were not looked at"
  press_button Language
  see "English"
  press Escape
  see "The disks were not looked at"
  press_button "Set up network"
  # With NetworkManager, or without.
  wait_until 10 eval 'shows "How is this machine connected?" || shows "cannot be set up here"'
  press Escape
  see "The disks were not looked at"
  # Nor does going on, or looking again, shut anybody in.
  press_button Next
  see "without that there is nothing to"
  press Enter
  see "Looking at this machine and its disks"
  press Enter
  see "The disks were not looked at"
  rm "$T/bin/debugfs"
  press_button "Look again"
  wait_until 30 lacks "were not looked at"
  see "Machine and network"
  press_button Next
  see "Conversion server"
  press_button Next
  see "Which disks become"
  see "[*] data"
}

# What reads it hangs in the kernel, where no signal ends it.
@test "a disk that does not answer keeps nobody" {
  faulty_disk_start "$T/sda"
  kill -STOP "$faulty_pid"
  text_start "p2v.identity=file://$SERVER_IDENTITY" "p2v.disks=$loop" p2v.name=silent1
  see "Looking at this machine and its disks"
  press Enter
  see "The disks were not looked at"
  kill -CONT "$faulty_pid"
  press_button "Look again"
  wait_until 30 lacks "were not looked at"
  # It falls silent while its filesystems are asked.
  kill -STOP "$faulty_pid"
  press_button "Look again"
  see "Looking at this machine and its disks"
  press Enter
  see "Machine and network"
  press_button Next
  see "Conversion server"
  press_button Next
  see "Which disks become"
  see "${loop##*/}"
}

@test "a signal ends a look that takes long" {
  mkdir "$T/bin"
  printf '#!/bin/sh\nexec sleep 600\n' >"$T/bin/debugfs"
  chmod +x "$T/bin/debugfs"
  array_and_data_make
  PATH=$T/bin:$PATH text_start "p2v.disks=$T/data"
  see "Looking at this machine and its disks"
  kill -TERM "$(text_pid)"
  wait_until 5 ended
}

# A disk's health is slow to come: each has 10 seconds for its answer, and gives it when $T/answer is
# there.
slow_health_make ()
{
  local disk
  mkdir "$T/bin"
  cat >"$T/bin/smartctl" <<END
#!/bin/sh
for i in 1 2 3 4 5 6 7 8 9; do [ -e '$T/answer' ] || sleep 1; done
[ ! -e '$T/answer' ] || echo '{"smart_status": {"passed": false}}'
END
  chmod +x "$T/bin/smartctl"
  for disk in sda sdb sdc; do
    [[ -e $T/$disk ]] || cp "$T/sda" "$T/$disk"
    LOOPS+=("$(losetup --show -f "$T/$disk")")
  done
}

@test "what becomes known of a disk after it was chosen is shown before the conversion, and asked about" {
  local last
  slow_health_make
  last=${LOOPS[-1]##*/}
  PATH=$T/bin:$PATH text_start "p2v.identity=file://$SERVER_IDENTITY" p2v.name=late1 \
    "p2v.disks=$(IFS=,; echo "${LOOPS[*]}")"
  go_to_review
  see "The disks are still being asked about their health and their filesystems."
  lacks "failing"
  touch "$T/answer"
  wait_until 60 lacks "still being asked"
  see_further_down "$last: The disk says that it is failing"
  press_button Convert
  see "The guest will probably not work"
  see "$last: The disk says"
  # The button that Enter presses is the careful one.
  press Enter
  see "Is this right?"
  # What was confirmed where the disks are chosen is not asked about again.
  press_button Back
  see "What shall the guest be?"
  press Escape
  see "Which disks become"
  press_button Next
  see "The guest will probably not work"
  press_button "Go on"
  see "What shall the guest be?"
  press_button Next
  see "Is this right?"
  press_button Convert
  see "Sent, but the conversion failed"
}

@test "a disk that goes after it was chosen is said before the conversion begins" {
  text_start "p2v.password=$SERVER_PASSWORD" p2v.name=gone1
  go_to_review
  mv "$T/sda" "$T/unplugged"
  press_button Convert
  see "Disk sda is not there any more"
  press Enter
  see "Which disks become"
  press_button Next
  see "Disk sda is not there any more"
  press Enter
  mv "$T/unplugged" "$T/sda"
  press_button Next
  see "What shall the guest be?"
}

# The last one: the server has another host key afterwards.
@test "a host key that changes after it was accepted blocks" {
  local changed
  text_start -p2v.hostkey "p2v.password=$SERVER_PASSWORD"
  see "Machine and network"
  press_button Next
  press_button Next
  see "Is this the server?"
  press_button "It is the same"
  see "Which disks become"
  press Escape
  see "Where does this machine go?"
  rm "$SERVER_DIR/ssh/host_ed25519" "$SERVER_DIR/ssh/host_ed25519.pub"
  ssh-keygen -q -t ed25519 -N '' -f "$SERVER_DIR/ssh/host_ed25519"
  changed=$(ssh-keygen -lf "$SERVER_DIR/ssh/host_ed25519.pub" | cut -d ' ' -f 2)
  server_root kill -HUP "$(<"$SERVER_DIR/sshd.pid")"
  wait_until 20 sh -c "ssh-keyscan -p $SERVER_PORT 127.0.0.1 2>/dev/null |
    ssh-keygen -lf - | grep -qF $changed"
  press_button Test
  see "This is not the expected server"
  see "$changed"
  see "$SERVER_HOSTKEY"
  lacks "It is the same"
  press Enter
  press_button Next
  see "This is not the expected server"
}
