/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/cmdline.h"
#include "p2v-client/kiosk/pages.h"
#include "p2v-client/kiosk/window.h"

/* Shows what a conversion comes to without converting for many minutes, until it is killed:
 *   show-page done        the engine has ended well
 *   show-page bad         so it has, but parts of the disks could not be read
 *   show-page unfinished  the server has an unfinished job of this machine
 *   show-page lost        the connection is lost while the disks are sent
 * For make screenshots. */

static P2vKioskModel *
new_model (void)
{
  P2vKioskModel *model = p2v_kiosk_model_new (p2v_cmdline_parse ("p2v.server=kvm1", NULL), NULL);
  model->request = p2v_request_new ();
  model->request->guest = p2v_guest_new ();
  model->request->guest->name = g_strdup ("web1");
  model->state = p2v_kiosk_state_new ("Connecting to kvm1");
  return model;
}

static void
create (P2vKioskModel *model)
{
  P2vUpdate created = { .kind = P2V_UPDATE_CREATED, .text = "20261123-214500-web1" };
  p2v_kiosk_state_update (model->state, &created);
}

static void
finish (P2vKioskModel *model)
{
  P2vUpdate done = { .kind = P2V_UPDATE_DONE, .text = "libvirt domain web1 on kvm1" };
  P2vUpdate warning = {
    .kind = P2V_UPDATE_WARNING,
    .text = "network \"dmz\" does not exist on this server: the guest will not start until it does"
  };
  create (model);
  p2v_kiosk_state_update (model->state, &warning);
  p2v_kiosk_state_update (model->state, &done);
}

static void
finish_with_losses (P2vKioskModel *model)
{
  finish (model);
  g_autoptr (GPtrArray) bad = p2v_bad_ranges_new ();
  for (int i = 0; i < 6; i++)
    {
      P2vBadRange range = { (char *)"sda", (i + 40) * 1048576, 4096, (char *)"ext4 on /dev/sda1" };
      p2v_bad_ranges_add (bad, &range);
    }
  P2vUpdate update = { .kind = P2V_UPDATE_BAD, .bad = bad };
  g_autoptr (P2vUpdate) copy = p2v_update_copy (&update);
  p2v_kiosk_state_update (model->state, copy);
}

static void
ask (P2vKioskModel *model)
{
  P2vUnfinished unfinished = { (char *)"20261123-214500-web1", G_GINT64_CONSTANT (1795470300000),
                               G_GINT64_CONSTANT (3328599654), G_GINT64_CONSTANT (21474836480) };
  p2v_kiosk_state_ask (model->state, p2v_unfinished_copy (&unfinished));
}

static void
lose_connection (P2vKioskModel *model)
{
  P2vDiskProgress disk = { .name = "sda", .size = 21474836480, .done = 3328599654 };
  P2vUpdate progress = { .kind = P2V_UPDATE_PROGRESS, .disks = &disk, .n_disks = 1 };
  P2vUpdate lost
      = { .kind = P2V_UPDATE_LOST,
          .text = "The connection to the server is lost (attempt 2): it has said nothing "
                  "for 45 seconds. Trying again in 4 s; what has landed is kept." };
  create (model);
  p2v_kiosk_state_update (model->state, &progress);
  p2v_kiosk_state_update (model->state, &lost);
}

typedef struct
{
  const char *name;
  P2vKioskPhase phase;
  void (*prepare) (P2vKioskModel *model);
} Shown;

static const Shown all_shown[] = {
  { "done", P2V_KIOSK_DONE, finish },
  { "bad", P2V_KIOSK_DONE, finish_with_losses },
  { "unfinished", P2V_KIOSK_RUNNING, ask },
  { "lost", P2V_KIOSK_RUNNING, lose_connection },
};

static const Shown *
find_shown (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (all_shown); i++)
    if (g_strcmp0 (name, all_shown[i].name) == 0)
      return &all_shown[i];
  return NULL;
}

int
main (int argc, char **argv)
{
  gtk_init (&argc, &argv);
  const Shown *shown = argc == 2 ? find_shown (argv[1]) : NULL;
  if (shown == NULL)
    {
      g_printerr ("usage: show-page done|bad|unfinished|lost\n");
      return 2;
    }
  p2v_kiosk_register_resource ();
  p2v_kiosk_load_style ();
  g_autoptr (P2vKioskModel) model = new_model ();
  g_autoptr (P2vKioskEngine) engine = p2v_kiosk_engine_new (model, "/");
  GtkWindow *window = GTK_WINDOW (p2v_kiosk_window_new (model, engine));
  shown->prepare (model);
  model->phase = shown->phase;
  p2v_kiosk_model_changed (model, "conversion-changed");
  g_signal_connect (window, "destroy", G_CALLBACK (gtk_main_quit), NULL);
  gtk_window_fullscreen (window);
  gtk_window_present (window);
  gtk_main ();
  return 0;
}
