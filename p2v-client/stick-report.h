/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_STICK_REPORT_H
#define P2V_STICK_REPORT_H

#include "p2v-client/config.h"
#include "p2v-client/stick.h"

G_BEGIN_DECLS

/* What somebody who is to find out why a conversion did not go well needs of this machine, as a
 * file on a USB stick. */
typedef struct _P2vStickReport P2vStickReport;

/* Gathers what this program knows, without its secrets; nothing that is given need be kept.
 * request: what was converted. failure: NULL after a conversion that went well. log: the lines that
 * a person has seen. */
P2vStickReport *p2v_stick_report_new (const P2vConfig *config, const P2vRequest *request,
                                      const GError *failure, const char *log);
void p2v_stick_report_free (P2vStickReport *report);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vStickReport, p2v_stick_report_free)

/* The name of its file: "p2v-report-web1-20261123-214500.tar.gz". Owned by the report. */
const char *p2v_stick_report_name (const P2vStickReport *report);

/* Asks the system (versions, the kernel's log, the network) and writes all of it to a stick. Takes
 * seconds; for a thread. Fails with P2V_ERROR_FAILED. */
gboolean p2v_stick_report_save (P2vStickReport *report, const P2vStick *stick,
                                GCancellable *cancellable, GError **error);

G_END_DECLS

#endif
