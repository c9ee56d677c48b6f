# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Drives p2v-text in a terminal of 80 columns and 24 lines, by its keys alone. After "load
# ../lib/common", in a test with a directory $T; "terminal kill-server" ends it.

TEXT=$P2V_BUILD/p2v-client/newt/p2v-text
TERMINAL=screen

terminal () { tmux -S "$T/tmux" -f /dev/null "$@"; }

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
