/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/plan-private.h"

#include "common/error.h"
#include "p2v-server/allow.h"
#include "p2v-server/job-match.h"
#include "p2v-server/storage-pool.h"

#include <string.h>

/* The modes of virt-v2v whose -os is a directory of the server. */
static const char *const directory_modes[] = { "json", "kubevirt", "qemu", NULL };

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

/* The job that has converted this machine before, under the same name; NULL for none. */
static P2vJob *
find_done (const P2vPlanner *planner)
{
  g_autoptr (GPtrArray) jobs = p2v_jobs_list (planner->config, NULL);
  for (guint i = jobs != NULL ? jobs->len : 0; i > 0; i--)
    {
      const P2vJob *job = jobs->pdata[i - 1];
      if (g_strcmp0 (job->state, P2V_JOB_DONE) == 0 && p2v_job_is_for (job, planner->request, NULL))
        return g_ptr_array_steal_index (jobs, i - 1);
    }
  return NULL;
}

/* A machine that its firmware starts from the network again comes here after each conversion. */
static gboolean
name_taken (const P2vPlanner *planner, GError **error, const char *what)
{
  const char *guest = planner->request->guest->name;
  g_autoptr (P2vJob) done = find_done (planner);
  if (done != NULL)
    return refuse (error,
                   "this machine has been converted already: job %s is done (%s). Nothing was "
                   "changed. To convert it once more, give the guest another name than %s with "
                   "p2v.name=, or remove the guest first.",
                   done->id, what, guest);
  return refuse (error,
                 "the guest name %s is taken: %s. Nothing was changed. Give the guest another name "
                 "with p2v.name=, or remove what has that name.",
                 guest, what);
}

/* Also TRUE for a symbolic link that leads nowhere: writing would follow it. */
static gboolean
file_exists (const char *path)
{
  return g_file_test (path, G_FILE_TEST_EXISTS | G_FILE_TEST_IS_SYMLINK);
}

static gboolean
check_file_is_free (const P2vPlanner *planner, const char *name, GError **error)
{
  g_autofree char *path = g_build_filename (planner->plan->storage, name, NULL);
  if (!file_exists (path))
    return TRUE;
  g_autofree char *what = g_strdup_printf ("%s exists on the server", path);
  return name_taken (planner, error, what);
}

/* Adds the image of the machine's disk i; where it is, is up to the caller. */
static P2vImage *
add_image (P2vPlanner *planner, const char *wanted, const char *format)
{
  const P2vDisk *disk = p2v_machine_find_disk (planner->request->machine, wanted);
  P2vImage *image = p2v_image_new ();
  image->disk = g_strdup (disk->name);
  image->size = disk->size;
  image->format = g_strdup (format);
  g_ptr_array_add (planner->plan->images, image);
  return image;
}

/* virt-v2v's convention, which administrators and their scripts know: NAME-sda. */
static char *
image_name (const P2vPlanner *planner, const P2vImage *image)
{
  return g_strdup_printf ("%s-%s", planner->request->guest->name, image->disk);
}

/* A job that has no images will not come to anything, so the name is not waiting for it. */
static gboolean
is_unfinished (const P2vJob *job)
{
  if (g_strcmp0 (job->state, P2V_JOB_FAILED) == 0)
    return g_strcmp0 (job->failed_stage, P2V_STAGE_PREPARE) != 0
           && (g_strcmp0 (job->failed_stage, P2V_STAGE_RECEIVE) != 0 || job->plan != NULL)
           && !p2v_job_is_record (job);
  return g_strcmp0 (job->state, P2V_JOB_DONE) != 0
         && g_strcmp0 (job->state, P2V_JOB_CANCELLED) != 0;
}

/* Of two jobs that begin at the same time each sees the other, and both are refused: no images get
 * mixed up. */
static gboolean
check_no_other_job (const P2vPlanner *planner, GError **error)
{
  const char *name = planner->request->guest->name;
  g_autoptr (GPtrArray) jobs = p2v_jobs_list (planner->config, error);
  if (jobs == NULL)
    return FALSE;
  for (guint i = 0; i < jobs->len; i++)
    {
      const P2vJob *job = jobs->pdata[i];
      if (strcmp (job->dir, planner->job_dir) == 0 || !is_unfinished (job)
          || g_strcmp0 (job->request->guest->name, name) != 0)
        continue;
      const char *finish = p2v_job_is_resumable (job)
                               ? "start its machine again, which then sends the rest"
                               : "finish it on the server (p2v-server retry)";
      return refuse (error,
                     "the guest name %s is taken by job %s, which is %s. Give the guest another "
                     "name with p2v.name=, or %s, or give that job up (p2v-server cancel %s).",
                     name, job->id, job->state, finish, job->id);
    }
  return TRUE;
}

static gboolean
check_domain_is_free (const P2vPlanner *planner, GError **error)
{
  const char *name = planner->request->guest->name;
  g_autoptr (virDomain) domain = virDomainLookupByName (planner->libvirt, name);
  if (domain == NULL)
    return TRUE;
  g_autofree char *what
      = g_strdup_printf ("libvirt (%s) has a guest of that name", planner->plan->connection);
  return name_taken (planner, error, what);
}

static gboolean
settle_pool (P2vPlanner *planner, virStoragePoolPtr pool, GError **error)
{
  P2vPlan *plan = planner->plan;
  gboolean block = FALSE;
  if (!p2v_allow_pool (planner->config, virStoragePoolGetName (pool), error)
      || !p2v_pool_check (pool, &block, error))
    return FALSE;
  if (block && strcmp (plan->format, "raw") != 0)
    {
      if (planner->format_demanded)
        return refuse (error,
                       "the volumes of pool %s are block devices, which hold raw images, not %s. "
                       "Say p2v.of=raw or name another pool with p2v.os=",
                       virStoragePoolGetName (pool), plan->format);
      g_free (plan->format);
      plan->format = g_strdup ("raw");
    }
  g_free (plan->storage);
  plan->storage = g_strdup (virStoragePoolGetName (pool));
  return TRUE;
}

static gboolean
add_volumes (P2vPlanner *planner, GError **error)
{
  P2vPlan *plan = planner->plan;
  if (g_path_is_absolute (plan->storage))
    return refuse (
        error,
        "output mode libvirt takes the name of a storage pool, not the directory %s. Say "
        "p2v.os=POOL, or p2v.o=local for plain files",
        plan->storage);
  g_autoptr (virStoragePool) pool = p2v_pool_find (planner->libvirt, plan->storage, error);
  if (pool == NULL || !settle_pool (planner, pool, error) || !check_domain_is_free (planner, error))
    return FALSE;
  /* So that files are seen which somebody put there without telling libvirt. It refuses while it is
   * making another volume; creating ours would still not replace anything. */
  virStoragePoolRefresh (pool, 0);
  char **disks = planner->request->guest->disks;
  for (gsize i = 0; disks[i] != NULL; i++)
    {
      P2vImage *image = add_image (planner, disks[i], plan->format);
      image->pool = g_strdup (plan->storage);
      image->volume = image_name (planner, image);
      if (p2v_pool_has_volume (pool, image->volume))
        {
          g_autofree char *what
              = g_strdup_printf ("pool %s has a volume %s", plan->storage, image->volume);
          return name_taken (planner, error, what);
        }
    }
  return TRUE;
}

static gboolean
settle_directory (P2vPlanner *planner, GError **error)
{
  char *canonical = p2v_allow_directory (planner->config, planner->plan->storage, error);
  if (canonical == NULL)
    return FALSE;
  g_free (planner->plan->storage);
  planner->plan->storage = canonical;
  return TRUE;
}

static gboolean
add_files (P2vPlanner *planner, GError **error)
{
  P2vPlan *plan = planner->plan;
  /* What defining writes beside the images: the domain, and UEFI's variables where there are any.
   */
  g_autofree char *description = g_strconcat (planner->request->guest->name, ".xml", NULL);
  g_autofree char *variables = g_strconcat (planner->request->guest->name, "_VARS.fd", NULL);
  if (!settle_directory (planner, error) || !check_file_is_free (planner, description, error)
      || !check_file_is_free (planner, variables, error))
    return FALSE;
  char **disks = planner->request->guest->disks;
  for (gsize i = 0; disks[i] != NULL; i++)
    {
      P2vImage *image = add_image (planner, disks[i], plan->format);
      g_autofree char *name = image_name (planner, image);
      image->path = g_build_filename (plan->storage, name, NULL);
      if (!check_file_is_free (planner, name, error))
        return FALSE;
    }
  return TRUE;
}

/* virt-v2v replaces what is in its way: NAME-sda, NAME-sdb, … and a description of the guest. */
static gboolean
check_output_is_free (P2vPlanner *planner, GError **error)
{
  static const char *const suffixes[] = { ".sh", ".xml", ".yaml", ".json" };
  const char *guest = planner->request->guest->name;
  for (gsize i = 0; i < G_N_ELEMENTS (suffixes); i++)
    {
      g_autofree char *name = g_strconcat (guest, suffixes[i], NULL);
      if (!check_file_is_free (planner, name, error))
        return FALSE;
    }
  for (char letter = 'a'; letter <= 'z'; letter++)
    {
      g_autofree char *name = g_strdup_printf ("%s-sd%c", guest, letter);
      if (!check_file_is_free (planner, name, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
settle_output (P2vPlanner *planner, GError **error)
{
  P2vPlan *plan = planner->plan;
  if (g_strv_contains (directory_modes, plan->mode))
    {
      if (plan->storage == NULL)
        return refuse (error, "output mode %s needs a directory on the server: p2v.os=/DIRECTORY",
                       plan->mode);
      return settle_directory (planner, error) && check_output_is_free (planner, error);
    }
  if (strcmp (plan->mode, "null") == 0 && plan->storage != NULL)
    return refuse (error,
                   "output mode null writes nothing, so p2v.os=%s has no meaning. Leave it "
                   "out.",
                   plan->storage);
  return TRUE;
}

/* The images that virt-v2v reads. They are qcow2 whatever it writes: virt-v2v would have to guess
 * the format of a raw one by its first bytes, which are the machine's to choose. */
static gboolean
add_staging (P2vPlanner *planner, GError **error)
{
  if (!settle_output (planner, error))
    return FALSE;
  char **disks = planner->request->guest->disks;
  for (gsize i = 0; disks[i] != NULL; i++)
    {
      P2vImage *image = add_image (planner, disks[i], "qcow2");
      g_autofree char *name = g_strdup_printf ("staging-%s.qcow2", image->disk);
      image->path = g_build_filename (planner->job_dir, name, NULL);
    }
  return TRUE;
}

static gboolean
refuse_to_move (const P2vPlanner *planner, const char *wanted, const char *there, GError **error)
{
  return refuse (error,
                 "the job's images stay where they were received (method %s, %s, format %s), and "
                 "\"%s\" is not \"%s\". Leave that out, or convert the machine again.",
                 planner->previous->method, planner->previous->storage, planner->previous->format,
                 wanted, there);
}

gboolean
p2v_planner_keep_images (P2vPlanner *planner, GError **error)
{
  P2vPlan *plan = planner->plan;
  const P2vPlan *previous = planner->previous;
  if (strcmp (plan->method, previous->method) != 0)
    return refuse_to_move (planner, plan->mode != NULL ? plan->mode : plan->method,
                           previous->mode != NULL ? previous->mode : previous->method, error);
  if (strcmp (plan->method, "virt-v2v") == 0)
    {
      if (!settle_output (planner, error))
        return FALSE;
    }
  else if (g_strcmp0 (plan->storage, previous->storage) != 0)
    return refuse_to_move (planner, plan->storage, previous->storage, error);
  else if (strcmp (plan->format, previous->format) != 0)
    return refuse_to_move (planner, plan->format, previous->format, error);
  for (guint i = 0; i < previous->images->len; i++)
    g_ptr_array_add (plan->images, p2v_schema_copy (&p2v_image_schema, previous->images->pdata[i]));
  return TRUE;
}

gboolean
p2v_planner_add_images (P2vPlanner *planner, GError **error)
{
  const char *method = planner->plan->method;
  if (!check_no_other_job (planner, error))
    return FALSE;
  if (strcmp (method, "libvirt") == 0)
    return add_volumes (planner, error);
  if (strcmp (method, "local") == 0)
    return add_files (planner, error);
  return add_staging (planner, error);
}
