/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/network-manager.h"

#include "common/error.h"
#include "p2v-client/i18n.h"
#include "p2v-client/inventory-parts.h"
#include "p2v-client/text.h"

#include <string.h>

/* How long a connection may take to come up, seconds: a switch may forward nothing for most of a
 * minute (spanning tree). */
#define UP_SECONDS "60"

/* How long NetworkManager may take to say that it runs, seconds. Asked while the system bus is only
 * starting, nmcli can wait for ever. */
#define CHECK_SECONDS 10
#define CHECK_LIMIT 1024

/* A connection that NetworkManager has. */
typedef struct
{
  char *uuid;
  gboolean active;
  gboolean ours;
} Connection;

static void
connection_free (Connection *connection)
{
  g_free (connection->uuid);
  g_free (connection);
}

/* Which of nmcli's lines says what went wrong, without "Error: "; nmcli adds hints for a shell.
 * (transfer full) */
static char *
find_reason (const char *said)
{
  const char *const mark = "Error: ";
  const char *start = strstr (said, mark);
  start = start != NULL ? start + strlen (mark) : said;
  g_autofree char *line = g_strndup (start, strcspn (start, "\n"));
  char *reason = p2v_text_printable (line);
  g_strchomp (reason);
  gsize length = strlen (reason);
  if (length > 0 && reason[length - 1] == '.')
    reason[length - 1] = '\0';
  return reason;
}

/* Runs nmcli to its end. output: may be NULL. Fails with P2V_ERROR_REFUSED and nmcli's reason. */
static gboolean
run (const char *const *argv, char **output, GCancellable *cancellable, GError **error)
{
  g_autofree char *out = NULL;
  g_autofree char *said = NULL;
  g_autoptr (GSubprocessLauncher) launcher
      = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
  g_subprocess_launcher_setenv (launcher, "LC_ALL", "C.UTF-8", TRUE);
  g_autoptr (GSubprocess) process = g_subprocess_launcher_spawnv (launcher, argv, error);
  if (process == NULL
      || !g_subprocess_communicate_utf8 (process, NULL, cancellable, &out, &said, error))
    {
      if (process != NULL)
        g_subprocess_force_exit (process);
      p2v_error_recode (error, g_cancellable_is_cancelled (cancellable) ? P2V_ERROR_CANCELLED
                                                                        : P2V_ERROR_REFUSED);
      return FALSE;
    }
  if (!g_subprocess_get_successful (process))
    {
      g_autofree char *reason = find_reason (said);
      g_set_error_literal (error, P2V_ERROR, P2V_ERROR_REFUSED, reason);
      return FALSE;
    }
  if (output != NULL)
    *output = g_steal_pointer (&out);
  return TRUE;
}

gboolean
p2v_network_manager_check (GCancellable *cancellable, GError **error)
{
  static const char *const argv[] = { "nmcli", "-t", "-f", "RUNNING", "general", NULL };
  g_autofree char *path = g_find_program_in_path (argv[0]);
  static const char running[] = "running\n";
  if (path == NULL)
    {
      g_set_error_literal (
          error, P2V_ERROR, P2V_ERROR_REFUSED,
          _ ("The network is set up with NetworkManager's nmcli, and this system "
             "has none. Use what the system has for it, or install NetworkManager."));
      return FALSE;
    }
  g_autoptr (GBytes) output
      = p2v_tool_run (argv, -1, CHECK_LIMIT, CHECK_SECONDS, cancellable, NULL);
  gsize length = 0;
  const char *text = output != NULL ? g_bytes_get_data (output, &length) : NULL;
  if (length == strlen (running) && memcmp (text, running, length) == 0)
    return TRUE;
  if (g_cancellable_is_cancelled (cancellable))
    g_set_error_literal (error, P2V_ERROR, P2V_ERROR_CANCELLED, "stopped on request");
  else
    g_set_error_literal (
        error, P2V_ERROR, P2V_ERROR_REFUSED,
        _ ("The network is set up with NetworkManager, and that does not run on this system. Use "
           "what the system has for it, or start NetworkManager."));
  return FALSE;
}

/* One line of nmcli: "UUID:yes:NAME". */
static Connection *
parse_connection (const char *line)
{
  g_auto (GStrv) parts = g_strsplit (line, ":", 3);
  if (g_strv_length (parts) < 3)
    return NULL;
  Connection *connection = g_new0 (Connection, 1);
  connection->uuid = g_strdup (parts[0]);
  connection->active = strcmp (parts[1], "yes") == 0;
  connection->ours = g_str_has_prefix (parts[2], P2V_NETWORK_PREFIX);
  return connection;
}

static GPtrArray *
list_connections (GCancellable *cancellable, GError **error)
{
  static const char *const argv[]
      = { "nmcli", "-t", "-f", "UUID,ACTIVE,NAME", "connection", "show", NULL };
  g_autofree char *output = NULL;
  if (!run (argv, &output, cancellable, error))
    return NULL;
  GPtrArray *connections = g_ptr_array_new_with_free_func ((GDestroyNotify)connection_free);
  g_auto (GStrv) lines = g_strsplit (output, "\n", -1);
  for (char **line = lines; *line != NULL; line++)
    {
      Connection *connection = parse_connection (*line);
      if (connection != NULL)
        g_ptr_array_add (connections, connection);
    }
  return connections;
}

/* Cleaning up goes on whatever happens. */
static void
run_anyway (const char *const *argv)
{
  g_autoptr (GError) error = NULL;
  if (!run (argv, NULL, NULL, &error))
    g_debug ("%s %s %s: %s", argv[0], argv[1], argv[2], error->message);
}

static void delete (const char *uuid)
{
  const char *const argv[] = { "nmcli", "connection", "delete", "uuid", uuid, NULL };
  run_anyway (argv);
}

/* It takes a moment only, and each is let end: NetworkManager may make a profile after the nmcli
 * that was to add it is gone, and after it was looked for to be deleted. */
static gboolean
add_all (GPtrArray *profiles, GCancellable *cancellable, GError **error)
{
  for (guint i = 0; i < profiles->len; i++)
    {
      const P2vNetworkProfile *profile = profiles->pdata[i];
      if (!run ((const char *const *)profile->argv, NULL, NULL, error))
        return FALSE;
    }
  if (!g_cancellable_set_error_if_cancelled (cancellable, error))
    return TRUE;
  p2v_error_recode (error, P2V_ERROR_CANCELLED);
  return FALSE;
}

/* Our earlier ones end first: a bond's cards and its interface are free then. */
static void
take_down_ours (GPtrArray *before)
{
  for (guint i = 0; i < before->len; i++)
    {
      const Connection *connection = before->pdata[i];
      const char *const argv[] = { "nmcli", "connection", "down", "uuid", connection->uuid, NULL };
      if (connection->ours && connection->active)
        run_anyway (argv);
    }
}

static gboolean
bring_up_all (GPtrArray *profiles, GCancellable *cancellable, GError **error)
{
  for (guint i = 0; i < profiles->len; i++)
    {
      const P2vNetworkProfile *profile = profiles->pdata[i];
      const char *const argv[]
          = { "nmcli", "--wait", UP_SECONDS, "connection", "up", "uuid", profile->uuid, NULL };
      if (!profile->is_bonds && !run (argv, NULL, cancellable, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
is_active (GPtrArray *connections, const char *uuid)
{
  for (guint i = 0; connections != NULL && i < connections->len; i++)
    {
      const Connection *connection = connections->pdata[i];
      if (connection->active && strcmp (connection->uuid, uuid) == 0)
        return TRUE;
    }
  return FALSE;
}

/* Takes the profiles away again; what was active before them and is no more is asked for. */
static void
restore (GPtrArray *profiles, GPtrArray *before)
{
  for (guint i = profiles->len; i > 0; i--)
    delete (((const P2vNetworkProfile *)profiles->pdata[i - 1])->uuid);
  g_autoptr (GPtrArray) now = list_connections (NULL, NULL);
  for (guint i = 0; i < before->len; i++)
    {
      const Connection *connection = before->pdata[i];
      const char *const argv[]
          = { "nmcli", "--wait", "0", "connection", "up", "uuid", connection->uuid, NULL };
      if (connection->active && !is_active (now, connection->uuid))
        run_anyway (argv);
    }
}

static void
delete_ours (GPtrArray *before)
{
  for (guint i = 0; i < before->len; i++)
    {
      const Connection *connection = before->pdata[i];
      if (connection->ours)
        delete (connection->uuid);
    }
}

/* Says, after NetworkManager's reason, what a person may do. */
static void
advise (const P2vNetworkSetup *setup, GError **error)
{
  if (error == NULL || g_error_matches (*error, P2V_ERROR, P2V_ERROR_CANCELLED))
    return;
  gboolean asks
      = setup->ipv4 == P2V_ADDRESSING_AUTOMATIC || setup->ipv6 == P2V_ADDRESSING_AUTOMATIC;
  g_autofree char *reason = g_strdup ((*error)->message);
  g_clear_error (error);
  g_set_error (
      error, P2V_ERROR, P2V_ERROR_REFUSED,
      asks ? _ ("NetworkManager says: %s. Check the cable, the switch's port and the VLAN, and "
                "that something gives addresses there (DHCP), or enter a static address. What was "
                "there before is brought up again.")
           : _ ("NetworkManager says: %s. Check the cable, the switch's port and the VLAN. What "
                "was there before is brought up again."),
      reason);
}

gboolean
p2v_network_manager_apply (const P2vNetworkSetup *setup, GCancellable *cancellable, GError **error)
{
  g_autoptr (GPtrArray) before = list_connections (cancellable, error);
  if (before == NULL)
    return FALSE;
  g_autoptr (GPtrArray) profiles = p2v_network_setup_make_profiles (setup);
  gboolean ok = add_all (profiles, cancellable, error);
  if (ok)
    {
      take_down_ours (before);
      ok = bring_up_all (profiles, cancellable, error);
    }
  if (ok)
    delete_ours (before);
  else
    {
      restore (profiles, before);
      advise (setup, error);
    }
  return ok;
}
