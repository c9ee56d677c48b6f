# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Drives p2v-kiosk as a person without a mouse and a screen reader would. After "load ../lib/common":
#
#   display_start 1024x768    an X server, a window manager and a D-Bus session of its own
#   kiosk_start ARGUMENT...   kernel arguments, as for "client"; nothing is added to them
#   key Return                presses keys (xdotool's names); see also type_text
#   kiosk_until TEXT          waits until TEXT is shown, see kiosk-look
#   kiosk_stop; display_stop

# shellcheck disable=SC2119 # kiosk_look without arguments is meant so

# Nothing here depends on how fast a machine is; after so long something hangs. Seconds.
KIOSK_PATIENCE=${KIOSK_PATIENCE:-60}
P2V_KIOSK=${P2V_KIOSK:-$P2V_BUILD/p2v-client/kiosk/p2v-kiosk}

# A process is no more the shell that started it.
has_begun () { [[ ! -e /proc/$1 || $(</proc/"$1"/comm) != "$(</proc/$BASHPID/comm)" ]]; }

# Starts a program in the background without bats's descriptors, its output into $T_DISPLAY/$1. Ended
# before it has begun it would still be a shell of bats's, which then ends the test.
display_run ()
{
  local log=$1
  shift
  "$@" </dev/null >>"$T_DISPLAY/$log" 2>&1 3>&- &
  display_pids+=("$!")
  wait_until "$KIOSK_PATIENCE" has_begun "$!"
}

display_start ()
{
  local size=${1:-1024x768}
  display_pids=()
  T_DISPLAY=$(mktemp -d /var/tmp/t-XXXXXX)
  # The number is the X server's choice, so that several can run.
  Xvfb -displayfd 4 -screen 0 "${size}x24" -nolisten tcp </dev/null >"$T_DISPLAY/xvfb.log" 2>&1 \
    4>"$T_DISPLAY/number" 3>&- &
  display_pids+=("$!")
  wait_until "$KIOSK_PATIENCE" test -s "$T_DISPLAY/number"
  DISPLAY=:$(<"$T_DISPLAY/number")
  export DISPLAY
  dbus-daemon --session --nofork --print-address=4 </dev/null >"$T_DISPLAY/dbus.log" 2>&1 \
    4>"$T_DISPLAY/bus" 3>&- &
  display_pids+=("$!")
  wait_until "$KIOSK_PATIENCE" test -s "$T_DISPLAY/bus"
  DBUS_SESSION_BUS_ADDRESS=$(<"$T_DISPLAY/bus")
  export DBUS_SESSION_BUS_ADDRESS GSETTINGS_BACKEND=memory
  unset AT_SPI_BUS_ADDRESS NO_AT_BRIDGE
  # Without its own keys: it would close the window on Alt+C.
  display_run wm.log matchbox-window-manager -use_titlebar no -kbdconfig /dev/null
}

display_stop ()
{
  local pid
  [[ -n ${T_DISPLAY-} ]] || return 0
  # The last one started first: the X server last.
  for ((pid = ${#display_pids[@]} - 1; pid >= 0; pid--)); do
    kill "${display_pids[pid]}" 2>/dev/null || true
    wait "${display_pids[pid]}" 2>/dev/null || true
  done
  rm -rf -- "$T_DISPLAY"
  unset T_DISPLAY DISPLAY DBUS_SESSION_BUS_ADDRESS
}

# in_language LANGUAGE TEXT: the catalogue's text.
in_language () { LANGUAGE=$1 TEXTDOMAINDIR=$P2V_LOCALEDIR gettext -d p2v -- "$2"; }

# The machine is a recorded one (RECORDED_MACHINE, see recorded.bash), so that this
# machine's own disks are never offered. KIOSK_BEGINS: the first page's title in another language.
kiosk_start ()
{
  local argument cmdline=""
  for argument in "$@"; do
    cmdline+=" $(kernel_argument "$argument")"
  done
  # No loader for pictures, as in the live image.
  LSAN_OPTIONS=suppressions=$COMMON_LIB/kiosk.lsan:print_suppressions=0 GDK_PIXBUF_MODULE_FILE=/dev/null "$P2V_KIOSK" --root="$RECORDED_MACHINE" \
    --cmdline="${cmdline# }" </dev/null >"$T/kiosk.out" 2>&1 3>&- &
  KIOSK_PID=$!
  kiosk_until "${KIOSK_BEGINS:-Turn this machine into a virtual machine}"
}

kiosk_stop ()
{
  [[ -n ${KIOSK_PID-} ]] || return 0
  kill "$KIOSK_PID" 2>/dev/null || true
  wait "$KIOSK_PID" || true
  unset KIOSK_PID
}

# shellcheck disable=SC2120 # the tests give it some
kiosk_look () { "$COMMON_LIB/kiosk-look" "$@" 2>/dev/null; }

# Alt+x is written alt+x.
key () { xdotool key --delay 30 "$@"; }
type_text () { xdotool type --delay 15 -- "$1"; }

kiosk_shows () { [[ $(kiosk_look) = *"$1"* ]]; }

kiosk_until ()
{
  if ! wait_until "$KIOSK_PATIENCE" kiosk_shows "$1" 2>/dev/null; then
    assert_fail "never shown: $1" "shown is:" "$(kiosk_look)" "said was:" "$(<"$T/kiosk.out")"
  fi
}

kiosk_refute ()
{
  ! kiosk_shows "$1" || assert_fail "shown, but should not be: $1" "$(kiosk_look)"
}

kiosk_lacks () { ! kiosk_shows "$1"; }
kiosk_until_not ()
{
  wait_until "$KIOSK_PATIENCE" kiosk_lacks "$1" || assert_fail "still shown: $1" "$(kiosk_look)"
}

# kiosk_focus NAME: the widget of that name has the focus.
kiosk_has_focus ()
{
  local focused
  focused=$(kiosk_look | awk -F '\t' '$3 ~ /focused/ { print $2 }')
  [[ $focused = *"$1"* ]]
}
kiosk_focus ()
{
  if ! wait_until "$KIOSK_PATIENCE" kiosk_has_focus "$1" 2>/dev/null; then
    assert_fail "without the focus: $1" "shown is:" "$(kiosk_look)"
  fi
}

# kiosk_go TITLE KEY...: presses keys that lead to the page with that title.
kiosk_go ()
{
  local title=$1
  shift
  key "$@"
  kiosk_until "$title"
}

# Starts the kiosk with everything filled in but the password and the host key.
start ()
{
  local disks="p2v.disks=$T/disk1"
  [[ ${1-} != p2v.disks=* ]] || { disks=$1; shift; }
  kiosk_start p2v.server=127.0.0.1 "p2v.port=$SERVER_PORT" "p2v.username=$SERVER_USER" \
    "$disks" p2v.o=local "p2v.os=$SERVER_IMAGES" p2v.of=raw p2v.memory=512M "$@"
}

# From the first page past the Server page, with the right password and a host key that is known.
to_machine ()
{
  kiosk_go "Which conversion server?" Return
  type_text "$SERVER_PASSWORD"
  kiosk_go "Which of its disks?" Return
}

# assert_nothing OPTION: kiosk-look finds nothing of that kind. A widget may go while it is looked at.
assert_nothing ()
{
  local found
  found=$(kiosk_look "$1") || found=$(kiosk_look "$1") || assert_fail "kiosk-look $1 has failed"
  assert_equal "$found" ""
}

# On the page that is shown: every control has a name, and nothing is wider than the screen.
assert_page_good ()
{
  assert_nothing --nameless
  assert_nothing --outside=800
}

# GTK's complaints are ours, but for two: asked for all it has, the bridge to AT-SPI also looks at
# labels and containers that are gone (they have no states and children to tell then); a button that
# its Alt+letter activates opens its menu a moment after the key.
assert_quiet ()
{
  local complaints
  complaints=$(grep -E 'CRITICAL|WARNING' "$T/kiosk.out" |
    awk '/Gtk-WARNING .*: no trigger event for menu popup$/ { next }
      /atk_state_set_contains_state|gtk_container_forall/ { gone = 1; next }
      gone && /g_object_unref/ { gone = 0; next } { gone = 0; print }')
  assert_equal "$complaints" ""
}

# tab_to NAME: goes from field to field.
tab_to ()
{
  for _ in {1..45}; do
    ! kiosk_has_focus "$1" || return 0
    key Tab
    sleep 0.2
  done
  kiosk_focus "$1"
}
