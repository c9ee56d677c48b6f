/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The engine's looks at the machine: the inventory, then what takes longer to find out of its
 * disks. */
#include "p2v-client/kiosk/engine-private.h"

#include "common/error.h"
#include "p2v-client/disk-health.h"
#include "p2v-client/inventory.h"
#include "p2v-client/machine-map.h"

/* How far a look at the machine is. */
enum
{
  LOOK_COLLECTING, /* at the hardware: a disk may keep it for ever */
  LOOK_JUDGING,    /* with the model's configuration, which nobody may change */
  LOOK_ABANDONED,  /* nobody waits for it any more */
};

/* What came of looking at the machine. */
typedef struct
{
  P2vMachine *machine;
  P2vRequest *suggestion;
  GError *suggestion_error;
} Look;

static void
free_look (Look *look)
{
  p2v_machine_free (look->machine);
  p2v_request_free (look->suggestion);
  g_clear_error (&look->suggestion_error);
  g_free (look);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Look, free_look)

static void
return_stopped (GTask *task)
{
  g_task_return_new_error (task, P2V_ERROR, P2V_ERROR_CANCELLED,
                           "describing the machine was stopped");
}

static void
run_look (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  P2vKioskEngine *engine = source;
  int *stage = data;
  g_autoptr (Look) look = g_new0 (Look, 1);
  GError *error = NULL;
  look->machine = p2v_inventory_collect (engine->root, cancellable, &error);
  if (look->machine == NULL)
    {
      g_task_return_error (task, error);
      return;
    }
  if (!g_atomic_int_compare_and_exchange (stage, LOOK_COLLECTING, LOOK_JUDGING))
    {
      return_stopped (task);
      return;
    }
  /* Here and not on the main loop: a disk that is given as a file is looked into. Until this has
   * ended the pages that change what is read of the configuration, that about the guest, do not let
   * anybody go on. */
  g_cancellable_push_current (cancellable);
  look->suggestion
      = p2v_config_to_request (engine->model->config, look->machine, &look->suggestion_error);
  g_cancellable_pop_current (cancellable);
  if (g_cancellable_is_cancelled (cancellable))
    {
      return_stopped (task);
      return;
    }
  if (look->suggestion != NULL)
    {
      p2v_machine_free (look->machine);
      look->machine = p2v_schema_copy (&p2v_machine_schema, look->suggestion->machine);
    }
  g_task_return_pointer (task, g_steal_pointer (&look), (GDestroyNotify)free_look);
}

/* The machine that is filled in belongs to the task. */
static void
run_ask (GTask *task, gpointer source G_GNUC_UNUSED, gpointer data, GCancellable *cancellable)
{
  P2vMachine *machine = data;
  GError *error = NULL;
  p2v_disk_health_look (machine, cancellable);
  if (!p2v_machine_map_contents (machine, cancellable, &error))
    g_task_return_error (task, error);
  else
    g_task_return_pointer (task, p2v_schema_copy (&p2v_machine_schema, machine),
                           (GDestroyNotify)p2v_machine_free);
}

static void
on_ask (GObject *source, GAsyncResult *result, gpointer user_data G_GNUC_UNUSED)
{
  P2vKioskEngine *engine = P2V_KIOSK_ENGINE (source);
  GCancellable *cancellable = g_task_get_cancellable (G_TASK (result));
  P2vMachine *details = g_task_propagate_pointer (G_TASK (result), NULL);
  /* One that was stopped may end after the next has begun. */
  if (details == NULL || g_cancellable_is_cancelled (cancellable) || engine->asking != cancellable)
    {
      p2v_machine_free (details);
      return;
    }
  g_clear_object (&engine->asking);
  p2v_machine_free (engine->model->details);
  engine->model->details = details;
  p2v_kiosk_model_changed (engine->model, "details-changed");
}

void
p2v_kiosk_engine_stop_asking (P2vKioskEngine *engine)
{
  g_cancellable_cancel (engine->asking);
  g_clear_object (&engine->asking);
}

static void
ask_disks (P2vKioskEngine *engine)
{
  engine->asking = g_cancellable_new ();
  g_autoptr (GTask) task = g_task_new (engine, engine->asking, on_ask, NULL);
  g_task_set_check_cancellable (task, FALSE);
  g_task_set_task_data (task, p2v_schema_copy (&p2v_machine_schema, engine->model->machine),
                        (GDestroyNotify)p2v_machine_free);
  g_task_run_in_thread (task, run_ask);
}

/* error: transfer full, NULL: it has gone well. */
static void
end_look (P2vKioskEngine *engine, GError *error)
{
  g_clear_object (&engine->looking);
  g_clear_error (&engine->model->machine_error);
  engine->model->machine_error = error;
  engine->model->looking = FALSE;
}

static void
on_look (GObject *source, GAsyncResult *result, gpointer user_data G_GNUC_UNUSED)
{
  P2vKioskEngine *engine = P2V_KIOSK_ENGINE (source);
  P2vKioskModel *model = engine->model;
  g_autoptr (GError) error = NULL;
  g_autoptr (Look) look = g_task_propagate_pointer (G_TASK (result), &error);
  if (engine->looking != g_task_get_cancellable (G_TASK (result)))
    return;
  end_look (engine, g_steal_pointer (&error));
  if (look != NULL)
    {
      g_clear_pointer (&model->details, p2v_machine_free);
      p2v_machine_free (model->machine);
      p2v_request_free (model->suggestion);
      g_clear_error (&model->suggestion_error);
      model->machine = g_steal_pointer (&look->machine);
      model->suggestion = g_steal_pointer (&look->suggestion);
      model->suggestion_error = g_steal_pointer (&look->suggestion_error);
    }
  p2v_kiosk_model_changed (model, "machine-changed");
  if (look != NULL && model->phase == P2V_KIOSK_SETUP
      && !g_cancellable_is_cancelled (g_task_get_cancellable (G_TASK (result))))
    ask_disks (engine);
}

void
p2v_kiosk_engine_look (P2vKioskEngine *engine)
{
  if (engine->looking != NULL)
    return;
  p2v_kiosk_engine_stop_asking (engine);
  engine->looking = g_cancellable_new ();
  engine->model->looking = TRUE;
  p2v_kiosk_model_changed (engine->model, "machine-changed");
  engine->look_stage = g_new0 (int, 1);
  g_autoptr (GTask) task = g_task_new (engine, engine->looking, on_look, NULL);
  g_task_set_check_cancellable (task, FALSE);
  g_task_set_task_data (task, engine->look_stage, g_free);
  g_task_run_in_thread (task, run_look);
}

void
p2v_kiosk_engine_stop_look (P2vKioskEngine *engine)
{
  if (engine->looking == NULL)
    return;
  g_cancellable_cancel (engine->looking);
  if (!g_atomic_int_compare_and_exchange (engine->look_stage, LOOK_COLLECTING, LOOK_ABANDONED))
    return;
  end_look (engine, g_error_new (P2V_ERROR, P2V_ERROR_CANCELLED, "it was stopped"));
  p2v_kiosk_model_changed (engine->model, "machine-changed");
}
