/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/newt/front-end.h"

#include "common/error.h"
#include "p2v-client/i18n.h"
#include "p2v-client/identity.h"
#include "p2v-client/newt/window.h"
#include "p2v-client/offers-text.h"
#include "p2v-client/setting.h"
#include "p2v-client/text.h"

#include <string.h>

#define FIELD_COLUMN 12

enum
{
  SERVER,
  PORT,
  USERNAME,
  PASSWORD,
  IDENTITY,
  N_FIELDS
};

/* A field, and how its text gets into the configuration. */
static const struct
{
  const char *label;
  int column, row, width;
  int flags;
  gboolean optional; /* may be left empty */
  P2vSetting setting;
} fields[N_FIELDS] = {
  [SERVER] = { N_ ("Server"),
               0,
               3,
               36,
               0,
               FALSE,
               { .argument = { N_ ("Server"), NULL, "kvm1.example.com", NULL },
                 .set = p2v_setting_set_server,
                 .offset = G_STRUCT_OFFSET (P2vConfig, server) } },
  [PORT] = { N_ ("Port"),
             52,
             3,
             6,
             0,
             FALSE,
             { .argument = { N_ ("Port"), NULL, "22", NULL },
               .set = p2v_setting_set_port,
               .min = 1,
               .max = G_MAXUINT16 } },
  [USERNAME] = { N_ ("User"),
                 0,
                 5,
                 36,
                 0,
                 FALSE,
                 { .argument = { N_ ("User"), NULL, "p2v", NULL },
                   .set = p2v_setting_set_username,
                   .offset = G_STRUCT_OFFSET (P2vConfig, username) } },
  [PASSWORD] = { N_ ("Password"),
                 0,
                 7,
                 36,
                 NEWT_FLAG_PASSWORD,
                 TRUE,
                 { .argument = { N_ ("Password"), NULL, "PASSWORD", NULL },
                   .set = p2v_setting_set_secret,
                   .offset = G_STRUCT_OFFSET (P2vConfig, password),
                   .secret = TRUE } },
  [IDENTITY] = { N_ ("or key"),
                 0,
                 9,
                 58,
                 0,
                 TRUE,
                 { .argument = { N_ ("Key"), NULL, "https://boot.example.com/id_p2v", NULL },
                   .set = p2v_setting_set_text,
                   .offset = G_STRUCT_OFFSET (P2vConfig, identity_url),
                   .secret = TRUE } },
};

typedef struct
{
  P2vFrontEnd *front_end;
  P2vWindow *window;
  newtComponent entries[N_FIELDS];
  newtComponent sudo;
} Page;

static void
add_fields (Page *page, const P2vConfig *config)
{
  g_autofree char *port = g_strdup_printf ("%u", config->port);
  const char *const values[N_FIELDS]
      = { config->server, port, config->username, config->password, config->identity_url };
  p2v_window_add_label (page->window, 0, 0,
                        _ ("Where does this machine go? The server is a KVM host on"));
  p2v_window_add_label (page->window, 0, 1, _ ("which `p2v-server setup` has been run."));
  for (guint i = 0; i < N_FIELDS; i++)
    {
      int column = fields[i].column > 0 ? fields[i].column + 6 : FIELD_COLUMN;
      p2v_window_add_label (page->window, fields[i].column, fields[i].row, _ (fields[i].label));
      page->entries[i] = p2v_window_add_entry (page->window, column, fields[i].row, fields[i].width,
                                               values[i], fields[i].flags);
    }
  p2v_window_add_label (page->window, FIELD_COLUMN, 10,
                        _ ("URL of an SSH private key, in place of the password"));
  page->sudo = p2v_window_add (page->window,
                               newtCheckbox (FIELD_COLUMN + 1, 12, _ ("Use sudo on the server"),
                                             config->sudo ? '*' : ' ', NULL, NULL));
}

/* What an empty field that may be empty stands for. */
static void
clear_secret (P2vConfig *config, const P2vSetting *setting)
{
  char **member = p2v_setting_member (setting, config);
  g_clear_pointer (member, p2v_secret_free);
}

/* Takes over what has been typed. Returns the first field that is wrong, N_FIELDS when none is. */
static guint
store (Page *page, GError **error)
{
  P2vConfig *config = page->front_end->config;
  guint wrong = N_FIELDS;
  for (guint i = 0; i < N_FIELDS; i++)
    {
      const char *text = newtEntryGetValue (page->entries[i]);
      const P2vSetting *setting = &fields[i].setting;
      if (fields[i].optional)
        clear_secret (config, setting);
      if (fields[i].optional && text[0] == '\0')
        continue;
      g_autoptr (GError) failure = NULL;
      gboolean is_text = g_utf8_validate (text, -1, NULL);
      if (!is_text)
        p2v_setting_refuse (setting, NULL, _ ("this is not UTF-8 text"), &failure);
      if ((!is_text || !setting->set (setting, config, text, &failure)) && wrong == N_FIELDS)
        {
          wrong = i;
          g_propagate_error (error, g_steal_pointer (&failure));
        }
    }
  config->sudo = newtCheckboxGetValue (page->sudo) == '*';
  return wrong;
}

/* The key for the list of trusted host keys. (transfer full) */
static char *
server_key (const P2vConfig *config)
{
  return g_strdup_printf ("%s %u", config->server, config->port);
}

static void
choose_hostkey (P2vFrontEnd *self)
{
  g_autofree char *key = server_key (self->config);
  const char *trusted = g_hash_table_lookup (self->trusted, key);
  g_free (self->config->hostkey);
  self->config->hostkey = g_strdup (trusted != NULL ? trusted : self->hostkey);
}

/* "ssh-ed25519" → "ed25519", as in the name of the key's file on the server. */
static const char *
file_part (const char *key_type)
{
  if (g_str_has_prefix (key_type, "ssh-"))
    return key_type + strlen ("ssh-");
  return g_str_has_prefix (key_type, "ecdsa") ? "ecdsa" : key_type;
}

/* Shows the unknown key. Returns whether it is the server's. */
static gboolean
ask_hostkey (P2vFrontEnd *self, const P2vHostKey *hostkey)
{
  static const char *const labels[] = { N_ ("Back"), N_ ("It is the same"), NULL };
  P2vConfig *config = self->config;
  g_autofree char *text = g_strdup_printf (
      _ ("%s shows this host key (%s):\n\n  %s\n\n"
         "Compare it with what `p2v-server setup` has printed, or with what this prints on the "
         "server "
         "itself:\n\n  ssh-keygen -lf /etc/ssh/ssh_host_%s_key.pub\n\n"
         "If it is another one, somebody else has answered, who would get the password and the "
         "disks."),
      config->server, hostkey->type, hostkey->fingerprint, file_part (hostkey->type));
  if (p2v_window_ask (_ ("Is this the server?"), text, labels, 0) != 1)
    return FALSE;
  g_hash_table_insert (self->trusted, server_key (config), g_strdup (hostkey->fingerprint));
  choose_hostkey (self);
  return TRUE;
}

static const char *
failure_title (const P2vProbe *probe, const GError *error)
{
  if (probe->hostkey.trust == P2V_HOSTKEY_MISMATCH)
    return _ ("This is not the expected server");
  switch (p2v_error_code_of (error))
    {
    case P2V_ERROR_CONNECTION:
      return _ ("The server cannot be reached");
    case P2V_ERROR_AUTH:
      return _ ("The server does not let us in");
    case P2V_ERROR_REFUSED:
      return _ ("There is no p2v-server that fits");
    default:
      return _ ("The connection failed");
    }
}

/* Tries the connection, asking for an unknown host key. TRUE when it works. */
static gboolean
test_connection (Page *page)
{
  P2vFrontEnd *self = page->front_end;
  g_clear_pointer (&self->program, g_free);
  choose_hostkey (self);
  for (;;)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (P2vProbe) probe = p2v_probe_new ();
      if (p2v_front_end_probe (self, probe, &error))
        {
          self->program = p2v_text_printable (probe->program);
          g_free (self->fingerprint);
          self->fingerprint = g_strdup (probe->hostkey.fingerprint);
          return TRUE;
        }
      if (g_error_matches (error, P2V_ERROR, P2V_ERROR_CANCELLED))
        return FALSE;
      if (probe->hostkey.trust != P2V_HOSTKEY_UNKNOWN)
        {
          g_autofree char *why = p2v_front_end_explain (self, error);
          p2v_window_say (failure_title (probe, error), why);
          /* To be typed again as a whole; it cannot be seen. */
          if (g_error_matches (error, P2V_ERROR, P2V_ERROR_AUTH))
            newtEntrySet (page->entries[PASSWORD], "", 0);
          return FALSE;
        }
      if (!ask_hostkey (self, &probe->hostkey))
        return FALSE;
    }
}

static void
say_it_works (const P2vFrontEnd *self)
{
  gboolean any = g_strcmp0 (self->config->hostkey, "any") == 0;
  g_autofree char *offered = p2v_offers_text (self->offers);
  g_autofree char *text
      = g_strdup_printf (_ ("%s has let user %s in and runs %s.\n\nHost key%s:\n%s%s%s"),
                         self->config->server, self->config->username, self->program,
                         any ? _ (", not checked because of p2v.hostkey=any") : "",
                         self->fingerprint, offered[0] != '\0' ? "\n\n" : "", offered);
  p2v_window_say (_ ("The connection works"), text);
}

/* It works, but what was asked for would be refused. */
static void
say_problem (const P2vFrontEnd *self)
{
  if (self->offers == NULL || self->offers->problem == NULL)
    return;
  g_autofree char *problem = p2v_text_printable (self->offers->problem);
  p2v_window_say (_ ("The server would refuse this conversion"), problem);
}

/* What is most likely to be typed next; where everything is there already, Enter goes on. */
static void
focus_missing (Page *page)
{
  if (page->front_end->config->identity_url == NULL
      && newtEntryGetValue (page->entries[PASSWORD])[0] == '\0')
    p2v_window_focus (page->window, page->entries[PASSWORD]);
  else
    p2v_window_focus_button (page->window, 0);
}

P2vPage
p2v_page_server (P2vFrontEnd *self)
{
  static const char *const labels[] = { N_ ("Next"), N_ ("Test"), N_ ("Back"), NULL };
  g_autoptr (P2vWindow) window = p2v_window_new (_ ("Conversion server"), P2V_TEXT_WIDTH, 14);
  Page page = { .front_end = self, .window = window };
  add_fields (&page, self->config);
  p2v_window_add_buttons (window, labels);
  if (self->config->server != NULL)
    focus_missing (&page);
  for (;;)
    {
      g_autoptr (GError) error = NULL;
      int pressed = p2v_window_run (window);
      guint wrong = store (&page, &error);
      if (pressed == P2V_WINDOW_ENDED)
        return P2V_PAGE_END;
      if (pressed == 2 || pressed == P2V_WINDOW_ESCAPE)
        return P2V_PAGE_WELCOME;
      if (wrong < N_FIELDS)
        {
          p2v_window_say (_ ("Not yet"), error->message);
          p2v_window_focus (window, page.entries[wrong]);
        }
      else if (test_connection (&page))
        {
          say_problem (self);
          if (pressed == 0)
            return P2V_PAGE_DISKS;
          say_it_works (self);
          p2v_window_focus_button (window, 0);
        }
      else
        focus_missing (&page);
    }
}
