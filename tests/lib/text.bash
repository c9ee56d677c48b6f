# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Drives p2v-text as a person does, in a terminal of 80 columns and 24 lines (tmux's). After "load
# ../lib/common"; common_setup has made $T.
#
#   text_start ARGUMENT...    kernel arguments; TEXT_OPTIONS: more of its options
#   see TEXT                  waits until TEXT is on the screen
#   press KEY...; press_button LABEL; type_text TEXT
#   terminal kill-server      ends it

TEXT=${TEXT:-$P2V_BUILD/p2v-client/newt/p2v-text}
TERMINAL=screen
TEXT_OPTIONS=()

terminal () { tmux -S "$T/tmux" -f /dev/null "$@"; }

# text_start [ARGUMENT...]: the program in a terminal, with the server's address, user and host key
# unless they are given or left out ("-p2v.hostkey"). Its exit status will be in $T/status.
text_start ()
{
  local argument cmdline="" given=" "
  for argument in "$@"; do
    given+="${argument%%=*} "
    [[ $argument = -* ]] || cmdline+=" $argument"
  done
  for argument in p2v.server=127.0.0.1 "p2v.port=$SERVER_PORT" "p2v.username=$SERVER_USER" \
      "p2v.hostkey=$SERVER_HOSTKEY" "p2v.disks=$T/sda" p2v.memory=512M p2v.o=local \
      "p2v.os=$SERVER_IMAGES" p2v.interfaces=; do
    [[ $given = *" ${argument%%=*} "* || $given = *" -${argument%%=*} "* ]] || cmdline+=" $argument"
  done
  text_run "${TEXT_OPTIONS[@]}" "--cmdline=$cmdline"
}

# text_run [OPTION...]: the program in a terminal.
text_run ()
{
  cat >"$T/run" <<END
#!/bin/bash
export TERM=$TERMINAL
$(printf '%q ' "$TEXT" "$@")
echo \$? >'$T/status'
END
  terminal new-session -d -x 80 -y 24 "${WRAPPER[@]}" bash "$T/run" 3>&-
  terminal set-option remain-on-exit on >/dev/null
}

screen () { terminal capture-pane -p; }
shows () { screen | grep -qF -- "$1"; }
lacks () { ! shows "$1"; }

# Waits for text on the screen.
see ()
{
  wait_until 30 shows "$1" || assert_fail "the screen:" "$(screen)"
}

# A key soon after Escape would be taken for the rest of a function key's sequence.
press ()
{
  terminal send-keys "$@"
  if [[ $1 = Escape ]]; then sleep 1; else sleep 0.2; fi
}
type_text () { terminal send-keys -l "$1"; sleep 0.2; }

# Turns the pages of a long text, above the button that has the focus, until something is on the screen.
see_further_down ()
{
  local pages
  shows "$1" || press BTab
  for ((pages = 0; pages < 20; pages++)); do
    ! shows "$1" || return 0
    press NPage
  done
  assert_fail "not said: $1" "the screen:" "$(screen)"
}

# The cursor is on the first letter of the button of that label.
at_button ()
{
  local at row
  at=$(terminal display-message -p '#{cursor_y} #{cursor_x}')
  row=$(screen | sed -n "$((${at% *} + 1))p")
  [[ ${row:${at#* } - 1:${#1} + 2} = "<$1>" ]]
}

# press_button LABEL: goes to the button with the Tab key and presses it.
press_button ()
{
  local tries=0
  until at_button "$1"; do
    ((tries++ < 30)) || assert_fail "the focus does not reach $1:" "$(screen)" || return 1
    press Tab
  done
  press Enter
}

text_pid () { pgrep -P "$(terminal display-message -p '#{pane_pid}')" p2v-text; }
ended () { [[ -e $T/status ]]; }
