/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/newt/front-end.h"

#include "common/error.h"
#include "p2v-client/disk-warnings.h"
#include "p2v-client/i18n.h"
#include "p2v-client/identity.h"
#include "p2v-client/newt/task.h"
#include "p2v-client/newt/window.h"
#include "p2v-client/text.h"

#include <string.h>

static void
clear (P2vFrontEnd *self)
{
  g_clear_pointer (&self->details, p2v_details_free);
  g_clear_pointer (&self->config, p2v_config_free);
  g_clear_pointer (&self->machine, p2v_machine_free);
  g_clear_pointer (&self->trusted, g_hash_table_unref);
  g_clear_pointer (&self->accepted, g_hash_table_unref);
  g_clear_pointer (&self->request, p2v_request_free);
  g_clear_error (&self->failure);
  g_free (self->hostkey);
  g_free (self->program);
  g_free (self->fingerprint);
  p2v_network_setup_free (self->network);
  p2v_offers_free (self->offers);
  g_free (self->job);
  g_free (self->place);
  p2v_verified_free (self->verified);
  g_string_free (self->log, TRUE);
  g_ptr_array_unref (self->bad);
}

/* A key that was given together with a server is that server's; one given alone is for whatever
 * server a person enters. */
static void
note_trust (P2vFrontEnd *self)
{
  P2vConfig *config = self->config;
  if (config->hostkey == NULL)
    return;
  if (config->server != NULL && strcmp (config->hostkey, "any") != 0)
    g_hash_table_insert (self->trusted, g_strdup_printf ("%s %u", config->server, config->port),
                         g_strdup (config->hostkey));
  else
    self->hostkey = g_strdup (config->hostkey);
}

gboolean
p2v_front_end_check_disks (const P2vFrontEnd *self)
{
  const P2vDisk *gone
      = p2v_disk_warnings_find_gone (self->machine, (const char *const *)self->config->disks);
  if (gone == NULL)
    return TRUE;
  g_autofree char *text = g_strdup_printf (
      _ ("Disk %s is not there any more. Connect it again; or, on the page with the disks, press "
         "\"Look again\" and choose from those there are."),
      gone->name);
  p2v_window_say (_ ("A disk has gone"), text);
  return FALSE;
}

typedef struct
{
  const P2vConfig *config;
  P2vProbe *probe;
} Trial;

static gboolean
try (gpointer data, GCancellable *cancellable, GError **error)
{
  Trial *trial = data;
  return p2v_probe_run (trial->config, trial->probe, cancellable, error);
}

gboolean
p2v_front_end_probe (P2vFrontEnd *self, P2vProbe *probe, GError **error)
{
  Trial trial = { self->config, probe };
  g_autofree char *text = g_strdup_printf (_ ("Connecting to %s port %u ..."), self->config->server,
                                           self->config->port);
  if (!p2v_task_run (_ ("Connecting"), text, try, &trial, error))
    return FALSE;
  p2v_offers_free (self->offers);
  self->offers = g_steal_pointer (&probe->offers);
  return TRUE;
}

/* The advice that names arguments of the command line is left out: there are fields for them here.
 */
static char *
without_advice (const char *message)
{
  static const char *const beginnings[] = { ". Check p2v.", ". Give another with p2v." };
  for (gsize i = 0; i < G_N_ELEMENTS (beginnings); i++)
    {
      const char *advice = strstr (message, beginnings[i]);
      if (advice != NULL)
        return g_strndup (message, (gsize)(advice - message) + 1);
    }
  return g_strdup (message);
}

char *
p2v_front_end_explain (const P2vFrontEnd *self, const GError *error)
{
  const P2vConfig *config = self->config;
  g_autofree char *what = without_advice (error->message);
  g_auto (GStrv) lines = g_strsplit (what, "\n", -1);
  for (gsize i = 0; lines[i] != NULL; i++)
    {
      char *printable = p2v_text_printable (lines[i]);
      g_free (lines[i]);
      lines[i] = printable;
    }
  GString *text = g_string_new (NULL);
  g_autofree char *joined = g_strjoinv ("\n", lines);
  g_string_append (text, joined);
  gboolean cut = strlen (what) < strlen (error->message);
  if (p2v_error_code_of (error) == P2V_ERROR_USAGE)
    return g_string_free (text, FALSE);
  if (cut && p2v_error_code_of (error) == P2V_ERROR_CONNECTION)
    g_string_append (text,
                     _ ("\n\nCheck the server's name and port, this machine's network (the first "
                        "page shows it), and that the SSH server runs there."));
  else if (cut && config->identity_url != NULL)
    g_string_append (text, _ ("\n\nCheck the key's URL, and that its public key is in the user's "
                              "authorized_keys on the server."));
  else if (cut && config->password == NULL)
    g_string_append (text, _ ("\n\nType the user's password, or give the URL of a key."));
  else if (cut)
    g_string_append (text,
                     _ ("\n\nCheck the user and type the password again, or give the URL of a "
                        "key."));
  return g_string_free (text, FALSE);
}

/* The disks are asked as long as a person chooses: the conversion asks for itself, and they may
 * have more to say after it. */
static void
tend_details (P2vFrontEnd *self, P2vPage page)
{
  if (page == P2V_PAGE_CONVERT)
    g_clear_pointer (&self->details, p2v_details_free);
  else if (page != P2V_PAGE_RESULT && self->details == NULL && self->machine != NULL)
    self->details = p2v_details_new (self->machine);
}

int
p2v_front_end_run (P2vConfig *config, const char *root, gboolean live)
{
  static P2vPage (*const pages[]) (P2vFrontEnd *) = {
    [P2V_PAGE_WELCOME] = p2v_page_welcome, [P2V_PAGE_SERVER] = p2v_page_server,
    [P2V_PAGE_DISKS] = p2v_page_disks,     [P2V_PAGE_GUEST] = p2v_page_guest,
    [P2V_PAGE_REVIEW] = p2v_page_review,   [P2V_PAGE_CONVERT] = p2v_page_convert,
    [P2V_PAGE_RESULT] = p2v_page_result,
  };
  static const char *const names[] = { N_ ("Network"), N_ ("Server"),  N_ ("Disks"), N_ ("Guest"),
                                       N_ ("Review"),  N_ ("Convert"), N_ ("Done"),  NULL };
  P2vFrontEnd self = {
    .root = root != NULL ? root : "/",
    .config = config,
    .live = live,
    .name_suggested = config->name == NULL,
    .trusted = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free),
    .accepted = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL),
    .log = g_string_new (NULL),
    .bad = p2v_bad_ranges_new (),
  };
  note_trust (&self);
  P2vPage page = P2V_PAGE_WELCOME;
  p2v_front_end_look (&self);
  while (page != P2V_PAGE_END)
    {
      p2v_screen_show_step (names, page);
      tend_details (&self, page);
      page = pages[page](&self);
    }
  int status = self.bad->len > 0 ? P2V_STATUS_UNREADABLE : 0;
  if (self.failure != NULL)
    status = (int)p2v_error_code_of (self.failure);
  clear (&self);
  return status;
}
