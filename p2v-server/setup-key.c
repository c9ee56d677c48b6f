/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/setup.h"

#include "common/error.h"
#include "p2v-server/program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static gboolean
fail (GError **error, const char *doing, const char *path)
{
  g_set_error (error, P2V_ERROR, P2V_ERROR_FAILED, "cannot %s %s: %s", doing, path,
               g_strerror (errno));
  return FALSE;
}

/* Where a new private key stands until it is let in; its .pub beside it. */
static char *
fresh_identity (const P2vSetup *setup)
{
  return g_strconcat (setup->identity, ".new", NULL);
}

static gboolean
make_pair (P2vSetup *setup, GError **error)
{
  g_autofree char *fresh = fresh_identity (setup);
  g_autofree char *fresh_public = g_strconcat (fresh, ".pub", NULL);
  g_autofree char *directory = g_path_get_dirname (setup->identity);
  g_autofree char *comment = g_strdup_printf ("p2v@%s", g_get_host_name ());
  const char *const argv[]
      = { "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", fresh, NULL };
  if (g_mkdir_with_parents (directory, 0755) < 0)
    return fail (error, "make", directory);
  unlink (fresh);
  unlink (fresh_public);
  if (!p2v_program_run (argv, "openssh-client", NULL, NULL, error))
    return FALSE;
  if (chmod (fresh, 0600) < 0)
    return fail (error, "write", fresh);
  setup->key = p2v_ssh_key_load_private (fresh, NULL, error);
  setup->fresh = setup->key != NULL;
  return setup->fresh;
}

gboolean
p2v_setup_install_key (P2vSetup *setup, GError **error)
{
  if (!setup->fresh)
    return TRUE;
  g_autofree char *fresh = fresh_identity (setup);
  g_autofree char *fresh_public = g_strconcat (fresh, ".pub", NULL);
  g_autofree char *public = g_strconcat (setup->identity, ".pub", NULL);
  if (rename (fresh_public, public) < 0 || rename (fresh, setup->identity) < 0)
    return fail (error, "write", setup->identity);
  return TRUE;
}

void
p2v_setup_discard_key (const P2vSetup *setup)
{
  g_autofree char *fresh = fresh_identity (setup);
  g_autofree char *fresh_public = g_strconcat (fresh, ".pub", NULL);
  if (!setup->fresh)
    return;
  unlink (fresh);
  unlink (fresh_public);
}

static gboolean
keep_pair (P2vSetup *setup, GError **error)
{
  struct stat status;
  setup->key = p2v_ssh_key_load_private (setup->identity, NULL, error);
  if (setup->key == NULL)
    {
      g_prefix_error (error, "the key that there is cannot be used (--new-key makes another): ");
      return FALSE;
    }
  if (stat (setup->identity, &status) < 0)
    return fail (error, "look at", setup->identity);
  if (status.st_uid == 0 && (status.st_mode & 0777) == 0600)
    p2v_setup_keep (setup, "private key %s", setup->identity);
  else if (p2v_setup_change (setup, "let root alone read the private key %s", setup->identity)
           && (chmod (setup->identity, 0600) < 0 || chown (setup->identity, 0, 0) < 0))
    return fail (error, "change", setup->identity);
  return TRUE;
}

gboolean
p2v_setup_key (P2vSetup *setup, GError **error)
{
  if (setup->key_file != NULL)
    {
      setup->key = p2v_ssh_key_load_public (setup->key_file, error);
      if (setup->key != NULL)
        p2v_setup_keep (setup, "public key %s", setup->key_file);
      return setup->key != NULL;
    }
  gboolean exists = g_file_test (setup->identity, G_FILE_TEST_EXISTS);
  if (exists && !setup->new_key)
    return keep_pair (setup, error);
  return !p2v_setup_change (setup, "make %s key pair: %s (private, for root alone) and %s.pub",
                            exists ? "a new" : "a", setup->identity, setup->identity)
         || make_pair (setup, error);
}

/* Whether a line of authorized_keys is about a key. */
static gboolean
has_key (const char *line, const P2vSshKey *key)
{
  g_auto (GStrv) words = g_strsplit_set (line, " \t", -1);
  return g_strv_contains ((const char *const *)words, key->base64);
}

char *
p2v_authorized_keys_update (const char *old, const char *options, const P2vSshKey *key,
                            P2vKeyOrigin origin, guint *unrestricted)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *public = p2v_ssh_key_line (key);
  g_autofree char *own = g_strdup_printf ("%s %s%s\n", options, public,
                                          origin == P2V_KEY_GIVEN ? "" : " " P2V_SETUP_MARK);
  gboolean done = FALSE;
  *unrestricted = 0;
  g_auto (GStrv) lines = g_strsplit (old, "\n", -1);
  for (gsize i = 0; lines[i] != NULL; i++)
    {
      const char *line = lines[i] + strspn (lines[i], " \t");
      gboolean is_comment = line[0] == '#' || line[0] == '\0';
      gboolean retired = origin == P2V_KEY_NEW && g_str_has_suffix (line, P2V_SETUP_MARK);
      if (!is_comment && (has_key (line, key) || retired))
        {
          if (!done)
            g_string_append (text, own);
          done = TRUE;
          continue;
        }
      if (!is_comment && strstr (line, "command=\"") == NULL)
        *unrestricted += 1;
      /* The last one is what follows the last end of line: nothing. */
      if (lines[i + 1] != NULL || lines[i][0] != '\0')
        g_string_append_printf (text, "%s\n", lines[i]);
    }
  if (!done)
    g_string_append (text, own);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* Makes ~/.ssh root's: no program of the account changes what is in it. (One could put another
 * directory in its place; the account has no shell to do that with.) Everything below is done by
 * descriptor: there might be a symbolic link in the home directory. Returns -1 on failure, and in a
 * dry run when it is not there. */
static int
open_ssh_directory (P2vSetup *setup, const char *path, GError **error)
{
  struct stat status;
  int fd = open (path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0 && errno != ENOENT)
    {
      fail (error, "use", path);
      return -1;
    }
  if (fd < 0)
    {
      if (!p2v_setup_change (setup, "make the directory %s", path))
        return -1;
      if (mkdir (path, 0700) == 0)
        fd = open (path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
      if (fd >= 0 && fchown (fd, 0, setup->gid) == 0 && fchmod (fd, 0750) == 0)
        return fd;
    }
  else if (fstat (fd, &status) == 0)
    {
      if (status.st_uid == 0 && status.st_gid == setup->gid && (status.st_mode & 0777) == 0750)
        return fd;
      if (!p2v_setup_change (setup, "give %s to root, readable by %s", path, setup->user)
          || (fchown (fd, 0, setup->gid) == 0 && fchmod (fd, 0750) == 0))
        return fd;
    }
  fail (error, "make", path);
  if (fd >= 0)
    close (fd);
  return -1;
}

static gboolean
write_keys (const P2vSetup *setup, int directory, const char *text, GError **error)
{
  const char *const fresh = "authorized_keys.p2v-new";
  unlinkat (directory, fresh, 0);
  int fd = openat (directory, fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  gboolean ok = fd >= 0 && write (fd, text, strlen (text)) == (ssize_t)strlen (text)
                && fchown (fd, 0, setup->gid) == 0 && fchmod (fd, 0640) == 0 && fsync (fd) == 0
                && renameat (directory, fresh, directory, "authorized_keys") == 0;
  if (!ok)
    fail (error, "write", "authorized_keys");
  if (fd >= 0)
    close (fd);
  return ok;
}

/* The contents of authorized_keys, "" when there is none; right: its owner and mode are those it
 * gets from us (transfer full). */
static char *
read_keys (const P2vSetup *setup, int directory, gboolean *right, GError **error)
{
  struct stat status;
  *right = FALSE;
  int fd = directory < 0 ? -1
                         : openat (directory, "authorized_keys", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0 && (directory < 0 || errno == ENOENT))
    return g_strdup ("");
  char *text = NULL;
  if (fd >= 0 && fstat (fd, &status) == 0 && S_ISREG (status.st_mode)
      && status.st_size < 1024 * 1024)
    {
      text = g_malloc0 ((gsize)status.st_size + 1);
      if (read (fd, text, (gsize)status.st_size) != (ssize_t)status.st_size)
        g_clear_pointer (&text, g_free);
      *right = status.st_uid == 0 && status.st_gid == setup->gid && (status.st_mode & 0777) == 0640;
    }
  if (text == NULL)
    fail (error, "read", "authorized_keys");
  if (fd >= 0)
    close (fd);
  return text;
}

gboolean
p2v_setup_authorize (P2vSetup *setup, GError **error)
{
  g_autofree char *path = g_build_filename (setup->home_dir, ".ssh", NULL);
  g_autofree char *file = g_build_filename (path, "authorized_keys", NULL);
  g_autofree char *options = g_strdup_printf ("restrict,command=\"%s forced\"", setup->program);
  g_autoptr (GError) problem = NULL;
  int directory = open_ssh_directory (setup, path, &problem);
  if (problem != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&problem));
      return FALSE;
    }
  gboolean right;
  guint unrestricted = 0;
  g_autofree char *old = read_keys (setup, directory, &right, error);
  P2vKeyOrigin origin = setup->key_file != NULL ? P2V_KEY_GIVEN
                        : setup->new_key        ? P2V_KEY_NEW
                                                : P2V_KEY_KEPT;
  g_autofree char *text
      = old != NULL && setup->key != NULL
            ? p2v_authorized_keys_update (old, options, setup->key, origin, &unrestricted)
            : NULL;
  gboolean ok = old != NULL;
  if (ok && right && g_strcmp0 (old, text) == 0)
    p2v_setup_keep (setup, "%s lets the key in, for conversions only", file);
  else if (ok && p2v_setup_change (setup, "let the key in, for conversions only: %s", file))
    ok = write_keys (setup, directory, text, error);
  if (ok && unrestricted > 0)
    p2v_setup_warn (setup,
                    "%s has %u other key%s without command=. The login shell refuses what is no "
                    "conversion, but forwarding may be open to them: put restrict before them",
                    file, unrestricted, unrestricted == 1 ? "" : "s");
  if (directory >= 0)
    close (directory);
  return ok;
}
