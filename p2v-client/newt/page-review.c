/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/newt/front-end.h"

#include "p2v-client/ending.h"
#include "p2v-client/i18n.h"
#include "p2v-client/newt/window.h"
#include "p2v-client/text.h"

#define TEXT_ROWS 15
#define LABEL_WIDTH 10

static void
add_line (GString *text, const char *label, const char *value)
{
  g_autofree char *printable = p2v_text_printable (value);
  g_autofree char *padded = p2v_text_pad (label, LABEL_WIDTH);
  g_string_append_printf (text, "%s%s\n", padded, printable);
}

static void
add_server (GString *text, const P2vFrontEnd *self)
{
  const P2vConfig *config = self->config;
  g_autofree char *server
      = g_strdup_printf (_ ("%s port %u, user %s%s"), config->server, config->port,
                         config->username, config->sudo ? _ (" with sudo") : "");
  add_line (text, _ ("Server"), server);
  add_line (text, "", self->program);
  add_line (text, "", self->fingerprint);
  if (g_strcmp0 (config->hostkey, "any") == 0)
    add_line (text, "", _ ("NOT CHECKED: p2v.hostkey=any trusts whoever answers"));
}

static void
add_guest (GString *text, const P2vRequest *request)
{
  const P2vGuest *guest = request->guest;
  g_autofree char *memory = p2v_size_format (guest->memory);
  g_autofree char *size = g_strdup_printf (
      ngettext ("%lld virtual CPU, %s of memory, %s", "%lld virtual CPUs, %s of memory, %s",
                (gulong)guest->vcpus),
      (long long)guest->vcpus, memory,
      g_strcmp0 (request->machine->firmware->type, "uefi") == 0 ? "UEFI" : "BIOS");
  add_line (text, _ ("Guest"), guest->name);
  add_line (text, "", size);
}

static void
add_disks (GString *text, const P2vRequest *request)
{
  gint64 total = 0;
  for (gsize i = 0; request->guest->disks[i] != NULL; i++)
    {
      const P2vDisk *disk = p2v_machine_find_disk (request->machine, request->guest->disks[i]);
      g_autofree char *size = p2v_size_format (disk->size);
      g_autofree char *line = g_strdup_printf ("%-10s %10s  %.40s", disk->name, size,
                                               disk->model != NULL ? disk->model : "");
      add_line (text, i == 0 ? _ ("Disks") : "", line);
      total += disk->size;
    }
  if (request->guest->disks[1] == NULL)
    return;
  g_autofree char *size = p2v_size_format (total);
  g_autofree char *together = p2v_text_pad (_ ("together"), LABEL_WIDTH);
  g_autofree char *line = g_strdup_printf ("%s %10s", together, size);
  add_line (text, "", line);
}

static void
add_nics (GString *text, const P2vRequest *request)
{
  const GPtrArray *nics = request->guest->nics;
  for (guint i = 0; i < nics->len; i++)
    {
      const P2vGuestNic *nic = nics->pdata[i];
      g_autofree char *line = g_strdup_printf (_ ("%-10s to network %s"), nic->nic, nic->network);
      add_line (text, i == 0 ? _ ("Network") : "", line);
    }
  if (nics->len == 0)
    add_line (text, _ ("Network"), _ ("none: the guest gets no network interface"));
}

static void
add_option (GString *text, const char *name, const char *value)
{
  if (value != NULL)
    g_string_append_printf (text, "%s%s %s", text->len > 0 ? ", " : "", name, value);
}

static void
add_output (GString *text, const P2vOutput *output)
{
  g_autoptr (GString) line = g_string_new (NULL);
  add_option (line, _ ("profile"), output->profile);
  add_option (line, "-o", output->mode);
  add_option (line, "-os", output->storage);
  add_option (line, "-of", output->format);
  add_option (line, "-oa", output->allocation);
  if (line->len == 0)
    g_string_append (line, _ ("as the server is set up"));
  add_line (text, _ ("Output"), line->str);
}

static void
add_ending (GString *text, const P2vFrontEnd *self)
{
  g_autofree char *ending = p2v_ending_foretell (self->config, self->request->guest->name);
  g_autofree char *wrapped = p2v_text_wrap (ending, P2V_TEXT_WIDTH - LABEL_WIDTH - 2, NULL);
  g_auto (GStrv) lines = g_strsplit (wrapped, "\n", -1);
  for (gsize i = 0; lines[i] != NULL; i++)
    add_line (text, i == 0 ? _ ("Then") : "", lines[i]);
}

P2vPage
p2v_page_review (P2vFrontEnd *self)
{
  static const char *const labels[] = { N_ ("Convert"), N_ ("Back"), NULL };
  g_autoptr (GError) error = NULL;
  g_clear_pointer (&self->request, p2v_request_free);
  self->request = p2v_config_to_request (self->config, self->machine, &error);
  if (self->request == NULL)
    {
      g_autofree char *why = p2v_front_end_explain (self, error);
      p2v_window_say (_ ("Not possible"), why);
      return P2V_PAGE_GUEST;
    }
  g_autoptr (GString) text = g_string_new (NULL);
  add_server (text, self);
  add_guest (text, self->request);
  add_disks (text, self->request);
  add_nics (text, self->request);
  add_output (text, self->request->output);
  add_ending (text, self);
  g_string_truncate (text, text->len - 1);
  g_autoptr (P2vWindow) window = p2v_window_new (_ ("Is this right?"), P2V_TEXT_WIDTH, 16);
  p2v_window_add_text (window, 0, 0, P2V_TEXT_WIDTH, TEXT_ROWS, text->str);
  p2v_window_add_buttons (window, labels);
  p2v_window_focus_button (window, 0);
  int pressed = p2v_window_run (window);
  if (pressed == P2V_WINDOW_ENDED)
    return P2V_PAGE_END;
  if (pressed == 0 && !p2v_front_end_check_disks (self))
    return P2V_PAGE_DISKS;
  return pressed == 0 ? P2V_PAGE_CONVERT : P2V_PAGE_GUEST;
}
