# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# For tests/screenshots: the states that show-page shows, and how pages look otherwise.

# PICTURE STATE TITLE: STATE of show-page, a page of that title.
SHOTS_STATES=(
  "02-server-connecting|connecting|Which conversion server?"
  "02-server-refused|refused|Which conversion server?"
  "03-machine-looking|looking|Which of its disks?"
  "03-machine-stopped|look-stopped|Which of its disks?"
  "03-machine-no-disks|no-disks|Which of its disks?"
  "03-machine-warnings|disks|Which of its disks?"
  "04-guest-refused|guest-refused|What will the guest be like?"
  "06-convert-unfinished|unfinished|Converting this machine"
  "06-convert-lost|lost|Converting this machine"
  "06-convert-no-space|no-space|Converting this machine"
  "06-convert-landed|landed|Converting this machine"
  "07-cancelled|cancelled|Stopped"
  "08-done|done|Done"
  "08-done-not-all-read|bad|Done"
)

# shoot_states [PREFIX [LANGUAGE [LOOK]]]: all of them. LOOK: large, contrast.
shoot_states ()
{
  local picture state title
  local language=${2-en}
  while IFS='|' read -r picture state title; do
    # shellcheck disable=SC2086 # no look is no argument
    LANGUAGE=$language GDK_PIXBUF_MODULE_FILE=/dev/null \
      "$P2V_BUILD/tests/unit/p2v-kiosk/show-page" "$state" ${3-} </dev/null >"$T/kiosk.out" 2>&1 &
    # shellcheck disable=SC2034 # for kiosk_stop
    KIOSK_PID=$!
    shot "${1-}$picture" "p2v: $(in_language "$language" "$title")"
    kiosk_stop
  done < <(printf '%s\n' "${SHOTS_STATES[@]}")
}

# shoot_walk PREFIX LANGUAGE [KEY]: what a person goes through up to Review; KEY: of the menu, for all.
shoot_walk ()
{
  local prefix=$1 language=$2
  # shellcheck disable=SC2034 # for kiosk_start
  KIOSK_BEGINS=$(in_language "$language" "Turn this machine into a virtual machine")
  start "p2v.hostkey=$SERVER_HOSTKEY" "p2v.identity=file://$SERVER_IDENTITY" "p2v.language=$language"
  unset KIOSK_BEGINS
  kiosk_until "PowerEdge R720"
  if [[ -n ${3-} ]]; then
    key alt+w
    kiosk_until "Keyboard layout"
    key "$3"
  fi
  shot "${prefix}01-welcome" "web1"
  kiosk_go "$(in_language "$language" "Which conversion server?")" Return
  shot "${prefix}02-server"
  kiosk_go "$(in_language "$language" "Which of its disks?")" Return
  kiosk_until "web1, 8.0 GiB"
  # What is in use is known soon.
  sleep 2
  shot "${prefix}03-machine"
  kiosk_go "$(in_language "$language" "What will the guest be like?")" Return
  shot "${prefix}04-guest"
  kiosk_go "$(in_language "$language" "Is this right?")" Return
  kiosk_until_not "$(in_language "$language" "Measuring…")"
  shot "${prefix}05-review"
  kiosk_stop
}

shoot_looks ()
{
  local language
  shoot_walk large- en l
  shoot_states large- en large
  shoot_walk contrast- en h
  shoot_states contrast- en contrast
  for language in de zh_CN; do
    shoot_walk "$language-" "$language"
    shoot_states "$language-" "$language"
  done
}
