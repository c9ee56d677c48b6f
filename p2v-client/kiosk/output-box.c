/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/kiosk/output-box.h"

#include "p2v-client/i18n.h"
#include "p2v-client/kiosk/field.h"
#include "p2v-client/kiosk/pages.h"
#include "p2v-client/offers-text.h"
#include "p2v-client/output-form.h"
#include "p2v-client/text.h"

#include <string.h>

#define TEMPLATE P2V_KIOSK_RESOURCES "output-box.ui"

struct _P2vKioskOutputBox
{
  GtkBox parent_instance;
  P2vKioskNotice *notice;
  GtkLabel *place;
  GtkToggleButton *details;
  GtkComboBoxText *profile, *mode, *storages, *format, *allocation;
  GtkEntry *storage, *connection, *options;
  GtkLabel *storage_error, *connection_error, *options_error;
  P2vOutput *shown; /* as the fields were filled in; NULL meanwhile */
  char *where;      /* where its disks go, as the server has said; NULL when it has not */
};

G_DEFINE_TYPE (P2vKioskOutputBox, p2v_kiosk_output_box, GTK_TYPE_BOX)

static const char *
text_of (P2vKioskOutputBox *box, P2vOutputField field)
{
  GtkEntry *entries[P2V_OUTPUT_N_FIELDS] = { [P2V_OUTPUT_STORAGE] = box->storage,
                                             [P2V_OUTPUT_CONNECTION] = box->connection,
                                             [P2V_OUTPUT_OPTIONS] = box->options };
  GtkComboBoxText *combos[P2V_OUTPUT_N_FIELDS] = { [P2V_OUTPUT_PROFILE] = box->profile,
                                                   [P2V_OUTPUT_MODE] = box->mode,
                                                   [P2V_OUTPUT_FORMAT] = box->format,
                                                   [P2V_OUTPUT_ALLOCATION] = box->allocation };
  if (entries[field] != NULL)
    return gtk_entry_get_text (entries[field]);
  const char *id = gtk_combo_box_get_active_id (GTK_COMBO_BOX (combos[field]));
  return id != NULL ? id : "";
}

/* errors: receives one for each field, all of them to be freed. */
static P2vOutput *
read_fields (P2vKioskOutputBox *box, GError *errors[P2V_OUTPUT_N_FIELDS])
{
  P2vOutput *output = p2v_schema_copy (&p2v_output_schema, box->shown);
  for (guint i = 0; i < P2V_OUTPUT_N_FIELDS; i++)
    p2v_output_enter (output, i, text_of (box, i), &errors[i]);
  return output;
}

/* The server is asked again only when the person goes on. */
static void
on_edited (P2vKioskOutputBox *box)
{
  if (box->shown == NULL)
    return;
  GError *errors[P2V_OUTPUT_N_FIELDS] = { NULL };
  g_autoptr (P2vOutput) output = read_fields (box, errors);
  gboolean same = p2v_output_is_equal (output, box->shown);
  for (guint i = 0; i < P2V_OUTPUT_N_FIELDS; i++)
    g_clear_error (&errors[i]);
  const char *where = box->where != NULL ? box->where : "";
  gtk_label_set_label (box->place,
                       same ? where : _ ("The server is asked about this when you go on."));
  if (!same)
    p2v_kiosk_output_box_say (box, P2V_KIOSK_NOTICE_GOOD, NULL, NULL);
}

/* The first choice is to say nothing. */
static void
clear_choices (GtkComboBoxText *combo)
{
  gtk_combo_box_text_remove_all (combo);
  gtk_combo_box_text_append (combo, "", _ ("as the server is set up"));
}

static void
add_choices (GtkComboBoxText *combo, const char *const *names)
{
  for (gsize i = 0; names != NULL && names[i] != NULL; i++)
    {
      g_autofree char *text = p2v_text_printable (names[i]);
      gtk_combo_box_text_append (combo, names[i], text);
    }
}

/* What was given and is not among the choices becomes one. value: NULL for what is not said. */
static void
choose (GtkComboBoxText *combo, const char *value)
{
  GtkComboBox *base = GTK_COMBO_BOX (combo);
  if (value != NULL && !gtk_combo_box_set_active_id (base, value))
    {
      const char *const names[] = { value, NULL };
      add_choices (combo, names);
    }
  gtk_combo_box_set_active_id (base, value != NULL ? value : "");
}

static void
show_profiles (P2vKioskOutputBox *box, const P2vOutput *output, const P2vOffers *offers)
{
  clear_choices (box->profile);
  for (guint i = 0; offers != NULL && offers->profiles != NULL && offers->profiles[i] != NULL; i++)
    {
      g_autofree char *text = p2v_offers_profile_text (offers, i);
      gtk_combo_box_text_append (box->profile, offers->profiles[i], text);
    }
  choose (box->profile, output->profile);
}

static void
show_entry (GtkEntry *entry, const P2vOutput *output, P2vOutputField field)
{
  g_autofree char *text = p2v_output_show (output, field);
  gtk_entry_set_text (entry, text);
}

void
p2v_kiosk_output_box_show (P2vKioskOutputBox *box, const P2vOutput *output, const P2vOffers *offers)
{
  static const char *const formats[] = { "qcow2", "raw", NULL };
  static const char *const allocations[] = { "sparse", "preallocated", NULL };
  g_clear_pointer (&box->shown, p2v_output_free);
  g_free (box->where);
  box->where = p2v_offers_place_text (offers);
  gtk_label_set_label (box->place, box->where != NULL ? box->where : "");
  show_profiles (box, output, offers);
  clear_choices (box->mode);
  add_choices (box->mode, offers != NULL ? (const char *const *)offers->modes : NULL);
  choose (box->mode, output->mode);
  clear_choices (box->format);
  add_choices (box->format, formats);
  choose (box->format, output->format);
  clear_choices (box->allocation);
  add_choices (box->allocation, allocations);
  choose (box->allocation, output->allocation);
  gtk_combo_box_text_remove_all (box->storages);
  add_choices (box->storages, offers != NULL ? (const char *const *)offers->pools : NULL);
  show_entry (box->storage, output, P2V_OUTPUT_STORAGE);
  show_entry (box->connection, output, P2V_OUTPUT_CONNECTION);
  show_entry (box->options, output, P2V_OUTPUT_OPTIONS);
  box->shown = p2v_schema_copy (&p2v_output_schema, output);
}

P2vOutput *
p2v_kiosk_output_box_read (P2vKioskOutputBox *box)
{
  const struct
  {
    P2vOutputField field;
    GtkEntry *entry;
    GtkLabel *label;
  } judged[] = { { P2V_OUTPUT_OPTIONS, box->options, box->options_error },
                 { P2V_OUTPUT_CONNECTION, box->connection, box->connection_error },
                 { P2V_OUTPUT_STORAGE, box->storage, box->storage_error } };
  GError *errors[P2V_OUTPUT_N_FIELDS] = { NULL };
  g_autoptr (P2vOutput) output = read_fields (box, errors);
  GtkEntry *wrong = NULL;
  for (gsize i = 0; i < G_N_ELEMENTS (judged); i++)
    if (!p2v_field_judge (judged[i].entry, judged[i].label,
                          g_steal_pointer (&errors[judged[i].field])))
      wrong = judged[i].entry;
  if (wrong == NULL)
    return g_steal_pointer (&output);
  gtk_toggle_button_set_active (box->details, TRUE);
  gtk_widget_grab_focus (GTK_WIDGET (wrong));
  return NULL;
}

void
p2v_kiosk_output_box_say (P2vKioskOutputBox *box, P2vKioskNoticeKind kind, const char *heading,
                          const char *text)
{
  p2v_kiosk_notice_say (box->notice, kind, heading, text);
}

void
p2v_kiosk_output_box_focus (P2vKioskOutputBox *box)
{
  if (gtk_toggle_button_get_active (box->details))
    gtk_widget_grab_focus (GTK_WIDGET (box->storage));
  else
    gtk_widget_grab_focus (GTK_WIDGET (box->profile));
}

static void
finalize (GObject *object)
{
  P2vKioskOutputBox *box = P2V_KIOSK_OUTPUT_BOX (object);
  p2v_output_free (box->shown);
  g_free (box->where);
  G_OBJECT_CLASS (p2v_kiosk_output_box_parent_class)->finalize (object);
}

static void
p2v_kiosk_output_box_class_init (P2vKioskOutputBoxClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  G_OBJECT_CLASS (class)->finalize = finalize;
  g_type_ensure (P2V_TYPE_KIOSK_NOTICE);
  gtk_widget_class_set_template_from_resource (widget_class, TEMPLATE);
#define CHILD(name_) gtk_widget_class_bind_template_child (widget_class, P2vKioskOutputBox, name_)
  CHILD (notice);
  CHILD (place);
  CHILD (details);
  CHILD (profile);
  CHILD (mode);
  CHILD (storages);
  CHILD (format);
  CHILD (allocation);
  CHILD (storage);
  CHILD (connection);
  CHILD (options);
  CHILD (storage_error);
  CHILD (connection_error);
  CHILD (options_error);
#undef CHILD
  gtk_widget_class_bind_template_callback (widget_class, on_edited);
}

/* However long a profile's name is, the page is no wider than the screen. */
static void
let_shrink (GtkComboBoxText *combo)
{
  g_autoptr (GList) cells = gtk_cell_layout_get_cells (GTK_CELL_LAYOUT (combo));
  for (GList *item = cells; item != NULL; item = item->next)
    g_object_set (item->data, "ellipsize", PANGO_ELLIPSIZE_END, NULL);
}

static void
p2v_kiosk_output_box_init (P2vKioskOutputBox *box)
{
  gtk_widget_init_template (GTK_WIDGET (box));
  let_shrink (box->profile);
}
