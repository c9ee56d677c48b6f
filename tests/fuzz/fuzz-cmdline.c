/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A kernel command line, and after an empty line the live image's file of defaults. */
#include "p2v-client/cmdline.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static const char machine_json[]
    = "{\"hostname\":\"web-01.example.com\",\"memory\":4294967297,"
      "\"cpu\":{\"vendor\":\"AMD\",\"sockets\":2,\"cores\":4,\"threads\":2,\"online\":3},"
      "\"firmware\":{\"type\":\"bios\"},\"clock\":{\"basis\":\"utc\",\"offset\":3600},"
      "\"smbios\":{\"product\":\"PowerEdge R740\",\"serial\":\"ABC123\"},"
      "\"disks\":[{\"name\":\"sda\",\"path\":\"/dev/sda\",\"size\":1073741824},"
      "{\"name\":\"sdb\",\"path\":\"/dev/sdb\",\"size\":1073741824}],"
      "\"removables\":[{\"name\":\"sr0\",\"path\":\"/dev/sr0\"}],"
      "\"nics\":[{\"name\":\"eno1\",\"mac\":\"52:54:00:00:00:01\"}]}";

/* A path would have this machine's own disks opened. */
static gboolean
names_paths (const P2vConfig *config)
{
  for (char **disk = config->disks; disk != NULL && *disk != NULL; disk++)
    if (strchr (*disk, '/') != NULL)
      return TRUE;
  return FALSE;
}

static void
check_config (const P2vConfig *config)
{
  g_autoptr (JsonObject) object = p2v_json_from_text (machine_json, -1, NULL);
  g_autoptr (P2vMachine) machine = p2v_machine_from_json (object, NULL);
  g_autoptr (GError) error = NULL, refusal = NULL;
  if (names_paths (config))
    return;
  g_autoptr (P2vRequest) request = p2v_config_to_request (config, machine, &error);
  g_assert ((request == NULL) == (error != NULL));
  if (request == NULL)
    return;
  if (!p2v_request_check (request, &refusal))
    g_error ("a request that the server refuses: %s", refusal->message);
  g_autofree char *dump = p2v_config_dump (config, request);
  /* One that is no word's part, or the name of anything. */
  if (config->password != NULL && strlen (config->password) > 12
      && strstr (dump, config->password) != NULL)
    g_assert (config->identity_url != NULL || config->pre != NULL || config->post != NULL
              || config->fail != NULL || config->name != NULL || config->server != NULL
              || config->username != NULL);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *text = g_strndup ((const char *)data, size);
  char *defaults = strstr (text, "\n\n");
  const char *path = NULL;
  if (defaults != NULL)
    {
      *defaults = '\0';
      path = fuzz_file ((const guint8 *)defaults + 2, strlen (defaults + 2));
    }
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vConfig) config = p2v_cmdline_load (path, text, &error);
  g_assert ((config == NULL) == (error != NULL));
  if (config != NULL)
    check_config (config);
  return 0;
}
