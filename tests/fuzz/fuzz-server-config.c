/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The server's own configuration. */
#include "p2v-server/config.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vServerConfig) config = p2v_server_config_load (fuzz_file (data, size), &error);
  g_assert ((config == NULL) == (error != NULL));
  if (config == NULL)
    return 0;
  g_assert (g_path_is_absolute (config->state_dir) && g_path_is_absolute (config->storage_default)
            && g_path_is_absolute (config->profiles_file));
  g_assert (config->max_conversions >= 1 && config->convert_timeout >= 1
            && config->define_timeout >= 1 && config->receive_timeout >= 0);
  return 0;
}
