/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_KIOSK_POWER_H
#define P2V_KIOSK_POWER_H

#include <gio/gio.h>

G_BEGIN_DECLS

/* The live image has this file; no other system is to be switched off from a window. */
#define P2V_LIVE_FILE P2V_SYSCONFDIR "/p2v/live"

/* TRUE when this is the live image, and we may switch the machine off: we are root. */
gboolean p2v_power_is_ours (void);

/* Switches the machine off, or starts it again. Returns at once.
 * Fails with P2V_ERROR_FAILED where the machine is not ours, or the program for it is missing. */
gboolean p2v_power_off (gboolean reboot, GError **error);

G_END_DECLS

#endif
