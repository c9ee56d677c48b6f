/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/setup.h"

#include "p2v-server/program.h"

#include <fnmatch.h>
#include <grp.h>
#include <string.h>

/* The values of a setting in the output of `sshd -T` ("name value", a line each; some settings have
 * several lines), NULL when it is not there (transfer full). */
static char **
find_setting (const char *settings, const char *name)
{
  g_autoptr (GStrvBuilder) values = g_strv_builder_new ();
  gboolean found = FALSE;
  g_auto (GStrv) lines = g_strsplit (settings, "\n", -1);
  for (gsize i = 0; lines[i] != NULL; i++)
    {
      g_auto (GStrv) words = g_strsplit (g_strstrip (lines[i]), " ", -1);
      if (words[0] == NULL || g_ascii_strcasecmp (words[0], name) != 0)
        continue;
      found = TRUE;
      for (gsize k = 1; words[k] != NULL; k++)
        g_strv_builder_add (values, words[k]);
    }
  return found ? g_strv_builder_end (values) : NULL;
}

/* Whether a name fits one of the patterns of AllowUsers and the like. What comes after "@" is about
 * where a client is, which nobody knows here: it counts as fitting. */
static gboolean
fits (char **patterns, const char *name)
{
  for (gsize i = 0; patterns[i] != NULL; i++)
    {
      g_autofree char *pattern = g_strndup (patterns[i], strcspn (patterns[i], "@"));
      if (fnmatch (pattern, name, 0) == 0)
        return TRUE;
    }
  return FALSE;
}

static gboolean
fits_any (char **patterns, const char *const *names)
{
  for (gsize i = 0; names[i] != NULL; i++)
    if (fits (patterns, names[i]))
      return TRUE;
  return FALSE;
}

static void
add (GPtrArray *problems, const char *format, const char *user)
{
  g_ptr_array_add (problems, g_strdup_printf ("%s%s%s", format, user != NULL ? " " : "",
                                              user != NULL ? user : ""));
}

static void
check_lists (GPtrArray *problems, const char *settings, const char *user, const char *const *groups)
{
  g_auto (GStrv) allow_users = find_setting (settings, "allowusers");
  g_auto (GStrv) deny_users = find_setting (settings, "denyusers");
  g_auto (GStrv) allow_groups = find_setting (settings, "allowgroups");
  g_auto (GStrv) deny_groups = find_setting (settings, "denygroups");
  if (allow_users != NULL && !fits (allow_users, user))
    add (problems, "AllowUsers does not let the account in. Add to it:", user);
  if (deny_users != NULL && fits (deny_users, user))
    add (problems, "DenyUsers keeps the account out. Take out what fits", user);
  if (allow_groups != NULL && !fits_any (allow_groups, groups))
    add (problems, "AllowGroups does not let the account in. Add to it:", groups[0]);
  if (deny_groups != NULL && fits_any (deny_groups, groups))
    add (problems, "DenyGroups keeps the account out. Take out the group that has", user);
}

static gboolean
is_value (char **values, const char *value)
{
  return values != NULL && values[0] != NULL && g_ascii_strcasecmp (values[0], value) == 0;
}

static gboolean
finds_keys (char **files)
{
  for (gsize i = 0; files != NULL && files[i] != NULL; i++)
    if (strcmp (files[i], ".ssh/authorized_keys") == 0
        || strcmp (files[i], "%h/.ssh/authorized_keys") == 0)
      return TRUE;
  return files == NULL;
}

GPtrArray *
p2v_sshd_find_problems (const char *settings, const char *user, const char *const *groups,
                        guint16 *port)
{
  GPtrArray *problems = g_ptr_array_new_with_free_func (g_free);
  g_auto (GStrv) ports = find_setting (settings, "port");
  g_auto (GStrv) pubkey = find_setting (settings, "pubkeyauthentication");
  g_auto (GStrv) files = find_setting (settings, "authorizedkeysfile");
  g_auto (GStrv) methods = find_setting (settings, "authenticationmethods");
  g_auto (GStrv) forced = find_setting (settings, "forcecommand");
  guint64 number;
  *port = 22;
  if (ports != NULL && ports[0] != NULL
      && g_ascii_string_to_unsigned (ports[0], 10, 1, G_MAXUINT16, &number, NULL))
    *port = (guint16)number;
  if (is_value (pubkey, "no"))
    add (problems, "PubkeyAuthentication is off. Allow it, at least with: Match User", user);
  if (!finds_keys (files))
    add (problems,
         "AuthorizedKeysFile does not name .ssh/authorized_keys. Add that with: Match User", user);
  if (methods != NULL && !is_value (methods, "any") && !fits (methods, "publickey"))
    add (problems,
         "AuthenticationMethods asks for more than a key. Set it to publickey with: Match User",
         user);
  if (forced != NULL && !is_value (forced, "none") && !g_str_has_suffix (forced[0], "/p2v-server"))
    add (problems,
         "ForceCommand runs something else than p2v-server. Set it to none with: Match User", user);
  check_lists (problems, settings, user, groups);
  return problems;
}

/* The names of the account's groups, its own first (transfer full). */
static char **
groups_of (const P2vSetup *setup)
{
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();
  int count = 0;
  getgrouplist (setup->user, setup->gid, NULL, &count);
  g_autofree gid_t *ids = g_new0 (gid_t, MAX (count, 1));
  if (getgrouplist (setup->user, setup->gid, ids, &count) < 0)
    count = 0;
  for (int i = 0; i < count; i++)
    {
      const struct group *group = getgrgid (ids[i]);
      if (group != NULL)
        g_strv_builder_add (names, group->gr_name);
    }
  if (count == 0)
    g_strv_builder_add (names, setup->user);
  return g_strv_builder_end (names);
}

void
p2v_setup_check_sshd (P2vSetup *setup, guint16 *port)
{
  g_autoptr (GError) problem = NULL;
  g_autofree char *settings = NULL;
  /* Where a client comes from decides about Match blocks; any place stands for all. */
  g_autofree char *client = g_strdup_printf ("user=%s,host=localhost,addr=127.0.0.1", setup->user);
  const char *const argv[] = { "sshd", "-T", "-C", client, NULL };
  *port = 22;
  if (!p2v_program_run (argv, "openssh-server", NULL, &settings, &problem))
    {
      p2v_setup_warn (setup, "the configuration of sshd could not be checked: %s",
                      problem->message);
      return;
    }
  g_auto (GStrv) groups = groups_of (setup);
  g_autoptr (GPtrArray) problems
      = p2v_sshd_find_problems (settings, setup->user, (const char *const *)groups, port);
  for (guint i = 0; i < problems->len; i++)
    p2v_setup_warn (setup, "/etc/ssh/sshd_config: %s", (const char *)problems->pdata[i]);
  if (problems->len == 0)
    p2v_setup_keep (setup, "sshd lets %s in with its key, port %u", setup->user, *port);
}
