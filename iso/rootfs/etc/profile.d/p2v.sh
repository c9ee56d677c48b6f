# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The shells of the live system: what a person can do from here.
export HISTFILE=/dev/null EDITOR=vi LANG=C.UTF-8 P2V_LOCALEDIR=/usr/share/locale
alias ll='ls -l'
PS1='[p2v live] \w# '
