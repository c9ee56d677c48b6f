/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/define.h"

#include "common/error.h"
#include "p2v-server/define-parts.h"
#include "p2v-server/domain.h"

#include <string.h>

void
p2v_define_look_clear (P2vDefineLook *look)
{
  g_free (look->owner_uuid);
  look->owner_uuid = NULL;
}

static gboolean
is_local (const P2vJob *job)
{
  return strcmp (job->plan->method, "local") == 0;
}

static const char *
libvirt_uri (const P2vServerConfig *config, const P2vJob *job)
{
  return job->plan->connection != NULL ? job->plan->connection : config->libvirt_uri;
}

static gboolean
look_around (const P2vServerConfig *config, const P2vJob *job, const char *uuid,
             P2vDefineLook *look, GError **error)
{
  if (is_local (job))
    return p2v_define_local_look (job->plan, job->request->guest->name, look, error);
  return p2v_define_libvirt_look (libvirt_uri (config, job), job, uuid, config->define_timeout,
                                  look, error);
}

static char *
place_of (const P2vServerConfig *config, const P2vJob *job)
{
  if (is_local (job))
    return p2v_define_local_path (job->plan, job->request->guest->name);
  return g_strdup (libvirt_uri (config, job));
}

static gboolean
refuse_taken (const P2vServerConfig *config, const P2vJob *job, GError **error)
{
  const char *name = job->request->guest->name;
  g_autofree char *place = place_of (config, job);
  if (is_local (job))
    g_set_error (error, P2V_ERROR, P2V_ERROR_CONVERT,
                 "cannot write the guest's definition: a file of the guest name \"%s\" exists, and "
                 "this job did not write it (%s or its UEFI variables beside it). Nothing was "
                 "overwritten. Move it away, then use \"p2v-server retry %s\".",
                 name, place, job->id);
  else
    g_set_error (error, P2V_ERROR, P2V_ERROR_CONVERT,
                 "cannot define the guest: libvirt at %s has a domain \"%s\" already, and this job "
                 "did not define it. Nothing was overwritten. Rename that one (\"virsh -c %s "
                 "domrename %s NEWNAME\") or undefine it, then use \"p2v-server retry %s\".",
                 place, name, place, name, job->id);
  return FALSE;
}

/* Builds the domain, tells the job's events what people should know, and keeps the XML. */
static char *
build (P2vJob *job, const P2vReport *report, const char *uuid, GError **error)
{
  g_autoptr (P2vHypervisor) hypervisor = p2v_hypervisor_probe ();
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *xml
      = p2v_domain_build (job->request, job->plan, report, hypervisor, uuid,
                          is_local (job) ? job->plan->storage : NULL, warnings, error);
  if (xml == NULL)
    return NULL;
  for (guint i = 0; i < warnings->len; i++)
    p2v_job_event (job, "warning", P2V_STAGE_DEFINE, "%s", (char *)warnings->pdata[i]);
  g_autofree char *file = p2v_job_path (job, P2V_DEFINE_XML_FILE);
  if (!g_file_set_contents (file, xml, -1, error))
    return NULL;
  return g_steal_pointer (&xml);
}

/* Gives the guest to libvirt. The job knows the guest's UUID by now, so that whatever becomes of
 * this process, the next one recognises the domain; only when libvirt has said that there is none
 * is it forgotten again. */
static gboolean
define_in_libvirt (const P2vServerConfig *config, P2vJob *job, const char *xml, GError **error)
{
  const char *uri = libvirt_uri (config, job);
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  gboolean refused = FALSE;
  gboolean defined
      = p2v_define_libvirt (uri, xml, job, config->define_timeout, warnings, &refused, error);
  for (guint i = 0; i < warnings->len; i++)
    p2v_job_event (job, "warning", P2V_STAGE_DEFINE, "%s", (char *)warnings->pdata[i]);
  if (refused)
    {
      g_autofree char *file = p2v_job_path (job, P2V_DEFINE_XML_FILE);
      g_prefix_error (error, "libvirt at %s does not accept the guest (its XML is in %s): ", uri,
                      file);
      g_clear_pointer (&job->guest_uuid, g_free);
      p2v_job_save (job, NULL); /* worth a try; the failure being reported is the other one */
    }
  return defined;
}

/* The guest keeps the machine's UUID where no other guest has it. */
static char *
choose_uuid (P2vJob *job, const char *machine_uuid, const P2vDefineLook *look)
{
  if (job->guest_uuid != NULL)
    return g_strdup (job->guest_uuid);
  if (machine_uuid != NULL && !look->uuid_taken)
    return g_strdup (machine_uuid);
  if (machine_uuid != NULL)
    p2v_job_event (job, "warning", P2V_STAGE_DEFINE,
                   "another guest has the machine's SMBIOS UUID %s, so this one gets a new one: "
                   "software that is licensed to the UUID may ask for its licence again.",
                   machine_uuid);
  return g_uuid_string_random ();
}

static gboolean
define (const P2vServerConfig *config, P2vJob *job, const P2vReport *report, GError **error)
{
  g_autofree char *machine_uuid = p2v_domain_machine_uuid (job->request->machine);
  g_auto (P2vDefineLook) look = { 0 };
  if (!look_around (config, job, machine_uuid, &look, error))
    return FALSE;
  if (look.owner_uuid != NULL)
    return g_strcmp0 (look.owner_uuid, job->guest_uuid) == 0 /* an earlier attempt got this far */
           || refuse_taken (config, job, error);
  g_autofree char *uuid = choose_uuid (job, machine_uuid, &look);
  g_autofree char *xml = build (job, report, uuid, error);
  if (xml == NULL)
    return FALSE;
  g_free (job->guest_uuid);
  job->guest_uuid = g_steal_pointer (&uuid);
  if (!p2v_job_save (job, error))
    return FALSE;
  if (is_local (job))
    return p2v_define_local (job->plan, job->request->guest->name, xml, error);
  return define_in_libvirt (config, job, xml, error);
}

gboolean
p2v_define_run (const P2vServerConfig *config, P2vJob *job, const P2vReport *report, GError **error)
{
  if (!define (config, job, report, error))
    {
      if (error != NULL && !g_error_matches (*error, P2V_ERROR, P2V_ERROR_CANCELLED))
        p2v_error_recode (error, P2V_ERROR_CONVERT);
      return FALSE;
    }
  g_free (job->guest_place);
  job->guest_place = place_of (config, job);
  return p2v_job_save (job, error);
}
