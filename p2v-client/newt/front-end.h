/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_NEWT_FRONT_END_H
#define P2V_NEWT_FRONT_END_H

#include "common/bad-range.h"
#include "common/offers.h"
#include "common/verified.h"
#include "p2v-client/config.h"
#include "p2v-client/disk-warnings.h"
#include "p2v-client/network-setup.h"
#include "p2v-client/newt/details.h"
#include "p2v-client/probe.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* The text interface: pages that ask a person for a conversion, then show how it goes. What the
 * pages share is here; no page knows another but by the name of where to go next. */

typedef enum
{
  P2V_PAGE_WELCOME,
  P2V_PAGE_SERVER,
  P2V_PAGE_DISKS,
  P2V_PAGE_GUEST,
  P2V_PAGE_REVIEW,
  P2V_PAGE_CONVERT,
  P2V_PAGE_RESULT,
  P2V_PAGE_END, /* the program ends */
} P2vPage;

typedef struct
{
  const char *root;         /* as for p2v_inventory_collect() */
  P2vConfig *config;        /* what has been asked for so far; the pages fill it in */
  P2vMachine *machine;      /* with the disks among it that were given as files; NULL: nobody has
                               looked at it, and only the first page can do without */
  P2vDetails *details;      /* of its disks; NULL while nobody asks */
  P2vNetworkSetup *network; /* as it was entered last; NULL: it was not */
  gboolean live; /* on the live image: the machine can be switched off, and there is no other
                    program to go back to */

  gboolean name_suggested; /* the guest's name is ours, and follows the disks chosen */

  /* Host keys that are trusted: from "SERVER PORT" to P2vConfig.hostkey. */
  GHashTable *trusted;
  char *hostkey; /* for every other server; NULL: a person is asked */

  GHashTable *accepted; /* set of p2v_warning_describe(): serious, and the person goes on */

  char *program;     /* how the server introduced itself; NULL while it has not been tried */
  char *fingerprint; /* and the host key that it showed */
  P2vOffers *offers; /* and what it offers; NULL when it does not say */

  P2vRequest *request; /* what the review has shown */

  /* How the last conversion went. */
  GError *failure; /* NULL: well */
  gboolean landed; /* every disk has reached the server */
  gboolean lost;   /* the server could not be reached at the end */
  char *job;
  char *place;           /* where the guest is; NULL when that was not waited for */
  P2vVerified *verified; /* what the server has compared; NULL when it does not say */
  GPtrArray *bad;        /* of P2vBadRange: what could not be read */
  GString *log;          /* lines for people */
  gint64 microseconds;   /* it took */
} P2vFrontEnd;

/* One page: shows itself, waits, returns where to go. */
P2vPage p2v_page_welcome (P2vFrontEnd *self);
P2vPage p2v_page_server (P2vFrontEnd *self);
P2vPage p2v_page_disks (P2vFrontEnd *self);
P2vPage p2v_page_guest (P2vFrontEnd *self);
P2vPage p2v_page_review (P2vFrontEnd *self);
P2vPage p2v_page_convert (P2vFrontEnd *self);
P2vPage p2v_page_result (P2vFrontEnd *self);

/* Sets the network up and tests it, in a window before the page's. */
void p2v_page_network (P2vFrontEnd *self);

/* More of the guest's page, in windows of their own; each leads back to it. */
P2vPage p2v_page_guest_output (P2vFrontEnd *self);
P2vPage p2v_page_guest_networks (P2vFrontEnd *self);
P2vPage p2v_page_guest_drives (P2vFrontEnd *self);

/* Tries the server, behind a window. probe: new. Fails as p2v_probe_run() does; what the server
 * offers is kept when it does not. */
gboolean p2v_front_end_probe (P2vFrontEnd *self, P2vProbe *probe, GError **error);

/* Asks, converts, shows the result, until the person leaves.
 * config: what is filled in to begin with (transfer full).
 * root, live: see P2vFrontEnd.
 * Returns the exit status of the last conversion: 0, P2V_STATUS_UNREADABLE or its P2vErrorCode. */
int p2v_front_end_run (P2vConfig *config, const char *root, gboolean live);

/* Describes the machine (again), behind a window; what was chosen before stays if it is still
 * there. Nothing changes when the person cancels it, or when it fails, which is said. */
void p2v_front_end_look (P2vFrontEnd *self);

/* FALSE, once the person has been told so, when a disk that was chosen is not there any more. */
gboolean p2v_front_end_check_disks (const P2vFrontEnd *self);

/* The machine with all that is known of its disks by now. */
const P2vMachine *p2v_front_end_known_machine (const P2vFrontEnd *self);

/* p2v_disk_warnings_judge() of that. chosen: names of disks. (transfer full) */
GPtrArray *p2v_front_end_judge_disks (const P2vFrontEnd *self, char *const *chosen);

/* In one line, with what to do. (transfer full) */
char *p2v_warning_describe (const P2vDiskWarning *warning);

/* The person goes on in spite of it, and is not asked again. */
void p2v_front_end_accept_warning (P2vFrontEnd *self, const P2vDiskWarning *warning);

/* Shows the serious warnings of the configuration's disks and asks whether to go on, when there are
 * any. only_new: not those that were accepted before. */
gboolean p2v_front_end_confirm_warnings (P2vFrontEnd *self, gboolean only_new);

/* What failed, for a person in front of a form: several lines, fit for the screen, no secrets.
 * (transfer full) */
char *p2v_front_end_explain (const P2vFrontEnd *self, const GError *error);

/* Asks the system to "poweroff" or "reboot". Fails with P2V_ERROR_FAILED. */
gboolean p2v_machine_power (const char *verb, GError **error);

/* Saves a report of the last conversion to a USB stick, as the person says, and tells what came of
 * it. */
void p2v_report_ask (P2vFrontEnd *self);

/* Asks for the keyboard layout of the text console that this is on, and has it used. */
void p2v_keyboard_ask (void);

/* Has a layout used, see p2v_keyboard_set_console(); says so when it cannot be. */
void p2v_keyboard_use (const char *code);

/* Runs a program on the terminal in our place, until it ends; says so when it cannot. */
void p2v_screen_run_program (const char *const *argv);

/* The network as it is now, for people, each interface on lines of its own. width: of a line, in
 * columns. advice: what to do about it, in one line, never NULL. (transfer full) */
char *p2v_network_describe (guint width, const char **advice);

G_END_DECLS

#endif
