#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The kiosk in an X server of its own, by keyboard alone and as a screen reader sees it, against a
# real server. virt-v2v is made missing there, so a conversion ends when everything has landed.

load ../lib/common
load ../lib/sample-disks
load ../lib/kiosk
load ../lib/recorded
load ../lib/interrupted
load ../lib/faulty-disk

setup_file () { recorded_server_start; }
teardown_file () { recorded_server_stop; }

setup ()
{
  common_setup
  disk_make "$T/disk1" 50000384 "$BATS_TEST_NUMBER"
  display_start 800x600
}

teardown ()
{
  [[ -z ${faulty_pid-} ]] || kill -CONT "$faulty_pid"
  kiosk_stop
  display_stop
  rm -f "$RECORDED_MACHINE/dev/sdb"
  faulty_disk_end
  [[ -z ${bridge-} ]] || server_root ip link del "$bridge" 2>/dev/null || true
  common_teardown
}

# Blocks of 512 bytes that the image takes.
blocks_of () { stat -c %b "$SERVER_IMAGES/$1-disk1" 2>/dev/null || echo 0; }
states_of () { p2v_server jobs --json | jq -c --arg g "$1" '[.jobs[] | select(.guest == $g) | .state]'; }

to_review ()
{
  to_machine
  kiosk_until "1 disk with "
  kiosk_go "What will the guest be like?" Return
  kiosk_focus Name
  key ctrl+a
  type_text "$1"
  kiosk_go "Is this right?" Return
}

@test "from the first page to a landed job by keyboard, the host key compared and accepted" {
  start
  kiosk_until "PowerEdge R720"
  assert_page_good
  kiosk_go "Which conversion server?" Return
  kiosk_focus Password
  assert_page_good
  type_text "$SERVER_PASSWORD"
  kiosk_go "$SERVER_HOSTKEY" Return
  kiosk_focus "The fingerprints are the same"
  assert_page_good
  # Nothing goes on before it is accepted, not even with the key for it.
  key alt+n
  kiosk_until "Is this your server?"
  key space
  kiosk_go "Which of its disks?" Return
  kiosk_until "1 disk with 47.7 MiB chosen"
  assert_page_good
  kiosk_go "What will the guest be like?" Return
  kiosk_until "eno1"
  assert_page_good
  key ctrl+a
  type_text keyboard1
  kiosk_go "Is this right?" Return
  kiosk_until "keyboard1 with 16 virtual CPUs and 512.0 MiB of memory"
  assert_page_good
  key Return
  kiosk_until "p2v-server retry"
  kiosk_until "need not be read again"
  assert_page_good
  # This is not the live image: the machine is nobody's to switch off.
  kiosk_refute "Power off"
  assert_same_contents "$SERVER_IMAGES/keyboard1-disk1" "$T/disk1"
  key Tab
  kiosk_focus Close
  key Return
  local status=0
  wait "$KIOSK_PID" || status=$?
  unset KIOSK_PID
  ((status == 0)) || assert_fail "it ended with $status" "$(<"$T/kiosk.out")"
  assert_quiet
}

@test "a wrong password is said on the page, the field has the focus, and the right one goes on" {
  start "p2v.hostkey=$SERVER_HOSTKEY"
  kiosk_go "Which conversion server?" Return
  type_text wrong
  kiosk_go "The server does not let you in" Return
  kiosk_until "does not let $SERVER_USER in with this password"
  kiosk_focus Password
  assert_page_good
  key ctrl+a
  type_text "$SERVER_PASSWORD"
  kiosk_go "Which of its disks?" Return
  assert_quiet
}

@test "a host key that is not the given one blocks, and nothing is asked" {
  start p2v.hostkey=SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
  kiosk_go "Which conversion server?" Return
  type_text "$SERVER_PASSWORD"
  kiosk_go "This is not the server that it should be" Return
  kiosk_until "$SERVER_HOSTKEY"
  kiosk_refute "The fingerprints are the same"
  assert_page_good
  key Return
  kiosk_until "This is not the server that it should be"
  kiosk_until "Which conversion server?"
}

@test "a key file is used in the place of the password" {
  start "p2v.hostkey=$SERVER_HOSTKEY" "p2v.identity=file://$SERVER_IDENTITY"
  kiosk_go "Which conversion server?" Return
  kiosk_until "$SERVER_IDENTITY"
  # The button that only tests stays on the page.
  kiosk_go "The server 127.0.0.1 is ready" alt+t
  kiosk_until "p2v-server "
  # What it offers.
  kiosk_until "The disks go to $SERVER_IMAGES, which has "
  kiosk_go "Which of its disks?" Return
}

@test "what the server would refuse is read before anything is chosen" {
  kiosk_start p2v.server=127.0.0.1 "p2v.port=$SERVER_PORT" "p2v.username=$SERVER_USER" "p2v.disks=$T/disk1" \
    p2v.o=local p2v.os=/etc "p2v.hostkey=$SERVER_HOSTKEY" "p2v.identity=file://$SERVER_IDENTITY"
  kiosk_go "Which conversion server?" Return
  kiosk_go "The server 127.0.0.1 would refuse this conversion" Return
  kiosk_until "The server does not allow images in the directory /etc."
  kiosk_go "Which of its disks?" Return
  kiosk_go "The server 127.0.0.1 would refuse this conversion" alt+b
  assert_page_good
}

@test "a server without libvirt is said to be one, and to refuse what needs it" {
  cp "$SERVER_CONFIG" "$T/server.conf"
  server_root sed -i 's|^uri=.*|uri=qemu+unix:///session?socket=/nowhere|' "$SERVER_CONFIG"
  kiosk_start p2v.server=127.0.0.1 "p2v.port=$SERVER_PORT" "p2v.username=$SERVER_USER" "p2v.disks=$T/disk1" \
    p2v.o=libvirt "p2v.hostkey=$SERVER_HOSTKEY" "p2v.identity=file://$SERVER_IDENTITY"
  kiosk_go "Which conversion server?" Return
  kiosk_go "The server 127.0.0.1 would refuse this conversion" Return
  kiosk_until "Its libvirt cannot be used: "
  cp "$T/server.conf" "$SERVER_CONFIG"
  assert_page_good
}

@test "disks that are larger than what the server has free are warned of" {
  truncate -s 15T "$T/huge"
  start "p2v.disks=$T/huge" "p2v.hostkey=$SERVER_HOSTKEY" "p2v.identity=file://$SERVER_IDENTITY"
  kiosk_go "Which conversion server?" Return
  kiosk_go "Which of its disks?" Return
  kiosk_until "The chosen disks are 15.0 TiB large, and the server has "
}

@test "without a network it says so at once, and again when the server is tried" {
  printf '#!/bin/sh\nexec unshare --net "%s" "$@"\n' "$P2V_KIOSK" >"$T/kiosk"
  chmod +x "$T/kiosk"
  P2V_KIOSK=$T/kiosk start "p2v.hostkey=$SERVER_HOSTKEY"
  kiosk_until "no driver for a network card"
  assert_page_good
  kiosk_go "Which conversion server?" Return
  type_text "$SERVER_PASSWORD"
  key Return
  kiosk_until "The server cannot be reached"
  kiosk_until "Network is unreachable"
  kiosk_refute "Which of its disks?"
}

@test "what cannot be right is said at the field, before anything is connected to" {
  start
  kiosk_go "Which conversion server?" Return
  key alt+e ctrl+a
  type_text root@server
  kiosk_go "the user name has a field of its own" Return
  kiosk_focus Server
  key alt+e ctrl+a
  type_text 127.0.0.1
  key alt+o ctrl+a
  type_text 99999
  kiosk_go "a number from 1 to 65535" Return
  kiosk_focus Port
  assert_page_good
  key ctrl+a
  type_text 1
  kiosk_go "The server cannot be reached" Return
  kiosk_until "port 1"
}

# A disk with a clean filesystem that is mostly free, one that was not unmounted, and something else.
make_partitioned_disk ()
{
  truncate -s 160M "$1"
  sfdisk -q "$1" <<'END'
label: gpt
start=2048, size=204800
start=206848, size=65536
start=272384, size=32768
END
  mkdir "$T/files"
  random_bytes content 20000000 >"$T/files/content"
  mkfs.ext4 -q -F -d "$T/files" -E offset=1048576 "$1" 100M
  mkfs.ext4 -q -F -E offset=105906176 "$1" 32M
  debugfs -w -R "set_super_value state 0" "$1?offset=105906176" 2>/dev/null
  random_bytes something 16777216 | dd of="$1" bs=512 seek=272384 conv=notrunc status=none
}

@test "how full its filesystems are is shown, and what to know of them before it is converted" {
  display_stop
  # Nothing below the edge: a screen reader is told of what can be seen.
  display_start 800x1400
  make_partitioned_disk "$T/disk2"
  start "p2v.disks=$T/disk1,$T/disk2" "p2v.hostkey=$SERVER_HOSTKEY"
  to_machine
  kiosk_until "1: ext4, 100.0 MiB, 2"
  kiosk_until " MiB used; 2: ext4, 32.0 MiB, sent in full"
  kiosk_until "was not unmounted cleanly: all of it is sent"
}

# The height of what is written in the title's place, pixels.
title_height () { import -window root -crop 600x62+170+0 +repage -trim -format %h info:; }
color_at () { import -window root -crop "1x1+$1" -depth 8 -format '%[hex:u.p{0,0}]' info:; }
title_is_higher_than () { (($(title_height) > $1)); }
color_is () { [[ $(color_at "$1") = "$2"* ]]; }
color_is_not () { ! color_is "$@"; }

@test "large text and high contrast can be had, and nothing is cut off by them" {
  start "p2v.hostkey=$SERVER_HOSTKEY"
  local before
  sleep 0.5
  before=$(title_height)
  color_is_not 5+400 000000 || assert_fail "it begins with high contrast"
  key alt+w
  kiosk_until "Large text"
  key l
  wait_until 20 title_is_higher_than "$before"
  key alt+w
  kiosk_until "High contrast"
  key h
  # The list of steps.
  wait_until 20 color_is 5+400 000000
  assert_page_good
  to_machine
  assert_page_good
  kiosk_go "What will the guest be like?" Return
  assert_page_good
  # As it was.
  key alt+w
  kiosk_until "Large text"
  key l
  key alt+w
  kiosk_until "High contrast"
  key h
  wait_until 20 color_is_not 5+400 000000
  key alt+w
  kiosk_until "About"
  key a
  kiosk_until "Turns a physical machine into a KVM virtual machine"
  key Escape
  kiosk_until_not "Turns a physical machine into a KVM virtual machine"
}

# The colour of a point of the window, "srgb(...)".
colour () { convert "$T/screen.png" -format "%[pixel:p{$1,$2}]" info:; }

@test "on a screen of 3840x2160 all is twice as large; lines are no longer than can be read" {
  local size half
  for size in 1920x1080 3840x2160; do
    kiosk_stop
    display_stop
    display_start "$size"
    start
    kiosk_until "PowerEdge R720"
    import -window root "$T/screen.png"
    # The list of steps at the left is 152 wide.
    half=$([[ $(colour 250 900) = "$(colour 10 900)" ]] && echo wide || echo narrow)
    assert_equal "$size $half" "$size $([[ $size = 1920* ]] && echo narrow || echo wide)"
    # Nothing but the background right of the text, above the buttons.
    assert_equal "$(convert "$T/screen.png" -crop "${size%x*}x900+$((${size%x*} * 6 / 10))+60" \
      -unique-colors -format %w info:)" 1
  done
}

@test "without a disk it does not go on; Escape goes back" {
  start "p2v.hostkey=$SERVER_HOSTKEY"
  to_machine
  kiosk_until "1 disk with 47.7 MiB chosen"
  key alt+l
  kiosk_until "1 disk with 47.7 MiB chosen"
  # From Next, which has the focus again when the disks are there, over Back to the page's own.
  kiosk_focus Next
  key shift+Tab shift+Tab
  kiosk_focus "Look again"
  key shift+Tab
  kiosk_focus "disk1, 47.7 MiB"
  key space
  kiosk_until "Choose at least one disk"
  key alt+n
  kiosk_until "Which of its disks?"
  kiosk_go "Which conversion server?" Escape
  kiosk_go "Turn this machine into a virtual machine" Escape
}

@test "cancel is asked about, and then takes the job back" {
  disk_make "$T/disk1" 1500000256 cancel
  # What takes the data stops as soon as some has arrived, so that there is time for all below.
  server_root timeout "$KIOSK_PATIENCE" sh -c 'until [ "$(stat -c %b "$1" 2>/dev/null || echo 0)" -gt 0 ]; do sleep 0.01; done
    kill -STOP $(pgrep -f "[q]emu-nbd.*cancel1")' sh "$SERVER_IMAGES/cancel1-disk1" 3>&- &
  local stopper=$!
  start "p2v.hostkey=$SERVER_HOSTKEY"
  to_machine
  kiosk_until "1 disk with 1.4 GiB chosen"
  kiosk_go "What will the guest be like?" Return
  key ctrl+a
  type_text cancel1
  kiosk_go "Is this right?" Return
  key Return
  wait "$stopper"
  kiosk_until "Sending the disks"
  kiosk_until " of 1.4 GiB"
  kiosk_until "in the last two minutes"
  assert_page_good
  # The log on demand, and away again.
  kiosk_refute "receive started"
  key alt+l
  kiosk_until "receive started"
  kiosk_until "job $(job_of cancel1)"
  assert_page_good
  key alt+l
  kiosk_until_not "receive started"
  kiosk_go "Cancel the conversion?" Escape
  # To keep going is what Enter and a second Escape choose.
  kiosk_focus "Keep going"
  assert_page_good
  key Return
  kiosk_until "Sending the disks"
  kiosk_until_not "Cancel the conversion?"
  kiosk_go "Cancel the conversion?" Escape
  key alt+v
  kiosk_until "Stopping"
  server_root sh -c 'kill -CONT $(pgrep -f "[q]emu-nbd.*cancel1")'
  kiosk_until "You have stopped it; no guest was made"
  assert_page_good
  wait_until 60 state_is cancel1 cancelled
  [[ -z $(ls "$SERVER_IMAGES" | grep cancel1 || true) ]]
  # What was entered is still there.
  kiosk_go "Is this right?" alt+c
  kiosk_until "cancel1 with"
  assert_quiet
}

@test "the page that comes by itself at the end takes no key for what was before it" {
  disk_make "$T/disk1" 400000000 early
  start "p2v.hostkey=$SERVER_HOSTKEY" p2v.bwlimit=8M p2v.compress=off
  to_review early1
  kiosk_go "Sending the disks" Return
  kiosk_go "Cancel the conversion?" Escape
  key alt+v
  kiosk_until "You have stopped it; no guest was made"
  kiosk_focus "You have stopped it"
  key Return Return
  sleep 1
  kiosk_until "You have stopped it; no guest was made"
  kiosk_go "Is this right?" alt+c
}

@test "told to end it leaves the job, which can be gone on with" {
  start "p2v.hostkey=$SERVER_HOSTKEY" p2v.bwlimit=2M p2v.compress=off
  to_review left1
  kiosk_go "Sending the disks" Return
  wait_until "$KIOSK_PATIENCE" eval '(($(blocks_of left1) > 0))'
  kill -TERM "$KIOSK_PID"
  wait "$KIOSK_PID"
  unset KIOSK_PID
  [[ $(state_of left1) = @(receiving|waiting) ]]
  start "p2v.hostkey=$SERVER_HOSTKEY"
  to_review left1
  kiosk_go "An earlier conversion of this machine is unfinished" Return
  kiosk_go "need not be read again" Return
  assert_same_contents "$SERVER_IMAGES/left1-disk1" "$T/disk1"
  assert_equal "$(states_of left1)" '["failed"]'
}

# An earlier run that was cut short, by the machine that the kiosk shows.
leave_unfinished () { unfinished_make "$1" "$T/disk1" "--root=$RECORDED_MACHINE"; }

@test "an unfinished job of this machine is asked about; Escape leaves it, Enter goes on with it" {
  leave_unfinished again1
  start "p2v.hostkey=$SERVER_HOSTKEY"
  to_review again1
  kiosk_go "An earlier conversion of this machine is unfinished" Return
  kiosk_until "begun on 20"
  kiosk_until "of 47.7 MiB have landed"
  kiosk_focus "Go on"
  assert_page_good
  kiosk_go "You have stopped it; no guest was made" Escape
  [[ $(state_of again1) = @(receiving|waiting) ]]
  kiosk_go "An earlier conversion of this machine is unfinished" alt+t
  kiosk_focus "Go on"
  key Tab
  kiosk_focus "Begin anew"
  key shift+Tab
  kiosk_focus "Go on"
  kiosk_go "need not be read again" Return
  assert_same_contents "$SERVER_IMAGES/again1-disk1" "$T/disk1"
  assert_equal "$(states_of again1)" '["failed"]'
  assert_quiet
}

@test "begun anew, the unfinished job is given up" {
  leave_unfinished anew1
  start "p2v.hostkey=$SERVER_HOSTKEY"
  to_review anew1
  kiosk_go "An earlier conversion of this machine is unfinished" Return
  kiosk_focus "Go on"
  kiosk_go "need not be read again" alt+b
  assert_same_contents "$SERVER_IMAGES/anew1-disk1" "$T/disk1"
  assert_equal "$(states_of anew1)" '["cancelled","failed"]'
  assert_quiet
}

@test "with p2v.resume=yes nothing is asked" {
  leave_unfinished unasked1
  start "p2v.hostkey=$SERVER_HOSTKEY" p2v.resume=yes
  to_review unasked1
  kiosk_go "need not be read again" Return
  assert_same_contents "$SERVER_IMAGES/unasked1-disk1" "$T/disk1"
  assert_equal "$(states_of unasked1)" '["failed"]'
}

@test "a connection that is lost is being brought back, until it is there again" {
  start "p2v.hostkey=$SERVER_HOSTKEY" p2v.bwlimit=2M p2v.compress=off
  to_review lost1
  key Return
  kiosk_until "Sending the disks"
  sshd_away
  kiosk_until "Reconnecting to the server"
  kiosk_until "what has landed is kept"
  assert_page_good
  sshd_back
  kiosk_until_not "Reconnecting to the server"
  kiosk_refute "what has landed is kept"
  kiosk_until "need not be read again"
  assert_same_contents "$SERVER_IMAGES/lost1-disk1" "$T/disk1"
  assert_quiet
}

@test "cancelled while the connection is lost, it says what stays and how that is removed" {
  start "p2v.hostkey=$SERVER_HOSTKEY" p2v.bwlimit=2M p2v.compress=off
  to_review gone1
  kiosk_go "Sending the disks" Return
  wait_until "$KIOSK_PATIENCE" eval '(($(blocks_of gone1) > 0))'
  sshd_away
  kiosk_until "Reconnecting to the server"
  kiosk_go "p2v-server cancel $(job_of gone1) removes it" Escape
  assert_page_good
  key alt+v
  kiosk_until "You have stopped it; no guest was made"
  kiosk_until "p2v-server cancel $(job_of gone1) removes it"
  sshd_back
  [[ $(state_of gone1) = @(receiving|waiting) ]]
}

@test "a pause holds the sending for longer than silence is borne, and then it goes on" {
  local before
  disk_make "$T/disk1" 400000000 pause
  start "p2v.hostkey=$SERVER_HOSTKEY" p2v.bwlimit=8M p2v.compress=off
  to_review pause1
  kiosk_go "Sending the disks" Return
  kiosk_until " of 381.5 MiB"
  key alt+p
  kiosk_until "Nothing is sent until you go on"
  assert_page_good
  # What was on its way arrives.
  sleep 3
  before=$(blocks_of pause1)
  sleep 60
  assert_equal "$(blocks_of pause1)" "$before"
  kiosk_until "Nothing is sent until you go on"
  assert_equal "$(state_of pause1)" receiving
  key alt+r
  kiosk_until_not "Nothing is sent until you go on"
  KIOSK_PATIENCE=150 kiosk_until "need not be read again"
  p2v_server log "$(job_of pause1)" >"$T/log"
  ! grep -E "connected again|fallen silent|missing" "$T/log" || assert_fail "$(<"$T/log")"
}

@test "a refusal by the server says what, why and what to do; after a change it goes on" {
  start "p2v.hostkey=$SERVER_HOSTKEY"
  : >"$SERVER_IMAGES/taken1-disk1"
  to_review taken1
  kiosk_go "The guest was not made" Return
  kiosk_until "taken1"
  kiosk_until "What to do"
  assert_page_good
  kiosk_go "Is this right?" alt+c
  kiosk_go "What will the guest be like?" Escape
  key ctrl+a
  type_text free1
  kiosk_go "Is this right?" Return
  key Return
  kiosk_until "need not be read again"
  assert_same_contents "$SERVER_IMAGES/free1-disk1" "$T/disk1"
}

@test "a mistake in what was given is said, and the kiosk starts all the same" {
  kiosk_start p2v.sever=kvm1
  kiosk_until "What was given at the boot menu is not used"
  kiosk_until "Did you mean p2v.server?"
  assert_page_good
}

# Processor time so far, hundredths of a second.
ticks () { awk '{ print $14 + $15 }' "/proc/$KIOSK_PID/stat"; }

# The words of ethtool, which no virtual interface can do anything for.
ethtool_says ()
{
  mkdir -p "$T/bin"
  printf '#!/bin/sh\necho "$@" >>%s\n%s\n' "$T/blinked" "$1" >"$T/bin/new"
  chmod 755 "$T/bin/new"
  mv "$T/bin/new" "$T/bin/ethtool"
}

@test "an interface goes to one of the server's networks, and its light blinks on demand" {
  display_stop
  # Nothing below the edge: a screen reader is told of what can be seen.
  display_start 800x1400
  bridge=p2v$BASHPID
  server_root ip link add "$bridge" type bridge
  ethtool_says 'sleep 2'
  PATH=$T/bin:$PATH start "p2v.hostkey=$SERVER_HOSTKEY"
  to_machine
  kiosk_go "What will the guest be like?" Return
  server_root ip link del "$bridge"
  tab_to "Network of eno1"
  local step
  for step in {1..20}; do
    key Down
    sleep 0.2
    if kiosk_shows "sensitive	$bridge"; then break; fi
  done
  kiosk_until "sensitive	$bridge"
  assert_page_good
  tab_to "Blink the light of eno1"
  key space
  wait_until "$KIOSK_PATIENCE" grep -sqx -- "-p eno1 10" "$T/blinked"
  sleep 3
  kiosk_refute "does not blink"
  ethtool_says 'echo "netlink error: Operation not supported" >&2; exit 1'
  tab_to "Blink the light of eno1"
  key space
  kiosk_until "The light of eno1 does not blink: netlink error: Operation not supported"
  kiosk_go "Is this right?" Return
  kiosk_until "$bridge"
}

@test "it takes 120 MiB at most, and next to no processor time while a person thinks" {
  start "p2v.hostkey=$SERVER_HOSTKEY"
  to_machine
  kiosk_until "sent in full"
  local before
  before=$(ticks)
  sleep 8
  (($(ticks) - before <= 16)) || assert_fail "$(($(ticks) - before)) hundredths in 8 s"
  kiosk_go "What will the guest be like?" Return
  kiosk_go "Is this right?" Return
  # Shared libraries that others have loaded too count for a part of their size.
  local kib
  kib=$(awk '/^Pss:/ { print $2 }' "/proc/$KIOSK_PID/smaps_rollup")
  ((kib <= 120 * 1024)) || assert_fail "$kib KiB"
}

@test "while it sends with two lanes it takes 120 MiB and its buffers, which are 128 MiB at most" {
  disk_make "$T/disk1" 400000000 peak
  start "p2v.hostkey=$SERVER_HOSTKEY" p2v.lanes=2
  to_review peak1
  key Return
  KIOSK_PATIENCE=150 kiosk_until "need not be read again"
  assert_same_contents "$SERVER_IMAGES/peak1-disk1" "$T/disk1"
  # The most that it had at once, with all of the shared libraries. P2V_BUFFER_POOL_MAX.
  local kib
  kib=$(awk '/^VmHWM:/ { print $2 }' "/proc/$KIOSK_PID/status")
  ((kib <= (120 + 128) * 1024)) || assert_fail "$kib KiB"
}

@test "from the first page to the last nothing is lost, nor read that is not there (valgrind)" {
  cat >"$T/valgrind" <<END
#!/bin/sh
exec valgrind --quiet --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite \
  --show-leak-kinds=definite --suppressions=/usr/share/glib-2.0/valgrind/glib.supp \
  --suppressions=/usr/share/gtk-3.0/valgrind/gtk.supp "--suppressions=$COMMON_LIB/kiosk.supp" \
  --log-file="$T/valgrind.%p" "$P2V_KIOSK" "\$@"
END
  chmod 755 "$T/valgrind"
  export KIOSK_PATIENCE=300
  local kiosk=$P2V_KIOSK status=0
  P2V_KIOSK=$T/valgrind
  start "p2v.hostkey=$SERVER_HOSTKEY"
  P2V_KIOSK=$kiosk
  to_review whole1
  # What the pages have shown they show anew.
  kiosk_go "What will the guest be like?" alt+b
  kiosk_go "Which of its disks?" alt+b
  kiosk_go "What will the guest be like?" Return
  kiosk_go "Is this right?" Return
  key Return
  kiosk_until "need not be read again"
  assert_same_contents "$SERVER_IMAGES/whole1-disk1" "$T/disk1"
  kill "$KIOSK_PID"
  wait "$KIOSK_PID" || status=$?
  unset KIOSK_PID
  [[ $status -ne 99 ]] || assert_fail "$(cat "$T"/valgrind.*)"
  # It has ended by itself, after which valgrind has looked.
  assert_equal "$(cat "$T"/valgrind.*)" ""
  ((status < 128)) || assert_fail "ended with $status"
}

@test "without a bus it starts; without a display it says so" {
  DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent NO_AT_BRIDGE=1 "$P2V_KIOSK" \
    --root="$RECORDED_MACHINE" --cmdline= </dev/null >"$T/kiosk.out" 2>&1 3>&- &
  KIOSK_PID=$!
  wait_until "$KIOSK_PATIENCE" sh -c 'xdotool search --name "^p2v: Turn this machine" >/dev/null'
  assert_quiet
  run env -u DISPLAY "$P2V_KIOSK" --cmdline=
  assert_status 1
  assert_output_contains "DISPLAY is not set"
}

@test "the password is in no argument vector and not on the screen" {
  kiosk_start "p2v.server=127.0.0.1" "p2v.password=$SERVER_PASSWORD"
  run tr '\0' ' ' <"/proc/$KIOSK_PID/cmdline"
  refute_output_contains "$SERVER_PASSWORD"
  kiosk_go "Which conversion server?" Return
  kiosk_refute "$SERVER_PASSWORD"
}

# Two halves of a mirror, and a disk with a clean filesystem in a partition.
@test "what is in use is shown, and half of an array is warned of as it is chosen" {
  display_stop
  display_start 800x1400
  array_and_data_make
  start "p2v.disks=$T/half0,$T/half1,$T/data" "p2v.hostkey=$SERVER_HOSTKEY"
  to_machine
  kiosk_until '1: ext4 "files", 63.0 MiB, '
  kiosk_until " used"
  kiosk_until "No operating system and no boot loader was found"
  kiosk_refute "which is not chosen"
  key shift+Tab shift+Tab shift+Tab shift+Tab
  kiosk_focus "half1, 64.0 MiB"
  key space
  kiosk_until "2 disks with 128.0 MiB chosen"
  kiosk_until "has other members on half1, which is not chosen. Choose it with half1"
  assert_page_good
  key space
  kiosk_until_not "which is not chosen"
}

@test "a look at the disks that takes long is stopped, and begun again" {
  # What asks the disks hangs.
  mkdir "$T/bin"
  printf '#!/bin/sh\nexec sleep 600\n' >"$T/bin/debugfs"
  chmod +x "$T/bin/debugfs"
  array_and_data_make
  PATH=$T/bin:$PATH start "p2v.disks=$T/data" "p2v.hostkey=$SERVER_HOSTKEY"
  to_machine
  kiosk_until "Looking at the disks"
  key Escape
  kiosk_until "The look at the disks was stopped"
  assert_page_good
  rm "$T/bin/debugfs"
  key alt+l
  kiosk_until "1 disk with 64.0 MiB chosen"
  kiosk_refute "was stopped"
  key Escape
  kiosk_until "Which conversion server?"
}

@test "what is found out of the disks is said before the conversion, however late" {
  # One of the filesystems takes its time.
  mkdir "$T/bin"
  printf '#!/bin/sh\nuntil [ -e %s ]; do sleep 0.1; done\nexec %s "$@"\n' "$T/go" \
    "$(command -v partclone.f2fs)" >"$T/bin/partclone.f2fs"
  chmod +x "$T/bin/partclone.f2fs"
  make_partitioned_disk "$T/disk2"
  truncate -s 100M "$T/disk3"
  mkfs.f2fs -q "$T/disk3" >/dev/null
  PATH=$T/bin:$PATH start "p2v.disks=$T/disk2,$T/disk3" "p2v.hostkey=$SERVER_HOSTKEY"
  to_machine
  kiosk_go "What will the guest be like?" Return
  kiosk_go "Is this right?" Return
  kiosk_until "The disks are still being asked about their health"
  kiosk_refute "was not unmounted cleanly"
  touch "$T/go"
  kiosk_until "disk2: A filesystem (ext4) was not unmounted cleanly"
  kiosk_until_not "The disks are still being asked"
  assert_page_good
}

@test "with half of an array it asks once more before it converts" {
  display_stop
  display_start 800x1400
  array_and_data_make
  start "p2v.disks=$T/half0,$T/half1" "p2v.hostkey=$SERVER_HOSTKEY"
  to_machine
  kiosk_until "2 disks with 128.0 MiB chosen"
  key shift+Tab shift+Tab shift+Tab
  kiosk_focus "half1, 64.0 MiB"
  key space
  kiosk_go "What will the guest be like?" Return
  kiosk_go "Is this right?" Return
  kiosk_until "half0: "
  kiosk_go "Convert all the same?" Return
  kiosk_focus "Convert all the same?"
  assert_page_good
  key Return
  sleep 1
  kiosk_until "Convert all the same?"
  kiosk_go "need not be read again" alt+c
}

@test "the guest's name follows the disks, until somebody types one" {
  local name
  display_stop
  display_start 800x1400
  for name in alpha beta; do
    mkdir -p "$T/$name/etc"
    printf 'ID=debian\nPRETTY_NAME="Debian"\n' >"$T/$name/etc/os-release"
    echo "$name" >"$T/$name/etc/hostname"
    truncate -s 64M "$T/disk-$name"
    filesystem_add "$T/disk-$name" 1 60 root "$T/$name"
    echo "start=1MiB, size=60MiB, type=83" | sfdisk -q --label dos "$T/disk-$name"
  done
  start "p2v.disks=$T/disk-alpha,$T/disk-beta" "p2v.hostkey=$SERVER_HOSTKEY"
  to_machine
  kiosk_go "What will the guest be like?" Return
  kiosk_until $'text\tName\tfocused,sensitive\talpha'
  kiosk_go "Is this right?" Return
  kiosk_go "What will the guest be like?" Escape
  kiosk_go "Which of its disks?" Escape
  tab_to "disk-alpha"
  key space
  kiosk_until "1 disk with"
  kiosk_go "What will the guest be like?" alt+n
  kiosk_until $'text\tName\tfocused,sensitive\tbeta'
  key ctrl+a
  type_text typed
  kiosk_go "Is this right?" Return
  kiosk_go "What will the guest be like?" Escape
  kiosk_go "Which of its disks?" Escape
  tab_to "disk-alpha"
  key space
  kiosk_until "2 disks with"
  kiosk_go "What will the guest be like?" alt+n
  kiosk_until $'text\tName\tfocused,sensitive\ttyped'
}

@test "when other disks are found on a later page they are chosen again" {
  mv "$RECORDED_MACHINE/sys/block/sdb" "$T/unplugged"
  start "p2v.hostkey=$SERVER_HOSTKEY"
  to_review again2
  key alt+w
  kiosk_until "Keyboard layout"
  key d
  kiosk_until "This machine has 2 disks"
  kiosk_until "Is this right?"
  mv "$T/unplugged" "$RECORDED_MACHINE/sys/block/sdb"
  key alt+w
  kiosk_until "Keyboard layout"
  kiosk_go "Which of its disks?" d
  kiosk_until "This machine has 3 disks"
}

@test "the password can be shown, and Caps Lock is told" {
  start "p2v.hostkey=$SERVER_HOSTKEY"
  kiosk_go "Which conversion server?" Return
  type_text secret
  kiosk_refute secret
  key alt+h
  kiosk_until $'Password\tsensitive\tsecret'
  assert_page_good
  kiosk_refute "Caps Lock is on"
  key Caps_Lock
  kiosk_until "Caps Lock is on"
  key Caps_Lock
  kiosk_until_not "Caps Lock is on"
}

@test "the URL of a key keeps its password while something else is tried" {
  local port=$((SERVER_PORT + 1))
  nc -l -N 127.0.0.1 "$port" >"$T/asked" 2>/dev/null </dev/null 3>&- &
  local listener=$!
  start "p2v.hostkey=$SERVER_HOSTKEY" "p2v.identity=http://user:pw@127.0.0.1:$port/key"
  kiosk_go "Which conversion server?" Return
  kiosk_until "http://***@127.0.0.1:$port/key"
  key alt+p Tab
  type_text wrong
  kiosk_go "does not let you in" Return
  key alt+k
  key Return
  wait "$listener"
  grep -q "^Authorization: Basic $(printf user:pw | base64)" "$T/asked"
}

# What reads it hangs in the kernel, where no signal ends it.
@test "a disk that does not answer keeps nobody" {
  truncate -s 64M "$T/silent"
  faulty_disk_start "$T/silent"
  mkdir -p "$RECORDED_MACHINE/dev"
  ln -s "$loop" "$RECORDED_MACHINE/dev/sdb"
  kill -STOP "$faulty_pid"
  start "p2v.hostkey=$SERVER_HOSTKEY"
  to_machine
  kiosk_until "Looking at the disks"
  kiosk_go "The look at the disks was stopped" Escape
  kiosk_go "Which conversion server?" Escape
  kiosk_go "Which of its disks?" alt+n
  key alt+l
  kiosk_until "Looking at the disks"
  kill -CONT "$faulty_pid"
  kiosk_until "1 disk with 47.7 MiB chosen"
  kiosk_refute "was stopped"
  kiosk_go "What will the guest be like?" alt+n
}

@test "a disk that goes after it was chosen is said before the conversion begins" {
  start "p2v.hostkey=$SERVER_HOSTKEY"
  to_review gone1
  kiosk_refute "not there any more"
  mv "$T/disk1" "$T/unplugged"
  key Return
  kiosk_until "Disk disk1 is not there any more"
  kiosk_until "Is this right?"
  mv "$T/unplugged" "$T/disk1"
  key alt+c
  kiosk_until_not "Is this right?"
  kiosk_refute "not there any more"
}

# The last one: the server has another host key afterwards.
@test "a host key that changes after it was accepted blocks" {
  start
  kiosk_go "Which conversion server?" Return
  type_text "$SERVER_PASSWORD"
  kiosk_go "$SERVER_HOSTKEY" Return
  kiosk_focus "The fingerprints are the same"
  key space
  kiosk_go "Which of its disks?" Return
  kiosk_go "Which conversion server?" Escape
  rm "$SERVER_DIR/ssh/host_ed25519" "$SERVER_DIR/ssh/host_ed25519.pub"
  ssh-keygen -q -t ed25519 -N '' -f "$SERVER_DIR/ssh/host_ed25519"
  local changed
  changed=$(ssh-keygen -lf "$SERVER_DIR/ssh/host_ed25519.pub" | cut -d ' ' -f 2)
  server_root kill -HUP "$(<"$SERVER_DIR/sshd.pid")"
  wait_until 20 sh -c "ssh-keyscan -p $SERVER_PORT 127.0.0.1 2>/dev/null |
    ssh-keygen -lf - | grep -qF $changed"
  kiosk_go "This is not the server that it should be" alt+t
  kiosk_until "$changed"
  kiosk_until "$SERVER_HOSTKEY"
  kiosk_refute "The fingerprints are the same"
}
