/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/read-back.h"

#include "common/error.h"
#include "p2v-server/export.h"

#include <errno.h>
#include <fcntl.h>
#include <libnbd.h>
#include <string.h>
#include <unistd.h>

/* How often a wait looks whether it is to end, milliseconds. */
#define POLL_MS 250

/* How far ahead is asked where the next data is, bytes: a hole of terabytes is a few thousand
 * questions. NBD's requests are limited to 4 GiB. */
#define WINDOW (G_GINT64_CONSTANT (1) << 30)

struct _P2vReadBack
{
  P2vExport *export;
  struct nbd_handle *nbd;
  char *disk;
  gint64 size;
  gint *stop;
  guint8 *buffer;    /* a chunk */
  gboolean mapped;   /* the server tells where holes are */
  guint32 flags;     /* of a read */
  gint64 hole_start; /* what is known to be zero, bytes; nobody writes to the image meanwhile */
  gint64 hole_end;
  gint64 extent; /* bytes, of the answer to the last question */
  gboolean extent_is_zero;
};

static gboolean
is_stopped (const P2vReadBack *self)
{
  return self->stop != NULL && g_atomic_int_get (self->stop) != 0;
}

/* The errors of libnbd belong to the thread. */
static gboolean
fail (const P2vReadBack *self, P2vErrorCode code, GError **error)
{
  const char *why = nbd_get_error ();
  g_set_error (error, P2V_ERROR, (gint)code, "cannot read back the image of disk %s: %s",
               self->disk, why != NULL ? why : "no reason known");
  return FALSE;
}

/* What was written and flushed may still be in memory, and so would be compared without having been
 * read from the disk at all. Where nothing can be dropped (tmpfs) nothing is. */
static void
drop_cache (const char *path)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return;
  posix_fadvise (fd, 0, 0, POSIX_FADV_DONTNEED);
  close (fd);
}

static gboolean
connect_to_export (P2vReadBack *self, GError **error)
{
  self->nbd = nbd_create ();
  if (self->nbd == NULL || nbd_add_meta_context (self->nbd, LIBNBD_CONTEXT_BASE_ALLOCATION) < 0
      || nbd_connect_unix (self->nbd, p2v_export_socket (self->export)) < 0)
    return fail (self, P2V_ERROR_FAILED, error);
  self->size = nbd_get_size (self->nbd);
  if (self->size < 0)
    return fail (self, P2V_ERROR_FAILED, error);
  /* To a read in pieces that fails qemu-nbd answers by hanging up (7.2: "Disconnect client, due to:
   * Failed to send reply"); to one in a single piece, with the error. */
  self->flags = nbd_can_df (self->nbd) == 1 ? LIBNBD_CMD_FLAG_DF : 0;
  self->mapped = nbd_can_meta_context (self->nbd, LIBNBD_CONTEXT_BASE_ALLOCATION) == 1;
  return TRUE;
}

P2vReadBack *
p2v_read_back_open (const P2vJob *job, const P2vImage *image, gint *stop, GError **error)
{
  g_autoptr (P2vReadBack) self = g_new0 (P2vReadBack, 1);
  self->disk = g_strdup (image->disk);
  self->stop = stop;
  self->buffer = g_malloc (P2V_CHUNK_SIZE);
  drop_cache (image->path);
  self->export = p2v_export_start_reading (job, image, error);
  if (self->export == NULL || !connect_to_export (self, error))
    return NULL;
  return g_steal_pointer (&self);
}

void
p2v_read_back_free (P2vReadBack *self)
{
  if (self == NULL)
    return;
  /* First the handle: a read that was given up may still want to write to the buffer. */
  nbd_close (self->nbd);
  g_clear_pointer (&self->export, p2v_export_free);
  g_free (self->buffer);
  g_free (self->disk);
  g_free (self);
}

gint64
p2v_read_back_size (const P2vReadBack *self)
{
  return self->size;
}

/* Waits for a request. A synchronous call of libnbd could not be given up when storage hangs. */
static gboolean
finish (P2vReadBack *self, gint64 cookie, GError **error)
{
  if (cookie < 0)
    return fail (self, P2V_ERROR_FAILED, error);
  for (;;)
    {
      int done = nbd_aio_command_completed (self->nbd, (guint64)cookie);
      if (done > 0)
        return TRUE;
      /* An answer that says no leaves the connection as it is. */
      if (done < 0)
        return fail (self, nbd_aio_is_ready (self->nbd) > 0 ? P2V_ERROR_TRANSFER : P2V_ERROR_FAILED,
                     error);
      if (is_stopped (self))
        {
          g_set_error_literal (error, P2V_ERROR, P2V_ERROR_CANCELLED, "the comparison was stopped");
          return FALSE;
        }
      if (nbd_poll (self->nbd, POLL_MS) < 0 && nbd_aio_is_ready (self->nbd) <= 0)
        return fail (self, P2V_ERROR_FAILED, error);
    }
}

/* All that a piece holds is in the buffer already, and that there is an error comes with the end.
 */
static int
on_piece (void *user_data G_GNUC_UNUSED, const void *data G_GNUC_UNUSED,
          size_t length G_GNUC_UNUSED, uint64_t offset G_GNUC_UNUSED, unsigned status G_GNUC_UNUSED,
          int *nbd_error G_GNUC_UNUSED)
{
  return 0;
}

static gboolean
read_range (P2vReadBack *self, gint64 offset, gsize length, GError **error)
{
  g_return_val_if_fail (length <= P2V_CHUNK_SIZE, FALSE);
  nbd_chunk_callback pieces = { .callback = on_piece };
  gint64 cookie = nbd_aio_pread_structured (self->nbd, self->buffer, length, (guint64)offset,
                                            pieces, NBD_NULL_COMPLETION, self->flags);
  return finish (self, cookie, error);
}

gboolean
p2v_read_back_hash (P2vReadBack *self, gint64 offset, gsize length, P2vChunkHash *hash,
                    GError **error)
{
  if (!read_range (self, offset, length, error))
    return FALSE;
  p2v_chunk_hash (self->buffer, length, hash);
  return TRUE;
}

/* Extents are pairs of length and flags, from where was asked on. */
static int
on_extents (void *user_data, const char *context, uint64_t offset G_GNUC_UNUSED, uint32_t *entries,
            size_t count, int *nbd_error G_GNUC_UNUSED)
{
  P2vReadBack *self = user_data;
  if (strcmp (context, LIBNBD_CONTEXT_BASE_ALLOCATION) == 0 && count >= 2)
    {
      self->extent = entries[0];
      self->extent_is_zero = (entries[1] & LIBNBD_STATE_ZERO) != 0;
    }
  return 0;
}

/* Moves *offset over what is known to be zero: to end, or to something that must be read. */
static gboolean
skip_holes (P2vReadBack *self, gint64 *offset, gint64 end, GError **error)
{
  while (*offset < end)
    {
      if (*offset >= self->hole_start && *offset < self->hole_end)
        {
          *offset = MIN (end, self->hole_end);
          continue;
        }
      self->extent = 0;
      if (!self->mapped)
        return TRUE;
      nbd_extent_callback extents = { .callback = on_extents, .user_data = self };
      gint64 length = MIN (self->size - *offset, WINDOW);
      gint64 cookie = nbd_aio_block_status (self->nbd, (guint64)length, (guint64)*offset, extents,
                                            NBD_NULL_COMPLETION, LIBNBD_CMD_FLAG_REQ_ONE);
      if (!finish (self, cookie, error))
        return FALSE;
      if (self->extent <= 0 || !self->extent_is_zero)
        return TRUE;
      self->hole_start = *offset;
      self->hole_end = *offset + self->extent;
    }
  return TRUE;
}

static gboolean
buffer_is_zero (const P2vReadBack *self, gsize length)
{
  return self->buffer[0] == 0 && memcmp (self->buffer, self->buffer + 1, length - 1) == 0;
}

gboolean
p2v_read_back_is_zero (P2vReadBack *self, gint64 offset, gsize length, gboolean *zero,
                       GError **error)
{
  gint64 end = offset + (gint64)length;
  *zero = TRUE;
  while (*zero)
    {
      if (!skip_holes (self, &offset, end, error))
        return FALSE;
      if (offset >= end)
        return TRUE;
      gint64 part = self->extent > 0 ? MIN (end - offset, self->extent) : end - offset;
      if (!read_range (self, offset, (gsize)part, error))
        return FALSE;
      *zero = buffer_is_zero (self, (gsize)part);
      offset += part;
    }
  return TRUE;
}
