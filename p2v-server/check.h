/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_CHECK_H
#define P2V_CHECK_H

#include "p2v-server/config.h"

G_BEGIN_DECLS

/* Whether this host can do the work of a conversion server. */

typedef enum
{
  P2V_CHECK_OK,
  P2V_CHECK_WARNING, /* some machines cannot be converted, or the result is slow */
  P2V_CHECK_PROBLEM, /* no machine can be converted */
} P2vCheckStatus;

typedef struct
{
  P2vCheckStatus status;
  char *subject; /* "qemu-nbd", "KVM", … */
  char *message; /* what was found, and what to do about it */
} P2vCheckItem;

void p2v_check_item_free (P2vCheckItem *item);

/* "ok", "warning" or "problem". */
const char *p2v_check_status_name (P2vCheckStatus status);

/* Looks at everything; takes a few seconds at most (GPtrArray of P2vCheckItem, transfer full). */
GPtrArray *p2v_check_run (const P2vServerConfig *config);

/* The two halves of p2v_check_run(): what is installed, and where things go. They add to items. */
void p2v_check_programs (GPtrArray *items);
void p2v_check_places (const P2vServerConfig *config, GPtrArray *items);

/* Adds an item to a list. */
void p2v_check_add (GPtrArray *items, P2vCheckStatus status, const char *subject,
                    const char *format, ...) G_GNUC_PRINTF (4, 5);

G_END_DECLS

#endif
