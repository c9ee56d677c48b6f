#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The boot menu's other entries: each is chosen on the serial port, as a person there does. (The
# default one is the kiosk's test, that which verifies the medium has tests of its own.)

load ../lib/boot

setup_file ()
{
  boot_start menu
  export BOOT_MEDIUM=$BOOT_DIR/menu.iso
  boot_media --argument ip=10.0.2.77::10.0.2.2:24::ens3:none
}

teardown_file () { boot_stop; }

# A disk whose boot sector says on the serial port that it was started.
bootable_disk ()
{
  truncate -s 1M "$1"
  # cli; for each byte of the text: wait for the port (3f8h), send; hlt. Loaded at 7c00h.
  perl -e '
    my $text = "LOCAL DISK STARTED\r\n";
    my $code = pack ("H*", "fa" . "31c0" . "8ed8"       # cli; xor ax,ax; mov ds,ax
      . "be" . unpack ("H*", pack ("v", 0x7c00 + 0x40)) # mov si, text
      . "bafd03" . "ec" . "a820" . "74f8"               # wait: mov dx,3fdh; in al,dx; test al,20h; jz wait
      . "baf803" . "ac" . "84c0" . "7403" . "ee"        # mov dx,3f8h; lodsb; test al,al; jz end; out dx,al
      . "ebed"                                          # jmp wait
      . "f4" . "ebfd");                                 # end: hlt; jmp end
    print pack ("a64 a446 v", $code, $text, 0xaa55)' | dd of="$1" conv=notrunc status=none
}

@test "text interface: on the screen and on the serial port; the site's address was taken" {
  boot_machine text bios-cd
  boot_choose text t
  boot_wait_serial text '10\.0\.2\.77/24'
  boot_wait text 60 boot_shows text 30 0 0 170
  boot_screen text
  boot_kill text
}

@test "text on the serial console: with the kernel's messages" {
  boot_machine serial bios-cd
  boot_choose serial s
  boot_wait_serial serial 'The network looks ready'
  boot_kill serial
}

@test "the system on the local disk" {
  bootable_disk "$T/sda"
  boot_machine local bios-cd -drive "file=$T/sda,format=raw,if=ide,index=0"
  boot_choose local d
  boot_wait_serial local 'LOCAL DISK STARTED' 60
  boot_kill local
}

@test "memory test" {
  boot_machine memory bios-cd
  boot_choose memory m
  # Memtest86+ is white on blue.
  boot_wait memory 60 boot_shows memory 50 0 0 170
  boot_screen memory
  boot_kill memory
}
