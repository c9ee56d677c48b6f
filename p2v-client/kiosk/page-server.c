/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/error.h"
#include "p2v-client/i18n.h"
#include "p2v-client/identity.h"
#include "p2v-client/kiosk/field.h"
#include "p2v-client/kiosk/notice.h"
#include "p2v-client/kiosk/pages.h"
#include "p2v-client/offers-text.h"
#include "p2v-client/text.h"

#define TEMPLATE P2V_KIOSK_RESOURCES "page-server.ui"

/* Which server, and how to log in there. Nothing goes on before the server has answered, its host
 * key is trusted, and it has let us in. */

#define P2V_TYPE_SERVER_PAGE (p2v_server_page_get_type ())
G_DECLARE_FINAL_TYPE (P2vServerPage, p2v_server_page, P2V, SERVER_PAGE, P2vKioskPage)

struct _P2vServerPage
{
  P2vKioskPage parent_instance;
  P2vKioskNotice *result;
  GtkWidget *hostkey;
  GtkLabel *fingerprint;
  GtkToggleButton *accept;
  GtkWidget *form;
  GtkEntry *server, *port, *username, *password, *key;
  GtkLabel *server_error, *port_error, *username_error, *key_error;
  GtkToggleButton *use_password, *use_key, *sudo;
  GtkButton *test;
  GtkToggleButton *reveal;
  GtkWidget *caps_lock;
  char *key_url;      /* what was given for the key, with its password; NULL: nothing */
  char *shown_key;    /* as the field was filled in for it: with the password masked */
  gboolean advancing; /* go on when the probe has gone well */
};

G_DEFINE_TYPE (P2vServerPage, p2v_server_page, P2V_TYPE_KIOSK_PAGE)

static P2vKioskModel *
model_of (P2vServerPage *page)
{
  return p2v_kiosk_page_get_model (P2V_KIOSK_PAGE (page));
}

/* Something was edited: what the last probe said holds no more. */
static void
on_edited (P2vServerPage *page)
{
  P2vKioskModel *model = model_of (page);
  gboolean use_key = gtk_toggle_button_get_active (page->use_key);
  gtk_widget_set_sensitive (GTK_WIDGET (page->password), !use_key);
  gtk_widget_set_sensitive (GTK_WIDGET (page->key), use_key);
  page->advancing = FALSE;
  if (model != NULL && model->probe != NULL && !model->probing)
    p2v_kiosk_model_forget_probe (model);
}

static void
on_reveal (P2vServerPage *page)
{
  gtk_entry_set_visibility (page->password, gtk_toggle_button_get_active (page->reveal));
}

/* GTK's own warning is a picture, for which there is no loader. */
static void
on_keys_changed (P2vServerPage *page)
{
  GdkKeymap *keymap = gdk_keymap_get_for_display (gtk_widget_get_display (GTK_WIDGET (page)));
  gtk_widget_set_visible (page->caps_lock, gdk_keymap_get_caps_lock_state (keymap));
}

static gboolean
take_key (P2vServerPage *page)
{
  P2vConfig *config = model_of (page)->config;
  const char *text = gtk_entry_get_text (page->key);
  g_autoptr (GError) error = NULL;
  gboolean given = page->key_url != NULL && g_strcmp0 (text, page->shown_key) == 0;
  char *url = given ? g_strdup (page->key_url) : p2v_field_read_key (text, &error);
  if (!p2v_field_judge (page->key, page->key_error, g_steal_pointer (&error)))
    return FALSE;
  p2v_secret_free (config->identity_url);
  config->identity_url = url;
  return TRUE;
}

static void
take_login (P2vServerPage *page, char *username)
{
  P2vConfig *config = model_of (page)->config;
  const char *password = gtk_entry_get_text (page->password);
  g_free (config->username);
  config->username = username;
  config->sudo = gtk_toggle_button_get_active (page->sudo);
  if (gtk_toggle_button_get_active (page->use_key))
    return;
  g_clear_pointer (&config->identity_url, p2v_secret_free);
  p2v_secret_free (config->password);
  config->password = password[0] != '\0' ? g_strdup (password) : NULL;
}

/* Puts what was typed into the model. FALSE when some of it cannot be right; then the first field
 * that is wrong has the focus. */
static gboolean
take_fields (P2vServerPage *page)
{
  GError *server_error = NULL;
  GError *port_error = NULL;
  GError *user_error = NULL;
  guint16 port = 0;
  g_autofree char *server
      = p2v_field_read_server (gtk_entry_get_text (page->server), &server_error);
  g_autofree char *username
      = p2v_field_read_username (gtk_entry_get_text (page->username), &user_error);
  p2v_field_read_port (gtk_entry_get_text (page->port), &port, &port_error);
  gboolean use_key = gtk_toggle_button_get_active (page->use_key);
  GtkEntry *wrong = NULL;
  if (!use_key)
    p2v_field_judge (page->key, page->key_error, NULL);
  else if (!take_key (page))
    wrong = page->key;
  if (!p2v_field_judge (page->username, page->username_error, user_error))
    wrong = page->username;
  if (!p2v_field_judge (page->port, page->port_error, port_error))
    wrong = page->port;
  if (!p2v_field_judge (page->server, page->server_error, server_error))
    wrong = page->server;
  if (wrong != NULL)
    {
      gtk_widget_grab_focus (GTK_WIDGET (wrong));
      return FALSE;
    }
  take_login (page, g_steal_pointer (&username));
  p2v_kiosk_model_set_server (model_of (page), server, port);
  return TRUE;
}

/* What was typed and can be right is not lost with the page, as when the language is changed. */
static void
keep_fields (P2vServerPage *page)
{
  const P2vConfig *config = model_of (page)->config;
  guint16 port;
  char *username = p2v_field_read_username (gtk_entry_get_text (page->username), NULL);
  g_autofree char *server = p2v_field_read_server (gtk_entry_get_text (page->server), NULL);
  if (username != NULL)
    take_login (page, username);
  /* A host key without a server is for the one that is named in the end. */
  if (server != NULL && (config->server != NULL || config->hostkey == NULL)
      && p2v_field_read_port (gtk_entry_get_text (page->port), &port, NULL))
    p2v_kiosk_model_set_server (model_of (page), server, port);
}

static gboolean
is_unknown (P2vKioskModel *model)
{
  return model->probe != NULL && model->probe->hostkey.trust == P2V_HOSTKEY_UNKNOWN;
}

/* Tries the server. An unknown host key that the person has just accepted is taken over. */
static void
probe (P2vServerPage *page, gboolean advance)
{
  P2vKioskModel *model = model_of (page);
  if (!take_fields (page))
    return;
  if (is_unknown (model))
    {
      if (!gtk_toggle_button_get_active (page->accept))
        {
          gtk_widget_grab_focus (GTK_WIDGET (page->accept));
          return;
        }
      p2v_kiosk_model_accept_hostkey (model);
    }
  page->advancing = advance;
  p2v_kiosk_engine_probe (p2v_kiosk_page_get_engine (P2V_KIOSK_PAGE (page)));
}

static void
on_test (P2vServerPage *page)
{
  probe (page, FALSE);
}

static void
on_accept (P2vServerPage *page)
{
  P2vKioskModel *model = model_of (page);
  gboolean undecided = is_unknown (model) && !gtk_toggle_button_get_active (page->accept);
  p2v_kiosk_page_set_ready (P2V_KIOSK_PAGE (page), !model->probing && !undecided);
}

/* It works, but what was asked for would be refused: that is read before anything else, once. */
static gboolean
has_problem (const P2vKioskModel *model)
{
  return model->probe->offers != NULL && model->probe->offers->problem != NULL;
}

static void
say_success (P2vServerPage *page)
{
  const P2vKioskModel *model = model_of (page);
  const P2vConfig *config = model->config;
  const P2vOffers *offers = model->probe->offers;
  gboolean problem = has_problem (model);
  g_autofree char *heading = g_strdup_printf (
      problem ? _ ("The server %s would refuse this conversion") : _ ("The server %s is ready"),
      config->server);
  g_autofree char *program = p2v_text_printable (model->probe->program);
  g_autofree char *warning = p2v_hostkey_warning (&model->probe->hostkey, config);
  g_autofree char *why = problem ? p2v_kiosk_sentence (offers->problem) : NULL;
  g_autofree char *offered = p2v_offers_text (offers);
  g_autoptr (GString) text = g_string_new (NULL);
  g_string_append_printf (text, _ ("It has let %s in and runs %s."), config->username, program);
  const char *more[] = { warning, why, offered };
  for (gsize i = 0; i < G_N_ELEMENTS (more); i++)
    if (more[i] != NULL && more[i][0] != '\0')
      g_string_append_printf (text, " %s", more[i]);
  gboolean doubtful
      = problem || warning != NULL || (offers != NULL && offers->libvirt_problem != NULL);
  p2v_kiosk_notice_say (page->result, doubtful ? P2V_KIOSK_NOTICE_WARNING : P2V_KIOSK_NOTICE_GOOD,
                        heading, text->str);
}

static void
say_unknown (P2vServerPage *page)
{
  const P2vHostKey *hostkey = &model_of (page)->probe->hostkey;
  g_autofree char *text = g_strdup_printf (
      _ ("Compare the fingerprint of its host key (%s) with the one that p2v-server "
         "setup has printed on the server."),
      hostkey->type);
  p2v_kiosk_notice_say (page->result, P2V_KIOSK_NOTICE_WARNING,
                        _ ("Is this your server? Nothing was sent to it yet"), text);
}

static void
say_mismatch (P2vServerPage *page)
{
  const P2vKioskModel *model = model_of (page);
  g_autofree char *text = g_strdup_printf (
      _ ("The host key of %s (%s) is\n%s\nand not the one that was given or accepted for it before"
         "%s%s\nSomebody may be in between, so nothing was sent and it does not go on. If the "
         "server has a new key, have p2v-server media make a new medium, or start again with "
         "p2v.hostkey=."),
      model->config->server, model->probe->hostkey.type, model->probe->hostkey.fingerprint,
      model->config->hostkey != NULL ? ":\n" : ".",
      model->config->hostkey != NULL ? model->config->hostkey : "");
  p2v_kiosk_notice_say (page->result, P2V_KIOSK_NOTICE_ERROR,
                        _ ("This is not the server that it should be"), text);
}

/* The engine's words name arguments of the command line; here are fields. */
static void
say_login (P2vServerPage *page)
{
  const P2vConfig *config = model_of (page)->config;
  g_autofree char *text = g_strdup_printf (
      _ ("%s does not let %s in with this password. Check both. If they are right, the server may "
         "not "
         "take passwords (PasswordAuthentication in sshd_config): use an SSH key."),
      config->server, config->username);
  p2v_kiosk_notice_say (page->result, P2V_KIOSK_NOTICE_ERROR, _ ("The server does not let you in"),
                        text);
}

static const char *
heading_of (const GError *error)
{
  switch (p2v_error_code_of (error))
    {
    case P2V_ERROR_CONNECTION:
      return _ ("The server cannot be reached");
    case P2V_ERROR_AUTH:
      return _ ("The server does not let you in");
    case P2V_ERROR_REFUSED:
      return _ ("The server cannot be used");
    default:
      return _ ("The connection could not be tested");
    }
}

static void
say_failure (P2vServerPage *page)
{
  const P2vKioskModel *model = model_of (page);
  const GError *error = model->probe_error;
  P2vHostKeyTrust trust = model->probe->hostkey.trust;
  gboolean by_password = model->config->identity_url == NULL;
  if (trust == P2V_HOSTKEY_UNKNOWN)
    say_unknown (page);
  else if (trust == P2V_HOSTKEY_MISMATCH)
    say_mismatch (page);
  else if (g_error_matches (error, P2V_ERROR, P2V_ERROR_CANCELLED))
    p2v_kiosk_notice_say (page->result, P2V_KIOSK_NOTICE_WARNING, _ ("The test was stopped"), NULL);
  else if (g_error_matches (error, P2V_ERROR, P2V_ERROR_AUTH) && by_password)
    say_login (page);
  else
    p2v_kiosk_notice_say_error (page->result, heading_of (error), error);
}

/* Where the person is most likely to go on. */
static void
set_focus (P2vServerPage *page)
{
  const P2vKioskModel *model = model_of (page);
  GtkWidget *focus = GTK_WIDGET (page->server);
  if (is_unknown (model_of (page)))
    focus = GTK_WIDGET (page->accept);
  else if (g_error_matches (model->probe_error, P2V_ERROR, P2V_ERROR_AUTH))
    focus = GTK_WIDGET (gtk_toggle_button_get_active (page->use_key) ? page->key : page->password);
  else if (model->server_works)
    focus
        = gtk_window_get_default_widget (GTK_WINDOW (gtk_widget_get_toplevel (GTK_WIDGET (page))));
  if (focus != NULL)
    gtk_widget_grab_focus (focus);
}

static void
show_hostkey (P2vServerPage *page)
{
  const P2vKioskModel *model = model_of (page);
  gboolean unknown = is_unknown (model_of (page)) && !model->probing;
  gtk_widget_set_visible (page->hostkey, unknown);
  if (!unknown)
    {
      gtk_toggle_button_set_active (page->accept, FALSE);
      return;
    }
  gtk_label_set_label (page->fingerprint, model->probe->hostkey.fingerprint);
}

static void
show_outcome (P2vServerPage *page)
{
  P2vKioskModel *model = model_of (page);
  if (model->probing)
    {
      g_autofree char *heading
          = g_strdup_printf (_ ("Connecting to %s\xe2\x80\xa6"), model->config->server);
      p2v_kiosk_notice_say (page->result, P2V_KIOSK_NOTICE_GOOD, heading, NULL);
    }
  else if (model->server_works)
    say_success (page);
  else if (model->probe_error != NULL)
    say_failure (page);
  else
    p2v_kiosk_notice_say (page->result, P2V_KIOSK_NOTICE_GOOD, NULL, NULL);
}

static void
on_server_changed (P2vServerPage *page)
{
  P2vKioskModel *model = model_of (page);
  gboolean ended = !model->probing && !gtk_widget_get_sensitive (page->form);
  show_outcome (page);
  show_hostkey (page);
  gtk_widget_set_sensitive (page->form, !model->probing);
  p2v_kiosk_page_set_back_label (P2V_KIOSK_PAGE (page), model->probing ? _ ("_Stop") : _ ("_Back"));
  on_accept (page);
  /* Another page asks the server, too. */
  if (!ended || !gtk_widget_get_mapped (GTK_WIDGET (page)))
    return;
  if (model->server_works && page->advancing && !has_problem (model))
    p2v_kiosk_page_advance (P2V_KIOSK_PAGE (page));
  else
    set_focus (page);
}

static void
show_config (P2vServerPage *page)
{
  const P2vConfig *config = model_of (page)->config;
  g_autofree char *port = g_strdup_printf ("%u", config->port);
  gtk_entry_set_text (page->server, config->server != NULL ? config->server : "");
  gtk_entry_set_text (page->port, port);
  gtk_entry_set_text (page->username, config->username);
  gtk_entry_set_text (page->password, config->password != NULL ? config->password : "");
  page->key_url = g_strdup (config->identity_url);
  page->shown_key = config->identity_url != NULL
                        ? g_filename_from_uri (config->identity_url, NULL, NULL)
                        : g_strdup ("");
  if (page->shown_key == NULL)
    page->shown_key = p2v_url_mask (config->identity_url);
  gtk_entry_set_text (page->key, page->shown_key);
  gtk_toggle_button_set_active (config->identity_url != NULL ? page->use_key : page->use_password,
                                TRUE);
  gtk_toggle_button_set_active (page->sudo, config->sudo);
}

static void
bind (P2vKioskPage *base)
{
  P2vServerPage *page = P2V_SERVER_PAGE (base);
  show_config (page);
  g_signal_connect_swapped (model_of (page), "server-changed", G_CALLBACK (on_server_changed),
                            page);
  g_signal_connect_object (gdk_keymap_get_for_display (gtk_widget_get_display (GTK_WIDGET (page))),
                           "state-changed", G_CALLBACK (on_keys_changed), page, G_CONNECT_SWAPPED);
  on_keys_changed (page);
  on_server_changed (page);
  on_edited (page);
}

static GtkWidget *
enter (P2vKioskPage *base)
{
  P2vServerPage *page = P2V_SERVER_PAGE (base);
  if (gtk_entry_get_text_length (page->server) == 0)
    return GTK_WIDGET (page->server);
  gboolean use_key = gtk_toggle_button_get_active (page->use_key);
  if (!use_key && gtk_entry_get_text_length (page->password) == 0)
    return GTK_WIDGET (page->password);
  return NULL;
}

static gboolean
commit (P2vKioskPage *base)
{
  P2vServerPage *page = P2V_SERVER_PAGE (base);
  if (model_of (page)->server_works)
    return TRUE;
  probe (page, TRUE);
  return FALSE;
}

static gboolean
retreat (P2vKioskPage *base)
{
  if (!p2v_kiosk_page_get_model (base)->probing)
    {
      keep_fields (P2V_SERVER_PAGE (base));
      return FALSE;
    }
  p2v_kiosk_engine_stop_probe (p2v_kiosk_page_get_engine (base));
  return TRUE;
}

static void
finalize (GObject *object)
{
  p2v_secret_free (P2V_SERVER_PAGE (object)->key_url);
  g_free (P2V_SERVER_PAGE (object)->shown_key);
  G_OBJECT_CLASS (p2v_server_page_parent_class)->finalize (object);
}

static void
bind_children (GtkWidgetClass *widget_class)
{
#define CHILD(name_) gtk_widget_class_bind_template_child (widget_class, P2vServerPage, name_)
  CHILD (result);
  CHILD (hostkey);
  CHILD (fingerprint);
  CHILD (accept);
  CHILD (form);
  CHILD (server);
  CHILD (port);
  CHILD (username);
  CHILD (password);
  CHILD (key);
  CHILD (server_error);
  CHILD (port_error);
  CHILD (username_error);
  CHILD (key_error);
  CHILD (use_password);
  CHILD (use_key);
  CHILD (sudo);
  CHILD (reveal);
  CHILD (caps_lock);
  CHILD (test);
#undef CHILD
}

static void
p2v_server_page_class_init (P2vServerPageClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  P2vKioskPageClass *page_class = P2V_KIOSK_PAGE_CLASS (class);
  G_OBJECT_CLASS (class)->finalize = finalize;
  page_class->bind = bind;
  page_class->enter = enter;
  page_class->commit = commit;
  page_class->retreat = retreat;
  gtk_widget_class_set_template_from_resource (widget_class, TEMPLATE);
  bind_children (widget_class);
  gtk_widget_class_bind_template_callback (widget_class, on_edited);
  gtk_widget_class_bind_template_callback (widget_class, on_reveal);
  gtk_widget_class_bind_template_callback (widget_class, on_accept);
  gtk_widget_class_bind_template_callback (widget_class, on_test);
}

static void
p2v_server_page_init (P2vServerPage *page)
{
  gtk_widget_init_template (GTK_WIDGET (page));
}
