/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/cmdline.h"
#include "p2v-client/i18n.h"
#include "p2v-client/kiosk/appearance.h"
#include "p2v-client/kiosk/pages.h"
#include "p2v-client/kiosk/window.h"

/* Shows what a conversion comes to without converting for many minutes, until it is killed:
 *   show-page done        the engine has ended well
 *   show-page bad         so it has, but parts of the disks could not be read
 *   show-page unfinished  the server has an unfinished job of this machine
 *   show-page lost        the connection is lost while the disks are sent
 *   show-page disks       disks with much to say about them
 * For make screenshots. */

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

typedef struct
{
  const char *name;
  P2vKioskPhase phase;
  void (*prepare) (P2vKioskModel *model);
} Shown;

static const Shown all_shown[] = {
  { "done", P2V_KIOSK_DONE, finish },       { "bad", P2V_KIOSK_DONE, finish_with_losses },
  { "unfinished", P2V_KIOSK_RUNNING, ask }, { "lost", P2V_KIOSK_RUNNING, lose_connection },
  { "disks", P2V_KIOSK_SETUP, find_disks },
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
  p2v_i18n_init ();
  gtk_init (&argc, &argv);
  const Shown *shown = argc == 2 ? find_shown (argv[1]) : NULL;
  if (shown == NULL)
    {
      g_printerr ("usage: show-page done|bad|unfinished|lost|disks\n");
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
  if (model->machine != NULL)
    {
      GObject *stack
          = gtk_widget_get_template_child (GTK_WIDGET (window), P2V_TYPE_KIOSK_WINDOW, "stack");
      p2v_kiosk_model_changed (model, "machine-changed");
      for (P2vKioskPageId id = P2V_KIOSK_PAGE_WELCOME; id < P2V_KIOSK_PAGE_MACHINE; id++)
        p2v_kiosk_page_advance (P2V_KIOSK_PAGE (
            gtk_stack_get_child_by_name (GTK_STACK (stack), p2v_kiosk_page_names[id])));
    }
  g_signal_connect (window, "destroy", G_CALLBACK (gtk_main_quit), NULL);
  gtk_window_fullscreen (window);
  gtk_window_present (window);
  gtk_main ();
  return 0;
}
