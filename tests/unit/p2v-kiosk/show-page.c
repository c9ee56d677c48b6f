/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/cmdline.h"
#include "p2v-client/kiosk/pages.h"
#include "p2v-client/kiosk/window.h"

/* Shows how a conversion ends without converting for many minutes: show-page done shows the window
 * as it is when the engine has ended well, until it is closed. For make screenshots. */

static P2vKioskModel *
new_model (void)
{
  P2vKioskModel *model = p2v_kiosk_model_new (p2v_cmdline_parse ("p2v.server=kvm1", NULL), NULL);
  P2vUpdate created = { .kind = P2V_UPDATE_CREATED, .text = "20261123-214500-web1" };
  P2vUpdate done = { .kind = P2V_UPDATE_DONE, .text = "libvirt domain web1 on kvm1" };
  P2vUpdate warning = {
    .kind = P2V_UPDATE_WARNING,
    .text = "network \"dmz\" does not exist on this server: the guest will not start until it does"
  };
  model->request = p2v_request_new ();
  model->request->guest = p2v_guest_new ();
  model->request->guest->name = g_strdup ("web1");
  model->state = p2v_kiosk_state_new ("Connecting to kvm1");
  p2v_kiosk_state_update (model->state, &created);
  p2v_kiosk_state_update (model->state, &warning);
  p2v_kiosk_state_update (model->state, &done);
  return model;
}

int
main (int argc, char **argv)
{
  gtk_init (&argc, &argv);
  if (argc != 2 || g_strcmp0 (argv[1], "done") != 0)
    {
      g_printerr ("usage: show-page done\n");
      return 2;
    }
  p2v_kiosk_register_resource ();
  p2v_kiosk_load_style ();
  g_autoptr (P2vKioskModel) model = new_model ();
  g_autoptr (P2vKioskEngine) engine = p2v_kiosk_engine_new (model, "/");
  GtkWindow *window = GTK_WINDOW (p2v_kiosk_window_new (model, engine));
  model->phase = P2V_KIOSK_DONE;
  p2v_kiosk_model_changed (model, "conversion-changed");
  g_signal_connect (window, "destroy", G_CALLBACK (gtk_main_quit), NULL);
  gtk_window_fullscreen (window);
  gtk_window_present (window);
  gtk_main ();
  return 0;
}
