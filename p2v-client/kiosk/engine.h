/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_KIOSK_ENGINE_H
#define P2V_KIOSK_ENGINE_H

#include "p2v-client/kiosk/model.h"

G_BEGIN_DECLS

/* Does the work of the kiosk in threads and puts what comes of it into the model, on the main loop:
 * nothing here blocks, and every function returns at once. */

#define P2V_TYPE_KIOSK_ENGINE (p2v_kiosk_engine_get_type ())
G_DECLARE_FINAL_TYPE (P2vKioskEngine, p2v_kiosk_engine, P2V, KIOSK_ENGINE, GObject)

/* root: as for p2v_inventory_collect(). */
P2vKioskEngine *p2v_kiosk_engine_new (P2vKioskModel *model, const char *root);

/* Watches this machine's network from now on (network-changed). */
void p2v_kiosk_engine_watch_network (P2vKioskEngine *engine);

/* Looks at this machine and its disks (machine-changed), then asks their filesystems and the disks
 * themselves (details-changed), unless it is looking already. */
void p2v_kiosk_engine_look (P2vKioskEngine *engine);

/* Stops looking at the machine, at once for everybody else: a disk that does not answer keeps only
 * its thread. The model keeps what it had (machine-changed). */
void p2v_kiosk_engine_stop_look (P2vKioskEngine *engine);

/* Tries the server with what the model's configuration says (server-changed). */
void p2v_kiosk_engine_probe (P2vKioskEngine *engine);

/* Stops a probe; the model hears of it when the probe has ended. */
void p2v_kiosk_engine_stop_probe (P2vKioskEngine *engine);

/* Measures how long the model's request will take (estimate-changed), from the beginning. */
void p2v_kiosk_engine_estimate (P2vKioskEngine *engine);

/* Stops measuring, at once for everybody else. */
void p2v_kiosk_engine_stop_estimate (P2vKioskEngine *engine);

/* Converts the model's request (conversion-changed). */
void p2v_kiosk_engine_convert (P2vKioskEngine *engine);

/* Answers what the person is asked: whether to go on with the unfinished job (conversion-changed).
 * Nothing happens when nothing is asked. */
void p2v_kiosk_engine_answer (P2vKioskEngine *engine, gboolean go_on);

/* Stops the conversion in good order and gives its job up, or leaves that to be gone on with
 * another time; the phase is STOPPING until it has ended. */
void p2v_kiosk_engine_stop_conversion (P2vKioskEngine *engine);
void p2v_kiosk_engine_leave_conversion (P2vKioskEngine *engine);

/* Writes a report of the conversion that has ended to a stick (report-changed). stick: NULL for the
 * only one there is; where there are none or several, the model's sticks say which, and that is
 * all. Nothing happens while a report is being written. */
void p2v_kiosk_engine_save_report (P2vKioskEngine *engine, const P2vStick *stick);

/* Stops watching, looking and probing, for good; a conversion is not touched. Without it the engine
 * is kept alive by what it does. */
void p2v_kiosk_engine_close (P2vKioskEngine *engine);

/* Stops sending, or goes on with it; the model's "held" says which. */
void p2v_kiosk_engine_hold (P2vKioskEngine *engine, gboolean held);

G_END_DECLS

#endif
