/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/plan.h"

#include "common/error.h"
#include "p2v-server/allow.h"
#include "p2v-server/plan-private.h"
#include "p2v-server/profile.h"
#include "p2v-server/storage-pool.h"

#include <string.h>

/* The profile that stands for a request which says nothing about its target. */
#define DEFAULT_PROFILE "default"

/* The pool that virt-v2v -o libvirt uses without -os. */
#define DEFAULT_POOL "default"

static void
planner_clear (P2vPlanner *planner)
{
  g_clear_pointer (&planner->rules, g_ptr_array_unref);
  g_clear_pointer (&planner->libvirt, virConnectClose);
  g_clear_pointer (&planner->warnings, g_ptr_array_unref);
  g_clear_pointer (&planner->plan, p2v_plan_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (P2vPlanner, planner_clear)

gboolean
p2v_planner_connect (P2vPlanner *planner, GError **error)
{
  if (planner->libvirt == NULL)
    planner->libvirt = p2v_libvirt_open (planner->config->libvirt_uri, error);
  return planner->libvirt != NULL;
}

G_GNUC_PRINTF (2, 3)
static gboolean
refuse (GError **error, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error_literal (error, P2V_ERROR, P2V_ERROR_REFUSED, message);
  return FALSE;
}

/* Words that a client sent for virt-v2v's options. They become arguments and appear in messages. */
static gboolean
check_words (const P2vOutput *output, GError **error)
{
  const char *words[] = { output->mode, output->connection, output->storage };
  const char *names[] = { "p2v.o", "p2v.oc", "p2v.os" };
  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    {
      const char *word = words[i];
      if (word == NULL)
        continue;
      gboolean plain = word[0] != '\0' && word[0] != '-' && strlen (word) < 4096;
      for (const char *c = word; *c != '\0'; c++)
        plain = plain && !g_ascii_iscntrl (*c);
      if (plain)
        continue;
      g_autofree char *start = g_strndup (word, 200);
      g_autofree char *shown = g_strescape (start, NULL);
      return refuse (error,
                     "%s=\"%s\" cannot be used: it is empty, too long, begins with \"-\" or "
                     "holds control characters",
                     names[i], shown);
    }
  return TRUE;
}

/* What a request that says nothing about its target means: NULL for no profile. */
static const P2vProfile *
implied_profile (const P2vOutput *output, GPtrArray *profiles)
{
  if (output->mode != NULL || output->storage != NULL || output->connection != NULL)
    return NULL;
  for (guint i = 0; i < profiles->len; i++)
    if (strcmp (((P2vProfile *)profiles->pdata[i])->name, DEFAULT_PROFILE) == 0)
      return profiles->pdata[i];
  return profiles->len == 1 ? profiles->pdata[0] : NULL;
}

/* libvirt's pool "default" if there is one, and images may go there; else plain files. */
static const char *
implied_mode (P2vPlanner *planner)
{
  g_autoptr (virStoragePool) pool = NULL;
  if (p2v_allow_pool (planner->config, DEFAULT_POOL, NULL) && p2v_planner_connect (planner, NULL))
    pool = virStoragePoolLookupByName (planner->libvirt, DEFAULT_POOL);
  return pool != NULL ? "libvirt" : "local";
}

static const char *
choose_mode (P2vPlanner *planner, const P2vProfile *profile)
{
  const P2vOutput *output = planner->request->output;
  if (output->mode != NULL)
    /* virt-v2v(1) has "disk" as another name of "local". */
    return strcmp (output->mode, "disk") == 0 ? "local" : output->mode;
  if (profile != NULL)
    return profile->method;
  if (output->storage != NULL && g_path_is_absolute (output->storage))
    return "local";
  if (output->storage != NULL || output->connection != NULL)
    return "libvirt";
  return implied_mode (planner);
}

/* virt-v2v looks at these when the guest has been converted, which is hours too late. */
static gboolean
check_openstack (const P2vPlan *plan, GError **error)
{
  if (g_strcmp0 (plan->mode, "openstack") != 0)
    return TRUE;
  if (strcmp (plan->format, "raw") != 0)
    return refuse (error,
                   "output mode openstack takes images of format raw only, not %s. Leave out "
                   "p2v.of, or say p2v.of=raw.",
                   plan->format);
  if (strcmp (plan->allocation, "sparse") != 0)
    return refuse (error,
                   "output mode openstack takes sparse images only, not %s ones. Leave out p2v.oa, "
                   "or say p2v.oa=sparse.",
                   plan->allocation);
  return TRUE;
}

static gboolean
choose_format (P2vPlanner *planner, const P2vProfile *profile, GError **error)
{
  const P2vOutput *output = planner->request->output;
  P2vPlan *plan = planner->plan;
  const char *format = output->format;
  if (format == NULL && profile != NULL)
    format = profile->format;
  planner->format_demanded = format != NULL;
  /* Without -of virt-v2v writes what it read. Where the guest goes to another machine that is raw
   * for want of a word from anybody: the one format that all of those modes take. */
  if (format == NULL)
    format = plan->mode != NULL && strcmp (plan->mode, "qemu") != 0
                 ? "raw"
                 : planner->config->storage_format;
  const char *allocation = output->allocation;
  if (allocation == NULL && profile != NULL)
    allocation = profile->allocation;
  if (allocation == NULL)
    allocation = "sparse";
  if (strcmp (format, "raw") != 0 && strcmp (format, "qcow2") != 0)
    {
      g_autofree char *shown = g_strescape (format, NULL);
      return refuse (error, "the image format \"%s\" is not one of raw, qcow2 (p2v.of)", shown);
    }
  if (strcmp (allocation, "sparse") != 0 && strcmp (allocation, "preallocated") != 0)
    {
      g_autofree char *shown = g_strescape (allocation, NULL);
      return refuse (error, "the allocation \"%s\" is not one of sparse, preallocated (p2v.oa)",
                     shown);
    }
  plan->format = g_strdup (format);
  plan->allocation = g_strdup (allocation);
  return check_openstack (plan, error);
}

static gboolean
check_options (const P2vPlan *plan, char **options, GError **error)
{
  for (gsize i = 0; options != NULL && options[i] != NULL; i++)
    {
      g_auto (GStrv) parts = g_strsplit (options[i], "=", 2);
      const char *word = parts[0] != NULL ? parts[0] : "";
      g_autofree char *name = g_strescape (word, NULL);
      if (plan->mode == NULL)
        return refuse (error,
                       "the output option %s (p2v.oo) has no meaning for output mode %s. "
                       "Leave it out.",
                       name, plan->method);
      if (!p2v_name_is_plain (word))
        return refuse (error, "the output option \"%s\" (p2v.oo) is not a name", name);
      if (strcmp (word, "qemu-boot") == 0)
        return refuse (error, "the output option qemu-boot (p2v.oo) would run the guest on the "
                              "server in the middle of its conversion. Leave it out, and start the "
                              "guest when the job is done.");
    }
  return TRUE;
}

/* A client must not make the server connect anywhere. */
static gboolean
set_connection (P2vPlanner *planner, const char *connection, GError **error)
{
  const P2vServerConfig *config = planner->config;
  P2vPlan *plan = planner->plan;
  if (strcmp (plan->method, "libvirt") == 0)
    {
      if (connection != NULL && strcmp (connection, config->libvirt_uri) != 0)
        return refuse (error,
                       "the server uses its own libvirt only, not %s (p2v.oc). Leave p2v.oc out; "
                       "the server's administrator sets the connection under [libvirt] in %s: "
                       "uri=%s",
                       connection, config->file, config->libvirt_uri);
      plan->connection = g_strdup (config->libvirt_uri);
      return p2v_planner_connect (planner, error);
    }
  gboolean is_null = g_strcmp0 (plan->mode, "null") == 0;
  if (connection != NULL && (plan->mode == NULL || is_null))
    return refuse (error, "a connection (p2v.oc) has no meaning for output mode %s. Leave it out.",
                   plan->mode != NULL ? plan->mode : plan->method);
  plan->connection = g_strdup (connection);
  return TRUE;
}

static gboolean
choose_output (P2vPlanner *planner, const P2vProfile *profile, GError **error)
{
  const P2vOutput *output = planner->request->output;
  P2vPlan *plan = planner->plan;
  const char *mode = choose_mode (planner, profile);
  /* A profile's storage means something for its own method only; its networks always do. */
  const P2vProfile *same = profile != NULL && strcmp (profile->method, mode) == 0 ? profile : NULL;
  if (strcmp (mode, "libvirt") == 0 || strcmp (mode, "local") == 0)
    plan->method = g_strdup (mode);
  else
    {
      if (!p2v_allow_mode (planner->config, mode, error))
        return FALSE;
      plan->method = g_strdup ("virt-v2v");
      plan->mode = g_strdup (mode);
    }
  const char *storage = output->storage != NULL ? output->storage : same ? same->storage : NULL;
  if (storage == NULL && strcmp (mode, "libvirt") == 0)
    storage = DEFAULT_POOL;
  if (storage == NULL && strcmp (mode, "local") == 0)
    storage = planner->config->storage_default;
  plan->storage = g_strdup (storage);
  plan->options = g_strdupv (output->options);
  const char *connection = output->connection;
  if (connection == NULL && same != NULL)
    connection = same->connection;
  return check_options (plan, output->options, error) && set_connection (planner, connection, error)
         && choose_format (planner, profile, error);
}

/* The profile of the request, NULL in *profile for none, and the network rules that go with it. */
static gboolean
choose_profile (P2vPlanner *planner, GPtrArray *profiles, const P2vProfile **profile,
                GError **error)
{
  const P2vOutput *output = planner->request->output;
  if (output->profile != NULL)
    {
      *profile = p2v_profiles_find (profiles, output->profile, error);
      if (*profile == NULL)
        return FALSE;
    }
  else
    *profile = implied_profile (output, profiles);
  if (*profile != NULL)
    planner->rules = g_ptr_array_ref ((*profile)->networks);
  else
    planner->rules = p2v_network_rules_load (planner->config->profiles_file, error);
  return planner->rules != NULL;
}

static gboolean
choose (P2vPlanner *planner, GError **error)
{
  if (!check_words (planner->request->output, error))
    return FALSE;
  g_autoptr (GPtrArray) profiles = p2v_profiles_load (planner->config->profiles_file, error);
  const P2vProfile *profile = NULL;
  return profiles != NULL && choose_profile (planner, profiles, &profile, error)
         && choose_output (planner, profile, error);
}

P2vPlan *
p2v_plan_choose_output (const P2vServerConfig *config, const P2vOutput *output, GError **error)
{
  P2vRequest request = { .output = (P2vOutput *)output };
  g_auto (P2vPlanner) planner = { .config = config, .request = &request };
  planner.plan = p2v_plan_new ();
  if (choose (&planner, error))
    return g_steal_pointer (&planner.plan);
  p2v_error_recode (error, P2V_ERROR_REFUSED);
  return NULL;
}

static gboolean
make (P2vPlanner *planner, GError **error)
{
  const char *root = planner->request->guest->root;
  planner->plan->root = g_strdup (root != NULL ? root : planner->config->root);
  return choose (planner, error)
         && (planner->previous != NULL ? p2v_planner_keep_images (planner, error)
                                       : p2v_planner_add_images (planner, error))
         && p2v_planner_add_nics (planner, error);
}

P2vPlan *
p2v_plan_make (const P2vServerConfig *config, const P2vRequest *request, const char *job_dir,
               GError **error)
{
  return p2v_plan_remake (config, request, job_dir, NULL, error);
}

P2vPlan *
p2v_plan_remake (const P2vServerConfig *config, const P2vRequest *request, const char *job_dir,
                 const P2vPlan *previous, GError **error)
{
  g_auto (P2vPlanner) planner
      = { .config = config, .request = request, .job_dir = job_dir, .previous = previous };
  planner.plan = p2v_plan_new ();
  planner.warnings = g_ptr_array_new_with_free_func (g_free);
  if (!make (&planner, error))
    {
      /* To a client a server that cannot read its own profiles is a refusal as well. */
      p2v_error_recode (error, P2V_ERROR_REFUSED);
      return NULL;
    }
  g_ptr_array_add (planner.warnings, NULL);
  planner.plan->warnings = (char **)g_ptr_array_steal (planner.warnings, NULL);
  return g_steal_pointer (&planner.plan);
}
