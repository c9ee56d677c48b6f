/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/check.h"

#include "p2v-server/libvirt.h"
#include "p2v-server/table.h"

#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define GIB (G_GUINT64_CONSTANT (1) << 30)

/* Less than this is worth a warning. Images: hardly any machine's disk fits. Jobs: manifests and
 * logs. Temporary files: virt-v2v(1), section "Minimum free space check in the host". */
#define MIN_IMAGES (10 * GIB)
#define MIN_STATE (GIB / 4)
#define MIN_TEMPORARY GIB

static void
add_space (GPtrArray *items, const char *subject, const char *place, guint64 available,
           guint64 wanted)
{
  g_autofree char *size = p2v_text_size ((gint64)MIN (available, (guint64)G_MAXINT64));
  if (available < wanted)
    {
      g_autofree char *least = p2v_text_size ((gint64)wanted);
      p2v_check_add (items, P2V_CHECK_WARNING, subject,
                     "%s has only %s of free space, less than %s. Make space there, or choose "
                     "another place",
                     place, size, least);
    }
  else
    p2v_check_add (items, P2V_CHECK_OK, subject, "%s: %s free", place, size);
}

/* made: TRUE when p2v-server makes the directory itself when it needs it. */
static void
check_directory (GPtrArray *items, const char *subject, const char *path, guint64 wanted,
                 gboolean made, P2vCheckStatus unusable)
{
  g_autofree char *there = g_strdup (path);
  while (made && !g_file_test (there, G_FILE_TEST_EXISTS))
    {
      char *parent = g_path_get_dirname (there);
      g_free (there);
      there = parent;
    }
  struct statvfs status;
  if (!g_file_test (there, G_FILE_TEST_IS_DIR))
    p2v_check_add (items, unusable, subject,
                   "%s is not there, or not a directory. Make it, owned by the server's account: "
                   "install -d -o ACCOUNT -m 0711 %s",
                   there, there);
  else if (euidaccess (there, W_OK | X_OK) < 0 && strcmp (there, path) != 0)
    /* Not "chown" of what is there: that may be /var/lib. */
    p2v_check_add (items, unusable, subject,
                   "%s is not there, and this user cannot make it in %s. If the server's account "
                   "is another one, run this check as that one; else make it as root: "
                   "install -d -o ACCOUNT -m 0711 %s",
                   path, there, path);
  else if (euidaccess (there, W_OK | X_OK) < 0)
    p2v_check_add (items, unusable, subject,
                   "%s cannot be written by this user. If the server's account is another one, run "
                   "this check as that one; else give it the directory: chown ACCOUNT %s",
                   there, there);
  else if (statvfs (there, &status) < 0)
    p2v_check_add (items, P2V_CHECK_WARNING, subject, "cannot tell the free space of %s", there);
  else
    add_space (items, subject, path, (guint64)status.f_bavail * status.f_frsize, wanted);
}

static void
check_pool (GPtrArray *items, virStoragePoolPtr pool)
{
  virStoragePoolInfo info;
  g_autofree char *subject = g_strconcat ("pool ", virStoragePoolGetName (pool), NULL);
  g_autofree char *place = g_strdup_printf ("pool %s", virStoragePoolGetName (pool));
  if (virStoragePoolGetInfo (pool, &info) < 0 || info.state != VIR_STORAGE_POOL_RUNNING)
    p2v_check_add (items, P2V_CHECK_WARNING, subject, "not active. Start it: virsh pool-start %s",
                   virStoragePoolGetName (pool));
  else
    add_space (items, subject, place, info.available, MIN_IMAGES);
}

static void
check_all_pools (GPtrArray *items, virConnectPtr libvirt)
{
  virStoragePoolPtr *pools = NULL;
  int count = virConnectListAllStoragePools (libvirt, &pools, 0);
  if (count == 0)
    p2v_check_add (items, P2V_CHECK_WARNING, "pools",
                   "libvirt has no storage pool, so output libvirt has no place for images. Make "
                   "one: virsh pool-define-as default dir --target /var/lib/libvirt/images && "
                   "virsh pool-autostart default && virsh pool-start default");
  for (int i = 0; i < count; i++)
    {
      check_pool (items, pools[i]);
      virStoragePoolFree (pools[i]);
    }
  free (pools);
}

static void
check_libvirt (const P2vServerConfig *config, GPtrArray *items)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (virConnect) libvirt = p2v_libvirt_open (config->libvirt_uri, &error);
  if (libvirt == NULL)
    {
      p2v_check_add (items, P2V_CHECK_PROBLEM, "libvirt", "%s", error->message);
      return;
    }
  unsigned long version = 0;
  virConnectGetLibVersion (libvirt, &version);
  p2v_check_add (items, P2V_CHECK_OK, "libvirt", "%s answers, version %lu.%lu.%lu",
                 config->libvirt_uri, version / 1000000, version / 1000 % 1000, version % 1000);
  for (gsize i = 0; config->storage_allow[i] != NULL; i++)
    {
      const char *place = config->storage_allow[i];
      if (strcmp (place, P2V_ALLOW_POOLS) == 0)
        check_all_pools (items, libvirt);
      if (!g_str_has_prefix (place, P2V_ALLOW_POOL_PREFIX))
        continue;
      const char *name = place + strlen (P2V_ALLOW_POOL_PREFIX);
      g_autoptr (virStoragePool) pool = virStoragePoolLookupByName (libvirt, name);
      if (pool != NULL)
        check_pool (items, pool);
      else
        p2v_check_add (items, P2V_CHECK_WARNING, place,
                       "libvirt has no pool \"%s\", though [storage] allow= in %s names it", name,
                       config->file);
    }
}

void
p2v_check_places (const P2vServerConfig *config, GPtrArray *items)
{
  check_directory (items, "jobs", config->state_dir, MIN_STATE, TRUE, P2V_CHECK_PROBLEM);
  const char *temporary = g_getenv ("TMPDIR");
  check_directory (items, "temporary", temporary != NULL ? temporary : "/var/tmp", MIN_TEMPORARY,
                   FALSE, P2V_CHECK_PROBLEM);
  for (gsize i = 0; config->storage_allow[i] != NULL; i++)
    {
      const char *place = config->storage_allow[i];
      if (g_path_is_absolute (place))
        check_directory (items, "images", place, MIN_IMAGES,
                         strcmp (place, config->storage_default) == 0, P2V_CHECK_WARNING);
    }
  check_libvirt (config, items);
}
