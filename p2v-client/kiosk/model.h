/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_KIOSK_MODEL_H
#define P2V_KIOSK_MODEL_H

#include "p2v-client/estimate.h"
#include "p2v-client/interface.h"
#include "p2v-client/kiosk/state.h"
#include "p2v-client/probe.h"
#include "p2v-client/stick-report.h"

G_BEGIN_DECLS

/* The conversion that is being set up: all that the pages share and the engine works from. It lives
 * on the main loop; only while a thread of the engine reads the configuration (probing is TRUE, or
 * the state is RUNNING or STOPPING) nobody may change that.
 *
 * Signals, each without arguments, after the members below them have changed:
 *   network-changed, machine-changed, details-changed, server-changed, conversion-changed,
 *   estimate-changed, report-changed
 * and language-changed: every text is another one, so windows have to be made anew. */

#define P2V_TYPE_KIOSK_MODEL (p2v_kiosk_model_get_type ())
G_DECLARE_FINAL_TYPE (P2vKioskModel, p2v_kiosk_model, P2V, KIOSK_MODEL, GObject)

typedef enum
{
  P2V_KIOSK_SETUP,    /* nothing runs; the person is asked */
  P2V_KIOSK_RUNNING,  /* the conversion */
  P2V_KIOSK_STOPPING, /* it was told to stop, and has not ended yet */
  P2V_KIOSK_DONE,
  P2V_KIOSK_FAILED, /* failure says why */
} P2vKioskPhase;

struct _P2vKioskModel
{
  GObject parent_instance;

  /* What the person has entered so far; starts as what was given on the command line. Pages write
   * the members that they show. Server, port and host key only by the functions below. */
  P2vConfig *config;
  GHashTable *hostkeys; /* from "HOST PORT" to the fingerprint that was given or accepted for it */
  char *complaint;      /* why some of what was given is not used, NULL when all is well */

  /* network-changed */
  GPtrArray *links; /* of P2vInterface; NULL until looked for the first time */

  /* machine-changed */
  gboolean looking;
  P2vMachine *machine; /* files that were given as disks included; NULL until known */
  GError *machine_error;
  P2vRequest *suggestion; /* what would be converted as things were given; NULL when they do not
                             fit the machine, and suggestion_error says why */
  GError *suggestion_error;

  /* details-changed: the machine again, with what takes longer to find out: what of its disks is in
   * use, and their health. NULL until that is known; a machine-changed forgets it. */
  P2vMachine *details;

  /* server-changed */
  gboolean probing;
  P2vProbe *probe; /* what the last probe found, NULL when there was none for this server */
  GError *probe_error;
  gboolean server_works; /* the last probe, of all that is entered now, went well */

  /* conversion-changed */
  P2vKioskPhase phase;
  P2vRequest *request; /* what is, or will be, converted: p2v_kiosk_model_make_request() */
  P2vKioskState *state;
  gboolean held; /* the person has asked for a pause */
  GError *failure;

  /* estimate-changed: of the request */
  P2vEstimate *estimate; /* NULL as long as nothing was measured */

  /* report-changed: of the last conversion, on a stick */
  gboolean saving;
  GPtrArray *sticks; /* of P2vStick: those that were found; NULL until looked */
  char *saved;       /* where it is now: the file's name and the stick; NULL while it is not */
  GError *save_error;
};

/* config: transfer full. complaint: may be NULL. */
P2vKioskModel *p2v_kiosk_model_new (P2vConfig *config, const char *complaint);

/* Names the server. Whatever was known about another one is forgotten; the host key to expect is
 * the one that was given or accepted for this host and port. */
void p2v_kiosk_model_set_server (P2vKioskModel *model, const char *server, guint16 port);

/* Something else about the login was changed: the last probe says nothing any more. */
void p2v_kiosk_model_forget_probe (P2vKioskModel *model);

/* The person has compared and accepted the unknown host key that the last probe has found. It is
 * remembered for this host and port as long as the program runs. */
void p2v_kiosk_model_accept_hostkey (P2vKioskModel *model);

/* Sets where the guest goes (transfer full). When that is changed by it, the last probe says
 * nothing any more. */
void p2v_kiosk_model_set_output (P2vKioskModel *model, P2vOutput *output);

/* Texts are in that language from now on (language-changed). code: as in P2vLanguage. */
void p2v_kiosk_model_set_language (P2vKioskModel *model, const char *code);

/* Makes the request from what was entered. Fails as p2v_config_to_request(). */
gboolean p2v_kiosk_model_make_request (P2vKioskModel *model, GError **error);

/* What is known of a report belongs to a conversion that is over. */
void p2v_kiosk_model_forget_report (P2vKioskModel *model);

/* After a conversion has ended: back to asking. */
void p2v_kiosk_model_start_over (P2vKioskModel *model);

/* TRUE while the engine runs something that must end before the program may. */
gboolean p2v_kiosk_model_is_converting (P2vKioskModel *model);

/* For the engine: announces a change; one of the signals' names. */
void p2v_kiosk_model_changed (P2vKioskModel *model, const char *signal);

G_END_DECLS

#endif
