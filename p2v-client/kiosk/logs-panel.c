/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/kiosk/logs-panel.h"

#include "p2v-client/i18n.h"
#include "p2v-client/kiosk/log-view.h"
#include "p2v-client/kiosk/pages.h"

#define TEMPLATE P2V_KIOSK_RESOURCES "logs-panel.ui"

/* Lines of a log that are shown, from its end. */
#define LINES "3000"

/* Where lines come from: a program that prints them, NULL for the conversion. */
static const struct
{
  const char *label;
  const char *argv[8];
} sources[] = {
  { N_ ("This conversion"), { NULL } },
  { N_ ("The kernel"), { "dmesg", NULL } },
  { N_ ("All of this system"), { "journalctl", "-b", "-n", LINES, "--no-pager", NULL } },
  { N_ ("The network"),
    { "journalctl", "-b", "-n", LINES, "-u", "NetworkManager", "--no-pager", NULL } },
};

struct _P2vLogsPanel
{
  GtkBox parent_instance;
  P2vKioskModel *model;
  GtkComboBoxText *source;
  P2vLogView *view;
  GCancellable *asking; /* the program that is asked now, NULL when none is */
};

G_DEFINE_TYPE (P2vLogsPanel, p2v_logs_panel, GTK_TYPE_BOX)

static void
stop_asking (P2vLogsPanel *panel)
{
  g_cancellable_cancel (panel->asking);
  g_clear_object (&panel->asking);
}

static void
on_answered (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (P2vLogsPanel) panel = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) said = NULL;
  if (!g_subprocess_communicate_finish (G_SUBPROCESS (source), result, &said, NULL, &error)
      && g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      g_subprocess_force_exit (G_SUBPROCESS (source));
      return;
    }
  /* Closed after the program had ended: what the template had is gone. */
  if (panel->view == NULL)
    return;
  g_clear_object (&panel->asking);
  gsize length = 0;
  const char *bytes = said != NULL ? g_bytes_get_data (said, &length) : NULL;
  g_autofree char *text = g_utf8_make_valid (bytes != NULL ? bytes : "", (gssize)length);
  if (error != NULL)
    p2v_log_view_show_text (panel->view, error->message);
  else
    p2v_log_view_show_text (panel->view, text[0] != '\0' ? text : _ ("There is nothing in it."));
}

static void
ask (P2vLogsPanel *panel, const char *const *argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSubprocess) program = g_subprocess_newv (
      argv, G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_MERGE, &error);
  if (program == NULL)
    {
      p2v_log_view_show_text (panel->view, error->message);
      return;
    }
  panel->asking = g_cancellable_new ();
  p2v_log_view_show_text (panel->view, _ ("One moment\xe2\x80\xa6"));
  g_subprocess_communicate_async (program, NULL, panel->asking, on_answered, g_object_ref (panel));
}

static void
refresh (P2vLogsPanel *panel)
{
  int index = gtk_combo_box_get_active (GTK_COMBO_BOX (panel->source));
  const P2vKioskState *state = panel->model->state;
  stop_asking (panel);
  if (index > 0)
    ask (panel, sources[index].argv);
  else if (state != NULL && state->logged > 0)
    p2v_log_view_show (panel->view, state);
  else
    p2v_log_view_show_text (panel->view, _ ("Nothing has been converted yet."));
}

/* A conversion goes on while its log is looked at. */
static void
on_conversion_changed (P2vLogsPanel *panel)
{
  if (gtk_combo_box_get_active (GTK_COMBO_BOX (panel->source)) == 0)
    refresh (panel);
}

static void
dispose (GObject *object)
{
  P2vLogsPanel *panel = P2V_LOGS_PANEL (object);
  stop_asking (panel);
  if (panel->model != NULL)
    g_signal_handlers_disconnect_by_data (panel->model, panel);
  g_clear_object (&panel->model);
  G_OBJECT_CLASS (p2v_logs_panel_parent_class)->dispose (object);
}

static void
p2v_logs_panel_class_init (P2vLogsPanelClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  G_OBJECT_CLASS (class)->dispose = dispose;
  g_type_ensure (P2V_TYPE_LOG_VIEW);
  gtk_widget_class_set_template_from_resource (widget_class, TEMPLATE);
  gtk_widget_class_bind_template_child (widget_class, P2vLogsPanel, source);
  gtk_widget_class_bind_template_child (widget_class, P2vLogsPanel, view);
  gtk_widget_class_bind_template_callback (widget_class, refresh);
}

static void
p2v_logs_panel_init (P2vLogsPanel *panel)
{
  gtk_widget_init_template (GTK_WIDGET (panel));
  for (gsize i = 0; i < G_N_ELEMENTS (sources); i++)
    gtk_combo_box_text_append_text (panel->source, _ (sources[i].label));
}

GtkWidget *
p2v_logs_panel_new (P2vKioskModel *model)
{
  P2vLogsPanel *panel = g_object_new (P2V_TYPE_LOGS_PANEL, NULL);
  panel->model = g_object_ref (model);
  g_signal_connect_swapped (model, "conversion-changed", G_CALLBACK (on_conversion_changed), panel);
  gtk_combo_box_set_active (GTK_COMBO_BOX (panel->source), 0);
  return GTK_WIDGET (panel);
}
