/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/error.h"
#include "p2v-client/kiosk/disk-text.h"
#include "p2v-client/kiosk/field.h"
#include "p2v-client/interface.h"
#include "p2v-client/kiosk/notice.h"
#include "p2v-client/kiosk/state.h"

#include <string.h>

static void
assert_field (char *(*read) (const char *text, GError **error), const char *text,
              const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *value = read (text, &error);
  g_assert_cmpstr (value, ==, expected);
  if (expected == NULL)
    g_assert_error (error, P2V_ERROR, P2V_ERROR_USAGE);
  else
    g_assert_no_error (error);
}

static void
test_server (void)
{
  assert_field (p2v_field_read_server, " kvm1.example.com ", "kvm1.example.com");
  assert_field (p2v_field_read_server, "[2001:db8::1]", "2001:db8::1");
  assert_field (p2v_field_read_server, "fe80::1%eth0", "fe80::1%eth0");
  assert_field (p2v_field_read_server, "[", NULL);
  assert_field (p2v_field_read_server, "[]", NULL);
  assert_field (p2v_field_read_server, "", NULL);
  assert_field (p2v_field_read_server, "root@kvm1", NULL);
  assert_field (p2v_field_read_server, "kvm1:22", NULL);
  assert_field (p2v_field_read_server, "-oProxyCommand=x", NULL);
  assert_field (p2v_field_read_server, "kvm1;id", NULL);
}

static void
test_username (void)
{
  assert_field (p2v_field_read_username, "root", "root");
  assert_field (p2v_field_read_username, "DOMAIN\\user", "DOMAIN\\user");
  assert_field (p2v_field_read_username, "", NULL);
  assert_field (p2v_field_read_username, "a b", NULL);
  assert_field (p2v_field_read_username, "-x", NULL);
}

static void
test_key (void)
{
  assert_field (p2v_field_read_key, "https://boot/key", "https://boot/key");
  assert_field (p2v_field_read_key, "/proc/self/status", "file:///proc/self/status");
  assert_field (p2v_field_read_key, "identity", NULL);
  assert_field (p2v_field_read_key, "/nonexistent/key", NULL);
}

static void
test_numbers (void)
{
  gint64 number;
  guint16 port;
  g_assert_true (p2v_field_read_number (" 8 ", "the processors", 1, 16, &number, NULL));
  g_assert_cmpint (number, ==, 8);
  g_assert_false (p2v_field_read_number ("17", "the processors", 1, 16, &number, NULL));
  g_assert_false (p2v_field_read_number ("8x", "the processors", 1, 16, &number, NULL));
  g_assert_true (p2v_field_read_port ("65535", &port, NULL));
  g_assert_false (p2v_field_read_port ("65536", &port, NULL));
  g_assert_false (p2v_field_read_port ("0", &port, NULL));
}

static void
assert_sentence (const char *message, const char *expected)
{
  g_autofree char *sentence = p2v_kiosk_sentence (message);
  g_assert_cmpstr (sentence, ==, expected);
}

static void
test_sentence (void)
{
  assert_sentence ("cannot reach it: no route", "Cannot reach it: no route.");
  assert_sentence ("p2v.disks=sdx: no such disk. Correct it.",
                   "p2v.disks=sdx: no such disk. Correct it.");
  assert_sentence ("127.0.0.1 does not answer", "127.0.0.1 does not answer.");
  assert_sentence ("x", "X.");
  assert_sentence ("", "");
}

static void
assert_link (gboolean link, gint64 speed, const char *addresses, const char *expected,
             gboolean usable)
{
  P2vInterface item = { (char *)"eno1", link, speed, (char *)addresses };
  g_autofree char *text = p2v_interface_describe (&item);
  g_assert_cmpstr (text, ==, expected);
  g_assert_cmpint (p2v_interface_is_usable (&item), ==, usable);
}

static void
test_links (void)
{
  assert_link (FALSE, 0, NULL, "no link: check the cable", FALSE);
  assert_link (TRUE, 100, "192.0.2.5/24", "connected at 100 Mbit/s, 192.0.2.5/24", TRUE);
  assert_link (TRUE, 2500, "2001:db8::5/64", "connected at 2.5 Gbit/s, 2001:db8::5/64", TRUE);
  assert_link (TRUE, 0, NULL, "connected, no address yet (waiting for DHCP)", FALSE);
  assert_link (TRUE, 0, "fe80::1/64", "connected, no address yet (waiting for DHCP)", FALSE);
  assert_link (TRUE, 1000, "169.254.7.7/16",
               "connected at 1 Gbit/s, no address yet (waiting for DHCP)", FALSE);
}

static P2vContent *
new_content (const char *kind, const char *type)
{
  P2vContent *content = p2v_content_new ();
  content->kind = g_strdup (kind);
  content->type = g_strdup (type);
  return content;
}

static void
add_partition (P2vContent *table, P2vContent *content)
{
  P2vPartition *partition = p2v_partition_new ();
  partition->content = content;
  g_ptr_array_add (table->partitions, partition);
}

static void
test_disk_content (void)
{
  g_autoptr (P2vDisk) disk = p2v_disk_new ();
  P2vContent *root = new_content ("filesystem", "ext4");
  disk->name = g_strdup ("sda");
  disk->size = G_GINT64_CONSTANT (500) << 30;
  disk->model = g_strdup ("Samsung\nSSD");
  disk->content = new_content ("partition-table", "gpt");
  add_partition (disk->content, new_content ("filesystem", "vfat"));
  add_partition (disk->content, root);
  add_partition (disk->content, new_content ("swap", "swap"));
  root->os = p2v_os_new ();
  root->os->name = g_strdup ("Debian GNU/Linux 12");
  root->os->hostname = g_strdup ("web1");
  g_autofree char *title = p2v_disk_text_title (disk);
  g_autofree char *content = p2v_disk_text_content (disk);
  g_autofree char *obstacle = p2v_disk_text_obstacle (disk);
  g_assert_cmpstr (title, ==, "sda, 500.0 GiB, Samsung SSD");
  g_assert_cmpstr (content, ==, "Debian GNU/Linux 12, web1; 3 partitions: vfat, ext4, swap");
  g_assert_null (obstacle);
}

static void
assert_obstacle (P2vDisk *disk, const char *expected)
{
  g_autofree char *obstacle = p2v_disk_text_obstacle (disk);
  g_assert_nonnull (strstr (obstacle, expected));
}

static void
test_disk_obstacles (void)
{
  g_autoptr (P2vDisk) disk = p2v_disk_new ();
  disk->name = g_strdup ("sda");
  assert_obstacle (disk, "has no size");
  disk->size = 1 << 30;
  disk->member_of = g_strdup ("md0");
  assert_obstacle (disk, "part of md0");
  disk->live_medium = TRUE;
  assert_obstacle (disk, "booted from");
}

static void
take_event (P2vKioskState *state, const char *kind, const char *stage, const char *message,
            gint64 percent)
{
  P2vEvent event = {
    .kind = (char *)kind, .stage = (char *)stage, .message = (char *)message, .percent = percent
  };
  P2vUpdate update = { .kind = P2V_UPDATE_EVENT, .event = &event };
  /* By way of a copy, as it comes from another thread. */
  g_autoptr (P2vUpdate) copy = p2v_update_copy (&update);
  p2v_kiosk_state_update (state, copy);
}

static void
test_state_of_stages (void)
{
  g_autoptr (P2vKioskState) state = p2v_kiosk_state_new ("Connecting to kvm1");
  g_assert_cmpint (state->percent, ==, -1);
  take_event (state, "started", P2V_STAGE_CONVERT, NULL, 0);
  g_assert_cmpstr (state->activity, ==, "Converting on the server");
  take_event (state, "progress", P2V_STAGE_CONVERT, NULL, 40);
  g_assert_cmpint (state->percent, ==, 40);
  take_event (state, "warning", NULL, "no KVM", 0);
  take_event (state, "warning", NULL, "no KVM", 0);
  g_assert_cmpuint (state->warnings->len, ==, 1);
  take_event (state, "started", "some-later-stage", NULL, 0);
  g_assert_cmpstr (state->activity, ==, "some-later-stage");
  g_assert_cmpint (state->percent, ==, -1);
  take_event (state, "failed", P2V_STAGE_DEFINE, "no", 0);
  g_assert_cmpstr (state->failed, ==, "Defining the guest on the server");
}

static void
test_state_of_transfer (void)
{
  g_autoptr (P2vKioskState) state = p2v_kiosk_state_new ("Connecting to kvm1");
  P2vDiskProgress disks[]
      = { { .name = "sda", .size = 100, .done = 10 }, { .name = "sdb", .size = 50, .done = 0 } };
  P2vUpdate progress
      = { .kind = P2V_UPDATE_PROGRESS, .disks = disks, .n_disks = 2, .rate = 5, .time_left = 28 };
  g_autoptr (P2vUpdate) copy = p2v_update_copy (&progress);
  gint64 done;
  gint64 size;
  disks[0].name = "changed";
  p2v_kiosk_state_update (state, copy);
  p2v_kiosk_state_update (state, copy);
  p2v_kiosk_state_totals (state, &done, &size);
  g_assert_cmpuint (state->disks->len, ==, 2);
  g_assert_cmpint (done, ==, 10);
  g_assert_cmpint (size, ==, 150);
  g_assert_cmpint (state->time_left, ==, 28);
  P2vUpdate landed = { .kind = P2V_UPDATE_LANDED };
  p2v_kiosk_state_update (state, &landed);
  g_assert_true (state->landed);
  g_assert_cmpint (state->time_left, ==, -1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/kiosk/field/server", test_server);
  g_test_add_func ("/kiosk/field/username", test_username);
  g_test_add_func ("/kiosk/field/key", test_key);
  g_test_add_func ("/kiosk/field/numbers", test_numbers);
  g_test_add_func ("/kiosk/sentence", test_sentence);
  g_test_add_func ("/kiosk/links", test_links);
  g_test_add_func ("/kiosk/disk/content", test_disk_content);
  g_test_add_func ("/kiosk/disk/obstacles", test_disk_obstacles);
  g_test_add_func ("/kiosk/state/stages", test_state_of_stages);
  g_test_add_func ("/kiosk/state/transfer", test_state_of_transfer);
  return g_test_run ();
}
