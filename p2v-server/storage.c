/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/storage.h"

#include "common/error.h"
#include "p2v-server/job-store.h"
#include "p2v-server/storage-file.h"
#include "p2v-server/storage-pool.h"

#include <string.h>

/* The pool of the plan's images, NULL in *pool when they are plain files. */
static gboolean
open_pool (const P2vPlan *plan, virConnectPtr *libvirt, virStoragePoolPtr *pool, GError **error)
{
  const P2vImage *first = plan->images->len > 0 ? plan->images->pdata[0] : NULL;
  if (first == NULL || first->pool == NULL)
    return TRUE;
  *libvirt = p2v_libvirt_open (plan->connection, error);
  if (*libvirt != NULL)
    *pool = p2v_pool_find (*libvirt, first->pool, error);
  return *pool != NULL;
}

static char *
in_gib (guint64 bytes)
{
  return g_strdup_printf ("%.1f GiB", (double)bytes / (1024.0 * 1024 * 1024));
}

static gboolean
check_space (const P2vPlan *plan, virStoragePoolPtr pool, gboolean whole, guint64 needed,
             GError **error)
{
  guint64 total = 0, available = 0;
  for (guint i = 0; i < plan->images->len; i++)
    total += (guint64)((P2vImage *)plan->images->pdata[i])->size;
  if (whole)
    needed = total;
  g_autofree char *place = NULL;
  if (pool != NULL)
    {
      place = g_strdup_printf ("storage pool %s", virStoragePoolGetName (pool));
      if (!p2v_pool_available (pool, &available, error))
        return FALSE;
    }
  else
    {
      const P2vImage *first = plan->images->pdata[0];
      place = g_path_get_dirname (first->path);
      if (!p2v_file_available (place, &available, error))
        return FALSE;
    }
  if (needed <= available)
    return TRUE;
  g_autofree char *needed_text = in_gib (needed), *available_text = in_gib (available);
  g_set_error (
      error, P2V_ERROR, P2V_ERROR_REFUSED,
      "there is not enough space on the server: %s has %s free, the %s need up to %s. Free "
      "some, or name another place with p2v.os=%s",
      place, available_text, whole ? "preallocated images" : "machine's disks", needed_text,
      whole && pool == NULL ? ", or say p2v.oa=sparse" : "");
  return FALSE;
}

static gboolean
create_image (virStoragePoolPtr pool, P2vImage *image, gboolean preallocated, GError **error)
{
  if (pool != NULL)
    return p2v_pool_create_volume (pool, image, preallocated, error);
  return p2v_file_create (image, preallocated, error);
}

static gboolean
remove_image (virStoragePoolPtr pool, const P2vImage *image, GError **error)
{
  if (pool != NULL)
    return p2v_pool_remove_volume (pool, image->volume, error);
  return p2v_file_remove (image, error);
}

/* Takes the first count images out of the plan. */
static void
forget_images (P2vPlan *plan, guint count)
{
  for (guint i = 0; i < count; i++)
    p2v_image_free (plan->images->pdata[i]);
  if (count > 0)
    g_ptr_array_remove_range (plan->images, 0, count);
}

static gboolean
create_images (P2vPlan *plan, virStoragePoolPtr pool, gboolean preallocated, GError **error)
{
  for (guint i = 0; i < plan->images->len; i++)
    {
      P2vImage *image = plan->images->pdata[i];
      if (create_image (pool, image, preallocated, error))
        continue;
      g_prefix_error (error, "image of disk %s: ", image->disk);
      while (i-- > 0)
        {
          g_autoptr (GError) left = NULL;
          if (!remove_image (pool, plan->images->pdata[i], &left))
            g_warning ("%s", left->message);
        }
      return FALSE;
    }
  return TRUE;
}

/* A server that loses power must not lose the names of images whose chunks its manifests vouch for.
 * What has no directory that can be flushed, as volumes elsewhere, is its storage's own affair. */
static void
sync_places (const P2vPlan *plan)
{
  for (guint i = 0; i < plan->images->len; i++)
    {
      g_autoptr (GError) ignored = NULL;
      g_autofree char *place = g_path_get_dirname (((P2vImage *)plan->images->pdata[i])->path);
      if (!p2v_store_sync_dir (place, &ignored))
        g_debug ("%s", ignored->message);
    }
}

static gboolean
create (P2vPlan *plan, guint64 needed, GError **error)
{
  g_autoptr (virConnect) libvirt = NULL;
  g_autoptr (virStoragePool) pool = NULL;
  gboolean block = FALSE;
  if (plan->images->len == 0)
    return TRUE;
  if (!open_pool (plan, &libvirt, &pool, error)
      || (pool != NULL && !p2v_pool_check (pool, &block, error)))
    return FALSE;
  if (pool == NULL && !p2v_file_prepare (plan->images->pdata[0], error))
    return FALSE;
  /* The images that virt-v2v only reads are never worth reserving space for. */
  gboolean preallocated
      = strcmp (plan->allocation, "preallocated") == 0 && strcmp (plan->method, "virt-v2v") != 0;
  return check_space (plan, pool, preallocated || block, needed, error)
         && create_images (plan, pool, preallocated, error);
}

gboolean
p2v_storage_create (const P2vServerConfig *config, P2vPlan *plan, gint64 needed, GError **error)
{
  (void)config;
  if (create (plan, (guint64)MAX (needed, 0), error))
    {
      sync_places (plan);
      return TRUE;
    }
  forget_images (plan, plan->images->len);
  return FALSE;
}

gboolean
p2v_storage_remove (const P2vServerConfig *config, P2vPlan *plan, GError **error)
{
  (void)config;
  g_autoptr (virConnect) libvirt = NULL;
  g_autoptr (virStoragePool) pool = NULL;
  if (!open_pool (plan, &libvirt, &pool, error))
    return FALSE;
  while (plan->images->len > 0)
    {
      if (!remove_image (pool, plan->images->pdata[0], error))
        return FALSE;
      forget_images (plan, 1);
    }
  return TRUE;
}
