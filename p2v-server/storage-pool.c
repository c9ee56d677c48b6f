/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/storage-pool.h"

#include "p2v-server/storage-file.h"
#include "p2v-server/xml.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <libvirt/virterror.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* The largest logical sector of a device, bytes: BLKZEROOUT takes whole ones only. */
#define SECTOR_MAX 4096

typedef struct
{
  const char *type; /* <pool type="…"> */
  gboolean block;
} PoolType;

/* Pools whose volumes this host opens by a path. In the others (rbd, gluster, iscsi-direct, …) a
 * volume is a network resource, and those of scsi, iscsi, mpath and disk are whole devices or
 * partitions that somebody made beforehand. */
static const PoolType pool_types[] = {
  { "dir", FALSE },
  { "fs", FALSE },
  { "netfs", FALSE },
  { "logical", TRUE },
};

static char *
pool_uri (virConnectPtr libvirt)
{
  char *uri = virConnectGetURI (libvirt);
  char *copy = g_strdup (uri != NULL ? uri : "URI");
  free (uri);
  return copy;
}

static char *
pool_names (virConnectPtr libvirt)
{
  virStoragePoolPtr *pools = NULL;
  int count = virConnectListAllStoragePools (libvirt, &pools, 0);
  g_autoptr (GString) names = g_string_new (NULL);
  for (int i = 0; i < count; i++)
    {
      g_string_append_printf (names, "%s%s", i > 0 ? ", " : "", virStoragePoolGetName (pools[i]));
      virStoragePoolFree (pools[i]);
    }
  free (pools);
  return count > 0 ? g_strdup (names->str) : g_strdup ("none");
}

virStoragePoolPtr
p2v_pool_find (virConnectPtr libvirt, const char *name, GError **error)
{
  virStoragePoolPtr pool = virStoragePoolLookupByName (libvirt, name);
  if (pool == NULL && g_uuid_string_is_valid (name))
    pool = virStoragePoolLookupByUUIDString (libvirt, name);
  if (pool != NULL)
    return pool;
  if (!p2v_libvirt_failed_with (VIR_ERR_NO_STORAGE_POOL))
    {
      p2v_libvirt_fail (error, P2V_ERROR_REFUSED, "libvirt cannot look up storage pools");
      return NULL;
    }
  g_autofree char *uri = pool_uri (libvirt);
  g_autofree char *start = g_strndup (name, 200);
  g_autofree char *shown = g_strescape (start, NULL);
  g_autofree char *names = pool_names (libvirt);
  g_set_error (error, P2V_ERROR, P2V_ERROR_REFUSED,
               "the server's libvirt (%s) has no storage pool \"%s\"; it has: %s. Name one of them "
               "with p2v.os=, or define it on the server (virsh -c %s pool-define-as).",
               uri, shown, names, uri);
  return NULL;
}

static xmlDoc *
pool_description (virStoragePoolPtr pool, GError **error)
{
  const char *name = virStoragePoolGetName (pool);
  char *xml = virStoragePoolGetXMLDesc (pool, 0);
  if (xml == NULL)
    {
      p2v_libvirt_fail (error, P2V_ERROR_REFUSED, "cannot read the description of storage pool %s",
                        name);
      return NULL;
    }
  xmlDoc *document = p2v_xml_parse (xml, strlen (xml), name, error);
  free (xml);
  if (document == NULL)
    p2v_error_recode (error, P2V_ERROR_REFUSED);
  return document;
}

static const PoolType *
find_type (const char *type)
{
  for (gsize i = 0; i < G_N_ELEMENTS (pool_types); i++)
    if (g_strcmp0 (pool_types[i].type, type) == 0)
      return &pool_types[i];
  return NULL;
}

gboolean
p2v_pool_check (virStoragePoolPtr pool, gboolean *block, GError **error)
{
  const char *name = virStoragePoolGetName (pool);
  g_autoptr (xmlDoc) description = pool_description (pool, error);
  if (description == NULL)
    return FALSE;
  g_autofree char *type = p2v_xml_get_attribute (xmlDocGetRootElement (description), "type");
  const PoolType *known = find_type (type);
  if (known == NULL)
    {
      g_set_error (error, P2V_ERROR, P2V_ERROR_REFUSED,
                   "images cannot be made in storage pool %s: it is of type \"%s\", and only pools "
                   "of type dir, fs, netfs and logical hold images as local files or devices. Name "
                   "another with p2v.os=",
                   name, type != NULL ? type : "");
      return FALSE;
    }
  if (virStoragePoolIsActive (pool) != 1)
    {
      g_autofree char *uri = pool_uri (virStoragePoolGetConnect (pool));
      g_set_error (error, P2V_ERROR, P2V_ERROR_REFUSED,
                   "storage pool %s is not running. Start it on the server: virsh -c %s pool-start "
                   "%s",
                   name, uri, name);
      return FALSE;
    }
  *block = known->block;
  return TRUE;
}

gboolean
p2v_pool_has_volume (virStoragePoolPtr pool, const char *volume)
{
  g_autoptr (virStorageVol) found = virStorageVolLookupByName (pool, volume);
  return found != NULL;
}

gboolean
p2v_pool_available (virStoragePoolPtr pool, guint64 *bytes, GError **error)
{
  /* What libvirt remembers is as old as its last look. It refuses to look while another volume is
   * being made; then the remembered number has to do. */
  virStoragePoolRefresh (pool, 0);
  virStoragePoolInfo info;
  if (virStoragePoolGetInfo (pool, &info) != 0)
    return p2v_libvirt_fail (error, P2V_ERROR_REFUSED, "cannot tell the free space of pool %s",
                             virStoragePoolGetName (pool));
  *bytes = info.available;
  /* For a pool of files libvirt counts what the filesystem keeps for root; a guest cannot use it.
   */
  g_autoptr (xmlDoc) description = pool_description (pool, error);
  if (description == NULL)
    return FALSE;
  xmlNode *root = xmlDocGetRootElement (description);
  g_autofree char *type = p2v_xml_get_attribute (root, "type");
  const PoolType *known = find_type (type);
  xmlNode *target = p2v_xml_find_child (root, "target");
  xmlNode *path = target != NULL ? p2v_xml_find_child (target, "path") : NULL;
  g_autofree char *directory = path != NULL ? p2v_xml_get_text (path) : NULL;
  guint64 usable = 0;
  if (known != NULL && !known->block && directory != NULL
      && p2v_file_available (directory, &usable, NULL))
    *bytes = MIN (*bytes, usable);
  return TRUE;
}

/* The volume's XML. Owner and mode let this process write it now; libvirt hands it to QEMU's
 * account by itself when the guest starts. */
static char *
volume_xml (const P2vImage *image, gboolean block, gboolean preallocated)
{
  g_autoptr (xmlDoc) document = xmlNewDoc ((const xmlChar *)"1.0");
  xmlNode *volume = xmlNewDocNode (document, NULL, (const xmlChar *)"volume", NULL);
  xmlDocSetRootElement (document, volume);
  p2v_xml_add (volume, "name", "%s", image->volume);
  p2v_xml_add (volume, "capacity", "%" G_GINT64_FORMAT, image->size);
  p2v_xml_add (volume, "allocation", "%" G_GINT64_FORMAT,
               preallocated ? image->size : G_GINT64_CONSTANT (0));
  xmlNode *target = p2v_xml_add (volume, "target", NULL);
  if (!block)
    {
      xmlNode *format = p2v_xml_add (target, "format", NULL);
      xmlNewProp (format, (const xmlChar *)"type", (const xmlChar *)image->format);
      if (strcmp (image->format, "qcow2") == 0)
        p2v_xml_add (target, "compat", "1.1");
    }
  xmlNode *permissions = p2v_xml_add (target, "permissions", NULL);
  p2v_xml_add (permissions, "mode", "0600");
  p2v_xml_add (permissions, "owner", "%u", (guint)geteuid ());
  p2v_xml_add (permissions, "group", "%u", (guint)getegid ());
  return p2v_xml_to_text (document);
}

/* A new logical volume holds whatever was on those sectors before, and is a whole number of
 * extents. What the disk covers, its transfer writes in full (the client is not told that it is
 * zeroed, and shows its progress); what lies beyond is cleared here. */
static gboolean
clear_beyond (const char *path, gint64 size, GError **error)
{
  int fd = open (path, O_WRONLY | O_CLOEXEC | O_EXCL);
  guint64 device = 0;
  gboolean cleared = fd >= 0 && ioctl (fd, BLKGETSIZE64, &device) == 0;
  guint64 start = (guint64)size / SECTOR_MAX * SECTOR_MAX;
  if (cleared && start < device)
    {
      guint64 range[2] = { start, device - start };
      cleared = ioctl (fd, BLKZEROOUT, range) == 0 && fsync (fd) == 0;
    }
  int saved = errno;
  if (fd >= 0)
    g_close (fd, NULL);
  if (!cleared)
    g_set_error (error, P2V_ERROR, P2V_ERROR_REFUSED,
                 "cannot clear the new volume %s: %s. The account that p2v-server runs as needs "
                 "write access to it.",
                 path, g_strerror (saved));
  return cleared;
}

static gboolean
finish_volume (virStorageVolPtr volume, P2vImage *image, GError **error)
{
  char *path = virStorageVolGetPath (volume);
  if (path == NULL)
    return p2v_libvirt_fail (error, P2V_ERROR_REFUSED, "cannot tell the path of volume %s",
                             image->volume);
  g_free (image->path);
  image->path = g_strdup (path);
  free (path);
  struct stat status;
  if (stat (image->path, &status) == 0 && S_ISBLK (status.st_mode))
    return clear_beyond (image->path, image->size, error);
  return TRUE;
}

gboolean
p2v_pool_create_volume (virStoragePoolPtr pool, P2vImage *image, gboolean preallocated,
                        GError **error)
{
  gboolean block = FALSE;
  if (!p2v_pool_check (pool, &block, error))
    return FALSE;
  /* libvirt makes a sparse logical volume as a snapshot of nothing, which becomes invalid when it
   * is full. So logical volumes are always whole. */
  preallocated = preallocated || block;
  /* By this flag libvirt tells qemu-img to reserve a qcow2 image's space; it knows it for no other
   * kind of volume. */
  unsigned int flags = preallocated && strcmp (image->format, "qcow2") == 0
                           ? VIR_STORAGE_VOL_CREATE_PREALLOC_METADATA
                           : 0;
  g_autofree char *xml = volume_xml (image, block, preallocated);
  g_autoptr (virStorageVol) volume = virStorageVolCreateXML (pool, xml, flags);
  if (volume == NULL)
    return p2v_libvirt_fail (error, P2V_ERROR_REFUSED, "cannot create volume %s in pool %s",
                             image->volume, virStoragePoolGetName (pool));
  if (finish_volume (volume, image, error))
    return TRUE;
  virStorageVolDelete (volume, 0);
  g_clear_pointer (&image->path, g_free);
  return FALSE;
}

gboolean
p2v_pool_remove_volume (virStoragePoolPtr pool, const char *volume, GError **error)
{
  g_autoptr (virStorageVol) found = virStorageVolLookupByName (pool, volume);
  if (found == NULL && p2v_libvirt_failed_with (VIR_ERR_NO_STORAGE_VOL))
    return TRUE;
  if (found == NULL || virStorageVolDelete (found, 0) != 0)
    return p2v_libvirt_fail (error, P2V_ERROR_REFUSED, "cannot delete volume %s of pool %s", volume,
                             virStoragePoolGetName (pool));
  return TRUE;
}
