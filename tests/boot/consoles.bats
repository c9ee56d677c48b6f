#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Machines with little to look at or to work with.

load ../lib/boot

setup_file ()
{
  boot_start consoles
  boot_site
}

teardown_file () { boot_stop; }

@test "no screen, unattended: the serial console says everything" {
  boot_disk "$T/sda" 40
  boot_convert blind bios-cd "sda=$T/sda" -- -drive "file=$T/sda,format=raw,if=ide,index=0" -vga none
}

@test "no screen, nobody said what to do: the questions are asked on the serial console" {
  BOOT_APPEND='' boot_machine questions kernel -vga none
  boot_wait_serial questions 'The network looks ready'
  # The next page knows what the medium says of the server.
  boot_type questions $'\r'
  boot_wait_serial questions '10\.0\.2\.2[^0-9]' 30
  boot_kill questions
}

@test "a screen, and p2v.text: the questions are on it and on the serial console" {
  BOOT_APPEND=p2v.text boot_machine text kernel
  boot_wait_serial text 'The network looks ready'
  # Newt's blue, around the dialogue.
  boot_wait text 30 boot_shows text 30 0 0 170
  boot_screen text
  boot_kill text
}

@test "768 MB of RAM are enough" {
  boot_disk "$T/sda" 128
  BOOT_MEMORY=768 boot_convert small bios-cd "sda=$T/sda" -- -drive "file=$T/sda,format=raw,if=ide,index=0"
  refute_said small 'Out of memory|oom-kill'
}
