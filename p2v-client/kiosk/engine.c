/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/kiosk/engine-private.h"

#include "common/error.h"
#include "p2v-client/i18n.h"

/* How often the network is looked at, seconds. */
#define NETWORK_SECONDS 2

G_DEFINE_TYPE (P2vKioskEngine, p2v_kiosk_engine, G_TYPE_OBJECT)

/* What the conversion asks, or asks no more, reaches the main loop. */
static gboolean
show_question (gpointer user_data)
{
  P2vKioskEngine *engine = user_data;
  p2v_kiosk_state_ask (engine->model->state, p2v_question_get (engine->question));
  p2v_kiosk_model_changed (engine->model, "conversion-changed");
  return G_SOURCE_REMOVE;
}

static void
on_question (gpointer user_data)
{
  /* In its place between the updates, as in on_update(). */
  g_idle_add_full (G_PRIORITY_DEFAULT, show_question, g_object_ref (user_data), g_object_unref);
}

P2vKioskEngine *
p2v_kiosk_engine_new (P2vKioskModel *model, const char *root)
{
  P2vKioskEngine *engine = g_object_new (P2V_TYPE_KIOSK_ENGINE, NULL);
  engine->model = g_object_ref (model);
  engine->root = g_strdup (root);
  engine->question = p2v_question_new (on_question, engine);
  return engine;
}

/* Runs a function in a thread; done hears of it on the main loop. The task keeps the engine. */
static void
start (P2vKioskEngine *engine, GTaskThreadFunc run, GAsyncReadyCallback done,
       GCancellable *cancellable)
{
  g_autoptr (GTask) task = g_task_new (engine, cancellable, done, NULL);
  /* What was found is wanted, however it ended. */
  g_task_set_check_cancellable (task, FALSE);
  g_task_run_in_thread (task, run);
}

static void
run_network (GTask *task, gpointer source G_GNUC_UNUSED, gpointer data G_GNUC_UNUSED,
             GCancellable *cancellable G_GNUC_UNUSED)
{
  g_task_return_pointer (task, p2v_interfaces_look (), (GDestroyNotify)g_ptr_array_unref);
}

static void
on_network (GObject *source, GAsyncResult *result, gpointer user_data G_GNUC_UNUSED)
{
  P2vKioskEngine *engine = P2V_KIOSK_ENGINE (source);
  P2vKioskModel *model = engine->model;
  g_autoptr (GPtrArray) links = g_task_propagate_pointer (G_TASK (result), NULL);
  engine->network_busy = FALSE;
  if (p2v_interfaces_equal (links, model->links))
    return;
  g_clear_pointer (&model->links, g_ptr_array_unref);
  model->links = g_steal_pointer (&links);
  p2v_kiosk_model_changed (model, "network-changed");
}

static gboolean
look_at_network (gpointer user_data)
{
  P2vKioskEngine *engine = user_data;
  if (!engine->network_busy)
    {
      engine->network_busy = TRUE;
      start (engine, run_network, on_network, NULL);
    }
  return G_SOURCE_CONTINUE;
}

void
p2v_kiosk_engine_watch_network (P2vKioskEngine *engine)
{
  if (engine->network_timer != 0)
    return;
  engine->network_timer = g_timeout_add_seconds (NETWORK_SECONDS, look_at_network, engine);
  look_at_network (engine);
}

static void
run_probe (GTask *task, gpointer source, gpointer data G_GNUC_UNUSED, GCancellable *cancellable)
{
  P2vKioskEngine *engine = source;
  P2vKioskModel *model = engine->model;
  GError *error = NULL;
  /* Nobody touches these two while the model is probing. */
  if (p2v_probe_run (model->config, model->probe, cancellable, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static void
on_probe (GObject *source, GAsyncResult *result, gpointer user_data G_GNUC_UNUSED)
{
  P2vKioskEngine *engine = P2V_KIOSK_ENGINE (source);
  P2vKioskModel *model = engine->model;
  model->server_works = g_task_propagate_boolean (G_TASK (result), &model->probe_error);
  model->probing = FALSE;
  g_clear_object (&engine->probing);
  p2v_kiosk_model_changed (model, "server-changed");
}

void
p2v_kiosk_engine_probe (P2vKioskEngine *engine)
{
  P2vKioskModel *model = engine->model;
  g_return_if_fail (!model->probing && !p2v_kiosk_model_is_converting (model));
  p2v_kiosk_model_forget_probe (model);
  model->probe = p2v_probe_new ();
  model->probing = TRUE;
  engine->probing = g_cancellable_new ();
  p2v_kiosk_model_changed (model, "server-changed");
  start (engine, run_probe, on_probe, engine->probing);
}

void
p2v_kiosk_engine_stop_probe (P2vKioskEngine *engine)
{
  g_cancellable_cancel (engine->probing);
}

static void
run_estimate (GTask *task, gpointer source G_GNUC_UNUSED, gpointer data, GCancellable *cancellable)
{
  g_task_return_pointer (task, p2v_estimate_measure (data, cancellable),
                         (GDestroyNotify)p2v_estimate_free);
}

static void
on_estimate (GObject *source, GAsyncResult *result, gpointer user_data G_GNUC_UNUSED)
{
  P2vKioskEngine *engine = P2V_KIOSK_ENGINE (source);
  GCancellable *cancellable = g_task_get_cancellable (G_TASK (result));
  P2vEstimate *estimate = g_task_propagate_pointer (G_TASK (result), NULL);
  if (g_cancellable_is_cancelled (cancellable) || engine->estimating != cancellable)
    {
      p2v_estimate_free (estimate);
      return;
    }
  g_clear_object (&engine->estimating);
  engine->model->estimate = estimate;
  p2v_kiosk_model_changed (engine->model, "estimate-changed");
}

void
p2v_kiosk_engine_stop_estimate (P2vKioskEngine *engine)
{
  g_cancellable_cancel (engine->estimating);
  g_clear_object (&engine->estimating);
}

void
p2v_kiosk_engine_estimate (P2vKioskEngine *engine)
{
  P2vKioskModel *model = engine->model;
  const P2vMachine *machine = model->details != NULL ? model->details : model->machine;
  p2v_kiosk_engine_stop_estimate (engine);
  g_clear_pointer (&model->estimate, p2v_estimate_free);
  engine->estimating = g_cancellable_new ();
  g_autoptr (GTask) task = g_task_new (engine, engine->estimating, on_estimate, NULL);
  g_task_set_check_cancellable (task, FALSE);
  g_task_set_task_data (
      task, p2v_estimate_task_new (model->config, machine, model->request->guest->disks),
      (GDestroyNotify)p2v_estimate_task_free);
  g_task_run_in_thread (task, run_estimate);
  p2v_kiosk_model_changed (model, "estimate-changed");
}

/* An update on its way to the main loop. */
typedef struct
{
  P2vKioskModel *model;
  P2vUpdate *update;
} Parcel;

static gboolean
deliver (gpointer user_data)
{
  Parcel *parcel = user_data;
  p2v_kiosk_state_update (parcel->model->state, parcel->update);
  p2v_kiosk_model_changed (parcel->model, "conversion-changed");
  return G_SOURCE_REMOVE;
}

static void
free_parcel (Parcel *parcel)
{
  g_object_unref (parcel->model);
  p2v_update_free (parcel->update);
  g_free (parcel);
}

static void
on_update (const P2vUpdate *update, gpointer user_data)
{
  P2vKioskEngine *engine = user_data;
  Parcel parcel = { g_object_ref (engine->model), p2v_update_copy (update) };
  /* With the priority of the task's end, which must not overtake the last update. */
  g_idle_add_full (G_PRIORITY_DEFAULT, deliver, g_memdup2 (&parcel, sizeof parcel),
                   (GDestroyNotify)free_parcel);
}

static gboolean
on_unfinished (const P2vUnfinished *unfinished, GCancellable *cancellable, gpointer user_data)
{
  P2vKioskEngine *engine = user_data;
  return p2v_question_ask (engine->question, unfinished, cancellable);
}

static void
run_conversion (GTask *task, gpointer source, gpointer data G_GNUC_UNUSED,
                GCancellable *cancellable)
{
  P2vKioskEngine *engine = source;
  P2vKioskModel *model = engine->model;
  GError *error = NULL;
  if (p2v_conversion_run (model->config, model->request, cancellable, on_update, on_unfinished,
                          engine, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static void
on_conversion (GObject *source, GAsyncResult *result, gpointer user_data G_GNUC_UNUSED)
{
  P2vKioskEngine *engine = P2V_KIOSK_ENGINE (source);
  P2vKioskModel *model = engine->model;
  gboolean converted = g_task_propagate_boolean (G_TASK (result), &model->failure);
  /* Whatever came of being stopped is no failure of its own. */
  if (!converted && g_cancellable_is_cancelled (engine->converting))
    p2v_error_recode (&model->failure, P2V_ERROR_CANCELLED);
  model->phase = converted ? P2V_KIOSK_DONE : P2V_KIOSK_FAILED;
  g_clear_object (&engine->converting);
  p2v_kiosk_model_changed (model, "conversion-changed");
}

void
p2v_kiosk_engine_convert (P2vKioskEngine *engine)
{
  P2vKioskModel *model = engine->model;
  g_return_if_fail (model->request != NULL && !model->probing && !model->looking);
  g_return_if_fail (!p2v_kiosk_model_is_converting (model));
  g_autofree char *activity = g_strdup_printf (_ ("Connecting to %s"), model->config->server);
  g_clear_pointer (&model->state, p2v_kiosk_state_free);
  g_clear_error (&model->failure);
  p2v_kiosk_model_forget_report (model);
  model->state = p2v_kiosk_state_new (activity);
  model->phase = P2V_KIOSK_RUNNING;
  model->held = FALSE;
  /* The conversion asks for itself, and needs what a measurement would take. */
  p2v_kiosk_engine_stop_asking (engine);
  p2v_kiosk_engine_stop_estimate (engine);
  engine->converting = g_cancellable_new ();
  p2v_kiosk_model_changed (model, "conversion-changed");
  start (engine, run_conversion, on_conversion, engine->converting);
}

void
p2v_kiosk_engine_answer (P2vKioskEngine *engine, gboolean go_on)
{
  p2v_question_answer (engine->question, go_on);
  if (engine->model->state == NULL)
    return;
  p2v_kiosk_state_ask (engine->model->state, NULL);
  p2v_kiosk_model_changed (engine->model, "conversion-changed");
}

void
p2v_kiosk_engine_hold (P2vKioskEngine *engine, gboolean held)
{
  if (engine->converting == NULL || engine->model->held == held)
    return;
  engine->model->held = held;
  p2v_conversion_hold (engine->converting, held);
  p2v_kiosk_model_changed (engine->model, "conversion-changed");
}

static void
stop_conversion (P2vKioskEngine *engine, void (*stop) (GCancellable *cancellable))
{
  if (engine->converting == NULL || g_cancellable_is_cancelled (engine->converting))
    return;
  engine->model->phase = P2V_KIOSK_STOPPING;
  p2v_kiosk_model_changed (engine->model, "conversion-changed");
  stop (engine->converting);
}

void
p2v_kiosk_engine_stop_conversion (P2vKioskEngine *engine)
{
  stop_conversion (engine, g_cancellable_cancel);
}

void
p2v_kiosk_engine_leave_conversion (P2vKioskEngine *engine)
{
  stop_conversion (engine, p2v_conversion_leave);
}

/* A report to be saved, and what came of it; the task's own. */
typedef struct
{
  P2vStickReport *report;
  P2vStick *stick; /* NULL: the only one there is */
  char **chosen;
  GPtrArray *found;
} Saving;

static void
free_saving (gpointer data)
{
  Saving *saving = data;
  p2v_stick_report_free (saving->report);
  p2v_stick_free (saving->stick);
  g_strfreev (saving->chosen);
  g_clear_pointer (&saving->found, g_ptr_array_unref);
  g_free (saving);
}

static void
run_save (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  P2vKioskEngine *engine = source;
  Saving *saving = data;
  GError *error = NULL;
  const P2vStick *stick = saving->stick;
  if (stick == NULL)
    {
      saving->found = p2v_stick_find (engine->root, saving->chosen, cancellable);
      stick = saving->found->len == 1 ? saving->found->pdata[0] : NULL;
    }
  if (stick == NULL)
    g_task_return_pointer (task, NULL, NULL);
  else if (p2v_stick_report_save (saving->report, stick, cancellable, &error))
    g_task_return_pointer (
        task, g_strdup_printf ("%s: %s", stick->text, p2v_stick_report_name (saving->report)),
        g_free);
  else
    g_task_return_error (task, error);
}

static void
on_save (GObject *source, GAsyncResult *result, gpointer user_data G_GNUC_UNUSED)
{
  P2vKioskModel *model = P2V_KIOSK_ENGINE (source)->model;
  Saving *saving = g_task_get_task_data (G_TASK (result));
  model->saved = g_task_propagate_pointer (G_TASK (result), &model->save_error);
  model->sticks = g_steal_pointer (&saving->found);
  model->saving = FALSE;
  p2v_kiosk_model_changed (model, "report-changed");
}

void
p2v_kiosk_engine_save_report (P2vKioskEngine *engine, const P2vStick *stick)
{
  P2vKioskModel *model = engine->model;
  g_return_if_fail (model->state != NULL && !p2v_kiosk_model_is_converting (model));
  if (model->saving)
    return;
  g_autofree char *log = p2v_kiosk_state_log_text (model->state);
  Saving *saving = g_new0 (Saving, 1);
  saving->report = p2v_stick_report_new (model->config, model->request, model->failure, log);
  saving->stick = stick != NULL ? p2v_stick_copy (stick) : NULL;
  saving->chosen = g_strdupv (model->request->guest->disks);
  model->saving = TRUE;
  p2v_kiosk_model_forget_report (model);
  g_autoptr (GTask) task = g_task_new (engine, NULL, on_save, NULL);
  g_task_set_task_data (task, saving, free_saving);
  g_task_run_in_thread (task, run_save);
}

void
p2v_kiosk_engine_close (P2vKioskEngine *engine)
{
  g_clear_handle_id (&engine->network_timer, g_source_remove);
  g_cancellable_cancel (engine->looking);
  g_cancellable_cancel (engine->probing);
  p2v_kiosk_engine_stop_asking (engine);
  p2v_kiosk_engine_stop_estimate (engine);
}

static void
finalize (GObject *object)
{
  P2vKioskEngine *engine = P2V_KIOSK_ENGINE (object);
  g_clear_handle_id (&engine->network_timer, g_source_remove);
  g_clear_object (&engine->model);
  g_clear_object (&engine->looking);
  g_clear_object (&engine->asking);
  g_clear_object (&engine->probing);
  g_clear_object (&engine->estimating);
  g_clear_object (&engine->converting);
  g_clear_pointer (&engine->question, p2v_question_free);
  g_free (engine->root);
  G_OBJECT_CLASS (p2v_kiosk_engine_parent_class)->finalize (object);
}

static void
p2v_kiosk_engine_class_init (P2vKioskEngineClass *class)
{
  G_OBJECT_CLASS (class)->finalize = finalize;
}

static void
p2v_kiosk_engine_init (P2vKioskEngine *engine)
{
  (void)engine;
}
