#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The languages of kiosk and text interface: nothing is missing in the catalogues, a person chooses
# a language by keyboard, and each page can be worked with in each of them.

load ../lib/common
load ../lib/kiosk

bats_require_minimum_version 1.5.0

LANGUAGES=(de zh_CN)

setup_file ()
{
  server_start
  RECORDED_MACHINE=$(mktemp -d /var/tmp/t-XXXXXX)
  "$P2V_TOP/tests/machines/recorded/make" \
    "$P2V_TOP/tests/unit/p2v-client/fixtures/dell-r720.tree" "$RECORDED_MACHINE/machine"
  RECORDED_MACHINE+=/machine
  export RECORDED_MACHINE
}

teardown_file ()
{
  server_stop
  rm -rf -- "${RECORDED_MACHINE%/machine}"
}

setup ()
{
  common_setup
  truncate -s 50M "$T/disk1"
}

teardown ()
{
  kiosk_stop
  display_stop
  terminal kill-server 2>/dev/null || true
  common_teardown
}

# start LANGUAGE [ARGUMENT...]: the kiosk, as if it had been started in that language.
start ()
{
  # shellcheck disable=SC2034 # for kiosk_start
  KIOSK_BEGINS=$(in_language "$1" "Turn this machine into a virtual machine")
  shift
  kiosk_start p2v.server=127.0.0.1 "p2v.port=$SERVER_PORT" "p2v.username=$SERVER_USER" \
    "p2v.hostkey=$SERVER_HOSTKEY" "p2v.disks=$T/disk1" p2v.o=local "p2v.os=$SERVER_IMAGES" \
    p2v.memory=512M "$@"
}

# On the page that is shown: no letter stands for two things, everything has a name, and nothing is
# wider than the screen.
assert_page_good ()
{
  assert_nothing --clashes
  assert_nothing --nameless
  assert_nothing --outside=800
}

# walk_to_review LANGUAGE: page by page, with the Enter key.
walk_to_review ()
{
  local language=$1 title
  for title in "Which conversion server?" "Which of its disks?" "What will the guest be like?" \
      "Is this right?"; do
    kiosk_go "$(in_language "$language" "$title")" Return
    assert_page_good
    [[ $title != "Which conversion server?" ]] || type_text "$SERVER_PASSWORD"
  done
}

@test "each catalogue has every text of the sources, with its formats and letters for the keyboard" {
  local language catalogue
  make -s -C "$P2V_TOP" build/po/p2v.pot
  for language in "${LANGUAGES[@]}"; do
    catalogue=$P2V_TOP/po/$language.po
    msgfmt --check --check-accelerators=_ -o /dev/null "$catalogue"
    assert_equal "$(msgattrib --only-fuzzy "$catalogue")" ""
    msgcmp "$catalogue" "$P2V_TOP/build/po/p2v.pot"
  done
}

@test "in German each page has its letters for the keyboard, and fits with large text, too" {
  display_start 800x600
  start de p2v.language=de
  # With a plural.
  kiosk_until "16 Prozessoren, 32.0 GiB Arbeitsspeicher"
  assert_page_good
  key alt+a
  kiosk_until "Große Schrift"
  key g
  walk_to_review de
  assert_quiet
}

@test "in Chinese each page has its letters for the keyboard, and fits" {
  display_start 800x600
  start zh_CN p2v.language=zh_CN
  assert_page_good
  walk_to_review zh_CN
  assert_quiet
}

@test "in German what is seldom seen has its letters, and fits" {
  local page
  display_start 800x600
  for page in connecting refused looking look-stopped no-disks disks guest-refused unfinished lost \
      no-space landed cancelled 'done' bad; do
    LANGUAGE=de GDK_PIXBUF_MODULE_FILE=/dev/null \
      "$P2V_BUILD/tests/unit/p2v-kiosk/show-page" "$page" </dev/null >"$T/kiosk.out" 2>&1 3>&- &
    # shellcheck disable=SC2034 # for kiosk_stop
    KIOSK_PID=$!
    kiosk_until "6  Konversion"
    assert_page_good
    assert_quiet
    kiosk_stop
  done
}

@test "the kiosk's language is chosen by keyboard on its first page, and back" {
  display_start 800x600
  start en
  key alt+l Down
  kiosk_until "Diesen Rechner virtualisieren"
  key alt+s Up
  kiosk_until "Turn this machine into a virtual machine"
  # What was typed stays, and so does the look.
  kiosk_go "Which conversion server?" Return
  type_text typed
  kiosk_go "Turn this machine into a virtual machine" Escape
  key alt+w
  kiosk_until "Large text"
  key l
  key alt+l Down
  kiosk_until "Diesen Rechner virtualisieren"
  key alt+a
  kiosk_until $'check menu item\tGroße Schrift\tchecked'
  key Escape
  kiosk_go "$(in_language de "Which conversion server?")" alt+w
  key alt+i
  kiosk_until $'Passwort\tsensitive\ttyped'
  assert_quiet
}

@test "a language that there is not is refused, with those that there are" {
  run -2 "$P2V_CLIENT" "--cmdline=p2v.language=xx p2v.server=kvm1"
  [[ $output = *"p2v.language=xx: expected one of en, de, zh_CN"* ]]
  display_start 800x600
  start en p2v.language=xx
  kiosk_until "expected one of en, de, zh_CN"
  assert_quiet
}

terminal () { tmux -S "$T/tmux" -f /dev/null "$@"; }
shows () { terminal capture-pane -p | grep -qF -- "$1"; }
see () { wait_until 30 shows "$1" || assert_fail "the screen:" "$(terminal capture-pane -p)"; }

# text_start ARGUMENT...: the text interface in a terminal, with these kernel arguments.
text_start ()
{
  local program="$P2V_BUILD/p2v-client/newt/p2v-text"
  terminal new-session -d -x 80 -y 24 env TERM=screen "$program" \
    "--cmdline=p2v.disks=$T/disk1 $*" 3>&-
}

@test "the text interface's language is chosen by keyboard on its first page" {
  text_start
  see "<Language>"
  # From the first button to the last.
  terminal send-keys Tab Tab Tab Tab Enter
  see "<Deutsch>"
  terminal send-keys Tab Enter
  see "Rechner und Netzwerk"
  see "<Sprache>"
  see "Leertaste: wählen"
}

@test "p2v.language is that of the text interface, which refuses another" {
  text_start p2v.language=de
  see "Seine Platten werden gelesen"
  terminal kill-server
  run -2 "$P2V_BUILD/p2v-client/newt/p2v-text" --cmdline=p2v.language=xx
  [[ $output = *"expected one of en, de, zh_CN"* ]]
}
