/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/kiosk/page.h"

#include "p2v-client/kiosk/column.h"

typedef struct
{
  P2vKioskModel *model;
  P2vKioskEngine *engine;
  char *title;
  char *next_label;
  char *back_label;
  gboolean ready;
} P2vKioskPagePrivate;

G_DEFINE_TYPE_WITH_PRIVATE (P2vKioskPage, p2v_kiosk_page, GTK_TYPE_SCROLLED_WINDOW)

enum
{
  PROP_TITLE = 1,
  PROP_NEXT_LABEL,
  PROP_BACK_LABEL,
  PROP_READY,
  N_PROPS
};
static GParamSpec *props[N_PROPS];
static guint advance_signal;

static P2vKioskPagePrivate *
private_of (P2vKioskPage *page)
{
  return p2v_kiosk_page_get_instance_private (page);
}

static void
set_text (P2vKioskPage *page, char **member, const char *text, guint prop)
{
  if (g_strcmp0 (*member, text) == 0)
    return;
  g_free (*member);
  *member = g_strdup (text);
  g_object_notify_by_pspec (G_OBJECT (page), props[prop]);
}

void
p2v_kiosk_page_set_title (P2vKioskPage *page, const char *title)
{
  set_text (page, &private_of (page)->title, title, PROP_TITLE);
}

void
p2v_kiosk_page_set_next_label (P2vKioskPage *page, const char *label)
{
  set_text (page, &private_of (page)->next_label, label, PROP_NEXT_LABEL);
}

void
p2v_kiosk_page_set_back_label (P2vKioskPage *page, const char *label)
{
  set_text (page, &private_of (page)->back_label, label, PROP_BACK_LABEL);
}

void
p2v_kiosk_page_set_ready (P2vKioskPage *page, gboolean ready)
{
  P2vKioskPagePrivate *self = private_of (page);
  if (self->ready == ready)
    return;
  self->ready = ready;
  g_object_notify_by_pspec (G_OBJECT (page), props[PROP_READY]);
}

const char *
p2v_kiosk_page_get_title (P2vKioskPage *page)
{
  return private_of (page)->title;
}

const char *
p2v_kiosk_page_get_next_label (P2vKioskPage *page)
{
  return private_of (page)->next_label;
}

const char *
p2v_kiosk_page_get_back_label (P2vKioskPage *page)
{
  return private_of (page)->back_label;
}

gboolean
p2v_kiosk_page_get_ready (P2vKioskPage *page)
{
  return private_of (page)->ready;
}

P2vKioskModel *
p2v_kiosk_page_get_model (P2vKioskPage *page)
{
  return private_of (page)->model;
}

P2vKioskEngine *
p2v_kiosk_page_get_engine (P2vKioskPage *page)
{
  return private_of (page)->engine;
}

void
p2v_kiosk_page_bind (P2vKioskPage *page, P2vKioskModel *model, P2vKioskEngine *engine)
{
  P2vKioskPagePrivate *self = private_of (page);
  P2vKioskPageClass *class = P2V_KIOSK_PAGE_GET_CLASS (page);
  g_assert (self->model == NULL);
  self->model = g_object_ref (model);
  self->engine = g_object_ref (engine);
  /* What gets the focus is scrolled into view. The adjustment that GTK has set for that, when the
   * template's child was added, was replaced when the page was constructed. */
  gtk_container_set_focus_vadjustment (
      GTK_CONTAINER (gtk_bin_get_child (GTK_BIN (page))),
      gtk_scrolled_window_get_vadjustment (GTK_SCROLLED_WINDOW (page)));
  if (class->bind != NULL)
    class->bind (page);
}

GtkWidget *
p2v_kiosk_page_enter (P2vKioskPage *page)
{
  P2vKioskPageClass *class = P2V_KIOSK_PAGE_GET_CLASS (page);
  gtk_adjustment_set_value (gtk_scrolled_window_get_vadjustment (GTK_SCROLLED_WINDOW (page)), 0);
  return class->enter != NULL ? class->enter (page) : NULL;
}

gboolean
p2v_kiosk_page_commit (P2vKioskPage *page)
{
  P2vKioskPageClass *class = P2V_KIOSK_PAGE_GET_CLASS (page);
  return class->commit == NULL || class->commit (page);
}

gboolean
p2v_kiosk_page_retreat (P2vKioskPage *page)
{
  P2vKioskPageClass *class = P2V_KIOSK_PAGE_GET_CLASS (page);
  return class->retreat != NULL && class->retreat (page);
}

void
p2v_kiosk_page_advance (P2vKioskPage *page)
{
  g_signal_emit (page, advance_signal, 0);
}

static void
get_property (GObject *object, guint id, GValue *value, GParamSpec *spec)
{
  P2vKioskPagePrivate *self = private_of (P2V_KIOSK_PAGE (object));
  switch (id)
    {
    case PROP_TITLE:
      g_value_set_string (value, self->title);
      break;
    case PROP_NEXT_LABEL:
      g_value_set_string (value, self->next_label);
      break;
    case PROP_BACK_LABEL:
      g_value_set_string (value, self->back_label);
      break;
    case PROP_READY:
      g_value_set_boolean (value, self->ready);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
    }
}

static void
set_property (GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
  P2vKioskPage *page = P2V_KIOSK_PAGE (object);
  switch (id)
    {
    case PROP_TITLE:
      p2v_kiosk_page_set_title (page, g_value_get_string (value));
      break;
    case PROP_NEXT_LABEL:
      p2v_kiosk_page_set_next_label (page, g_value_get_string (value));
      break;
    case PROP_BACK_LABEL:
      p2v_kiosk_page_set_back_label (page, g_value_get_string (value));
      break;
    case PROP_READY:
      p2v_kiosk_page_set_ready (page, g_value_get_boolean (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
    }
}

static void
dispose (GObject *object)
{
  P2vKioskPagePrivate *self = private_of (P2V_KIOSK_PAGE (object));
  if (self->model != NULL)
    g_signal_handlers_disconnect_by_data (self->model, object);
  g_clear_object (&self->model);
  g_clear_object (&self->engine);
  G_OBJECT_CLASS (p2v_kiosk_page_parent_class)->dispose (object);
}

/* The template's child gets a column to lie in, which is what scrolls. */
static void
add (GtkContainer *container, GtkWidget *child)
{
  GtkWidget *content = GTK_IS_SCROLLABLE (child) ? child : p2v_kiosk_column_new (child);
  GTK_CONTAINER_CLASS (p2v_kiosk_page_parent_class)->add (container, content);
}

static void
finalize (GObject *object)
{
  P2vKioskPagePrivate *self = private_of (P2V_KIOSK_PAGE (object));
  g_free (self->title);
  g_free (self->next_label);
  g_free (self->back_label);
  G_OBJECT_CLASS (p2v_kiosk_page_parent_class)->finalize (object);
}

static void
p2v_kiosk_page_class_init (P2vKioskPageClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);
  GParamFlags flags = G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS;
  object_class->get_property = get_property;
  object_class->set_property = set_property;
  object_class->dispose = dispose;
  object_class->finalize = finalize;
  GTK_CONTAINER_CLASS (class)->add = add;
  props[PROP_TITLE] = g_param_spec_string ("title", NULL, NULL, NULL, flags);
  props[PROP_NEXT_LABEL] = g_param_spec_string ("next-label", NULL, NULL, NULL, flags);
  props[PROP_BACK_LABEL] = g_param_spec_string ("back-label", NULL, NULL, NULL, flags);
  props[PROP_READY] = g_param_spec_boolean ("ready", NULL, NULL, FALSE, flags);
  g_object_class_install_properties (object_class, N_PROPS, props);
  advance_signal = g_signal_new ("advance", P2V_TYPE_KIOSK_PAGE, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                 NULL, G_TYPE_NONE, 0);
}

static void
p2v_kiosk_page_init (P2vKioskPage *page)
{
  (void)page;
}
