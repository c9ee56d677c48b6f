/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_ERROR_H
#define P2V_ERROR_H

#include <glib.h>

G_BEGIN_DECLS

/* The one error domain of the program. The code says which part of a conversion failed; it becomes
 * the exit status of p2v-client and travels over the control channel by name. */
#define P2V_ERROR (p2v_error_quark ())

typedef enum
{
  P2V_ERROR_FAILED = 1,     /* anything that fits nowhere below */
  P2V_ERROR_USAGE = 2,      /* a wrong or refused argument */
  P2V_ERROR_CONNECTION = 3, /* the server cannot be reached, or its host key is not trusted */
  P2V_ERROR_AUTH = 4,       /* the server does not let us in */
  P2V_ERROR_SOURCE = 5,     /* a disk of the machine cannot be found or read */
  P2V_ERROR_REFUSED = 6,    /* the server does not accept what it was asked for */
  P2V_ERROR_TRANSFER = 7,   /* the data did not reach the server */
  P2V_ERROR_CONVERT = 8,    /* received, but conversion or definition failed */
  P2V_ERROR_CANCELLED = 9,  /* stopped by a person */

  /* Two of them as who may try again sees them; for everybody else p2v_error_code_of() makes them
   * what they are. They are never an exit status. */
  P2V_ERROR_CONNECTION_FINAL = 100, /* P2V_ERROR_CONNECTION that lasts: the host key, no cable */
  P2V_ERROR_AUTH_PASSING = 101,     /* P2V_ERROR_AUTH that may pass: where the key is to be had does
                                       not answer */
} P2vErrorCode;

/* The exit status of a conversion that succeeded, but for sectors that could not be read: they are
 * zeroes in the guest. No error: there is a guest. */
#define P2V_STATUS_UNREADABLE 10

GQuark p2v_error_quark (void);

/* The name of an error code as it is written on the control channel and in job files, e.g.
 * "refused". Never NULL. */
const char *p2v_error_code_name (P2vErrorCode code);

/* The code for a name, P2V_ERROR_FAILED for a name that is not known (a newer peer). */
P2vErrorCode p2v_error_code_from_name (const char *name);

/* The P2vErrorCode of any error: its own code in our domain, P2V_ERROR_FAILED otherwise. Never one
 * beyond P2V_ERROR_CANCELLED. */
P2vErrorCode p2v_error_code_of (const GError *error);

/* Replaces the domain and code of *error, whatever they were, keeping its message. Used where a
 * failure of a library becomes the failure of a stage. error: may be NULL or point to NULL. */
void p2v_error_recode (GError **error, P2vErrorCode code);

G_END_DECLS

#endif
