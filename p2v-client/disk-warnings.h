/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_DISK_WARNINGS_H
#define P2V_DISK_WARNINGS_H

#include "common/machine.h"

G_BEGIN_DECLS

/* What people should know of the disks that they choose, before they convert them. Only judges what
 * is known already: the inventory, and as far as somebody has asked, the map (P2vContent.used and
 * .read_in_full) and the disks' health. */

typedef enum
{
  P2V_SEVERITY_NOTE,    /* good to know */
  P2V_SEVERITY_CAUTION, /* the guest may need help, or it takes longer */
  P2V_SEVERITY_SERIOUS, /* the guest will probably not work */
} P2vSeverity;

typedef struct
{
  P2vSeverity severity;
  char *disk;   /* its name; NULL for all that are chosen together */
  char *text;   /* what is the matter: one sentence, for people, printable */
  char *advice; /* what to do; never NULL */
} P2vDiskWarning;

void p2v_disk_warning_free (P2vDiskWarning *warning);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vDiskWarning, p2v_disk_warning_free)

/* Judges a choice of disks.
 * chosen: names or paths of disks, NULL ends them; NULL for none. Those that the machine does not
 * have, or cannot convert, are left out.
 * free_space: bytes that the server has for them, -1 when it has not said.
 * Returns P2vDiskWarning, by disk in the order of the machine's, then by severity, the worst first;
 * those of all disks last (transfer full). */
GPtrArray *p2v_disk_warnings_judge (const P2vMachine *machine, const char *const *chosen,
                                    gint64 free_space);

/* Only whether the chosen disks fit into what is free; NULL when they do, or that is not known.
 * Parameters as above. (transfer full) */
P2vDiskWarning *p2v_disk_warnings_judge_space (const P2vMachine *machine, const char *const *chosen,
                                               gint64 free_space);

/* "Caution", "Note", "Warning": a word for those who see no colours. A constant. */
const char *p2v_severity_word (P2vSeverity severity);

/* The first of the chosen disks that is not there any more: unplugged, or its file removed. NULL
 * when all are. Only looks for the device, and does not wait for it. Owned by the machine. */
const P2vDisk *p2v_disk_warnings_find_gone (const P2vMachine *machine, const char *const *chosen);

G_END_DECLS

#endif
