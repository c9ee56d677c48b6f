# SPDX-License-Identifier: GPL-2.0-or-later
. /etc/profile.d/p2v.sh
