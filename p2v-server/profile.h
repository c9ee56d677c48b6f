/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_PROFILE_H
#define P2V_PROFILE_H

#include <glib.h>

G_BEGIN_DECLS

/* A named target, read from virt-v2v's own configuration format (virt-v2v.conf(5) of virt-v2v
 * 0.9): <virt-v2v><profile name="…"><method/><storage/><network type="…"/></profile></virt-v2v>.
 * Ours are the element <connection>, the target <network type="user"/> and the short form
 * <bridge name="…"/> of a target; other children of <virt-v2v> than <profile> and <network> told
 * the old program which software to install in the guest, and are not read. */

/* One <network>: traffic of `from` is plugged into `to`. */
typedef struct
{
  char *from_type; /* "default", "network" or "bridge" */
  char *from_name; /* NULL for "default" */
  char *to_type;   /* "network", "bridge" or "user" */
  char *to_name;   /* NULL for "user" */
} P2vNetworkRule;

typedef struct
{
  char *name;
  char *method;        /* "libvirt", "local" or another of virt-v2v's output modes */
  char *connection;    /* NULL: the server's libvirt */
  char *storage;       /* pool or directory, NULL when not given */
  char *format;        /* <storage format="…">, NULL when not given */
  char *allocation;    /* <storage allocation="…">, NULL when not given */
  GPtrArray *networks; /* of P2vNetworkRule; the first that matches counts. The file's rules outside
                          of profiles are among them, in virt-v2v's order: the profile's for this
                          very name, the file's for it, the profile's default, the file's default */
} P2vProfile;

void p2v_profile_free (P2vProfile *profile);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vProfile, p2v_profile_free)

/* Reads every profile of a file (GPtrArray of P2vProfile, transfer full). A file that does not
 * exist has no profiles. Fails with P2V_ERROR_USAGE naming file and line. */
GPtrArray *p2v_profiles_load (const char *file, GError **error);

/* The profile of that name; NULL with P2V_ERROR_REFUSED that lists the names there are. Owned by
 * profiles. */
P2vProfile *p2v_profiles_find (GPtrArray *profiles, const char *name, GError **error);

/* The rules outside of profiles: what holds when no profile is used (GPtrArray of P2vNetworkRule,
 * transfer full). Errors as p2v_profiles_load(). */
GPtrArray *p2v_network_rules_load (const char *file, GError **error);

/* The first rule for a network or bridge of that name, NULL for none. Owned by rules. */
const P2vNetworkRule *p2v_network_rules_find (GPtrArray *rules, const char *name);

G_END_DECLS

#endif
