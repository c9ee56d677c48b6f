#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A machine with a BIOS, started from a CD.

load ../lib/boot

setup_file ()
{
  boot_start bios-cd
  boot_site
}

teardown_file () { boot_stop; }

@test "BIOS, from CD: the disk arrives, the consoles say how it went, the machine switches itself off" {
  boot_disk "$T/sda" 128
  boot_convert bios-cd bios-cd "sda=$T/sda" -- -drive "file=$T/sda,format=raw,if=ide,index=0"
  # The menu is on the serial port too.
  assert_said bios-cd 'turn this machine into a KVM guest' 'Convert this machine to 10\.0\.2\.2'
}

@test "the job on the server has what happened, to its end" {
  local job
  job=$(boot_job p2v-bios-cd)
  run p2v_server log "$job"
  assert_status 0
  assert_output_contains "receive"
  assert_output_contains "virt-v2v-in-place is not installed"
  # And the machine as it was.
  run p2v_server show --json "$job"
  assert_equal "$(jq -r .request.machine.smbios.serial <<<"$output")" bios-cd
}
