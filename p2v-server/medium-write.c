/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/medium.h"

#include "common/error.h"
#include "p2v-server/program.h"
#include "p2v-server/unfinished.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Hexadecimal digits of a SHA-256. */
#define SUM_LENGTH 64

/* ECMA-119, section 8.1: a volume descriptor is a sector, the first at sector 16, and the last has
 * type 255. Type 2 with one of the escape sequences of Joliet ("Joliet Specification", section
 * "SVD Escape Sequences Field") is the root of Joliet's tree. */
#define SECTOR 2048
#define FIRST_DESCRIPTOR 16
#define MAX_DESCRIPTORS 16
#define JOLIET_TYPE 2
#define LAST_TYPE 255
#define ESCAPES_OFFSET 88

/* The name in a line of sha256sum(1), "SUM  ./NAME" or "SUM *./NAME"; NULL when it is none. */
static const char *
name_of_line (const char *line)
{
  if (strspn (line, "0123456789abcdef") != SUM_LENGTH || line[SUM_LENGTH] != ' '
      || line[SUM_LENGTH + 1] == '\0')
    return NULL;
  const char *name = line + SUM_LENGTH + 2;
  return g_str_has_prefix (name, "./") ? name + 2 : name;
}

static void
append_sum (GString *text, const char *name, GBytes *contents)
{
  g_autofree char *sum = g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, contents);
  g_string_append_printf (text, "%s  ./%s\n", sum, name);
}

GBytes *
p2v_medium_sums (GBytes *old, GHashTable *files)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GHashTable) done = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autofree char *before = old != NULL
                                ? g_strndup (g_bytes_get_data (old, NULL), g_bytes_get_size (old))
                                : g_strdup ("");
  g_auto (GStrv) lines = g_strsplit (before, "\n", -1);
  for (gsize i = 0; lines[i] != NULL; i++)
    {
      const char *name = name_of_line (lines[i]);
      GBytes *contents = name != NULL ? g_hash_table_lookup (files, name) : NULL;
      if (contents != NULL && g_hash_table_add (done, g_strdup (name)))
        append_sum (text, name, contents);
      else if (contents == NULL && lines[i][0] != '\0')
        g_string_append_printf (text, "%s\n", lines[i]);
    }
  g_autoptr (GList) names = g_list_sort (g_hash_table_get_keys (files), (GCompareFunc)strcmp);
  for (const GList *n = names; n != NULL; n = n->next)
    if (!g_hash_table_contains (done, n->data))
      append_sum (text, n->data, g_hash_table_lookup (files, n->data));
  return g_bytes_new (text->str, text->len);
}

static gboolean
check_output (const P2vMedium *medium, const char *output, GError **error)
{
  struct stat input_status, output_status;
  if (stat (output, &output_status) < 0)
    return TRUE;
  const char *why = NULL;
  if (stat (medium->path, &input_status) == 0 && input_status.st_dev == output_status.st_dev
      && input_status.st_ino == output_status.st_ino)
    why = "it is the image itself, which stays as it is. Name another file";
  else if (!S_ISREG (output_status.st_mode))
    why = "it is no regular file. Write a file first, and copy that to the stick or CD";
  if (why == NULL)
    return TRUE;
  g_set_error (error, P2V_ERROR, P2V_ERROR_USAGE, "cannot write %s: %s.", output, why);
  return FALSE;
}

/* Whether the image has the names that Windows shows; xorriso makes them anew only when told. */
static gboolean
has_joliet (const char *image)
{
  int fd = open (image, O_RDONLY | O_CLOEXEC);
  gboolean found = FALSE;
  for (int i = 0; fd >= 0 && i < MAX_DESCRIPTORS && !found; i++)
    {
      guint8 sector[SECTOR];
      off_t offset = (off_t)(FIRST_DESCRIPTOR + i) * SECTOR;
      if (pread (fd, sector, SECTOR, offset) != SECTOR || sector[0] == LAST_TYPE)
        break;
      found = sector[0] == JOLIET_TYPE && memcmp (sector + ESCAPES_OFFSET, "%/", 2) == 0;
    }
  if (fd >= 0)
    close (fd);
  return found;
}

static void
add_words (GPtrArray *argv, const char *const *words)
{
  for (gsize i = 0; words[i] != NULL; i++)
    g_ptr_array_add (argv, g_strdup (words[i]));
}

/* Calls xorriso: reads the image with all it knows about booting it, replaces files, and writes
 * the whole of it anew. */
static gboolean
run_xorriso (const P2vMedium *medium, GHashTable *files, const char *directory, const char *output,
             GError **error)
{
  g_autofree char *input = g_strconcat ("stdio:", medium->path, NULL);
  g_autofree char *target = g_strconcat ("stdio:", output, NULL);
  g_autoptr (GPtrArray) argv = g_ptr_array_new_with_free_func (g_free);
  /* -no_rc: not what a user's ~/.xorrisorc says. */
  const char *const start[]
      = { "xorriso", "-no_rc", "-report_about", "SORRY", "-abort_on", "FAILURE", "-return_with",
          "FAILURE", "32",     "-indev",        input,   "-outdev",   target,    "-boot_image",
          "any",     "replay", "-overwrite",    "on",    NULL };
  static const char *const joliet[] = { "-joliet", "on", "-compliance", "joliet_long_names", NULL };
  static const char *const end[] = { "-commit", "-end", NULL };
  add_words (argv, start);
  if (has_joliet (medium->path))
    add_words (argv, joliet);
  GHashTableIter iter;
  gpointer name, contents;
  guint number = 0;
  g_hash_table_iter_init (&iter, files);
  while (g_hash_table_iter_next (&iter, &name, &contents))
    {
      g_autofree char *plain = g_strdup_printf ("%u", number++);
      char *file = p2v_unfinished_write (directory, plain, contents, error);
      if (file == NULL)
        return FALSE;
      g_ptr_array_add (argv, g_strdup ("-map"));
      g_ptr_array_add (argv, file);
      g_ptr_array_add (argv, g_strconcat ("/", name, NULL));
    }
  add_words (argv, end);
  g_ptr_array_add (argv, NULL);
  return p2v_program_run ((const char *const *)argv->pdata, "xorriso", NULL, NULL, error);
}

/* What was written is read again: the medium is taken away to machines that nobody may be near. */
static gboolean
check_written (const char *file, GHashTable *files, GError **error)
{
  g_autoptr (P2vMedium) medium = p2v_medium_open (file, error);
  if (medium == NULL)
    return FALSE;
  GHashTableIter iter;
  gpointer name, contents;
  g_hash_table_iter_init (&iter, files);
  while (g_hash_table_iter_next (&iter, &name, &contents))
    {
      GBytes *written = p2v_medium_get (medium, name);
      if (written != NULL && g_bytes_equal (written, contents))
        continue;
      g_set_error (error, P2V_ERROR, P2V_ERROR_FAILED,
                   "%s is not in the image as it should be. Check the disk that it is written to.",
                   (const char *)name);
      return FALSE;
    }
  return TRUE;
}

static gboolean
write_image (const P2vMedium *medium, GHashTable *files, const char *output, GError **error)
{
  g_autofree char *directory = p2v_unfinished_directory (error);
  if (directory == NULL)
    return FALSE;
  int fd;
  g_autofree char *file = p2v_unfinished_file (output, &fd, error);
  if (file == NULL)
    return FALSE;
  close (fd);
  return run_xorriso (medium, files, directory, file, error) && check_written (file, files, error)
         && p2v_unfinished_finish (file, output, error);
}

gboolean
p2v_medium_write_image (const P2vMedium *medium, GHashTable *files, const char *output,
                        GError **error)
{
  g_autofree char *place = g_canonicalize_filename (output, NULL);
  gboolean ok = check_output (medium, place, error) && write_image (medium, files, place, error);
  p2v_unfinished_remove ();
  return ok;
}

/* The order matters: a machine that starts in between finds a key and no entry, never an entry
 * without a key. */
static gboolean
write_tree_file (const P2vMedium *medium, const char *name, GBytes *contents, uid_t owner,
                 GError **error)
{
  g_autofree char *place = g_build_filename (medium->path, name, NULL);
  gboolean secret = strcmp (name, P2V_MEDIUM_IMAGE) == 0;
  struct stat status;
  uid_t user = secret && owner != (uid_t)-1 ? owner : geteuid ();
  if (stat (place, &status) == 0 && (!secret || owner == (uid_t)-1))
    user = status.st_uid;
  int fd;
  g_autofree char *file = p2v_unfinished_file (place, &fd, error);
  if (file == NULL)
    return FALSE;
  gboolean ok = p2v_bytes_write (contents, fd, file, error);
  if (ok
      && ((user != geteuid () && fchown (fd, user, (gid_t)-1) < 0)
          || fchmod (fd, secret ? 0600 : 0644) < 0))
    {
      g_set_error (error, P2V_ERROR, P2V_ERROR_FAILED, "cannot give %s its owner: %s", place,
                   g_strerror (errno));
      ok = FALSE;
    }
  close (fd);
  return ok && p2v_unfinished_finish (file, place, error);
}

static gboolean
write_tree (const P2vMedium *medium, GHashTable *files, uid_t owner, GError **error)
{
  if (!write_tree_file (medium, P2V_MEDIUM_IMAGE, g_hash_table_lookup (files, P2V_MEDIUM_IMAGE),
                        owner, error))
    return FALSE;
  GHashTableIter iter;
  gpointer name, contents;
  g_hash_table_iter_init (&iter, files);
  while (g_hash_table_iter_next (&iter, &name, &contents))
    if (strcmp (name, P2V_MEDIUM_IMAGE) != 0
        && !write_tree_file (medium, name, contents, owner, error))
      return FALSE;
  return TRUE;
}

gboolean
p2v_medium_write_tree (const P2vMedium *medium, GHashTable *files, uid_t owner, GError **error)
{
  gboolean ok = write_tree (medium, files, owner, error);
  p2v_unfinished_remove ();
  return ok;
}
