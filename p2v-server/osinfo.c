/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/osinfo.h"

#include <libxml/parser.h>
#include <string.h>

/* OSINFO_SYSTEM_DIR is libosinfo's own variable for a database somewhere else. The database is one
 * file per system, os/VENDOR/NAME.xml (libosinfo's docs/database-layout.txt). */
#define SYSTEM_DIR "/usr/share/osinfo"
#define LOCAL_DIR "/etc/osinfo"

static const char *
system_dir (void)
{
  const char *dir = g_getenv ("OSINFO_SYSTEM_DIR");
  return dir != NULL && *dir != '\0' ? dir : SYSTEM_DIR;
}

gboolean
p2v_osinfo_is_installed (void)
{
  g_autofree char *path = g_build_filename (system_dir (), "os", NULL);
  return g_file_test (path, G_FILE_TEST_IS_DIR);
}

/* What is looked for, and the best found so far. */
typedef struct
{
  const char *short_id;
  const char *version; /* its trailing digits and dots: "12" of "debian12"; points into it */
  char *exact;
  char *sister_version; /* the newest release of the same name, and its identifier */
  char *sister_id;
} Search;

/* The trailing version of a short id: "9.2" of "rhel9.2", "" of "debiantesting". */
static const char *
version_of (const char *short_id)
{
  const char *end = short_id + strlen (short_id);
  while (end > short_id && (g_ascii_isdigit (end[-1]) || end[-1] == '.'))
    end--;
  return end;
}

/* A sister has the same name before its version, and its identifier ends with that version. */
static void
consider_sister (Search *search, const char *short_id, const char *id)
{
  const char *version = version_of (short_id);
  gsize stem = (gsize)(version - short_id);
  if (*version == '\0' || *search->version == '\0'
      || stem != (gsize)(search->version - search->short_id)
      || strncmp (short_id, search->short_id, stem) != 0 || !g_str_has_suffix (id, version))
    return;
  /* "…/2k12" must not be taken for version 2 of anything: the character before is no digit. */
  const char *before = id + strlen (id) - strlen (version) - 1;
  if (before < id || g_ascii_isdigit (*before) || *before == '.')
    return;
  if (search->sister_version != NULL && strverscmp (search->sister_version, version) >= 0)
    return;
  g_free (search->sister_version);
  g_free (search->sister_id);
  search->sister_version = g_strdup (version);
  search->sister_id = g_strdup (id);
}

static void
consider_os (Search *search, xmlNode *os)
{
  g_autofree char *id = NULL;
  xmlChar *value = xmlGetProp (os, BAD_CAST "id");
  if (value == NULL)
    return;
  id = g_strdup ((const char *)value);
  xmlFree (value);
  for (xmlNode *node = os->children; node != NULL; node = node->next)
    {
      if (node->type != XML_ELEMENT_NODE || strcmp ((const char *)node->name, "short-id") != 0)
        continue;
      xmlChar *text = xmlNodeGetContent (node);
      const char *short_id = (const char *)text;
      if (strcmp (short_id, search->short_id) == 0)
        {
          g_free (search->exact);
          search->exact = g_strdup (id);
        }
      else
        consider_sister (search, short_id, id);
      xmlFree (text);
    }
}

static void
consider_file (Search *search, const char *path)
{
  xmlDoc *doc = xmlReadFile (path, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
  xmlNode *root = doc != NULL ? xmlDocGetRootElement (doc) : NULL;
  for (xmlNode *node = root != NULL ? root->children : NULL; node != NULL; node = node->next)
    if (node->type == XML_ELEMENT_NODE && strcmp ((const char *)node->name, "os") == 0)
      consider_os (search, node);
  xmlFreeDoc (doc);
}

static void
consider_database (Search *search, const char *database)
{
  g_autofree char *top = g_build_filename (database, "os", NULL);
  g_autoptr (GDir) vendors = g_dir_open (top, 0, NULL);
  const char *vendor;
  while (search->exact == NULL && vendors != NULL && (vendor = g_dir_read_name (vendors)) != NULL)
    {
      g_autofree char *folder = g_build_filename (top, vendor, NULL);
      g_autoptr (GDir) files = g_dir_open (folder, 0, NULL);
      const char *name;
      while (search->exact == NULL && files != NULL && (name = g_dir_read_name (files)) != NULL)
        if (g_str_has_suffix (name, ".xml"))
          {
            g_autofree char *path = g_build_filename (folder, name, NULL);
            consider_file (search, path);
          }
    }
}

char *
p2v_osinfo_find_id (const char *short_id)
{
  if (short_id == NULL || *short_id == '\0')
    return NULL;
  Search search = { .short_id = short_id, .version = version_of (short_id) };
  consider_database (&search, LOCAL_DIR);
  if (search.exact == NULL)
    consider_database (&search, system_dir ());
  char *found = g_steal_pointer (&search.exact);
  if (found == NULL && search.sister_id != NULL)
    {
      gsize keep = strlen (search.sister_id) - strlen (search.sister_version);
      found = g_strdup_printf ("%.*s%s", (int)keep, search.sister_id, search.version);
    }
  g_free (search.sister_version);
  g_free (search.sister_id);
  return found;
}
