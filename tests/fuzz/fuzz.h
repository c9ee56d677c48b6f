/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_FUZZ_H
#define P2V_FUZZ_H

/* What libFuzzer runs: tests/fuzz/run. Each fuzz-NAME.c feeds bytes that anybody may have written
 * to the code that reads such bytes, and checks what holds whatever they are. */

#include <glib.h>

G_BEGIN_DECLS

/* Called once at the start: what GLib warns of becomes a crash. */
int LLVMFuzzerInitialize (int *argc, char ***argv);

/* Called once for each input; always 0. */
int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

/* Puts bytes in the place of what was in the one file of this process, which is in memory. Returns
 * its path. */
const char *fuzz_file (const guint8 *data, gsize size);

/* The same file with length bytes, all of them zero. Returns its descriptor, owned by this. */
int fuzz_disk (gint64 length);

G_END_DECLS

#endif
