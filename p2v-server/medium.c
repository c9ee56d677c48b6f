/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/medium.h"

#include "common/error.h"
#include "p2v-server/program.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* None of the files that are read is larger. */
#define MAX_FILE (1024 * 1024)

/* How much of an image is read at a time, bytes. */
#define BLOCK_SIZE 65536

typedef struct
{
  const char *name;
  P2vMenuKind kind;
} Menu;

static const Menu image_menus[] = {
  { "isolinux/site.cfg", P2V_MENU_ISOLINUX },
  { "boot/grub/site.cfg", P2V_MENU_GRUB },
};

static const Menu tree_menus[] = {
  { "pxelinux.cfg/site.cfg", P2V_MENU_PXELINUX },
  { "grub/site.cfg", P2V_MENU_GRUB },
  { "site.ipxe", P2V_MENU_IPXE },
};

/* What every medium has besides the menus. The first two are large and only have to be there. */
static const char *const parts[]
    = { "p2v/vmlinuz", "p2v/initramfs.img", P2V_MEDIUM_IMAGE, P2V_MEDIUM_ARGUMENTS };
#define LARGE_PARTS 2

static const Menu *
menus_of (const P2vMedium *medium, gsize *count)
{
  *count = medium->is_tree ? G_N_ELEMENTS (tree_menus) : G_N_ELEMENTS (image_menus);
  return medium->is_tree ? tree_menus : image_menus;
}

void
p2v_medium_free (P2vMedium *medium)
{
  if (medium == NULL)
    return;
  g_free (medium->path);
  g_hash_table_unref (medium->files);
  g_free (medium);
}

GBytes *
p2v_medium_get (const P2vMedium *medium, const char *name)
{
  return g_hash_table_lookup (medium->files, name);
}

/* Whether a file is one that is wanted, and whether its contents are. */
static gboolean
is_wanted (const P2vMedium *medium, const char *name, gboolean *contents)
{
  gsize count;
  const Menu *menus = menus_of (medium, &count);
  *contents = TRUE;
  for (gsize i = 0; i < count; i++)
    if (strcmp (menus[i].name, name) == 0)
      return TRUE;
  for (gsize i = 0; i < G_N_ELEMENTS (parts); i++)
    if (strcmp (parts[i], name) == 0)
      {
        *contents = i >= LARGE_PARTS;
        return TRUE;
      }
  return strcmp (name, P2V_MEDIUM_SUMS) == 0;
}

static gboolean
fail (GError **error, const P2vMedium *medium, const char *why)
{
  g_set_error (error, P2V_ERROR, P2V_ERROR_USAGE, "%s cannot be used: %s", medium->path, why);
  return FALSE;
}

/* Keeps the contents of the current entry. */
static gboolean
keep_entry (P2vMedium *medium, struct archive *archive, const char *name, GError **error)
{
  g_autofree char *buffer = g_malloc (MAX_FILE);
  la_ssize_t length = archive_read_data (archive, buffer, MAX_FILE);
  if (length >= 0 && length < MAX_FILE)
    g_hash_table_insert (medium->files, g_strdup (name),
                         p2v_secret_bytes_new (buffer, (gsize)length));
  if (buffer != NULL && length > 0) /* never NULL, which the sanitized build cannot see */
    explicit_bzero (buffer, (gsize)length);
  if (length >= 0 && length < MAX_FILE)
    return TRUE;
  g_autofree char *why = g_strdup_printf ("its file %s is damaged.", name);
  return fail (error, medium, why);
}

static gboolean
fail_archive (GError **error, const P2vMedium *medium, struct archive *archive)
{
  g_autofree char *why = g_strdup_printf ("it is no CD image, or a damaged one (%s).",
                                          archive_error_string (archive));
  return fail (error, medium, why);
}

static gboolean
read_entries (P2vMedium *medium, struct archive *archive, GError **error)
{
  struct archive_entry *entry;
  int status;
  while ((status = archive_read_next_header (archive, &entry)) == ARCHIVE_OK)
    {
      const char *name = archive_entry_pathname (entry);
      gboolean contents;
      if (name == NULL || archive_entry_filetype (entry) != AE_IFREG
          || !is_wanted (medium, name, &contents))
        continue;
      if (!contents)
        g_hash_table_insert (medium->files, g_strdup (name), g_bytes_new (NULL, 0));
      else if (!keep_entry (medium, archive, name, error))
        return FALSE;
    }
  return status == ARCHIVE_EOF || fail_archive (error, medium, archive);
}

static gboolean
read_image (P2vMedium *medium, GError **error)
{
  struct archive *archive = archive_read_new ();
  archive_read_support_format_iso9660 (archive);
  gboolean ok;
  if (archive_read_open_filename (archive, medium->path, BLOCK_SIZE) != ARCHIVE_OK)
    ok = fail_archive (error, medium, archive);
  else
    ok = read_entries (medium, archive, error);
  archive_read_free (archive);
  return ok;
}

static gboolean
read_tree_file (P2vMedium *medium, const char *name, gboolean contents, GError **error)
{
  g_autofree char *file = g_build_filename (medium->path, name, NULL);
  struct stat status;
  g_autofree char *data = NULL;
  gsize size = 0;
  g_autoptr (GError) problem = NULL;
  if (stat (file, &status) < 0)
    return errno == ENOENT || fail (error, medium, g_strerror (errno));
  if (contents && S_ISREG (status.st_mode) && status.st_size >= MAX_FILE)
    return fail (error, medium, "its small files are not small.");
  if (contents && !g_file_get_contents (file, &data, &size, &problem))
    return fail (error, medium, problem->message);
  g_hash_table_insert (medium->files, g_strdup (name), p2v_secret_bytes_new (data, size));
  if (data != NULL)
    explicit_bzero (data, size);
  return TRUE;
}

static gboolean
read_tree (P2vMedium *medium, GError **error)
{
  for (gsize i = 0; i < G_N_ELEMENTS (parts); i++)
    if (!read_tree_file (medium, parts[i], i >= LARGE_PARTS, error))
      return FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (tree_menus); i++)
    if (!read_tree_file (medium, tree_menus[i].name, TRUE, error))
      return FALSE;
  return read_tree_file (medium, P2V_MEDIUM_SUMS, TRUE, error);
}

static gboolean
check_parts (const P2vMedium *medium, GError **error)
{
  gsize count;
  gboolean has_menu = FALSE;
  const Menu *menus = menus_of (medium, &count);
  const char *missing = NULL;
  for (gsize i = 0; i < count; i++)
    has_menu = has_menu || p2v_medium_get (medium, menus[i].name) != NULL;
  for (gsize i = 0; i < G_N_ELEMENTS (parts) && missing == NULL; i++)
    missing = p2v_medium_get (medium, parts[i]) == NULL ? parts[i] : NULL;
  if (missing == NULL && has_menu)
    return TRUE;
  g_set_error (error, P2V_ERROR, P2V_ERROR_USAGE,
               "%s is no %s of p2v: it has no %s. \"make %s\" in p2v's source makes one.",
               medium->path, medium->is_tree ? "PXE directory" : "image",
               missing != NULL ? missing : menus[0].name, medium->is_tree ? "pxe" : "iso");
  return FALSE;
}

P2vMedium *
p2v_medium_open (const char *path, GError **error)
{
  g_autoptr (P2vMedium) medium = g_new0 (P2vMedium, 1);
  medium->path = g_canonicalize_filename (path, NULL);
  medium->files
      = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_bytes_unref);
  struct stat status;
  if (stat (path, &status) < 0)
    {
      fail (error, medium, g_strerror (errno));
      return NULL;
    }
  medium->is_tree = S_ISDIR (status.st_mode);
  gboolean ok = medium->is_tree ? read_tree (medium, error) : read_image (medium, error);
  return ok && check_parts (medium, error) ? g_steal_pointer (&medium) : NULL;
}

GHashTable *
p2v_medium_prepare (const P2vMedium *medium, const P2vSite *site, GError **error)
{
  g_autoptr (GHashTable) files
      = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_bytes_unref);
  GBytes *arguments = p2v_medium_get (medium, P2V_MEDIUM_ARGUMENTS);
  g_autofree char *base
      = g_strndup (g_bytes_get_data (arguments, NULL), g_bytes_get_size (arguments));
  gsize count;
  const Menu *menus = menus_of (medium, &count);
  for (gsize i = 0; i < count; i++)
    {
      if (p2v_medium_get (medium, menus[i].name) == NULL)
        continue;
      char *text = p2v_site_menu (site, menus[i].kind, base, error);
      if (text == NULL)
        return NULL;
      g_hash_table_insert (files, g_strdup (menus[i].name), g_bytes_new_take (text, strlen (text)));
    }
  GBytes *image = p2v_site_image (site, error);
  if (image == NULL)
    return NULL;
  g_hash_table_insert (files, g_strdup (P2V_MEDIUM_IMAGE), image);
  GBytes *sums = p2v_medium_sums (p2v_medium_get (medium, P2V_MEDIUM_SUMS), files);
  g_hash_table_insert (files, g_strdup (P2V_MEDIUM_SUMS), sums);
  return g_steal_pointer (&files);
}
