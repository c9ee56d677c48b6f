/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_SERVER_CONFIG_H
#define P2V_SERVER_CONFIG_H

#include <glib.h>

G_BEGIN_DECLS

#define P2V_SERVER_CONFIG_FILE "/etc/p2v/server.conf"

/* The word in [storage] allow= that stands for every storage pool of the configured libvirt. */
#define P2V_ALLOW_POOLS "libvirt-pools"

/* What stands before a pool's name in [storage] allow= when only that pool is allowed. */
#define P2V_ALLOW_POOL_PREFIX "pool:"

/* The server's configuration, p2v-server.conf(5): a GKeyFile. Every key has a default, and a
 * missing default file is the same as an empty one. Unknown keys and groups are refused by name,
 * so that a misspelling is not a silent default. */
typedef struct
{
  char *file;             /* where it was read from, for messages that say which line to add */
  char *state_dir;        /* [server] state-dir=/var/lib/p2v: jobs/ and run/ are in it */
  gint64 max_conversions; /* [server] max-conversions=2: how many jobs convert at once */
  char *libvirt_uri;      /* [libvirt] uri=qemu:///system: for pools and for mode libvirt */
  char **storage_allow;   /* [storage] allow=libvirt-pools;/var/lib/p2v/images: absolute paths,
                             P2V_ALLOW_POOLS, pool:NAME */
  char *storage_default;  /* [storage] default=/var/lib/p2v/images: where mode local puts files */
  char *storage_format;   /* [storage] format=qcow2: when neither client nor profile says */
  char **output_modes;    /* [output] modes=kubevirt;null;qemu: what virt-v2v may be run with as -o
                             besides libvirt and local. These three write below an allowed
                             directory or nowhere; whatever sends a guest to another machine is
                             the administrator's to add */
  char *profiles_file;    /* [profiles] file=/etc/virt-v2v.conf */
  char *root;             /* [convert] root=first: virt-v2v --root */
  gint64 convert_timeout; /* [convert] timeout=14400: seconds that virt-v2v may take */
  gint64 define_timeout;  /* [define] timeout=300: seconds that libvirt may take */
  gint64 receive_timeout; /* [receive] timeout=0: seconds a transfer may take in all, 0 unlimited */
} P2vServerConfig;

/* Reads file, or the default file when file is NULL. Fails with P2V_ERROR_USAGE naming file, group
 * and key. */
P2vServerConfig *p2v_server_config_load (const char *file, GError **error);

void p2v_server_config_free (P2vServerConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vServerConfig, p2v_server_config_free)

G_END_DECLS

#endif
