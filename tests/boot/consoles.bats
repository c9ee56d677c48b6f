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

# keys_are NAME KEYCODE SYMBOL: what the kernel makes of a key of the keyboard, asked in the shell that
# the text interface has on the serial port.
keys_are () { [[ $(ask_key "$1" "$2") = *"keycode  $2 = $3"* ]]; }
ask_key ()
{
  boot_type "$1" "dumpkeys -C /dev/tty1 | grep '^keycode  $2 ='"$'\r'
  sleep 2
  boot_serial "$1" | tail -n 3
}

@test "a text console has the layout of p2v.keyboard, and another when that is chosen" {
  BOOT_APPEND='p2v.text p2v.keyboard=de' boot_machine keys kernel
  boot_wait_serial keys 'The network looks ready'
  boot_wait keys 30 boot_shows keys 30 0 0 170
  # To the fourth button.
  boot_type keys $'\t\t\t\r'
  sleep 2
  boot_wait keys 60 keys_are keys 21 +z
  # On the screen: Language, Keyboard, the first that begins with D, which is Danish, and Use.
  boot_press keys tab
  boot_press keys tab
  boot_press keys tab
  boot_press keys tab
  boot_press keys ret
  sleep 2
  boot_press keys tab
  boot_press keys tab
  boot_press keys ret
  sleep 2
  boot_press keys d
  boot_screen keys "$BOOT_OUT/layouts.png"
  boot_press keys tab
  boot_press keys tab
  boot_press keys ret
  boot_wait keys 60 keys_are keys 39 +ae
  boot_screen keys "$BOOT_OUT/chosen.png"
  boot_kill keys
}

@test "768 MB of RAM are enough" {
  boot_disk "$T/sda" 128
  BOOT_MEMORY=768 boot_convert small bios-cd "sda=$T/sda" -- -drive "file=$T/sda,format=raw,if=ide,index=0"
  refute_said small 'Out of memory|oom-kill'
}
