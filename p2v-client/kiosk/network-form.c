/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/kiosk/network-form.h"

#include "common/error.h"
#include "p2v-client/i18n.h"
#include "p2v-client/kiosk/fact-row.h"
#include "p2v-client/kiosk/field.h"
#include "p2v-client/kiosk/notice.h"
#include "p2v-client/kiosk/pages.h"
#include "p2v-client/network-check.h"
#include "p2v-client/network-manager.h"
#include "p2v-client/network.h"

#define TEMPLATE P2V_KIOSK_RESOURCES "network-form.ui"

struct _P2vNetworkForm
{
  GtkBox parent_instance;
  P2vKioskNotice *absent;
  GtkWidget *form;
  GtkComboBox *ipv4;
  GtkWidget *ipv4_static, *ipv6_static;
  gpointer fields[P2V_NETWORK_N_FIELDS]; /* widgets */
  GtkLabel *errors[P2V_NETWORK_N_FIELDS];
  P2vKioskNotice *result;
  GtkContainer *findings;
  GtkWidget *test;

  P2vKioskModel *model;
  GCancellable *looking; /* the calls that run; NULL when none does */
  GCancellable *working;
  gboolean ready; /* NetworkManager can be told */
  gboolean done;  /* it was told, and nothing has been edited since */
};

G_DEFINE_TYPE (P2vNetworkForm, p2v_network_form, GTK_TYPE_BOX)

static guint changed_signal;

/* Their names in the template; the labels for mistakes have "_error" after it. */
static const char *const field_names[P2V_NETWORK_N_FIELDS] = {
  [P2V_NETWORK_CARDS] = "cards",
  [P2V_NETWORK_BOND] = "bond",
  [P2V_NETWORK_VLAN] = "vlan",
  [P2V_NETWORK_IPV4_ADDRESS] = "ipv4_address",
  [P2V_NETWORK_IPV4_GATEWAY] = "ipv4_gateway",
  [P2V_NETWORK_IPV6] = "ipv6",
  [P2V_NETWORK_IPV6_ADDRESS] = "ipv6_address",
  [P2V_NETWORK_IPV6_GATEWAY] = "ipv6_gateway",
  [P2V_NETWORK_DNS] = "dns",
  [P2V_NETWORK_DOMAINS] = "domains",
};

/* What a thread does: sets up, when there is a setup, and tests. */
typedef struct
{
  P2vNetworkSetup *setup;
  char *server;
  guint16 port;
  gboolean applied;
} Job;

static void
job_free (Job *job)
{
  p2v_network_setup_free (job->setup);
  g_free (job->server);
  g_free (job);
}

static void
show_state (P2vNetworkForm *form)
{
  gboolean busy = p2v_network_form_is_busy (form);
  gtk_widget_set_sensitive (form->form, form->ready && !busy);
  gtk_widget_set_sensitive (form->test, !busy);
  g_signal_emit (form, changed_signal, 0);
}

/* The choices stand in the order of P2vAddressing. */
static P2vAddressing
ipv4_of (P2vNetworkForm *form)
{
  return (P2vAddressing)gtk_combo_box_get_active (form->ipv4);
}

static P2vAddressing
ipv6_of (P2vNetworkForm *form)
{
  return (P2vAddressing)gtk_combo_box_get_active (form->fields[P2V_NETWORK_IPV6]);
}

static void
on_edited (P2vNetworkForm *form)
{
  if (!form->done)
    return;
  form->done = FALSE;
  g_signal_emit (form, changed_signal, 0);
}

/* An address is entered only where it is static. */
static void
on_chosen (P2vNetworkForm *form)
{
  gtk_widget_set_visible (form->ipv4_static, ipv4_of (form) == P2V_ADDRESSING_STATIC);
  gtk_widget_set_visible (form->ipv6_static, ipv6_of (form) == P2V_ADDRESSING_STATIC);
  on_edited (form);
}

static char *
text_of (P2vNetworkForm *form, P2vNetworkField field)
{
  return g_strdup (gtk_entry_get_text (GTK_ENTRY (form->fields[field])));
}

/* The names of the cards that are chosen. (transfer full) */
static char **
chosen_cards (P2vNetworkForm *form)
{
  GPtrArray *names = g_ptr_array_new ();
  g_autoptr (GList) boxes
      = gtk_container_get_children (GTK_CONTAINER (form->fields[P2V_NETWORK_CARDS]));
  for (GList *item = boxes; item != NULL; item = item->next)
    if (gtk_toggle_button_get_active (item->data))
      g_ptr_array_add (names, g_strdup (gtk_widget_get_name (item->data)));
  g_ptr_array_add (names, NULL);
  return (char **)g_ptr_array_free (names, FALSE);
}

static P2vNetworkSetup *
read_setup (P2vNetworkForm *form)
{
  P2vNetworkSetup *setup = g_new0 (P2vNetworkSetup, 1);
  gint bond = gtk_combo_box_get_active (form->fields[P2V_NETWORK_BOND]);
  setup->cards = chosen_cards (form);
  /* The first is "No bond". */
  setup->bond = bond > 0 ? g_strdup (p2v_network_bond_modes[bond - 1]) : NULL;
  setup->vlan = text_of (form, P2V_NETWORK_VLAN);
  setup->ipv4 = ipv4_of (form);
  setup->ipv6 = ipv6_of (form);
  setup->ipv4_address = text_of (form, P2V_NETWORK_IPV4_ADDRESS);
  setup->ipv4_gateway = text_of (form, P2V_NETWORK_IPV4_GATEWAY);
  setup->ipv6_address = text_of (form, P2V_NETWORK_IPV6_ADDRESS);
  setup->ipv6_gateway = text_of (form, P2V_NETWORK_IPV6_GATEWAY);
  setup->dns = text_of (form, P2V_NETWORK_DNS);
  setup->domains = text_of (form, P2V_NETWORK_DOMAINS);
  return setup;
}

/* Shows what is wrong at each field; the first of them has the focus then. */
static gboolean
judge (P2vNetworkForm *form, const P2vNetworkSetup *setup)
{
  GtkWidget *wrong = NULL;
  for (P2vNetworkField field = 0; field < P2V_NETWORK_N_FIELDS; field++)
    {
      GError *error = NULL;
      p2v_network_setup_check (setup, field, &error);
      if (!p2v_field_judge (form->fields[field], form->errors[field], error) && wrong == NULL)
        wrong = form->fields[field];
    }
  if (wrong != NULL)
    gtk_widget_child_focus (wrong, GTK_DIR_TAB_FORWARD);
  return wrong == NULL;
}

static void
run (GTask *task, gpointer source G_GNUC_UNUSED, gpointer data, GCancellable *cancellable)
{
  Job *job = data;
  GError *error = NULL;
  GPtrArray *findings = NULL;
  job->applied = job->setup != NULL && p2v_network_manager_apply (job->setup, cancellable, &error);
  if (error == NULL)
    findings = p2v_network_check (job->server, job->port, cancellable, &error);
  if (error != NULL)
    g_task_return_error (task, error);
  else
    g_task_return_pointer (task, findings, (GDestroyNotify)g_ptr_array_unref);
}

static void
show_findings (P2vNetworkForm *form, GPtrArray *findings, gboolean applied)
{
  static const struct
  {
    const char *word, *style;
  } kinds[] = {
    [P2V_FINDING_GOOD] = { N_ ("Works"), "good" },
    [P2V_FINDING_BAD] = { N_ ("Fails"), "caution" },
    [P2V_FINDING_NOTE] = { N_ ("Note"), "dim" },
  };
  gboolean good = p2v_network_check_is_good (findings);
  const char *heading = good ? applied ? _ ("The network is set up, and what could be tested works")
                                       : _ ("What could be tested of the network works")
                        : applied ? _ ("The network is set up, but not all of it works")
                                  : _ ("Not all of the network works");
  for (guint i = 0; i < findings->len; i++)
    {
      const P2vFinding *finding = findings->pdata[i];
      gtk_container_add (form->findings,
                         p2v_fact_row_new (_ (kinds[finding->kind].word), finding->text,
                                           kinds[finding->kind].style));
    }
  p2v_kiosk_notice_say (form->result, good ? P2V_KIOSK_NOTICE_GOOD : P2V_KIOSK_NOTICE_WARNING,
                        heading, NULL);
}

static void
show_failure (P2vNetworkForm *form, const Job *job, const GError *error)
{
  if (!g_error_matches (error, P2V_ERROR, P2V_ERROR_CANCELLED))
    p2v_kiosk_notice_say_error (form->result, _ ("The network was not set up"), error);
  else if (job->setup == NULL)
    p2v_kiosk_notice_say (form->result, P2V_KIOSK_NOTICE_WARNING, _ ("The test was stopped"), NULL);
  else if (job->applied)
    p2v_kiosk_notice_say (form->result, P2V_KIOSK_NOTICE_WARNING,
                          _ ("The network is set up; the test was stopped"), NULL);
  else
    p2v_kiosk_notice_say (form->result, P2V_KIOSK_NOTICE_WARNING, _ ("Stopped"),
                          _ ("What was there before is brought up again."));
}

/* Where it is said what comes of it. */
static void
show_top (P2vNetworkForm *form)
{
  GtkWidget *page = gtk_widget_get_ancestor (GTK_WIDGET (form), GTK_TYPE_SCROLLED_WINDOW);
  if (page != NULL)
    gtk_adjustment_set_value (gtk_scrolled_window_get_vadjustment (GTK_SCROLLED_WINDOW (page)), 0);
}

static void
on_ended (GObject *source, GAsyncResult *result, gpointer user_data G_GNUC_UNUSED)
{
  P2vNetworkForm *form = P2V_NETWORK_FORM (source);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) findings = g_task_propagate_pointer (G_TASK (result), &error);
  const Job *job = g_task_get_task_data (G_TASK (result));
  GtkWidget *focus;
  /* The window may have been closed meanwhile. */
  if (g_task_get_cancellable (G_TASK (result)) != form->working)
    return;
  g_clear_object (&form->working);
  form->done = findings != NULL && job->applied;
  if (findings != NULL)
    show_findings (form, findings, job->applied);
  else
    show_failure (form, job, error);
  show_state (form);
  /* What has had it may be below what is to be seen now. */
  focus = gtk_window_get_default_widget (GTK_WINDOW (gtk_widget_get_toplevel (GTK_WIDGET (form))));
  gtk_widget_grab_focus (form->ready && focus != NULL ? focus : form->test);
  show_top (form);
}

/* setup: transfer full, NULL: only test. */
static void
start (P2vNetworkForm *form, P2vNetworkSetup *setup)
{
  const P2vConfig *config = form->model->config;
  Job *job = g_new0 (Job, 1);
  job->setup = setup;
  job->server = g_strdup (config->server);
  job->port = config->port;
  form->working = g_cancellable_new ();
  p2v_container_clear (form->findings);
  p2v_kiosk_notice_say (form->result, P2V_KIOSK_NOTICE_WARNING,
                        setup != NULL ? _ ("Setting the network up\xe2\x80\xa6")
                                      : _ ("Testing the network\xe2\x80\xa6"),
                        NULL);
  show_state (form);
  show_top (form);
  g_autoptr (GTask) task = g_task_new (form, form->working, on_ended, NULL);
  /* What has been done counts, not what was asked for last. */
  g_task_set_check_cancellable (task, FALSE);
  g_task_set_task_data (task, job, (GDestroyNotify)job_free);
  g_task_run_in_thread (task, run);
}

static void
on_test (P2vNetworkForm *form)
{
  start (form, NULL);
}

void
p2v_network_form_apply (P2vNetworkForm *form)
{
  g_autoptr (P2vNetworkSetup) setup = read_setup (form);
  if (!judge (form, setup))
    return;
  start (form, g_steal_pointer (&setup));
}

void
p2v_network_form_stop (P2vNetworkForm *form)
{
  if (form->working != NULL)
    g_cancellable_cancel (form->working);
}

gboolean
p2v_network_form_is_busy (P2vNetworkForm *form)
{
  return form->working != NULL;
}

gboolean
p2v_network_form_is_ready (P2vNetworkForm *form)
{
  return form->ready && form->working == NULL;
}

gboolean
p2v_network_form_is_done (P2vNetworkForm *form)
{
  return form->done && form->working == NULL;
}

static void
look (GTask *task, gpointer source G_GNUC_UNUSED, gpointer data G_GNUC_UNUSED,
      GCancellable *cancellable)
{
  GError *error = NULL;
  if (p2v_network_manager_check (cancellable, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static void
on_looked (GObject *source, GAsyncResult *result, gpointer user_data G_GNUC_UNUSED)
{
  P2vNetworkForm *form = P2V_NETWORK_FORM (source);
  g_autoptr (GError) error = NULL;
  gboolean ready = g_task_propagate_boolean (G_TASK (result), &error);
  if (g_task_get_cancellable (G_TASK (result)) != form->looking)
    return;
  g_clear_object (&form->looking);
  form->ready = ready;
  p2v_kiosk_notice_say_error (form->absent, _ ("The network cannot be set up here"), error);
  show_state (form);
  if (ready && gtk_widget_is_focus (form->test))
    gtk_widget_child_focus (form->fields[P2V_NETWORK_CARDS], GTK_DIR_TAB_FORWARD);
}

/* The cards there are now; those that were chosen stay so, and a single one is. */
static void
list_cards (P2vNetworkForm *form)
{
  GtkContainer *box = GTK_CONTAINER (form->fields[P2V_NETWORK_CARDS]);
  g_auto (GStrv) chosen = chosen_cards (form);
  g_autoptr (GPtrArray) links = p2v_network_links ("/");
  p2v_container_clear (box);
  for (guint i = 0; i < links->len; i++)
    {
      const P2vLink *link = links->pdata[i];
      if (!link->ethernet)
        continue;
      g_autofree char *label
          = g_strdup_printf ("%s, %s", link->name, link->link ? _ ("connected") : _ ("no link"));
      GtkWidget *check = gtk_check_button_new_with_label (label);
      gtk_widget_set_name (check, link->name);
      gtk_toggle_button_set_active (
          GTK_TOGGLE_BUTTON (check),
          links->len == 1 || g_strv_contains ((const char *const *)chosen, link->name));
      g_signal_connect_object (check, "toggled", G_CALLBACK (on_edited), form, G_CONNECT_SWAPPED);
      gtk_widget_show (check);
      gtk_container_add (box, check);
    }
}

void
p2v_network_form_open (P2vNetworkForm *form, P2vKioskModel *model)
{
  g_set_object (&form->model, model);
  form->done = FALSE;
  list_cards (form);
  if (form->looking == NULL)
    {
      form->looking = g_cancellable_new ();
      g_autoptr (GTask) task = g_task_new (form, form->looking, on_looked, NULL);
      g_task_run_in_thread (task, look);
    }
  show_state (form);
  /* Until it is known whether anything can be entered. */
  gtk_widget_grab_focus (form->test);
}

static void
stop_all (GCancellable **cancellable)
{
  if (*cancellable != NULL)
    g_cancellable_cancel (*cancellable);
  g_clear_object (cancellable);
}

static void
dispose (GObject *object)
{
  P2vNetworkForm *form = P2V_NETWORK_FORM (object);
  stop_all (&form->looking);
  stop_all (&form->working);
  g_clear_object (&form->model);
  G_OBJECT_CLASS (p2v_network_form_parent_class)->dispose (object);
}

static void
bind_children (GtkWidgetClass *widget_class)
{
#define CHILD(name_) gtk_widget_class_bind_template_child (widget_class, P2vNetworkForm, name_)
  CHILD (absent);
  CHILD (form);
  CHILD (ipv4);
  CHILD (ipv4_static);
  CHILD (ipv6_static);
  CHILD (result);
  CHILD (findings);
  CHILD (test);
#undef CHILD
  for (P2vNetworkField field = 0; field < P2V_NETWORK_N_FIELDS; field++)
    {
      g_autofree char *error = g_strconcat (field_names[field], "_error", NULL);
      gssize offset = (gssize)(field * sizeof (gpointer));
      gtk_widget_class_bind_template_child_full (widget_class, field_names[field], FALSE,
                                                 G_STRUCT_OFFSET (P2vNetworkForm, fields) + offset);
      gtk_widget_class_bind_template_child_full (widget_class, error, FALSE,
                                                 G_STRUCT_OFFSET (P2vNetworkForm, errors) + offset);
    }
}

static void
p2v_network_form_class_init (P2vNetworkFormClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  G_OBJECT_CLASS (class)->dispose = dispose;
  g_type_ensure (P2V_TYPE_KIOSK_NOTICE);
  changed_signal = g_signal_new ("changed", P2V_TYPE_NETWORK_FORM, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                 NULL, G_TYPE_NONE, 0);
  gtk_widget_class_set_template_from_resource (widget_class, TEMPLATE);
  bind_children (widget_class);
  gtk_widget_class_bind_template_callback (widget_class, on_chosen);
  gtk_widget_class_bind_template_callback (widget_class, on_test);
}

static void
p2v_network_form_init (P2vNetworkForm *form)
{
  gtk_widget_init_template (GTK_WIDGET (form));
  for (guint i = 0; p2v_network_bond_modes[i] != NULL; i++)
    gtk_combo_box_text_append_text (form->fields[P2V_NETWORK_BOND], p2v_network_bond_modes[i]);
  for (P2vNetworkField field = 0; field < P2V_NETWORK_N_FIELDS; field++)
    if (GTK_IS_EDITABLE (form->fields[field]) || GTK_IS_COMBO_BOX (form->fields[field]))
      g_signal_connect_swapped (form->fields[field], "changed", G_CALLBACK (on_edited), form);
}
