#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The kiosk's tools, by keyboard: the shell, the disks looked for again, the logs, the keyboard's
# layout. No server is needed for them.

load ../lib/common
load ../lib/kiosk

setup ()
{
  common_setup
  RECORDED_MACHINE=$T/machine
  "$P2V_TOP/tests/machines/recorded/make" \
    "$P2V_TOP/tests/unit/p2v-client/fixtures/dell-r720.tree" "$RECORDED_MACHINE"
  mkdir "$T/home" "$T/bin"
  display_start 800x600
}

teardown ()
{
  kiosk_stop
  display_stop
  common_teardown
}

# tool KEY TEXT: opens a tool of the menu by its underlined letter; it shows TEXT then.
tool ()
{
  key alt+w
  kiosk_until "Keyboard layout"
  key "$1"
  kiosk_until "$2"
}

start () { HOME=$T/home SHELL=/bin/bash PATH=$T/bin:$PATH kiosk_start "$@"; }

layout_is () { [[ $(setxkbmap -query | awk '$1 == "layout:" || $1 == "variant:" { printf "%s ", $2 }') = "$1 " ]]; }

assert_names () { assert_nothing --nameless; assert_nothing --outside=800; }

@test "a shell: a command does its work, and after exit the disks are looked for again" {
  truncate -s 64M "$T/first"
  start "p2v.disks=$T/first"
  kiosk_go "Which conversion server?" Return
  tool s "Ctrl+Shift+W"
  assert_names
  type_text 'echo "$HOME" >"$HOME/said"'
  key Return
  wait_until 20 test -s "$T/home/said"
  assert_equal "$(<"$T/home/said")" "$T/home"
  type_text exit
  key Return
  kiosk_until "Which conversion server?"
  kiosk_until "This machine has 3 disks"
}

@test "a shell with a program in it asks before it closes" {
  start
  tool s "Ctrl+Shift+W"
  type_text "sleep 612"
  key Return
  wait_until 20 pgrep -f "^sleep 612"
  key ctrl+shift+w
  kiosk_until "A program runs in the shell"
  key alt+k
  kiosk_until_not "A program runs in the shell"
  kiosk_until "Ctrl+Shift+W"
  key ctrl+shift+w
  kiosk_until "A program runs in the shell"
  key alt+c
  kiosk_until "Turn this machine"
  wait_until 20 eval '! pgrep -f "^sleep 612" >/dev/null'
}

@test "a disk that was plugged in is found from any page" {
  mv "$RECORDED_MACHINE/sys/block/sdb" "$T/unplugged"
  start
  kiosk_go "Which conversion server?" Return
  tool d "This machine has 1 disk"
  mv "$T/unplugged" "$RECORDED_MACHINE/sys/block/sdb"
  tool d "This machine has 2 disks"
}

@test "the logs of the conversion, the kernel and the system, as they are now" {
  printf '#!/bin/sh\necho "said $* at $(cat %s/time)"\n' "$T" >"$T/bin/journalctl"
  printf '#!/bin/sh\necho "cannot read the buffer" >&2; exit 1\n' >"$T/bin/dmesg"
  chmod +x "$T/bin/journalctl" "$T/bin/dmesg"
  echo one >"$T/time"
  start
  tool o "Nothing has been converted yet."
  assert_names
  key Down
  kiosk_until "cannot read the buffer"
  key Down
  kiosk_until "said -b -n 3000 --no-pager at one"
  echo two >"$T/time"
  key alt+r
  kiosk_until "--no-pager at two"
  key alt+l Down
  kiosk_until "-u NetworkManager"
  key Escape
  kiosk_until "Turn this machine"
}

@test "a keyboard layout is found by typing, used, and tried" {
  start
  tool k "Use this layout"
  assert_nothing --nameless
  type_text "german (no"
  key Return
  key alt+u
  kiosk_until "The keyboard has this layout now"
  layout_is "de nodeadkeys"
  key alt+t
  # The key that has a Y in the USA.
  xdotool key 29
  kiosk_until $'text\tTry it\tfocused,sensitive\tz'
  key Escape
  kiosk_until "Turn this machine"
}

@test "a layout without Latin letters comes after the US one, and Alt+Shift switches" {
  start
  tool k "Use this layout"
  type_text "russian (mac"
  key Return
  key alt+u
  kiosk_until "Alt+Shift switches between it and the US layout"
  layout_is "us,ru ,mac"
  key alt+t
  type_text a
  kiosk_until $'text\tTry it\tfocused,sensitive\ta'
  # One with Latin letters is alone.
  key Escape
  kiosk_until "Turn this machine"
  tool k "Use this layout"
  type_text "french (azerty)"
  key Return
  key alt+u
  kiosk_until "Try its keys in the field below the list"
  layout_is "fr azerty"
}

@test "the choice of a layout is closed before it is answered" {
  printf '#!/bin/sh\nsleep 0.7\nexec %s "$@"\n' "$(command -v setxkbmap)" >"$T/bin/setxkbmap"
  chmod +x "$T/bin/setxkbmap"
  start
  tool k "Use this layout"
  key Escape
  kiosk_until "Turn this machine"
  sleep 1.5
  tool k "Use this layout"
  key Down Return Escape
  kiosk_until "Turn this machine"
  sleep 3
  kiosk_go "Which conversion server?" Return
}

@test "p2v.keyboard chooses the layout at the start; one that cannot be is said" {
  start "p2v.keyboard=us(dvorak)"
  wait_until 20 layout_is "us dvorak"
  kiosk_stop
  start 'p2v.keyboard=us;reboot'
  kiosk_until "expected a layout such as de"
}
