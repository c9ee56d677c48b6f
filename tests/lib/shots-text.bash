# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# For tests/screenshots: the pages of the text interface, as they are in a terminal.

# text_shot NN-NAME TEXT: the screen, when TEXT is on it.
text_shot ()
{
  see "$2"
  screen >"$OUT/text-$1.txt"
  printf '%s\n' "$OUT/text-$1.txt"
}

# Another one can be begun only after it has ended.
text_end ()
{
  local server
  server=$(terminal display-message -p '#{pid}')
  terminal kill-server
  wait_until 10 is_gone "$server"
}
is_gone () { ! kill -0 "$1" 2>/dev/null; }

# text_begin [ARGUMENT...]
text_begin ()
{
  text_start "p2v.disks=$T/text" p2v.bwlimit=4M p2v.compress=off "$@"
}

text_conversion ()
{
  text_begin p2v.name=text1 -p2v.hostkey
  text_shot 01-welcome "Machine and network"
  press_button Language
  text_shot 01-language "The language of this program"
  press Escape
  see "Machine and network"
  press_button Next
  text_shot 02-server "Conversion server"
  type_text wrong
  press_button Next
  text_shot 02-server-unknown "Is this the server?"
  press_button "It is the same"
  text_shot 02-server-password "does not let us in"
  press Enter
  type_text "$SERVER_PASSWORD"
  press_button Test
  text_shot 02-server-ready "runs p2v-server"
  press Enter
  press_button Next
  text_shot 03-disks "Which disks become"
  press_button Next
  text_shot 04-guest "What shall the guest be?"
  press_button Next
  see "Is this right?"
  text_shot 05-review "network takes"
  press_button Convert
  text_shot 06-convert "MiB of"
  press_button Pause
  text_shot 06-convert-paused "Nothing is sent until you go on"
  press_button "Go on"
  see "Sending the disks"
  press_button Cancel
  text_shot 06-convert-cancel "Stop the conversion?"
  press_button Stop
  text_shot 07-cancelled "This machine is as it was"
  press_button Again
  see "Is this right?"
  press_button Convert
  text_shot 07-failed "Sent, but the conversion failed"
  press_button Log
  text_shot 07-failed-log "Connected: p2v-server"
  text_end
}

# A machine whose network is not set up yet.
text_network ()
{
  machine_start
  machine_wrap "$T/p2v-text" "$TEXT"
  TEXT=$T/p2v-text text_begin p2v.server=kvm1.site p2v.port=9
  see "Machine and network"
  press_button "Set up network"
  text_shot 01-network "IPv4"
  text_end
  machine_stop
}

text_in_german ()
{
  text_begin p2v.language=de "p2v.identity=file://$SERVER_IDENTITY" p2v.name=text2
  text_shot de-01-welcome "$(in_language de "Machine and network")"
  press_button "$(in_language de Next)"
  text_shot de-02-server "$(in_language de "Conversion server")"
  press_button "$(in_language de Next)"
  text_shot de-03-disks "$(in_language de "Which disks become disks of the guest?")"
  press_button "$(in_language de Next)"
  text_shot de-04-guest "$(in_language de "What shall the guest be?")"
  press_button "$(in_language de Next)"
  text_shot de-05-review "$(in_language de "Is this right?")"
  text_end
}

# In a shell of its own: tests/lib/text.bash has some functions of the same names as kiosk.bash.
shoot_text ()
(
  WRAPPER=()
  trap 'terminal kill-server 2>/dev/null || true; machine_stop' EXIT
  # shellcheck source=tests/lib/text.bash
  . "$COMMON_LIB/text.bash"
  TEXT_OPTIONS=("--root=$RECORDED_MACHINE")
  disk_make "$T/text" 100000256 text
  text_network
  text_conversion
  text_in_german
)
