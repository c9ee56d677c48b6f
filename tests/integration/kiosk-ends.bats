#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the kiosk says before a conversion and after it: how long it will take, what happens at the
# end, what was checked, what to do; and the report that can be taken away.

load ../lib/common
load ../lib/sample-disks
load ../lib/kiosk
load ../lib/recorded
load ../lib/conversion
load ../lib/stick
load ../lib/faulty-disk

setup_file () { recorded_server_start; }
teardown_file () { recorded_server_stop; }

setup ()
{
  common_setup
  replaced=()
  disk_make "$T/disk1" 50000384 "$BATS_TEST_NUMBER"
  # Nothing below the edge: a screen reader is told of what can be seen.
  display_start 800x1400
}

teardown ()
{
  kiosk_stop
  display_stop
  faulty_disk_end
  programs_restore
  stick_unplug sdy
  stick_unplug sdz
  common_teardown
}

# to_review NAME [ARGUMENT...]
to_review ()
{
  start "p2v.hostkey=$SERVER_HOSTKEY" "p2v.name=$1" "${@:2}"
  to_machine
  kiosk_until "1 disk with "
  kiosk_go "What will the guest be like?" Return
  kiosk_go "Is this right?" Return
}

@test "what happens at the end is said before, and what was compared afterwards, with the numbers" {
  conversion_succeeds
  to_review done1
  kiosk_until "writes its definition, done1.xml, beside the disks. It does not start it."
  kiosk_until "compares all that has reached it"
  assert_page_good
  key Return
  kiosk_until "The guest done1 has been made"
  kiosk_until "All 12 chunks of 4 MiB compared with what was read, all equal: "
  kiosk_until "Whether the guest starts was not tried"
  kiosk_until "virsh define $SERVER_IMAGES/done1.xml, virsh start done1"
  # There is nothing to report.
  kiosk_refute "Save a report"
  assert_page_good
  assert_equal "$(p2v_server show --json "$(job_of done1)" | jq -r '.verification | .data + .zero')" 12
  assert_quiet
}

@test "without a verification that is said, before and afterwards" {
  conversion_succeeds
  to_review done2 p2v.verify=off
  kiosk_until "is not compared with what was read here"
  key Return
  kiosk_until "The disks on the server were not compared"
  kiosk_refute "all equal"
}

@test "what could not be read is said first, with the places, and a report is offered" {
  conversion_succeeds
  faulty_disk_start "$T/disk1" 2048:1 40960:3
  start "p2v.disks=$loop" "p2v.hostkey=$SERVER_HOSTKEY" p2v.name=bad1
  to_machine
  kiosk_go "What will the guest be like?" Return
  kiosk_go "Is this right?" Return
  key Return
  kiosk_until "The guest bad1 has been made, but not all of this machine could be read"
  kiosk_until "2048 bytes in 2 places of the disks are zeroes in the guest"
  kiosk_until "512 bytes at byte 1048576 of disk ${loop##*/}"
  kiosk_until "1536 bytes at byte 20971520 of disk ${loop##*/}"
  assert_page_good
  stick_plug sdz 1
  kiosk_go "The report is saved" alt+s
  assert_quiet
}

@test "with p2v.wait=landed the guest is not said to be there" {
  to_review landed1 p2v.wait=landed
  kiosk_until "no longer needed as soon as everything has reached the server"
  key Return
  kiosk_until "Everything has reached the server, which makes the guest landed1 by itself"
  kiosk_until "not waited for, as p2v.wait=landed says"
  kiosk_until "p2v-server show $(job_of landed1)"
  kiosk_refute "has been made"
}

# To the page that says that the conversion has failed.
to_failure ()
{
  to_review "$1" "${@:2}"
  key Return
  kiosk_until "p2v-server retry"
}

# assert_report DIRECTORY NAME: the report on a stick that is mounted there.
assert_report ()
{
  local files
  files=$(ls "$1")
  [[ $files = *"p2v-report-$2-"*.tar.gz* ]] || assert_fail "no report:" "$files"
  mkdir "$T/report"
  tar -xzf "$1"/p2v-report-"$2"-*.tar.gz -C "$T/report" --strip-components 1
  assert_equal "$(cd "$T/report" && echo *)" \
    "dmesg.txt failure.txt log.txt machine.json network.txt settings.txt versions.txt"
  grep -q "convert: " "$T/report/failure.txt"
  grep -q "receive started" "$T/report/log.txt"
  grep -q "^p2v-client " "$T/report/versions.txt"
  grep -q "127.0.0.1" "$T/report/network.txt"
  assert_equal "$(jq -r .smbios.product "$T/report/machine.json")" "PowerEdge R720"
  ! grep -rF "$SERVER_PASSWORD" "$T/report" || assert_fail "the password is in the report"
  grep -q 'auth.password *\*\*\*' "$T/report/settings.txt"
}

@test "a report is saved to a stick that is plugged in when it is asked for" {
  to_failure report1
  kiosk_go "No USB stick was found" alt+s
  assert_page_good
  stick_plug sdz 1
  key alt+s
  kiosk_until "The report is saved. The stick can be pulled out."
  kiosk_until "Stick 1, sdz1, 32.0 MiB: p2v-report-report1-"
  assert_page_good
  # Nothing stays mounted, and nothing of it is left below /run.
  ! grep /run/p2v-stick /proc/self/mountinfo || assert_fail "the stick is still mounted"
  assert_equal "$(find /run -maxdepth 1 -name 'p2v-stick-*')" ""
  assert_report "$(stick_read sdz)" report1
  assert_quiet
}

@test "of several sticks one is chosen" {
  stick_plug sdy 1
  stick_plug sdz 2
  to_failure report2
  kiosk_go "Save there" alt+s
  kiosk_until "The stick to save the report to"
  assert_page_good
  key Down
  key alt+h
  kiosk_until "Stick 2, sdz1, 32.0 MiB: p2v-report-report2-"
  kiosk_until_not "Save there"
  assert_equal "$(ls "$(stick_read sdy)" | grep -c report || true)" 0
  assert_report "$(stick_read sdz)" report2
}

@test "a stick that cannot be mounted says why" {
  stick_plug sdz 1
  printf '#!/bin/sh\necho "mount: /dev/sdz1: can'"'"'t read superblock" >&2\nexit 32\n' >"$T/mount"
  chmod +x "$T/mount"
  PATH=$T:$PATH to_failure report3
  kiosk_go "The report could not be saved" alt+s
  kiosk_until "Stick 1, sdz1, 32.0 MiB cannot be written to: mount: /dev/sdz1: can't read superblock."
  assert_equal "$(find /run -maxdepth 1 -name 'p2v-stick-*')" ""
}

@test "Review measures how long it will take, with the limit that was asked for" {
  to_review measure1 p2v.bwlimit=8M
  kiosk_until "All of it is sent, but for what holds only zeroes"
  kiosk_until "Less than a minute to send 47.7 MiB: the disks read at "
  kiosk_until "the network takes "
  kiosk_refute "Measuring"
  assert_page_good
  local rate
  rate=$(kiosk_look | grep -o 'the network takes [0-9.]* MiB/s' | head -1 | tr -dc 0-9.)
  awk -v rate="$rate" 'BEGIN { exit !(rate > 0.5 && rate < 8.01) }' || assert_fail "$rate MiB/s"
  # Nothing of it is left on the server.
  assert_equal "$(job_of measure1)" null
}

@test "Convert does not wait for the measurement" {
  to_review measure2
  key Return
  kiosk_until "p2v-server retry"
  assert_quiet
}

@test "what the server is measured with is thrown away, and no more than was announced" {
  mkfifo "$T/in"
  server_ssh p2v-server session <"$T/in" >"$T/out" 3>&- &
  local session=$! to
  exec {to}>"$T/in"
  printf '%s\n' '{"type":"hello","version":1,"program":"test"}' '{"type":"measure","bytes":100000}' >&"$to"
  wait_until 20 grep -q '"measuring"' "$T/out"
  head -c 100000 /dev/zero >&"$to"
  printf '%s\n' '{"type":"ping"}' >&"$to"
  wait_until 20 grep -q '"pong"' "$T/out"
  printf '%s\n' '{"type":"measure","bytes":67108865}' >&"$to"
  exec {to}>&-
  wait "$session" || true
  assert_equal "$(jq -r .type "$T/out" | xargs)" "hello measuring measured pong error"
}
