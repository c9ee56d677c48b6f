/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_OUTPUT_FORM_H
#define P2V_OUTPUT_FORM_H

#include "common/request.h"

G_BEGIN_DECLS

/* Where the guest goes, as questions to a person: what each field of an output is filled in with,
 * and how what was typed gets back. An empty field is one that is not said: profile and server
 * decide. */

typedef enum
{
  P2V_OUTPUT_PROFILE,
  P2V_OUTPUT_MODE,
  P2V_OUTPUT_STORAGE,
  P2V_OUTPUT_FORMAT,
  P2V_OUTPUT_ALLOCATION,
  P2V_OUTPUT_CONNECTION,
  P2V_OUTPUT_OPTIONS,
  P2V_OUTPUT_N_FIELDS
} P2vOutputField;

/* "" for what is not said; passwords are masked. (transfer full) */
char *p2v_output_show (const P2vOutput *output, P2vOutputField field);

/* Takes over what was typed. As it was shown, masked or not, the field stays what it is.
 * Fails with P2V_ERROR_USAGE and a sentence. */
gboolean p2v_output_enter (P2vOutput *output, P2vOutputField field, const char *text,
                           GError **error);

gboolean p2v_output_is_equal (const P2vOutput *a, const P2vOutput *b);

/* Its options, each "key=value"; what is secret is "***". (transfer full) */
char **p2v_output_mask_options (const P2vOutput *output);

/* All that is said of it, without secrets, in virt-v2v's words: "profile lan, -o local". "" when
 * nothing is. (transfer full) */
char *p2v_output_summary (const P2vOutput *output);

G_END_DECLS

#endif
