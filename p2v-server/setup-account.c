/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/setup.h"

#include "common/error.h"
#include "p2v-server/program.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <shadow.h>
#include <string.h>
#include <unistd.h>

#define SHELLS "/etc/shells"

/* From here on user IDs are people's (login.defs(5), UID_MIN). */
#define FIRST_PERSON 1000

/* No password fits this, and unlike "!" it does not lock the account: sshd without PAM refuses
 * locked accounts even with a key. */
#define NO_PASSWORD "*"

/* libvirt's daemon and /dev/kvm let their groups in. */
static const char *const groups[] = { "libvirt", "kvm" };

static gboolean
refuse (GError **error, const P2vSetup *setup, const char *why)
{
  g_set_error (error, P2V_ERROR, P2V_ERROR_USAGE, "--user %s: %s", setup->user, why);
  return FALSE;
}

static gboolean
check_name (const P2vSetup *setup, GError **error)
{
  gsize length = strspn (setup->user, "abcdefghijklmnopqrstuvwxyz0123456789_-");
  if (length > 0 && length <= 31 && setup->user[length] == '\0'
      && (g_ascii_islower (setup->user[0]) || setup->user[0] == '_'))
    return TRUE;
  return refuse (error, setup,
                 "a name of at most 31 lower case letters, digits, \"-\" and \"_\" is expected");
}

static gboolean
run_tool (const char *const *argv, GError **error)
{
  return p2v_program_run (argv, "passwd", NULL, NULL, error);
}

static gboolean
make_user (P2vSetup *setup, GError **error)
{
  gboolean has_group = getgrnam (setup->user) != NULL;
  g_autoptr (GPtrArray) argv = g_ptr_array_new ();
  const char *const start[]
      = { "useradd",          "--system",  "--home-dir",           setup->home_dir,
          "--no-create-home", "--shell",   setup->program,         "--password",
          NO_PASSWORD,        "--comment", "p2v conversion server" };
  for (gsize i = 0; i < G_N_ELEMENTS (start); i++)
    g_ptr_array_add (argv, (gpointer)start[i]);
  g_ptr_array_add (argv, (gpointer)(has_group ? "--gid" : "--user-group"));
  if (has_group)
    g_ptr_array_add (argv, (gpointer)setup->user);
  g_ptr_array_add (argv, (gpointer)setup->user);
  g_ptr_array_add (argv, NULL);
  return run_tool ((const char *const *)argv->pdata, error);
}

static gboolean
modify_user (const P2vSetup *setup, const char *option, const char *value, GError **error)
{
  const char *const argv[] = { "usermod", option, value, setup->user, NULL };
  return run_tool (argv, error);
}

/* The entry is copied: further look-ups overwrite it. */
static gboolean
update_user (P2vSetup *setup, const struct passwd *user, GError **error)
{
  g_autofree char *shell = g_strdup (user->pw_shell);
  gboolean is_shell = strcmp (shell, setup->program) == 0;
  if (user->pw_uid == 0)
    return refuse (error, setup, "machines do not log in as root. Name another account");
  if (user->pw_uid >= FIRST_PERSON && !g_str_has_suffix (shell, "/p2v-server"))
    return refuse (error, setup,
                   "that is a person's account, who would have no shell any more. Name another; it "
                   "is made when there is none");
  gboolean is_home = strcmp (user->pw_dir, setup->home_dir) == 0;
  const struct spwd *shadow = getspnam (setup->user);
  gboolean has_password = shadow == NULL || strcmp (shadow->sp_pwdp, NO_PASSWORD) != 0;
  if (is_shell && is_home && !has_password)
    p2v_setup_keep (setup, "user %s, login shell %s, no password", setup->user, setup->program);
  if (!is_shell
      && p2v_setup_change (setup, "make %s the login shell of %s (was %s)", setup->program,
                           setup->user, shell)
      && !modify_user (setup, "--shell", setup->program, error))
    return FALSE;
  if (!is_home
      && p2v_setup_change (setup, "make %s the home directory of %s", setup->home_dir, setup->user)
      && !modify_user (setup, "--home", setup->home_dir, error))
    return FALSE;
  return !has_password
         || !p2v_setup_change (setup, "let nobody log in as %s with a password", setup->user)
         || modify_user (setup, "--password", NO_PASSWORD, error);
}

static gboolean
is_member (const struct group *group, const P2vSetup *setup)
{
  if (group->gr_gid == setup->gid)
    return TRUE;
  return g_strv_contains ((const char *const *)group->gr_mem, setup->user);
}

static gboolean
join_groups (P2vSetup *setup, GError **error)
{
  for (gsize i = 0; i < G_N_ELEMENTS (groups); i++)
    {
      const struct group *group = getgrnam (groups[i]);
      if (group == NULL)
        p2v_setup_warn (setup,
                        "there is no group %s. After libvirt is installed (apt install "
                        "libvirt-daemon-system), run setup again",
                        groups[i]);
      else if (is_member (group, setup))
        p2v_setup_keep (setup, "%s is in the group %s", setup->user, groups[i]);
      else if (p2v_setup_change (setup, "put %s into the group %s", setup->user, groups[i]))
        {
          const char *const argv[]
              = { "usermod", "--append", "--groups", groups[i], setup->user, NULL };
          if (!run_tool (argv, error))
            return FALSE;
        }
    }
  return TRUE;
}

/* PAM's pam_shells, and chsh(1), know only the shells that are listed there. */
static gboolean
list_shell (P2vSetup *setup, GError **error)
{
  g_autofree char *text = NULL;
  g_file_get_contents (SHELLS, &text, NULL, NULL);
  g_auto (GStrv) lines = g_strsplit (text != NULL ? text : "", "\n", -1);
  if (g_strv_contains ((const char *const *)lines, setup->program))
    {
      p2v_setup_keep (setup, "%s is in %s", setup->program, SHELLS);
      return TRUE;
    }
  if (!p2v_setup_change (setup, "add %s to %s", setup->program, SHELLS))
    return TRUE;
  gboolean ended = text == NULL || text[0] == '\0' || g_str_has_suffix (text, "\n");
  g_autofree char *line = g_strconcat (ended ? "" : "\n", setup->program, "\n", NULL);
  int fd = open (SHELLS, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  gboolean ok = fd >= 0 && write (fd, line, strlen (line)) == (ssize_t)strlen (line);
  if (!ok)
    g_set_error (error, P2V_ERROR, P2V_ERROR_FAILED, "cannot write %s: %s", SHELLS,
                 g_strerror (errno));
  if (fd >= 0)
    close (fd);
  return ok;
}

gboolean
p2v_setup_account (P2vSetup *setup, GError **error)
{
  if (!check_name (setup, error))
    return FALSE;
  const struct passwd *user = getpwnam (setup->user);
  const char *home = setup->home != NULL ? setup->home
                     : user != NULL      ? user->pw_dir
                                         : setup->config->state_dir;
  setup->home_dir = g_canonicalize_filename (home, NULL);
  setup->uid = (uid_t)-1;
  setup->gid = (gid_t)-1;
  if (user != NULL)
    {
      if (!update_user (setup, user, error))
        return FALSE;
    }
  else if (p2v_setup_change (setup,
                             "make the user %s: home directory %s, login shell %s, no password",
                             setup->user, setup->home_dir, setup->program)
           && !make_user (setup, error))
    return FALSE;
  user = getpwnam (setup->user);
  if (user != NULL)
    {
      setup->uid = user->pw_uid;
      setup->gid = user->pw_gid;
    }
  return join_groups (setup, error) && list_shell (setup, error);
}
