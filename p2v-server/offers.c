/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/offers.h"

#include "common/error.h"
#include "p2v-server/allow.h"
#include "p2v-server/firmware.h"
#include "p2v-server/libvirt.h"
#include "p2v-server/plan.h"
#include "p2v-server/profile.h"
#include "p2v-server/storage-file.h"
#include "p2v-server/storage-pool.h"
#include "p2v-server/this-host.h"

#include <stdlib.h>
#include <string.h>

/* The most names of one kind that are told. */
#define MAX_NAMES 256

/* Where a profile leads, in virt-v2v's words. */
static char *
describe_target (const P2vProfile *profile)
{
  const char *const parts[] = { profile->storage, profile->format, profile->allocation };
  GString *text = g_string_new (profile->method);
  for (gsize i = 0; i < G_N_ELEMENTS (parts); i++)
    if (parts[i] != NULL)
      g_string_append_printf (text, ", %s", parts[i]);
  return g_string_free (text, FALSE);
}

static void
find_profiles (P2vOffers *offers, const P2vServerConfig *config)
{
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();
  g_autoptr (GStrvBuilder) targets = g_strv_builder_new ();
  g_autoptr (GPtrArray) profiles = p2v_profiles_load (config->profiles_file, NULL);
  for (guint i = 0; profiles != NULL && i < MIN (profiles->len, MAX_NAMES); i++)
    {
      const P2vProfile *profile = profiles->pdata[i];
      g_autofree char *target = describe_target (profile);
      g_strv_builder_add (names, profile->name);
      g_strv_builder_add (targets, target);
    }
  offers->profiles = g_strv_builder_end (names);
  offers->targets = g_strv_builder_end (targets);
}

static char **
find_modes (const P2vServerConfig *config)
{
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();
  g_strv_builder_add_many (names, "libvirt", "local", NULL);
  g_strv_builder_addv (names, (const char **)config->output_modes);
  return g_strv_builder_end (names);
}

static char **
find_firmwares (void)
{
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();
  g_autoptr (P2vFirmwareImage) plain = p2v_firmware_image_find (FALSE, NULL);
  g_autoptr (P2vFirmwareImage) secure = p2v_firmware_image_find (TRUE, NULL);
  g_strv_builder_add (names, P2V_FIRMWARE_BIOS);
  if (plain != NULL)
    g_strv_builder_add (names, P2V_FIRMWARE_UEFI);
  if (secure != NULL)
    g_strv_builder_add (names, P2V_FIRMWARE_UEFI_SECURE);
  return g_strv_builder_end (names);
}

static char **
find_bridges (void)
{
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();
  g_autoptr (GDir) interfaces = g_dir_open ("/sys/class/net", 0, NULL);
  const char *name;
  int count = 0;
  while (interfaces != NULL && count < MAX_NAMES && (name = g_dir_read_name (interfaces)) != NULL)
    if (p2v_this_host_has_bridge (name))
      {
        g_strv_builder_add (names, name);
        count++;
      }
  return g_strv_builder_end (names);
}

static char **
find_networks (virConnectPtr libvirt)
{
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();
  virNetworkPtr *networks = NULL;
  int count = libvirt != NULL
                  ? virConnectListAllNetworks (libvirt, &networks, VIR_CONNECT_LIST_NETWORKS_ACTIVE)
                  : 0;
  for (int i = 0; i < count; i++)
    {
      if (i < MAX_NAMES)
        g_strv_builder_add (names, virNetworkGetName (networks[i]));
      virNetworkFree (networks[i]);
    }
  free (networks);
  return g_strv_builder_end (names);
}

static char **
find_pools (const P2vServerConfig *config, virConnectPtr libvirt)
{
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();
  virStoragePoolPtr *pools = NULL;
  int count = libvirt != NULL ? virConnectListAllStoragePools (libvirt, &pools, 0) : 0;
  for (int i = 0; i < count; i++)
    {
      const char *name = virStoragePoolGetName (pools[i]);
      gboolean block;
      if (i < MAX_NAMES && p2v_allow_pool (config, name, NULL)
          && p2v_pool_check (pools[i], &block, NULL))
        g_strv_builder_add (names, name);
      virStoragePoolFree (pools[i]);
    }
  free (pools);
  return g_strv_builder_end (names);
}

static gboolean
look_into_pool (P2vOffers *offers, const P2vServerConfig *config, virConnectPtr libvirt,
                const char *name, GError **error)
{
  gboolean block;
  guint64 bytes;
  g_autoptr (virStoragePool) pool = p2v_pool_find (libvirt, name, error);
  if (pool == NULL || !p2v_allow_pool (config, virStoragePoolGetName (pool), error)
      || !p2v_pool_check (pool, &block, error))
    return FALSE;
  offers->place = g_strdup_printf ("storage pool %s", virStoragePoolGetName (pool));
  if (p2v_pool_available (pool, &bytes, NULL))
    offers->free = (gint64)MIN (bytes, (guint64)G_MAXINT64);
  return TRUE;
}

static gboolean
look_into_directory (P2vOffers *offers, const P2vServerConfig *config, const char *path,
                     GError **error)
{
  guint64 bytes;
  offers->place = p2v_allow_directory (config, path, error);
  if (offers->place == NULL)
    return FALSE;
  if (p2v_file_available (offers->place, &bytes, NULL))
    offers->free = (gint64)MIN (bytes, (guint64)G_MAXINT64);
  return TRUE;
}

/* Where the output's images go, and how much room there is. What virt-v2v sends on is staged with
 * the jobs; how much room its own target has it does not say. */
static gboolean
look_at_output (P2vOffers *offers, const P2vServerConfig *config, const P2vOutput *output,
                virConnectPtr libvirt, GError **error)
{
  g_autoptr (P2vPlan) plan = p2v_plan_choose_output (config, output, error);
  if (plan == NULL)
    return FALSE;
  offers->format = g_strdup (plan->format);
  /* It may be there again by now, but what it has is not known then. */
  if (strcmp (plan->method, "libvirt") == 0 && libvirt == NULL)
    return TRUE;
  if (strcmp (plan->method, "libvirt") == 0)
    return look_into_pool (offers, config, libvirt, plan->storage, error);
  if (strcmp (plan->method, "local") == 0)
    return look_into_directory (offers, config, plan->storage, error);
  return TRUE;
}

P2vOffers *
p2v_offers_make (const P2vServerConfig *config, const P2vOutput *output)
{
  P2vOffers *offers = p2v_offers_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (virConnect) libvirt = p2v_libvirt_open (config->libvirt_uri, &error);
  offers->free = -1;
  if (libvirt == NULL)
    offers->libvirt_problem = g_strdup (error->message);
  g_clear_error (&error);
  find_profiles (offers, config);
  offers->modes = find_modes (config);
  offers->firmwares = find_firmwares ();
  offers->bridges = find_bridges ();
  offers->networks = find_networks (libvirt);
  offers->pools = find_pools (config, libvirt);
  if (!look_at_output (offers, config, output, libvirt, &error))
    offers->problem = g_strdup (error->message);
  return offers;
}
