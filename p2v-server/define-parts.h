/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_DEFINE_PARTS_H
#define P2V_DEFINE_PARTS_H

/* Shared by define.c and what it delegates to. Not for others; see define.h. */

#include "p2v-server/job.h"

G_BEGIN_DECLS

/* What the look at a place tells about a guest's name there. */
typedef struct
{
  char *owner_uuid;    /* of the guest that has the name already, NULL for none */
  gboolean uuid_taken; /* another guest has the UUID */
} P2vDefineLook;

void p2v_define_look_clear (P2vDefineLook *look);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (P2vDefineLook, p2v_define_look_clear)

/* Looks for a domain of the guest's name or that UUID (NULL: none wanted) in the libvirt at uri.
 * seconds: how long it may take; libvirt's calls have no limit of their own.
 * Fails with P2V_ERROR_CONVERT, or with P2V_ERROR_CANCELLED. */
gboolean p2v_define_libvirt_look (const char *uri, const P2vJob *job, const char *uuid,
                                  gint64 seconds, P2vDefineLook *look, GError **error);

/* Defines the domain and refreshes the pools that hold its images. libvirt refuses when a domain
 * with this name or UUID, but not both, exists. warnings: receives messages for people (char *).
 * Fails with P2V_ERROR_CONVERT and libvirt's own reason, or with P2V_ERROR_CANCELLED, after which
 * nobody knows whether it is defined; *refused (may be NULL) tells whether
 * libvirt answered, so that nothing was defined. */
gboolean p2v_define_libvirt (const char *uri, const char *xml, const P2vJob *job, gint64 seconds,
                             GPtrArray *warnings, gboolean *refused, GError **error);

/* The path of a guest's XML in the directory of method local (transfer full). */
char *p2v_define_local_path (const P2vPlan *plan, const char *name);

/* As p2v_define_libvirt_look(), for the files of method local. */
gboolean p2v_define_local_look (const P2vPlan *plan, const char *name, P2vDefineLook *look,
                                GError **error);

/* Writes the XML, and the UEFI variable store that it names, beside the images: whole or not at
 * all, and never over an existing file. */
gboolean p2v_define_local (const P2vPlan *plan, const char *name, const char *xml, GError **error);

G_END_DECLS

#endif
