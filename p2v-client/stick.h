/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_STICK_H
#define P2V_STICK_H

#include <gio/gio.h>

G_BEGIN_DECLS

/* A filesystem on a USB stick or another removable disk, which a file can be written to. */
typedef struct
{
  char *device; /* path */
  char *type;   /* "vfat", "exfat", "ext2" to "ext4" */
  char *text;   /* for people: "SanDisk Ultra, sdb1, 14.9 GiB" */
} P2vStick;

void p2v_stick_free (P2vStick *stick);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vStick, p2v_stick_free)

P2vStick *p2v_stick_copy (const P2vStick *stick);

/* Looks for them: on disks that are removable or on the USB bus, writable, not mounted, and not a
 * part of anything. root: as for p2v_inventory_collect(). chosen: names of disks that are to be
 * converted, and therefore never written to; may be NULL. (GPtrArray of P2vStick, transfer full) */
GPtrArray *p2v_stick_find (const char *root, char *const *chosen, GCancellable *cancellable);

/* Writes a file that is being written to. Fails with P2V_ERROR_FAILED. */
typedef gboolean (*P2vStickFunc) (int fd, gpointer user_data, GError **error);

/* Mounts the stick on a fresh directory below /run, with nothing on it taken for a device or a
 * program, makes the new file `name` on it with what `write` puts there, and unmounts it when that
 * is durable: then it can be pulled out. Nothing is left of a file that is not whole.
 * Fails with P2V_ERROR_FAILED, for people. */
gboolean p2v_stick_write (const P2vStick *stick, const char *name, P2vStickFunc write,
                          gpointer user_data, GError **error);

G_END_DECLS

#endif
