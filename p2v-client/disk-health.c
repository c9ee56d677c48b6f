/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/disk-health.h"

#include "p2v-client/inventory-parts.h"

#include <json-glib/json-glib.h>
#include <sys/stat.h>

/* A sound disk answers at once; one that does not is busy failing. */
#define ASK_SECONDS 10
/* Its answer is about 1 KiB. */
#define ANSWER_LIMIT 65536

const char *
p2v_disk_health_parse (const char *text, gssize length)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  if (!json_parser_load_from_data (parser, text, length, NULL))
    return NULL;
  JsonNode *root = json_parser_get_root (parser);
  if (root == NULL || !JSON_NODE_HOLDS_OBJECT (root))
    return NULL;
  JsonNode *status = json_object_get_member (json_node_get_object (root), "smart_status");
  if (status == NULL || !JSON_NODE_HOLDS_OBJECT (status))
    return NULL;
  JsonNode *passed = json_object_get_member (json_node_get_object (status), "passed");
  if (passed == NULL || json_node_get_value_type (passed) != G_TYPE_BOOLEAN)
    return NULL;
  return json_node_get_boolean (passed) ? "good" : "failing";
}

static void
ask (P2vDisk *disk, GCancellable *cancellable)
{
  const char *const argv[] = { "smartctl", "--json", "--health", "--", disk->path, NULL };
  g_autoptr (GError) error = NULL;
  /* Its exit status has a bit for a failing disk: no reason to disregard what it says. */
  g_autoptr (GBytes) answer
      = p2v_tool_answer (argv, ANSWER_LIMIT, ASK_SECONDS, cancellable, &error);
  if (answer == NULL)
    {
      g_debug ("no health of %s: %s", disk->path, error->message);
      return;
    }
  gsize length;
  const char *text = g_bytes_get_data (answer, &length);
  const char *health = p2v_disk_health_parse (text, (gssize)length);
  g_free (disk->health);
  disk->health = g_strdup (health);
}

void
p2v_disk_health_look (P2vMachine *machine, GCancellable *cancellable)
{
  for (guint i = 0; i < machine->disks->len; i++)
    {
      P2vDisk *disk = machine->disks->pdata[i];
      struct stat status;
      if (g_cancellable_is_cancelled (cancellable))
        return;
      if (p2v_disk_is_convertible (disk) && stat (disk->path, &status) == 0
          && S_ISBLK (status.st_mode))
        ask (disk, cancellable);
    }
}
