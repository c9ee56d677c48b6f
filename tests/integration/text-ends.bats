#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the text interface says before a conversion and after it, as kiosk-ends.bats.

load ../lib/common
load ../lib/sample-disks
load ../lib/text
load ../lib/conversion
load ../lib/stick

setup_file ()
{
  server_start
  server_root mount --bind /dev/null "$(command -v virt-v2v-in-place)"
}

teardown_file () { server_stop; }

setup ()
{
  common_setup
  replaced=()
  disk_make "$T/sda" 50000384 "$BATS_TEST_NUMBER"
}

teardown ()
{
  terminal kill-server 2>/dev/null || true
  programs_restore
  [[ -z ${RECORDED_MACHINE-} ]] || { stick_unplug sdy; stick_unplug sdz; }
  common_teardown
}

# to_review NAME [ARGUMENT...]
to_review ()
{
  text_start "p2v.name=$1" "p2v.identity=file://$SERVER_IDENTITY" "${@:2}"
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

@test "what happens at the end is said before, and what was compared afterwards, with the numbers" {
  conversion_succeeds
  to_review done1
  see_further_down "does not start"
  press_button Convert
  see "The guest done1 has been made"
  see "All 12 chunks of 4 MiB compared with what was read, all equal"
  see "virsh define"
}

@test "Review measures how long it will take, and Convert does not wait for it" {
  to_review measure1
  see "Less than a minute to send 47.7 MiB: the disks read at "
  see "the network takes "
  press_button Back
  see "What shall the guest be?"
  press_button Next
  see "Is this right?"
  press_button Convert
  see "Sent, but the conversion failed"
}

@test "a report is offered after a failure, and that there is no stick is said" {
  # Whatever is plugged into this machine.
  WRAPPER=(unshare --mount sh -c 'mount -t tmpfs none /sys/block && exec "$@"' sh)
  to_review report1
  press_button Convert
  see "Sent, but the conversion failed"
  press_button Report
  see "No USB stick was found"
  see "Plug in one with a FAT"
  press Enter
  see "Sent, but the conversion failed"
}

@test "the report is saved to the stick that is chosen, and can be taken away" {
  # shellcheck disable=SC2034 # for stick.bash
  RECORDED_MACHINE=$T/machine
  "$P2V_TOP/tests/machines/recorded/make" \
    "$P2V_TOP/tests/unit/p2v-client/fixtures/dell-r720.tree" "$RECORDED_MACHINE"
  stick_plug sdy 1
  stick_plug sdz 2
  TEXT_OPTIONS=("--root=$RECORDED_MACHINE")
  to_review report2
  press_button Convert
  see "Sent, but the conversion failed"
  press_button Report
  see "Save the report to which stick?"
  press Down
  press_button Save
  see "The report is saved"
  see "It is on Stick 2, sdz1, 32.0 MiB, as"
  see "p2v-report-report2-"
  local files
  files=$(ls "$(stick_read sdz)")
  [[ $files = *p2v-report-report2-*.tar.gz* ]] || assert_fail "no report:" "$files"
  assert_equal "$(ls "$(stick_read sdy)" | grep -c report || true)" 0
}
