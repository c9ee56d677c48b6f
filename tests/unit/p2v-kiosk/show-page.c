/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/error.h"
#include "p2v-client/cmdline.h"
#include "p2v-client/i18n.h"
#include "p2v-client/kiosk/appearance.h"
#include "p2v-client/kiosk/pages.h"
#include "p2v-client/kiosk/window.h"

/* Shows a page in a state that is hard to come by, without a server, until it is killed. For make
 * screenshots and translations.bats.
 *   show-page STATE [large|contrast]
 * The states are those of all_shown, below; with large text or high contrast on demand. */

static P2vKioskModel *
new_model (void)
{
  P2vKioskModel *model = p2v_kiosk_model_new (p2v_cmdline_parse ("p2v.server=kvm1", NULL), NULL);
  model->request = p2v_request_new ();
  model->request->guest = p2v_guest_new ();
  model->request->guest->name = g_strdup ("web1");
  model->request->output = p2v_output_new ();
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
  model->state->verified = p2v_verified_new ();
  model->state->verified->state = g_strdup (P2V_VERIFICATION_PASSED);
  model->state->verified->data = 2140;
  model->state->verified->zero = 2980;
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
send (P2vKioskModel *model)
{
  P2vDiskProgress disk = { .name = "sda", .size = 21474836480, .done = 3328599654 };
  P2vUpdate progress = { .kind = P2V_UPDATE_PROGRESS, .disks = &disk, .n_disks = 1 };
  create (model);
  p2v_kiosk_state_update (model->state, &progress);
}

static void
lose_connection (P2vKioskModel *model)
{
  P2vUpdate lost
      = { .kind = P2V_UPDATE_LOST,
          .text = "The connection to the server is lost (attempt 2): it has said nothing "
                  "for 45 seconds. Trying again in 4 s; what has landed is kept." };
  send (model);
  p2v_kiosk_state_update (model->state, &lost);
}

static void
run_out_of_space (P2vKioskModel *model)
{
  P2vUpdate paused = {
    .kind = P2V_UPDATE_PAUSED,
    .text
    = "the transfer waits until there is space again: cannot write to disk sda on the server: "
      "No space left on device. The server's storage is full: free space there."
  };
  send (model);
  p2v_kiosk_state_update (model->state, &paused);
}

static void
convert_on_server (P2vKioskModel *model)
{
  P2vEvent started = { .kind = (char *)"started", .stage = (char *)P2V_STAGE_CONVERT };
  P2vEvent progress
      = { .kind = (char *)"progress", .stage = (char *)P2V_STAGE_CONVERT, .percent = 40 };
  P2vUpdate landed = { .kind = P2V_UPDATE_LANDED };
  P2vUpdate begun = { .kind = P2V_UPDATE_EVENT, .event = &started };
  P2vUpdate goes_on = { .kind = P2V_UPDATE_EVENT, .event = &progress };
  P2vDiskProgress disk = { .name = "sda", .size = 21474836480, .done = 21474836480 };
  P2vUpdate sent = { .kind = P2V_UPDATE_PROGRESS, .disks = &disk, .n_disks = 1 };
  create (model);
  p2v_kiosk_state_update (model->state, &sent);
  p2v_kiosk_state_update (model->state, &landed);
  p2v_kiosk_state_update (model->state, &begun);
  p2v_kiosk_state_update (model->state, &goes_on);
}

static void
cancel (P2vKioskModel *model)
{
  send (model);
  g_set_error_literal (&model->failure, P2V_ERROR, P2V_ERROR_CANCELLED, "stopped on request");
}

static void
connect_to_server (P2vKioskModel *model)
{
  model->probing = TRUE;
}

/* A server that answers, and would refuse what it was asked about. */
static void
refuse (P2vKioskModel *model)
{
  P2vOffers *offers = p2v_offers_new ();
  offers->place = g_strdup ("storage pool default");
  offers->problem = g_strdup ("the server does not allow images in the directory /srv. It allows: "
                              "/var/lib/p2v/images, and the storage pools default and fast");
  offers->free = G_GINT64_CONSTANT (214748364800);
  model->probe = p2v_probe_new ();
  model->probe->hostkey.trust = P2V_HOSTKEY_TRUSTED;
  model->probe->program = g_strdup ("p2v-server 0.1");
  model->probe->offers = offers;
  model->server_works = TRUE;
}

#define MIB (G_GINT64_CONSTANT (1) << 20)
#define GIB (G_GINT64_CONSTANT (1) << 30)

static P2vContent *
new_content (const char *kind, const char *type)
{
  P2vContent *content = p2v_content_new ();
  content->kind = g_strdup (kind);
  content->type = g_strdup (type);
  return content;
}

static P2vDisk *
add_disk (P2vMachine *machine, const char *name, gint64 size, const char *model)
{
  P2vDisk *disk = p2v_disk_new ();
  disk->name = g_strdup (name);
  disk->path = g_strconcat ("/dev/", name, NULL);
  disk->size = size;
  disk->model = g_strdup (model);
  disk->content = new_content ("partition-table", "gpt");
  g_ptr_array_add (machine->disks, disk);
  return disk;
}

/* used: -1: it was not unmounted cleanly. */
static P2vContent *
add_partition (P2vDisk *disk, gint64 start, gint64 size, P2vContent *content, gint64 used)
{
  P2vPartition *partition = p2v_partition_new ();
  partition->number = disk->content->partitions->len + 1;
  partition->start = start;
  partition->size = size;
  partition->content = content;
  content->used = MAX (used, 0);
  if (used < 0)
    content->read_in_full = g_strdup ("it was not unmounted cleanly");
  g_ptr_array_add (disk->content->partitions, partition);
  return content;
}

static void
find_disks (P2vKioskModel *model)
{
  P2vMachine *machine = p2v_machine_new ();
  machine->cpu = p2v_cpu_new ();
  machine->cpu->online = 8;
  machine->firmware = p2v_firmware_new ();
  machine->firmware->type = g_strdup ("uefi");
  machine->smbios = p2v_smbios_new ();
  machine->memory = 32 * GIB;
  machine->clock = p2v_clock_new ();
  machine->clock->basis = g_strdup ("utc");
  P2vDisk *sda = add_disk (machine, "sda", 480 * GIB, "SAMSUNG MZ7LH480");
  add_partition (sda, MIB, 100 * MIB, new_content ("filesystem", "vfat"), 30 * MIB);
  add_partition (sda, 200 * MIB, 16 * MIB, new_content ("unknown", NULL), 16 * MIB);
  P2vContent *windows
      = add_partition (sda, GIB, 300 * GIB, new_content ("filesystem", "ntfs"), 80 * GIB);
  windows->os = p2v_os_new ();
  windows->os->name = g_strdup ("Windows Server 2016 Standard");
  windows->os->hostname = g_strdup ("FILES1");
  add_partition (sda, 301 * GIB, 90 * GIB, new_content ("filesystem", "ntfs"), -1);
  P2vDisk *sdb = add_disk (machine, "sdb", 2000 * GIB, "ST2000NM0008");
  P2vContent *physical
      = add_partition (sdb, MIB, 2000 * GIB - MIB, new_content ("lvm-pv", "LVM2_member"), 0);
  physical->group = g_strdup ("data");
  physical->uuid = g_strdup ("b");
  physical->members = 3;
  sdb->health = g_strdup ("failing");
  P2vDisk *sdc = add_disk (machine, "sdc", 2000 * GIB, "ST2000NM0008");
  P2vContent *other = p2v_schema_copy (&p2v_content_schema, physical);
  other->uuid[0] = 'c';
  add_partition (sdc, MIB, 2000 * GIB - MIB, other, 0);
  P2vDisk *sdd = add_disk (machine, "sdd", 16 * GIB, "Ultra Fit");
  sdd->live_medium = TRUE;
  model->machine = machine;
  model->details = p2v_schema_copy (&p2v_machine_schema, machine);
  model->config->disks = g_strsplit ("sda,sdb", ",", -1);
}

static void
find_no_disks (P2vKioskModel *model)
{
  find_disks (model);
  g_clear_pointer (&model->details, p2v_machine_free);
  g_clear_pointer (&model->config->disks, g_strfreev);
  g_ptr_array_set_size (model->machine->disks, 0);
  p2v_request_free (
      p2v_config_to_request (model->config, model->machine, &model->suggestion_error));
}

static void
look (P2vKioskModel *model)
{
  model->looking = TRUE;
}

static void
stop_looking (P2vKioskModel *model)
{
  find_disks (model);
  g_clear_pointer (&model->details, p2v_machine_free);
  g_set_error_literal (&model->machine_error, P2V_ERROR, P2V_ERROR_CANCELLED, "stopped");
}

static void
refuse_guest (P2vKioskModel *model)
{
  find_disks (model);
  refuse (model);
}

typedef struct
{
  const char *name;
  P2vKioskPhase phase;
  P2vKioskPageId page; /* in P2V_KIOSK_SETUP */
  void (*prepare) (P2vKioskModel *model);
} Shown;

static const Shown all_shown[] = {
  /* The server is being tried. */
  { "connecting", P2V_KIOSK_SETUP, P2V_KIOSK_PAGE_SERVER, connect_to_server },
  /* It would refuse what is asked of it. */
  { "refused", P2V_KIOSK_SETUP, P2V_KIOSK_PAGE_SERVER, refuse },
  /* The disks are being looked at, and have not been before. */
  { "looking", P2V_KIOSK_SETUP, P2V_KIOSK_PAGE_MACHINE, look },
  { "look-stopped", P2V_KIOSK_SETUP, P2V_KIOSK_PAGE_MACHINE, stop_looking },
  { "no-disks", P2V_KIOSK_SETUP, P2V_KIOSK_PAGE_MACHINE, find_no_disks },
  /* Disks with much to say about them. */
  { "disks", P2V_KIOSK_SETUP, P2V_KIOSK_PAGE_MACHINE, find_disks },
  { "guest-refused", P2V_KIOSK_SETUP, P2V_KIOSK_PAGE_GUEST, refuse_guest },
  /* The server has an unfinished job of this machine. */
  { "unfinished", P2V_KIOSK_RUNNING, 0, ask },
  /* The connection is lost while the disks are sent. */
  { "lost", P2V_KIOSK_RUNNING, 0, lose_connection },
  { "no-space", P2V_KIOSK_RUNNING, 0, run_out_of_space },
  /* Everything has landed. */
  { "landed", P2V_KIOSK_RUNNING, 0, convert_on_server },
  { "cancelled", P2V_KIOSK_FAILED, 0, cancel },
  { "done", P2V_KIOSK_DONE, 0, finish },
  /* So it has, but parts of the disks could not be read. */
  { "bad", P2V_KIOSK_DONE, 0, finish_with_losses },
};

static const Shown *
find_shown (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (all_shown); i++)
    if (g_strcmp0 (name, all_shown[i].name) == 0)
      return &all_shown[i];
  return NULL;
}

/* Goes from page to page, as Next does. */
static void
go_to (GtkWidget *window, P2vKioskPageId last)
{
  GObject *stack = gtk_widget_get_template_child (window, P2V_TYPE_KIOSK_WINDOW, "stack");
  for (P2vKioskPageId id = P2V_KIOSK_PAGE_WELCOME; id < last; id++)
    p2v_kiosk_page_advance (
        P2V_KIOSK_PAGE (gtk_stack_get_child_by_name (GTK_STACK (stack), p2v_kiosk_page_names[id])));
}

static void
show (const Shown *shown, P2vKioskModel *model, GtkWidget *window)
{
  shown->prepare (model);
  model->phase = shown->phase;
  if (shown->phase != P2V_KIOSK_SETUP)
    {
      p2v_kiosk_model_changed (model, "conversion-changed");
      return;
    }
  p2v_kiosk_model_changed (model, "machine-changed");
  p2v_kiosk_model_changed (model, "server-changed");
  go_to (window, shown->page);
}

int
main (int argc, char **argv)
{
  p2v_i18n_init ();
  gtk_init (&argc, &argv);
  const Shown *shown = argc >= 2 ? find_shown (argv[1]) : NULL;
  if (shown == NULL)
    {
      g_printerr ("usage: show-page STATE [large|contrast]. The states:\n");
      for (gsize i = 0; i < G_N_ELEMENTS (all_shown); i++)
        g_printerr ("  %s\n", all_shown[i].name);
      return 2;
    }
  p2v_kiosk_register_resource ();
  p2v_kiosk_load_style ();
  p2v_kiosk_set_large_text (g_strcmp0 (argv[2], "large") == 0);
  p2v_kiosk_set_high_contrast (g_strcmp0 (argv[2], "contrast") == 0);
  g_autoptr (P2vKioskModel) model = new_model ();
  g_autoptr (P2vKioskEngine) engine = p2v_kiosk_engine_new (model, "/");
  GtkWidget *window = GTK_WIDGET (p2v_kiosk_window_new (model, engine));
  show (shown, model, window);
  g_signal_connect (window, "destroy", G_CALLBACK (gtk_main_quit), NULL);
  gtk_window_fullscreen (GTK_WINDOW (window));
  gtk_window_present (GTK_WINDOW (window));
  gtk_main ();
  return 0;
}
