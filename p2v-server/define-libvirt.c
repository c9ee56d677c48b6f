/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/define-parts.h"

#include "common/error.h"
#include "p2v-server/job-marks.h"
#include "p2v-server/libvirt.h"
#include "p2v-server/xml.h"

#include <libvirt/virterror.h>
#include <string.h>

/* How often a wait looks whether the job was cancelled. */
#define CANCEL_POLL_USEC (250 * 1000)

/* libvirt's calls wait for as long as the daemon does not answer, and cannot be interrupted. So
 * they run in a thread of their own that is left behind when time is up; the task belongs to both
 * until the last one drops it. */
typedef struct _Task Task;
struct _Task
{
  gboolean (*work) (Task *task, GError **error);

  char *uri; /* what the thread works on; nobody changes it once the thread runs */
  char *name;
  char *uuid;
  char *xml;
  GPtrArray *pools;  /* of char *: names, */
  GPtrArray *places; /* and directories of images that are in no named pool */

  P2vDefineLook look; /* what it found */
  GPtrArray *warnings;
  gboolean connected;
  GError *error;

  GMutex lock;
  GCond changed;
  gboolean finished;
  gboolean abandoned; /* only for whoever waits: the results are not to be looked at */
};

static Task *
task_new (const char *uri, gboolean (*work) (Task *, GError **))
{
  Task *task = g_atomic_rc_box_new0 (Task);
  task->work = work;
  task->uri = g_strdup (uri);
  task->pools = g_ptr_array_new_with_free_func (g_free);
  task->places = g_ptr_array_new_with_free_func (g_free);
  task->warnings = g_ptr_array_new_with_free_func (g_free);
  g_mutex_init (&task->lock);
  g_cond_init (&task->changed);
  return task;
}

static void
task_clear (gpointer data)
{
  Task *task = data;
  g_free (task->uri);
  g_free (task->name);
  g_free (task->uuid);
  g_free (task->xml);
  g_ptr_array_unref (task->pools);
  g_ptr_array_unref (task->places);
  g_ptr_array_unref (task->warnings);
  p2v_define_look_clear (&task->look);
  g_clear_error (&task->error);
  g_mutex_clear (&task->lock);
  g_cond_clear (&task->changed);
}

static void
task_unref (Task *task)
{
  g_atomic_rc_box_release_full (task, task_clear);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Task, task_unref)

static gpointer
task_thread (gpointer data)
{
  Task *task = data;
  task->work (task, &task->error);
  g_mutex_lock (&task->lock);
  task->finished = TRUE;
  g_cond_signal (&task->changed);
  g_mutex_unlock (&task->lock);
  task_unref (task);
  return NULL;
}

/* Waits for the task's end, that many seconds at most, or until the job is cancelled. */
static gboolean
task_wait (Task *task, const P2vJob *job, gint64 seconds)
{
  gint64 deadline = g_get_monotonic_time () + seconds * G_TIME_SPAN_SECOND;
  g_mutex_lock (&task->lock);
  while (!task->finished && g_get_monotonic_time () < deadline && !p2v_job_cancel_requested (job))
    g_cond_wait_until (&task->changed, &task->lock,
                       MIN (deadline, g_get_monotonic_time () + CANCEL_POLL_USEC));
  gboolean finished = task->finished;
  g_mutex_unlock (&task->lock);
  return finished;
}

/* Runs the task for a job, waiting that many seconds at most. */
static gboolean
task_run (Task *task, const P2vJob *job, gint64 seconds, GError **error)
{
  g_autoptr (GThread) thread
      = g_thread_new ("libvirt", task_thread, g_atomic_rc_box_acquire (task));
  if (!task_wait (task, job, seconds))
    {
      task->abandoned = TRUE;
      if (!p2v_job_check_cancelled (job, error))
        return FALSE;
      g_set_error (error, P2V_ERROR, P2V_ERROR_CONVERT,
                   "libvirt at %s did not answer within %" G_GINT64_FORMAT
                   " seconds. Check that its daemon is well (\"virsh -c %s list\"), or raise "
                   "timeout= in [define] of the configuration, then use \"p2v-server retry\".",
                   task->uri, seconds, task->uri);
      return FALSE;
    }
  g_thread_join (g_steal_pointer (&thread));
  if (task->error == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&task->error));
  return FALSE;
}

static gboolean
look_for_uuid (Task *task, virConnectPtr connection, GError **error)
{
  if (task->uuid == NULL)
    return TRUE;
  g_autoptr (virDomain) domain = virDomainLookupByUUIDString (connection, task->uuid);
  task->look.uuid_taken = domain != NULL;
  return domain != NULL || p2v_libvirt_failed_with (VIR_ERR_NO_DOMAIN)
         || p2v_libvirt_fail (error, P2V_ERROR_CONVERT, "cannot ask libvirt at %s for a domain",
                              task->uri);
}

static gboolean
look (Task *task, GError **error)
{
  g_autoptr (virConnect) connection = p2v_libvirt_open (task->uri, error);
  if (connection == NULL)
    return FALSE;
  g_autoptr (virDomain) domain = virDomainLookupByName (connection, task->name);
  if (domain == NULL && !p2v_libvirt_failed_with (VIR_ERR_NO_DOMAIN))
    return p2v_libvirt_fail (error, P2V_ERROR_CONVERT,
                             "cannot ask libvirt at %s for the domain \"%s\"", task->uri,
                             task->name);
  char uuid[VIR_UUID_STRING_BUFLEN];
  if (domain != NULL)
    {
      if (virDomainGetUUIDString (domain, uuid) < 0)
        return p2v_libvirt_fail (error, P2V_ERROR_CONVERT, "cannot read the UUID of domain \"%s\"",
                                 task->name);
      task->look.owner_uuid = g_strdup (uuid);
    }
  return look_for_uuid (task, connection, error);
}

gboolean
p2v_define_libvirt_look (const char *uri, const P2vJob *job, const char *uuid, gint64 seconds,
                         P2vDefineLook *result, GError **error)
{
  g_autoptr (Task) task = task_new (uri, look);
  task->name = g_strdup (job->request->guest->name);
  task->uuid = g_strdup (uuid);
  if (!task_run (task, job, seconds, error))
    return FALSE;
  result->owner_uuid = g_steal_pointer (&task->look.owner_uuid);
  result->uuid_taken = task->look.uuid_taken;
  return TRUE;
}

/* A pool that was not refreshed does not list what we wrote into it; the guest runs all the same.
 */
static void
refresh (Task *task, virStoragePoolPtr pool, const char *what)
{
  if (pool != NULL && virStoragePoolRefresh (pool, 0) == 0)
    return;
  g_ptr_array_add (task->warnings,
                   g_strdup_printf ("cannot refresh the storage pool %s (%s): it may not list the "
                                    "guest's disks until \"virsh pool-refresh\" is used.",
                                    what, virGetLastErrorMessage ()));
}

static void
refresh_pools (Task *task, virConnectPtr connection)
{
  for (guint i = 0; i < task->pools->len; i++)
    {
      const char *name = task->pools->pdata[i];
      g_autoptr (virStoragePool) pool = virStoragePoolLookupByName (connection, name);
      refresh (task, pool, name);
    }
  for (guint i = 0; i < task->places->len; i++)
    {
      const char *place = task->places->pdata[i];
      g_autoptr (virStoragePool) pool = virStoragePoolLookupByTargetPath (connection, place);
      if (pool != NULL && virStoragePoolIsActive (pool) == 1)
        refresh (task, pool, place);
    }
}

static gint64
number_in (const char *text)
{
  guint64 value = 0;
  if (text == NULL || !g_ascii_string_to_unsigned (text, 10, 0, G_MAXINT32, &value, NULL))
    return 0;
  return (gint64)value;
}

/* More processors than this libvirt's QEMU can emulate is found out only at the guest's start. */
static void
check_vcpus (Task *task, virConnectPtr connection, xmlNode *domain)
{
  xmlNode *os = p2v_xml_find_child (domain, "os");
  xmlNode *vcpu = p2v_xml_find_child (domain, "vcpu");
  xmlNode *os_type = os != NULL ? p2v_xml_find_child (os, "type") : NULL;
  if (os_type == NULL || vcpu == NULL)
    return;
  g_autofree char *type = p2v_xml_get_attribute (domain, "type");
  g_autofree char *arch = p2v_xml_get_attribute (os_type, "arch");
  g_autofree char *machine = p2v_xml_get_attribute (os_type, "machine");
  char *text = virConnectGetDomainCapabilities (connection, NULL, arch, machine, type, 0);
  if (text == NULL) /* a driver that does not tell, or a type it will refuse by itself */
    return;
  g_autoptr (xmlDoc) capabilities = p2v_xml_parse (text, strlen (text), "capabilities", NULL);
  free (text);
  if (capabilities == NULL)
    return;
  xmlNode *limit = p2v_xml_find_child (xmlDocGetRootElement (capabilities), "vcpu");
  g_autofree char *most = limit != NULL ? p2v_xml_get_attribute (limit, "max") : NULL;
  g_autofree char *wanted = p2v_xml_get_text (vcpu);
  if (number_in (most) > 0 && number_in (wanted) > number_in (most))
    g_ptr_array_add (
        task->warnings,
        g_strdup_printf ("the guest has %s virtual CPUs and this server's QEMU can run "
                         "%s: it will not start before \"virsh setvcpus --config\" or "
                         "\"virsh edit\" has lowered the number.",
                         wanted, most));
}

/* The same for the name of the processor. */
static void
check_cpu_model (Task *task, virConnectPtr connection, xmlNode *domain)
{
  xmlNode *cpu = p2v_xml_find_child (domain, "cpu");
  xmlNode *model = cpu != NULL ? p2v_xml_find_child (cpu, "model") : NULL;
  if (model == NULL)
    return;
  g_autofree char *name = p2v_xml_get_text (model);
  char **models = NULL;
  int count = virConnectGetCPUModelNames (connection, "x86_64", &models, 0);
  gboolean known = count < 0; /* a driver that does not tell */
  for (int i = 0; i < count; i++)
    {
      known = known || strcmp (models[i], name) == 0;
      free (models[i]);
    }
  free (models);
  if (!known)
    g_ptr_array_add (task->warnings,
                     g_strdup_printf ("libvirt knows no CPU model \"%s\", so the guest will not "
                                      "start: choose one of \"virsh cpu-models x86_64\" with "
                                      "\"virsh edit\", or none with the next conversion.",
                                      name));
}

/* libvirt's last message as one line: that of a schema violation has several. */
static char *
last_message (void)
{
  g_autofree char *message = g_strstrip (g_strdup (virGetLastErrorMessage ()));
  return g_strdelimit (g_steal_pointer (&message), "\n", ';');
}

static gboolean
define (Task *task, GError **error)
{
  g_autoptr (virConnect) connection = p2v_libvirt_open (task->uri, error);
  if (connection == NULL)
    return FALSE;
  task->connected = TRUE;
  g_autoptr (virDomain) domain
      = virDomainDefineXMLFlags (connection, task->xml, VIR_DOMAIN_DEFINE_VALIDATE);
  if (domain == NULL)
    {
      g_autofree char *reason = last_message ();
      g_set_error (error, P2V_ERROR, P2V_ERROR_CONVERT,
                   "%s. Remove the cause, then use \"p2v-server retry\".", reason);
      return FALSE;
    }
  refresh_pools (task, connection);
  g_autoptr (xmlDoc) doc = p2v_xml_parse (task->xml, strlen (task->xml), "domain", NULL);
  if (doc != NULL)
    {
      check_vcpus (task, connection, xmlDocGetRootElement (doc));
      check_cpu_model (task, connection, xmlDocGetRootElement (doc));
    }
  return TRUE;
}

static void
add_once (GPtrArray *list, char *text)
{
  if (g_ptr_array_find_with_equal_func (list, text, g_str_equal, NULL))
    g_free (text);
  else
    g_ptr_array_add (list, text);
}

gboolean
p2v_define_libvirt (const char *uri, const char *xml, const P2vJob *job, gint64 seconds,
                    GPtrArray *warnings, gboolean *refused, GError **error)
{
  g_autoptr (Task) task = task_new (uri, define);
  task->xml = g_strdup (xml);
  for (guint i = 0; i < job->plan->images->len; i++)
    {
      const P2vImage *image = job->plan->images->pdata[i];
      if (image->pool != NULL)
        add_once (task->pools, g_strdup (image->pool));
      else if (image->path != NULL)
        add_once (task->places, g_path_get_dirname (image->path));
    }
  gboolean defined = task_run (task, job, seconds, error);
  if (refused != NULL)
    *refused = !defined && !task->abandoned && task->connected;
  for (guint i = 0; !task->abandoned && i < task->warnings->len; i++)
    g_ptr_array_add (warnings, g_strdup (task->warnings->pdata[i]));
  return defined;
}
