/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/guest-use.h"

#include "common/error.h"
#include "p2v-server/libvirt.h"
#include "p2v-server/xml.h"

#include <stdlib.h>
#include <string.h>

/* TRUE when a <source> of a domain's disk is one of the job's images. */
static gboolean
is_image (const P2vPlan *plan, xmlNode *source)
{
  g_autofree char *file = p2v_xml_get_attribute (source, "file");
  g_autofree char *dev = p2v_xml_get_attribute (source, "dev");
  g_autofree char *pool = p2v_xml_get_attribute (source, "pool");
  g_autofree char *volume = p2v_xml_get_attribute (source, "volume");
  for (guint i = 0; i < plan->images->len; i++)
    {
      const P2vImage *image = plan->images->pdata[i];
      if (image->path != NULL
          && (g_strcmp0 (image->path, file) == 0 || g_strcmp0 (image->path, dev) == 0))
        return TRUE;
      if (image->volume != NULL && g_strcmp0 (image->volume, volume) == 0
          && g_strcmp0 (image->pool, pool) == 0)
        return TRUE;
    }
  return FALSE;
}

static gboolean
has_image (const P2vPlan *plan, const char *xml)
{
  g_autoptr (xmlDoc) document = p2v_xml_parse (xml, strlen (xml), "domain", NULL);
  /* What cannot be understood is not given up. */
  if (document == NULL)
    return TRUE;
  xmlNode *devices = p2v_xml_find_child (xmlDocGetRootElement (document), "devices");
  for (xmlNode *disk = devices != NULL ? devices->children : NULL; disk != NULL; disk = disk->next)
    {
      xmlNode *source
          = p2v_xml_is_element (disk, "disk") ? p2v_xml_find_child (disk, "source") : NULL;
      if (source != NULL && is_image (plan, source))
        return TRUE;
    }
  return FALSE;
}

static gboolean
refuse_domain (const P2vJob *job, const char *uri, virDomainPtr domain, GError **error)
{
  const char *name = virDomainGetName (domain);
  g_set_error (error, P2V_ERROR, P2V_ERROR_REFUSED,
               "guest %s uses the images of job %s. Leave out --images to keep both, or remove the "
               "guest first: virsh -c %s undefine --nvram %s",
               name, job->id, uri, name);
  return FALSE;
}

/* Looks at every domain: the guest may have been renamed since. */
static gboolean
check_libvirt (const P2vJob *job, const char *uri, GError **error)
{
  g_autoptr (virConnect) connection = p2v_libvirt_open (uri, error);
  if (connection == NULL)
    {
      g_prefix_error (error, "cannot tell whether a guest still uses the images: ");
      return FALSE;
    }
  virDomainPtr *domains = NULL;
  int count = virConnectListAllDomains (connection, &domains, 0);
  if (count < 0)
    return p2v_libvirt_fail (error, P2V_ERROR_REFUSED,
                             "cannot tell whether a guest still uses the images");
  gboolean free_of_guests = TRUE;
  for (int i = 0; i < count; i++)
    {
      char *xml = virDomainGetXMLDesc (domains[i], VIR_DOMAIN_XML_INACTIVE);
      if (free_of_guests && xml != NULL && has_image (job->plan, xml))
        free_of_guests = refuse_domain (job, uri, domains[i], error);
      free (xml);
      virDomainFree (domains[i]);
    }
  free (domains);
  return free_of_guests;
}

/* Method local: the guest is an XML file that somebody may have defined anywhere. */
static gboolean
check_local (const P2vJob *job, GError **error)
{
  if (job->guest_place == NULL || !g_file_test (job->guest_place, G_FILE_TEST_EXISTS))
    return TRUE;
  g_set_error (error, P2V_ERROR, P2V_ERROR_REFUSED,
               "guest %s is described by %s and has the images of job %s. Leave out --images to "
               "keep both, or remove that file first.",
               job->request->guest->name, job->guest_place, job->id);
  return FALSE;
}

gboolean
p2v_guest_use_check (const P2vServerConfig *config, const P2vJob *job, GError **error)
{
  if (job->plan == NULL)
    return TRUE;
  if (g_strcmp0 (job->plan->method, "libvirt") == 0)
    {
      const char *uri = job->plan->connection;
      return check_libvirt (job, uri != NULL ? uri : config->libvirt_uri, error);
    }
  if (g_strcmp0 (job->plan->method, "local") == 0)
    return check_local (job, error);
  return TRUE;
}
