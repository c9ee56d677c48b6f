/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_STORAGE_POOL_H
#define P2V_STORAGE_POOL_H

#include "p2v-server/libvirt.h"
#include "p2v-server/plan.h"

G_BEGIN_DECLS

/* Images as volumes of libvirt storage pools (https://libvirt.org/formatstorage.html). All failures
 * are P2V_ERROR_REFUSED. */

/* The pool of that name or UUID (transfer full, virStoragePoolFree). The failure lists the pools
 * there are. */
virStoragePoolPtr p2v_pool_find (virConnectPtr libvirt, const char *name, GError **error);

/* Whether images can be made in the pool: it runs, and its volumes are files or block devices of
 * this host. *block: TRUE when they are block devices, which hold raw images only. */
gboolean p2v_pool_check (virStoragePoolPtr pool, gboolean *block, GError **error);

/* TRUE when the pool has a volume of that name. */
gboolean p2v_pool_has_volume (virStoragePoolPtr pool, const char *volume);

/* Bytes that the pool has left, looked up now. */
gboolean p2v_pool_available (virStoragePoolPtr pool, guint64 *bytes, GError **error);

/* Creates image->volume, writable for this process and reading as zeroes, and sets image->path.
 * A volume of that name is never replaced. */
gboolean p2v_pool_create_volume (virStoragePoolPtr pool, P2vImage *image, gboolean preallocated,
                                 GError **error);

/* Deletes a volume; a missing one is no error. */
gboolean p2v_pool_remove_volume (virStoragePoolPtr pool, const char *volume, GError **error);

G_END_DECLS

#endif
