/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/error.h"
#include "p2v-client/progress-view.h"
#include "p2v-client/text.h"

#include <string.h>

#define MIB (G_GINT64_CONSTANT (1) << 20)
#define GIB (G_GINT64_CONSTANT (1) << 30)
#define SECONDS(n) ((gint64)(n)*G_USEC_PER_SEC)

static void
collect (const char *text, gpointer out)
{
  g_string_append (out, text);
}

static void
assert_printed (GString *out, const char *expected)
{
  g_assert_cmpstr (out->str, ==, expected);
  g_string_truncate (out, 0);
}

static void
send_text (P2vProgress *progress, P2vUpdateKind kind, const char *text, gint64 now)
{
  P2vUpdate update = { .kind = kind, .text = text };
  p2v_progress_update (progress, &update, now);
}

static void
send_event (P2vProgress *progress, const char *kind, const char *stage, const char *message,
            gint64 percent, gint64 now)
{
  P2vEvent event = { 1500, (char *)kind, (char *)stage, (char *)message, percent };
  P2vUpdate update = { .kind = P2V_UPDATE_EVENT, .event = &event };
  p2v_progress_update (progress, &update, now);
}

static void
send_disk (P2vProgress *progress, gint64 done, double rate, gint64 time_left, gint64 now)
{
  P2vDiskProgress disk
      = { "sda", 4 * GIB, done / 2, done / 4, done - done / 2 - done / 4, done, 0 };
  P2vUpdate update = { .kind = P2V_UPDATE_PROGRESS,
                       .disks = &disk,
                       .n_disks = 1,
                       .wire = 300,
                       .rate = rate,
                       .time_left = time_left };
  p2v_progress_update (progress, &update, now);
}

static void
send_two_disks (P2vProgress *progress, gint64 done_a, gint64 done_b, gint64 now)
{
  P2vDiskProgress disks[] = { { "sda", GIB, 0, 0, done_a, done_a, 0 },
                              { "nvme0n1", 3 * GIB, 0, 0, done_b, done_b, 0 } };
  P2vUpdate update = {
    .kind = P2V_UPDATE_PROGRESS, .disks = disks, .n_disks = 2, .rate = 128 * MIB, .time_left = 16
  };
  p2v_progress_update (progress, &update, now);
}

static void
test_lines_tell_the_whole_story (void)
{
  g_autoptr (GString) out = g_string_new (NULL);
  g_autoptr (P2vProgress) progress = p2v_progress_new (P2V_PROGRESS_LINES, collect, out);
  p2v_progress_begin (progress, "Connecting to kvm1", SECONDS (1));
  assert_printed (out, "Connecting to kvm1\n");
  send_text (progress, P2V_UPDATE_CONNECTED, "p2v-server 0.1", SECONDS (2));
  send_text (progress, P2V_UPDATE_CREATED, "20261123-web1", SECONDS (2));
  assert_printed (out, "Connected: p2v-server 0.1\nThe server calls this job 20261123-web1\n");
  send_disk (progress, 0, 0, -1, SECONDS (3));
  assert_printed (out, "");
  send_disk (progress, 512 * MIB, 256.0 * MIB, 14, SECONDS (5));
  assert_printed (out, "sda: 12 %, 512.0 MiB of 4.0 GiB, 256.0 MiB/s, 14 s left\n");
  send_disk (progress, 4 * GIB, 256.0 * MIB, 0, SECONDS (6));
  send_text (progress, P2V_UPDATE_LANDED, NULL, SECONDS (6));
  assert_printed (out, "sda: 4.0 GiB: 1.0 GiB sent, 1.0 GiB of zeroes, 2.0 GiB not in use\n"
                       "Everything has reached the server. This machine is no longer needed.\n");
  send_text (progress, P2V_UPDATE_LANDED, "Keep it on.", SECONDS (6));
  assert_printed (out, "sda: 4.0 GiB: 1.0 GiB sent, 1.0 GiB of zeroes, 2.0 GiB not in use\n"
                       "Everything has reached the server. Keep it on.\n");
  send_event (progress, "started", "convert", NULL, 0, SECONDS (7));
  send_event (progress, "progress", "convert", "[ 10.0] Opening", 20, SECONDS (8));
  assert_printed (out, "Converting\n");
  send_event (progress, "progress", "convert", NULL, 40, SECONDS (70));
  assert_printed (out, "Converting: 40 %, 1 min 03 s so far\n");
  send_event (progress, "warning", "convert", "no virtio-win", 0, SECONDS (71));
  send_event (progress, "finished", "convert", NULL, 0, SECONDS (80));
  assert_printed (out, "Warning: no virtio-win\nConverting: done in 1 min 13 s\n");
  send_event (progress, "failed", "define", "why is printed by the caller", 0, SECONDS (81));
  assert_printed (out, "Defining the guest failed\n");
  send_text (progress, P2V_UPDATE_DONE, "web1 at qemu:///system", SECONDS (81));
  p2v_progress_tick (progress, SECONDS (500));
  p2v_progress_end (progress, NULL);
  assert_printed (out, "Done: web1 at qemu:///system\n");
}

/* Whatever is being done, no more than ten seconds go by without a line. */
static void
test_it_never_looks_hung (void)
{
  static const P2vProgressStyle styles[]
      = { P2V_PROGRESS_LINES, P2V_PROGRESS_TERMINAL, P2V_PROGRESS_JSON };
  for (gsize i = 0; i < G_N_ELEMENTS (styles); i++)
    for (int transferring = 0; transferring < 2; transferring++)
      {
        g_autoptr (GString) out = g_string_new (NULL);
        g_autoptr (P2vProgress) progress = p2v_progress_new (styles[i], collect, out);
        p2v_progress_begin (progress, "Connecting to kvm1", SECONDS (1));
        if (transferring)
          send_disk (progress, GIB, MIB, 3072, SECONDS (1));
        gint64 last = 1;
        for (gint64 second = 2; second < 120; second++)
          {
            g_string_truncate (out, 0);
            p2v_progress_tick (progress, SECONDS (second));
            if (out->len > 0)
              last = second;
            g_assert_cmpint (second - last, <, 10);
          }
      }
}

static void
test_waiting_says_for_how_long (void)
{
  g_autoptr (GString) out = g_string_new (NULL);
  g_autoptr (P2vProgress) progress = p2v_progress_new (P2V_PROGRESS_LINES, collect, out);
  p2v_progress_begin (progress, "Connecting to kvm1", SECONDS (1));
  g_string_truncate (out, 0);
  p2v_progress_tick (progress, SECONDS (2));
  assert_printed (out, "");
  p2v_progress_tick (progress, SECONDS (4));
  assert_printed (out, "Connecting to kvm1: 3 s so far\n");
  send_disk (progress, GIB, 100 * MIB, 30, SECONDS (5));
  g_string_truncate (out, 0);
  send_disk (progress, GIB, 100 * MIB, 30, SECONDS (20));
  assert_printed (out, "sda: 25 %, 1.0 GiB of 4.0 GiB, no data for 15 s\n");
}

static void
test_several_disks_have_a_line_each_and_a_sum (void)
{
  g_autoptr (GString) out = g_string_new (NULL);
  g_autoptr (P2vProgress) progress = p2v_progress_new (P2V_PROGRESS_LINES, collect, out);
  send_two_disks (progress, 0, 0, SECONDS (10));
  g_string_truncate (out, 0);
  send_two_disks (progress, GIB, 0, SECONDS (12));
  send_two_disks (progress, GIB, 512 * MIB, SECONDS (14));
  assert_printed (out, "nvme0n1: 16 %, 512.0 MiB of 3.0 GiB, 128.0 MiB/s, 20 s left\n"
                       "all disks: 37 %, 1.5 GiB of 4.0 GiB, 128.0 MiB/s, 16 s left\n");
}

/* A small console: what would be on the screen after these bytes. */
static char *
screen_after (const char *text)
{
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func (g_free);
  gsize cursor = 0;
  g_autoptr (GString) row = g_string_new (NULL);
  for (const char *p = text; *p != '\0'; p++)
    if (*p == '\033')
      {
        char *end;
        guint64 count = g_ascii_strtoull (p + 2, &end, 10);
        g_assert_true (p[1] == '[' && (*end == 'A' || *end == 'J'));
        if (*end == 'A')
          cursor -= count;
        else
          g_ptr_array_set_size (rows, (gint)cursor);
        p = end;
      }
    else if (*p == '\n')
      {
        g_assert_cmpuint (row->len, <, 80);
        g_assert_cmpuint (cursor, ==, rows->len);
        g_ptr_array_add (rows, g_strdup (row->str));
        g_string_truncate (row, 0);
        cursor++;
      }
    else if (*p != '\r')
      g_string_append_c (row, *p);
  g_ptr_array_add (rows, NULL);
  return g_strjoinv ("\n", (char **)rows->pdata);
}

static void
assert_screen (GString *out, const char *expected)
{
  g_autofree char *screen = screen_after (out->str);
  g_assert_cmpstr (screen, ==, expected);
}

static void
test_a_terminal_is_redrawn_in_place (void)
{
  g_autoptr (GString) out = g_string_new (NULL);
  g_autoptr (P2vProgress) progress = p2v_progress_new (P2V_PROGRESS_TERMINAL, collect, out);
  p2v_progress_set_size (progress, 80, 24);
  p2v_progress_begin (progress, "Connecting to kvm1", SECONDS (1));
  p2v_progress_tick (progress, SECONDS (2));
  assert_screen (out, "/ Connecting to kvm1 1 s");
  send_text (progress, P2V_UPDATE_CONNECTED, "p2v-server 0.1", SECONDS (2));
  send_two_disks (progress, 0, 0, SECONDS (3));
  send_two_disks (progress, 512 * MIB, 0, SECONDS (4));
  assert_screen (out,
                 "Connected: p2v-server 0.1\n"
                 "sda     [========>        ]  50 %  512.0 MiB of 1.0 GiB  512.0 MiB/s  1 s left\n"
                 "nvme0n1 [>                ]   0 %  0 B of 3.0 GiB\n"
                 "all     [==>              ]  12 %  512.0 MiB of 4.0 GiB  128.0 MiB/s  16 s left");
  send_text (progress, P2V_UPDATE_WARNING, "slow disk", SECONDS (4));
  send_two_disks (progress, GIB, 3 * GIB, SECONDS (5));
  send_text (progress, P2V_UPDATE_LANDED, NULL, SECONDS (5));
  send_event (progress, "started", "convert", NULL, 0, SECONDS (6));
  send_event (progress, "progress", "convert", NULL, 50, SECONDS (66));
  assert_screen (out, "Connected: p2v-server 0.1\n"
                      "Warning: slow disk\n"
                      "sda: 1.0 GiB: 1.0 GiB sent, 0 B of zeroes, 0 B not in use\n"
                      "nvme0n1: 3.0 GiB: 3.0 GiB sent, 0 B of zeroes, 0 B not in use\n"
                      "Everything has reached the server. This machine is no longer needed.\n"
                      "/ Converting [===================>                  ]  50 %  1 min 00 s");
  send_event (progress, "finished", "convert", NULL, 0, SECONDS (70));
  send_text (progress, P2V_UPDATE_DONE, "web1", SECONDS (70));
  p2v_progress_end (progress, NULL);
  g_autofree char *screen = screen_after (out->str);
  g_assert_true (g_str_has_suffix (screen, "longer needed.\nConverting: done in 1 min 04 s\n"
                                           "Done: web1"));
}

static void
test_any_terminal_is_wide_enough (void)
{
  for (guint columns = 1; columns < 200; columns++)
    {
      g_autoptr (GString) out = g_string_new (NULL);
      g_autoptr (P2vProgress) progress = p2v_progress_new (P2V_PROGRESS_TERMINAL, collect, out);
      p2v_progress_set_size (progress, columns, 3);
      send_two_disks (progress, 0, 0, SECONDS (3));
      send_two_disks (progress, 512 * MIB, MIB, SECONDS (4));
      g_auto (GStrv) lines = g_strsplit (out->str, "\n", -1);
      for (gsize i = 0; lines[i] != NULL; i++)
        if (lines[i][0] != '\033')
          g_assert_cmpuint (strlen (lines[i]), <, MAX (columns, 2));
    }
}

static void
test_a_server_cannot_draw_on_the_terminal (void)
{
  static const P2vProgressStyle styles[] = { P2V_PROGRESS_LINES, P2V_PROGRESS_TERMINAL };
  for (gsize i = 0; i < G_N_ELEMENTS (styles); i++)
    {
      g_autoptr (GString) out = g_string_new (NULL);
      g_autoptr (P2vProgress) progress = p2v_progress_new (styles[i], collect, out);
      send_text (progress, P2V_UPDATE_CONNECTED, "a\033[2Jb\nc\xff", SECONDS (1));
      send_event (progress, "started", "\033[2J", NULL, 0, SECONDS (2));
      send_event (progress, "info", NULL,
                  "\xc2\x9b"
                  "2J \xe2\x80\xae",
                  0, SECONDS (3));
      g_assert_nonnull (strstr (out->str, "a?[2Jb c"));
      g_assert_null (strstr (out->str, "\033[2J"));
      g_assert_null (strstr (out->str, "\xc2\x9b"));
      g_assert_null (strstr (out->str, "\xe2\x80\xae"));
      g_assert_true (g_utf8_validate (out->str, -1, NULL));
    }
}

/* What cannot be read is in the figures, and in JSON with all its members. */
static void
test_what_cannot_be_read_is_told (void)
{
  g_autoptr (GString) out = g_string_new (NULL);
  g_autoptr (P2vProgress) lines = p2v_progress_new (P2V_PROGRESS_LINES, collect, out);
  P2vDiskProgress disk = { "sda", 4 * GIB, 0, 0, GIB, GIB, 1536 };
  P2vUpdate progress
      = { .kind = P2V_UPDATE_PROGRESS, .disks = &disk, .n_disks = 1, .rate = MIB, .time_left = 9 };
  p2v_progress_update (lines, &progress, SECONDS (5));
  assert_printed (out, "sda: 25 %, 1.0 GiB of 4.0 GiB, 1.0 MiB/s, 9 s left, 1.5 KiB unreadable\n");
  send_text (lines, P2V_UPDATE_LANDED, NULL, SECONDS (6));
  g_assert_nonnull (strstr (out->str, "0 B not in use, 1.5 KiB could not be read\n"));
  g_string_truncate (out, 0);

  g_autoptr (GPtrArray) bad = p2v_bad_ranges_new ();
  P2vBadRange known = { (char *)"sda", 512, 1024, (char *)"ext4 on /dev/sda1" };
  P2vBadRange unknown = { (char *)"sda", 4096, 512, NULL };
  p2v_bad_ranges_add (bad, &known);
  p2v_bad_ranges_add (bad, &unknown);
  P2vUpdate update = { .kind = P2V_UPDATE_BAD, .bad = bad };
  p2v_progress_update (lines, &update, SECONDS (7));
  assert_printed (out, "");
  g_autoptr (P2vProgress) json = p2v_progress_new (P2V_PROGRESS_JSON, collect, out);
  p2v_progress_update (json, &update, SECONDS (7));
  assert_printed (out, "{\"type\":\"bad\",\"ranges\":[{\"disk\":\"sda\",\"offset\":512,"
                       "\"length\":1024,\"where\":\"ext4 on /dev/sda1\"},{\"disk\":\"sda\","
                       "\"offset\":4096,\"length\":512}]}\n");
}

static void
test_json_has_stable_names (void)
{
  g_autoptr (GString) out = g_string_new (NULL);
  g_autoptr (P2vProgress) progress = p2v_progress_new (P2V_PROGRESS_JSON, collect, out);
  p2v_progress_begin (progress, "Connecting to kvm1", SECONDS (1));
  send_text (progress, P2V_UPDATE_CONNECTED, "p2v-server \"0.1\"", SECONDS (1));
  send_text (progress, P2V_UPDATE_CREATED, "j1", SECONDS (1));
  assert_printed (out, "{\"type\":\"activity\",\"activity\":\"Connecting to kvm1\"}\n"
                       "{\"type\":\"connected\",\"message\":\"p2v-server \\\"0.1\\\"\"}\n"
                       "{\"type\":\"created\",\"job\":\"j1\"}\n");
  send_disk (progress, 1024, 512.7, -1, SECONDS (2));
  send_disk (progress, 2048, 512.7, 99, SECONDS (2) + 1);
  assert_printed (
      out, "{\"type\":\"progress\",\"done\":1024,\"size\":4294967296,\"wire\":300,\"rate\":512,"
           "\"time_left\":null,\"disks\":[{\"name\":\"sda\",\"size\":4294967296,"
           "\"done\":1024,\"sent\":256,\"zero\":256,\"skipped\":512,\"bad\":0}]}\n");
  send_disk (progress, 4 * GIB, 1, 0, SECONDS (2) + 2);
  g_assert_nonnull (strstr (out->str, "\"done\":4294967296,\"size\":4294967296"));
  g_string_truncate (out, 0);
  send_text (progress, P2V_UPDATE_LANDED, NULL, SECONDS (3));
  send_event (progress, "progress", "convert", NULL, 7, SECONDS (4));
  send_text (progress, P2V_UPDATE_WARNING, "w", SECONDS (4));
  p2v_progress_tick (progress, SECONDS (14));
  send_text (progress, P2V_UPDATE_DONE, "web1", SECONDS (15));
  assert_printed (out,
                  "{\"type\":\"landed\"}\n"
                  "{\"type\":\"event\",\"kind\":\"progress\",\"stage\":\"convert\",\"percent\":7,"
                  "\"time\":1500}\n"
                  "{\"type\":\"warning\",\"message\":\"w\"}\n"
                  "{\"type\":\"waiting\",\"activity\":\"Waiting for the server\",\"seconds\":11}\n"
                  "{\"type\":\"done\",\"message\":\"web1\"}\n");
  g_autoptr (GError) error = g_error_new_literal (P2V_ERROR, P2V_ERROR_AUTH, "no\nway");
  p2v_progress_end (progress, error);
  assert_printed (out, "{\"type\":\"error\",\"code\":\"auth\",\"status\":4,"
                       "\"message\":\"no\\nway\"}\n");
}

static void
assert_text (char *text, const char *expected)
{
  g_assert_cmpstr (text, ==, expected);
  g_free (text);
}

static void
test_units_are_those_of_administrators (void)
{
  assert_text (p2v_size_format (0), "0 B");
  assert_text (p2v_size_format (1023), "1023 B");
  assert_text (p2v_size_format (1536), "1.5 KiB");
  assert_text (p2v_size_format (MIB - 1), "1.0 MiB");
  assert_text (p2v_size_format (100 * GIB), "100.0 GiB");
  assert_text (p2v_size_format (G_MAXINT64), "8192.0 PiB");
  assert_text (p2v_rate_format (118.4 * MIB), "118.4 MiB/s");
  assert_text (p2v_duration_format (59), "59 s");
  assert_text (p2v_duration_format (185), "3 min 05 s");
  assert_text (p2v_duration_format (3720), "1 h 02 min");
  assert_text (p2v_duration_format (183600), "2 d 03 h");
  assert_text (p2v_duration_format (-1), "0 s");
}

static void
test_urls_lose_their_passwords (void)
{
  assert_text (p2v_url_mask ("https://u:p@host/id?x=a@b"), "https://***@host/id?x=a@b");
  assert_text (p2v_url_mask ("https://u:p@ss@host/"), "https://***@host/");
  assert_text (p2v_url_mask ("https://host/a@b"), "https://host/a@b");
  assert_text (p2v_url_mask ("file:///etc/id"), "file:///etc/id");
  assert_text (p2v_url_mask ("default"), "default");
  g_assert_null (p2v_url_mask (NULL));
}

static void
test_what_is_waited_for_is_known (void)
{
  g_autoptr (GString) out = g_string_new (NULL);
  g_autoptr (P2vProgress) progress = p2v_progress_new (P2V_PROGRESS_LINES, collect, out);
  send_disk (progress, GIB, 100, 60, SECONDS (1));
  g_assert_null (progress->pause);
  g_string_truncate (out, 0);
  send_text (progress, P2V_UPDATE_LOST, "The connection is lost.", SECONDS (2));
  assert_printed (out, "The connection is lost.\n");
  g_assert_cmpstr (progress->pause, ==, "Reconnecting to the server");
  send_text (progress, P2V_UPDATE_RESTORED, "Connected again", SECONDS (3));
  assert_printed (out, "Connected again\n");
  g_assert_null (progress->pause);
  g_assert_true (progress->transferring);
  send_text (progress, P2V_UPDATE_PAUSED, "no space", SECONDS (4));
  g_assert_cmpstr (progress->pause, ==, "Waiting for space on the server");
  send_text (progress, P2V_UPDATE_LANDED, NULL, SECONDS (5));
  g_assert_null (progress->pause);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/progress/lines-tell-the-whole-story", test_lines_tell_the_whole_story);
  g_test_add_func ("/progress/it-never-looks-hung", test_it_never_looks_hung);
  g_test_add_func ("/progress/waiting-says-for-how-long", test_waiting_says_for_how_long);
  g_test_add_func ("/progress/several-disks-have-a-line-each-and-a-sum",
                   test_several_disks_have_a_line_each_and_a_sum);
  g_test_add_func ("/progress/a-terminal-is-redrawn-in-place", test_a_terminal_is_redrawn_in_place);
  g_test_add_func ("/progress/any-terminal-is-wide-enough", test_any_terminal_is_wide_enough);
  g_test_add_func ("/progress/a-server-cannot-draw-on-the-terminal",
                   test_a_server_cannot_draw_on_the_terminal);
  g_test_add_func ("/progress/what-cannot-be-read-is-told", test_what_cannot_be_read_is_told);
  g_test_add_func ("/progress/what-is-waited-for-is-known", test_what_is_waited_for_is_known);
  g_test_add_func ("/progress/json-has-stable-names", test_json_has_stable_names);
  g_test_add_func ("/text/units-are-those-of-administrators",
                   test_units_are_those_of_administrators);
  g_test_add_func ("/text/urls-lose-their-passwords", test_urls_lose_their_passwords);
  return g_test_run ();
}
