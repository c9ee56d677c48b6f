/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_LVM_TEXT_H
#define P2V_LVM_TEXT_H

#include <glib.h>

G_BEGIN_DECLS

/* The text in which LVM2 describes a volume group, lib/format_text/export.c and libdm's
 * libdm-config.c of its source. It comes from a disk: anybody may have written it. */

/* Numbers of the text count sectors or extents; none of a real machine is larger. */
#define P2V_LVM_MAX_NUMBER ((G_GINT64_CONSTANT (1) << 50) / 512)

/* A section ("root { … }"), or a value when children is NULL. */
typedef struct
{
  char *name;
  char *value;         /* of a list: its values, separated by "\n" */
  GPtrArray *children; /* of P2vLvmNode */
} P2vLvmNode;

/* The whole text as a section without a name; NULL when it cannot be read. */
P2vLvmNode *p2v_lvm_text_parse (const char *text);

void p2v_lvm_node_free (P2vLvmNode *node);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vLvmNode, p2v_lvm_node_free)

/* The child of that name, NULL for none. section may be NULL. */
const P2vLvmNode *p2v_lvm_node_find (const P2vLvmNode *section, const char *name);

/* A child's number from 0 to P2V_LVM_MAX_NUMBER, -1 for anything else. */
gint64 p2v_lvm_node_number (const P2vLvmNode *section, const char *name);

/* A child's value, "" for none. Owned by the section. */
const char *p2v_lvm_node_value (const P2vLvmNode *section, const char *name);

G_END_DECLS

#endif
