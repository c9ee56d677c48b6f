/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looking at the machine and its disks, behind a window that a person can leave at any time. */
#include "p2v-client/newt/front-end.h"

#include "common/error.h"
#include "p2v-client/i18n.h"
#include "p2v-client/inventory.h"
#include "p2v-client/newt/task.h"
#include "p2v-client/newt/window.h"

#define GIBIBYTE (G_GINT64_CONSTANT (1) << 30)

/* Counted references: a disk that hangs keeps the thread, which nobody waits for. */
typedef struct
{
  char *root;
  char **disks; /* what was chosen before, by path; NULL: nothing was */
  P2vMachine *machine;
  P2vRequest *request; /* with the disks that are files; NULL when there is no disk */
  GError *refused;     /* why what was chosen cannot be; NULL: it can */
} Look;

static void
clear (gpointer data)
{
  Look *look = data;
  g_free (look->root);
  g_strfreev (look->disks);
  p2v_machine_free (look->machine);
  p2v_request_free (look->request);
  g_clear_error (&look->refused);
}

static void
release (gpointer look)
{
  g_atomic_rc_box_release_full (look, clear);
}

/* Whatever else was asked for is judged when it is to be used. */
static P2vRequest *
request_disks (const P2vMachine *machine, char **disks, GError **error)
{
  g_autoptr (P2vConfig) config = p2v_config_new ();
  config->disks = g_strdupv (disks);
  config->vcpus = 1;
  config->memory = GIBIBYTE;
  return p2v_config_to_request (config, machine, error);
}

static gboolean
collect (gpointer data, GCancellable *cancellable, GError **error)
{
  Look *look = data;
  look->machine = p2v_inventory_collect (look->root, cancellable, error);
  if (look->machine == NULL)
    return FALSE;
  g_cancellable_push_current (cancellable);
  if (look->disks != NULL)
    look->request = request_disks (look->machine, look->disks, &look->refused);
  if (look->request == NULL)
    look->request = request_disks (look->machine, NULL, NULL);
  g_cancellable_pop_current (cancellable);
  if (!g_cancellable_set_error_if_cancelled (cancellable, error))
    return TRUE;
  p2v_error_recode (error, P2V_ERROR_CANCELLED);
  return FALSE;
}

/* What was chosen, by path, so that files among it are found again. gone: receives the names of
 * what is not there any more. (transfer full) */
static char **
list_paths (const P2vFrontEnd *self, GStrvBuilder *gone)
{
  char **disks = self->config->disks;
  if (self->machine == NULL || disks == NULL)
    return g_strdupv (disks);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  for (gsize i = 0; disks[i] != NULL; i++)
    {
      const P2vDisk *disk = p2v_machine_find_disk (self->machine, disks[i]);
      const char *path = disk != NULL ? disk->path : disks[i];
      g_strv_builder_add (g_file_test (path, G_FILE_TEST_EXISTS) ? builder : gone,
                          g_file_test (path, G_FILE_TEST_EXISTS) ? path : disks[i]);
    }
  char **paths = g_strv_builder_end (builder);
  if (paths[0] == NULL)
    g_clear_pointer (&paths, g_strfreev);
  return paths;
}

static void
say_gone (GStrvBuilder *builder)
{
  g_auto (GStrv) gone = g_strv_builder_end (builder);
  for (gsize i = 0; gone[i] != NULL; i++)
    {
      g_autofree char *text = g_strdup_printf (_ ("Disk %s has gone, and is left out."), gone[i]);
      p2v_window_say (_ ("Disks"), text);
    }
}

/* The machine as the request sees it: with the disks that are files, and the host name of what is
 * converted. What was chosen is named from now on as the machine names it. */
static void
adopt (P2vFrontEnd *self, Look *look)
{
  P2vConfig *config = self->config;
  if (look->refused != NULL)
    p2v_window_say (_ ("Disks"), look->refused->message);
  g_clear_pointer (&self->details, p2v_details_free);
  p2v_machine_free (self->machine);
  P2vMachine **machine = look->request != NULL ? &look->request->machine : &look->machine;
  self->machine = g_steal_pointer (machine);
  g_clear_pointer (&config->disks, g_strfreev);
  if (look->request != NULL)
    config->disks = g_strdupv (look->request->guest->disks);
  g_hash_table_remove_all (self->accepted);
}

void
p2v_front_end_look (P2vFrontEnd *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GStrvBuilder) gone = g_strv_builder_new ();
  Look *look = g_atomic_rc_box_new0 (Look);
  look->root = g_strdup (self->root);
  look->disks = list_paths (self, gone);
  if (p2v_task_run_apart (_ ("One moment"), _ ("Looking at this machine and its disks ..."),
                          collect, g_atomic_rc_box_acquire (look), release, &error))
    {
      say_gone (gone);
      adopt (self, look);
    }
  else if (!g_error_matches (error, P2V_ERROR, P2V_ERROR_CANCELLED))
    {
      g_autofree char *text = p2v_front_end_explain (self, error);
      p2v_window_say (_ ("This machine could not be looked at"), text);
    }
  release (look);
}
