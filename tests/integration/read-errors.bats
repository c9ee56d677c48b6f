#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A disk that cannot be read everywhere: what is lost is just what cannot be read, and everybody
# hears of it. virt-v2v is a stand-in that has nothing to do, so that conversions succeed.

load ../lib/common
load ../lib/faulty-disk

setup_file ()
{
  server_start
  WORK=$(mktemp -d /var/tmp/t-XXXXXX)
  chmod 755 "$WORK"
  export WORK
  cat >"$WORK/virt-v2v-in-place" <<END
#!/bin/bash
cat "$WORK/log"
END
  cp "$P2V_TOP/tests/machines/virt-v2v-report/debian-bios.log" "$WORK/log"
  chmod 755 "$WORK/virt-v2v-in-place"
  chmod 644 "$WORK/log"
  server_root mount --bind "$WORK/virt-v2v-in-place" "$(command -v virt-v2v-in-place)"
  make_disk "$WORK/disk"
}

teardown_file ()
{
  server_stop
  rm -rf -- "$WORK"
}

teardown ()
{
  [[ -z ${background-} ]] || kill -KILL "$background" 2>/dev/null || true
  faulty_disk_end
  common_teardown
}

p2v_server () { server_exec p2v-server --config "$SERVER_CONFIG" "$@"; }
job_of () { p2v_server jobs --json | jq -r --arg guest "$1" '[.jobs[] | select(.guest == $guest)][-1].id'; }

# A disk of 48 MiB: a GPT, a partition with ext4 that is partly free, and one with something that
# nobody knows.
make_disk ()
{
  truncate -s 48M "$1"
  sfdisk -q "$1" <<'END'
label: gpt
start=2048, size=65536
start=67584, size=20480
END
  mkdir "$1.files"
  random_bytes file 8388608 >"$1.files/big"
  mkfs.ext4 -q -F -b 4096 -d "$1.files" -E offset=1048576 "$1" 32M
  random_bytes second 10485760 | dd of="$1" bs=1M seek=33 conv=notrunc status=none
  # Where the file lies, and a block that is free, in sectors of the disk.
  local block
  block=$(debugfs -R "bmap /big 300" "$1?offset=1048576" 2>/dev/null)
  echo $((2048 + block * 8)) >"$1.big"
  block=$(debugfs -R "ffb 1 6000" "$1?offset=1048576" 2>/dev/null | grep -o '[0-9]\+')
  echo $((2048 + block * 8)) >"$1.free"
}

# The disk as it has to arrive: without what is free, and without the ranges START:COUNT.
expect ()
{
  local range
  cp --sparse=always "$WORK/disk" "$T/expected"
  for range; do
    dd if=/dev/zero of="$T/expected" bs=512 seek="${range%:*}" count="${range#*:}" conv=notrunc \
      status=none
  done
}

convert ()
{
  client "p2v.name=$1" "p2v.disks=${disks-$loop}" p2v.interfaces= p2v.memory=512M p2v.o=local p2v.of=raw \
    "p2v.os=$SERVER_IMAGES" "${@:2}" </dev/null
}

image_of () { ls "$SERVER_IMAGES/$1-"*; }

@test "sectors that cannot be read are zeroes, all the rest arrives; everybody says so" {
  local big free
  big=$(<"$WORK/disk.big")
  free=$(<"$WORK/disk.free")
  # One in the file, one in free space, three across two chunks in the second partition, the last
  # of the disk.
  faulty_disk_start "$WORK/disk" "$((big + 3)):1" "$free:1" 73727:3 98303:1
  run convert bad1 "p2v.post=sh -c 'echo \$P2V_STATUS \$P2V_MESSAGE >$T/post'"
  assert_status 10
  assert_output_contains "Warning: "
  assert_output_contains "2.5 KiB could not be read"
  assert_output_contains "not all of this machine could be read: 2560 bytes of its disks, in 3 places"
  assert_output_contains "512 bytes at byte $(((big + 3) * 512)) of disk ${loop#/dev/} (ext4 on "
  assert_output_contains "1536 bytes at byte $((73727 * 512)) of disk"
  assert_output_contains "p2v-server show $(job_of bad1)"
  expect "$((big + 3)):1" 73727:3 98303:1
  assert_same_contents "$(image_of bad1)" "$T/expected"
  [[ $(<"$T/post") = "10 2560 bytes in 3 places "* ]]

  # The job has it.
  run p2v_server show --json "$(job_of bad1)"
  assert_equal "$(jq -r .state <<<"$output")" "done"
  assert_equal "$(jq -c '[.bad[] | [.offset, .length]]' <<<"$output")" \
    "[[$(((big + 3) * 512)),512],[$((73727 * 512)),1536],[$((98303 * 512)),512]]"
  assert_equal "$(jq -r '.bad[0].where' <<<"$output" | sed 's/ on .*//')" ext4
  assert_equal "$(jq -r '.bad[].disk' <<<"$output" | sort -u)" "${loop#/dev/}"
  run p2v_server show "$(job_of bad1)"
  assert_output_contains "Could not be read on the machine, and is zeroes in the guest: 2560 bytes"
  assert_output_contains "restore from a backup"
  run p2v_server log "$(job_of bad1)"
  assert_output_contains "receive warning: "
  assert_equal "$(p2v_server jobs --json | jq '.jobs[-1].bad_bytes')" 2560
}

@test "JSON progress lists what cannot be read" {
  faulty_disk_start "$WORK/disk" 73727:3
  run convert bad2 --json-progress
  assert_status 10
  local json
  json=$(grep '^{' <<<"$output")
  # The last one has all: it is two chunks, which may land together.
  assert_equal "$(jq -cs '[[.[] | select(.type == "bad")][-1].ranges[]] |
    [(map(.offset) | min), (map(.length) | add)]' <<<"$json")" "[$((73727 * 512)),1536]"
  assert_equal "$(jq -r 'select(.type == "bad") | .ranges[0].where' <<<"$json" | sort -u)" \
    "${loop#/dev/} partition 2"
  assert_equal "$(jq -s 'map(select(.type == "progress"))[-1].disks[0].bad' <<<"$json")" 1536
}

@test "what could not be read is told again to a server that has not heard of it" {
  local holder ended=0
  faulty_disk_start "$WORK/disk" 73727:3
  convert again1 --json-progress p2v.bwlimit=4M p2v.lanes=1 >"$T/json" 2>&1 3>&- &
  background=$!
  wait_until 60 grep -q '"type": *"created"' "$T/json"
  # The session takes nothing in from now on, and dies with it.
  holder=$(tr -dc 0-9 <"$SERVER_STATE/jobs/$(job_of again1)/lock")
  server_root kill -STOP "$holder"
  wait_until 60 grep -q '"type": *"bad"' "$T/json"
  server_root kill -KILL "$holder"
  wait "$background" || ended=$?
  assert_equal "$ended" 10
  grep -q '"type": *"restored"' "$T/json"
  assert_equal "$(p2v_server show --json "$(job_of again1)" | jq '[.bad[].length] | add')" 1536
  expect 73727:3
  assert_same_contents "$(image_of again1)" "$T/expected"
}

# lost_is BYTES GUEST: so much the server knows to be lost.
lost_is () { [[ $(p2v_server show --json "$(job_of "$2")" 2>/dev/null | jq "[.bad[]?.length] | add // 0") = "$1" ]]; }

@test "what could not be read, but can be when the machine is started again, is lost no longer" {
  faulty_disk_start "$WORK/disk" 73727:3
  # The first disk lands long before this one.
  random_bytes second 67108864 >"$T/second"
  local disks=$loop,$T/second
  convert later p2v.bwlimit=4M >"$T/first" 2>&1 3>&- &
  background=$!
  wait_until 60 lost_is 1536 later
  pkill -KILL -P "$background" -x p2v-client
  wait "$background" || true
  # A connector was loose: the disk works again, but for one of the sectors.
  sed -i 's/ 73727:3;/ 73728:1;/' "$T/serve"
  run convert later --json-progress
  assert_status 10
  assert_equal "$(grep '^{' <<<"$output" | jq -cs '[.[] | select(.type == "bad")] |
    map(.ranges | map(.length) | add)')" '[1536,512]'
  assert_equal "$(p2v_server jobs --json | jq '[.jobs[] | select(.guest == "later")] | length')" 1
  lost_is 512 later || assert_fail "$(p2v_server show "$(job_of later)")"
  run p2v_server log "$(job_of later)"
  assert_output_contains "1024 bytes of disk ${loop#/dev/} that could not be read before could be read after all"
  expect 73728:1
  assert_same_contents "$SERVER_IMAGES/later-${loop#/dev/}" "$T/expected"
}

@test "what can be read when the server asks for it again is lost no longer, and nothing is" {
  local program real
  program=$(command -v qemu-nbd)
  real=$SERVER_DIR/real-qemu-nbd
  cp "$program" "$real"
  chmod 755 "$real"
  # When the image is read back, a byte of the chunk that has the bad sector is found to be wrong; and
  # by then the disk works.
  cat >"$T/qemu-nbd" <<END
#!/bin/sh
case "\$*" in *--read-only*)
  for image; do :; done
  [ -e "\$image.damaged" ] || {
    : >"\$image.damaged"
    printf 'not what was read' | dd of="\$image" bs=1 seek=$((73720 * 512 - 4096)) conv=notrunc status=none
    sed -i 's/ 73720:3;/ ;/' "$T/serve"
  } ;;
esac
exec $real "\$@"
END
  chmod 755 "$T/qemu-nbd"
  faulty_disk_start "$WORK/disk" 73720:3
  chmod 777 "$T" "$T/serve"
  server_root mount --bind "$T/qemu-nbd" "$program"
  run convert asked --json-progress p2v.verify=full
  server_root umount "$program"
  rm "$real"
  assert_status 0
  assert_equal "$(grep '^{' <<<"$output" | jq -cs '[.[] | select(.type == "bad")] |
    map(.ranges | map(.length) | add // 0)')" '[1536,0]'
  lost_is 0 asked || assert_fail "$(p2v_server show "$(job_of asked)")"
  expect
  assert_same_contents "$SERVER_IMAGES/asked-${loop#/dev/}" "$T/expected"
}

@test "p2v.read_errors=stop ends at the first sector that cannot be read" {
  faulty_disk_start "$WORK/disk" 73727:3
  run convert bad3 p2v.read_errors=stop
  assert_status 5
  assert_output_contains "cannot read disk $loop"
  assert_output_contains "Input/output error"
}

@test "a disk that stops to answer is given up, not read to its end; exit 5" {
  faulty_disk_start "$WORK/disk" 80000:1
  # Slowly, so that it is on its way when the disk goes.
  convert bad4 p2v.bwlimit=2M p2v.compress=off >"$T/output" 2>&1 3>&- &
  local client=$!
  wait_until 60 grep -q "Sending the disks" "$T/output"
  sleep 1
  touch "$T/unplugged"
  status=0
  wait "$client" || status=$?
  output=$(<"$T/output")
  assert_status 5
  assert_output_contains "does not answer any more"
}

@test "a dead region of many chunks costs time, not the conversion" {
  # The kernel's loop device answers reads beyond the end of a file that shrank with EIO.
  cp --sparse=always "$WORK/disk" "$T/backing"
  loop=$(losetup --show -f "$T/backing")
  truncate -s 40M "$T/backing"
  blockdev --flushbufs "$loop"
  SECONDS=0
  run convert bad5
  ((SECONDS < 60))
  blockdev --setrw "$loop"
  assert_status 10
  expect "$((40 * 2048)):$((8 * 2048))"
  assert_same_contents "$(image_of bad5)" "$T/expected"
}
