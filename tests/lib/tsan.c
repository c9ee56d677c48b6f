/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What ThreadSanitizer has to know of GLib, which is not built with it: GLib's locks, queues and
 * threads order what happens before and after them. A part of every program of
 * "make SANITIZE=thread", where these functions stand before GLib's of the same name; each says
 * what it orders and calls the real one. What is not here and should be shows as a false alarm. */
#include <dlfcn.h>
#include <gio/gio.h>
#include <sanitizer/tsan_interface.h>

/* The GLib function of that name, whichever it is. */
#define REAL(name)                                                                                 \
  ({                                                                                               \
    static __typeof__ (&name) real;                                                                \
    if (__atomic_load_n (&real, __ATOMIC_RELAXED) == NULL)                                         \
      __atomic_store_n (&real, (__typeof__ (&name))dlsym (RTLD_NEXT, #name), __ATOMIC_RELAXED);    \
    __atomic_load_n (&real, __ATOMIC_RELAXED);                                                     \
  })

const char *__tsan_default_options (void);

/* The first race ends the program: a session that goes on would still pass its tests. What other
 * libraries do with their own memory is theirs: they are not built with it either. */
const char *
__tsan_default_options (void)
{
  return "halt_on_error=1:second_deadlock_stack=1:ignore_noninstrumented_modules=1:exitcode=66";
}

void
g_mutex_lock (GMutex *mutex)
{
  REAL (g_mutex_lock) (mutex);
  __tsan_acquire (mutex);
}

gboolean
g_mutex_trylock (GMutex *mutex)
{
  gboolean locked = REAL (g_mutex_trylock) (mutex);
  if (locked)
    __tsan_acquire (mutex);
  return locked;
}

void
g_mutex_unlock (GMutex *mutex)
{
  __tsan_release (mutex);
  REAL (g_mutex_unlock) (mutex);
}

void
g_cond_wait (GCond *cond, GMutex *mutex)
{
  __tsan_release (mutex);
  REAL (g_cond_wait) (cond, mutex);
  __tsan_acquire (mutex);
}

gboolean
g_cond_wait_until (GCond *cond, GMutex *mutex, gint64 end_time)
{
  __tsan_release (mutex);
  gboolean signalled = REAL (g_cond_wait_until) (cond, mutex, end_time);
  __tsan_acquire (mutex);
  return signalled;
}

void
g_async_queue_push (GAsyncQueue *queue, gpointer data)
{
  __tsan_release (queue);
  REAL (g_async_queue_push) (queue, data);
}

gpointer
g_async_queue_pop (GAsyncQueue *queue)
{
  gpointer data = REAL (g_async_queue_pop) (queue);
  __tsan_acquire (queue);
  return data;
}

gpointer
g_async_queue_try_pop (GAsyncQueue *queue)
{
  gpointer data = REAL (g_async_queue_try_pop) (queue);
  __tsan_acquire (queue);
  return data;
}

gpointer
g_async_queue_timeout_pop (GAsyncQueue *queue, guint64 timeout)
{
  gpointer data = REAL (g_async_queue_timeout_pop) (queue, timeout);
  __tsan_acquire (queue);
  return data;
}

void
g_async_queue_unref (GAsyncQueue *queue)
{
  __tsan_release (queue);
  __tsan_acquire (queue);
  REAL (g_async_queue_unref) (queue);
}

/* A function with its argument that another thread will call. */
typedef struct
{
  GThreadFunc func;
  GFunc each; /* of a pool */
  GSourceFunc source;
  gpointer data;
  GDestroyNotify notify;
} Call;

static Call *
call_new (Call from)
{
  Call *call = g_memdup2 (&from, sizeof from);
  __tsan_release (call);
  return call;
}

static gpointer
run_thread (gpointer data)
{
  Call *call = data;
  __tsan_acquire (call);
  gpointer result = call->func (call->data);
  g_free (call);
  __tsan_release (g_thread_self ());
  return result;
}

GThread *
g_thread_new (const char *name, GThreadFunc func, gpointer data)
{
  return REAL (g_thread_new) (name, run_thread, call_new ((Call){ .func = func, .data = data }));
}

gpointer
g_thread_join (GThread *thread)
{
  gpointer result = REAL (g_thread_join) (thread);
  __tsan_acquire (thread);
  return result;
}

static void
run_each (gpointer item, gpointer data)
{
  Call *call = data;
  __tsan_acquire (call);
  call->each (item, call->data);
  __tsan_release (call);
}

GThreadPool *
g_thread_pool_new (GFunc func, gpointer data, gint max_threads, gboolean exclusive, GError **error)
{
  Call *call = call_new ((Call){ .each = func, .data = data });
  return REAL (g_thread_pool_new) (run_each, call, max_threads, exclusive, error);
}

gboolean
g_thread_pool_push (GThreadPool *pool, gpointer data, GError **error)
{
  __tsan_release (pool->user_data);
  return REAL (g_thread_pool_push) (pool, data, error);
}

void
g_thread_pool_free (GThreadPool *pool, gboolean immediate, gboolean wait)
{
  Call *call = pool->user_data;
  REAL (g_thread_pool_free) (pool, immediate, wait);
  __tsan_acquire (call);
  if (wait)
    g_free (call);
}

static gboolean
run_source (gpointer data)
{
  Call *call = data;
  __tsan_acquire (call);
  return call->source (call->data);
}

static void
end_source (gpointer data)
{
  Call *call = data;
  __tsan_acquire (call);
  if (call->notify != NULL)
    call->notify (call->data);
  g_free (call);
}

guint
g_idle_add_full (gint priority, GSourceFunc func, gpointer data, GDestroyNotify notify)
{
  Call *call = call_new ((Call){ .source = func, .data = data, .notify = notify });
  return REAL (g_idle_add_full) (priority, run_source, call, end_source);
}

guint
g_idle_add (GSourceFunc func, gpointer data)
{
  return g_idle_add_full (G_PRIORITY_DEFAULT_IDLE, func, data, NULL);
}

void
g_main_loop_quit (GMainLoop *loop)
{
  __tsan_release (loop);
  REAL (g_main_loop_quit) (loop);
}

void
g_main_loop_run (GMainLoop *loop)
{
  REAL (g_main_loop_run) (loop);
  __tsan_acquire (loop);
}

void
g_cancellable_cancel (GCancellable *cancellable)
{
  if (cancellable != NULL)
    __tsan_release (cancellable);
  REAL (g_cancellable_cancel) (cancellable);
}

gboolean
g_cancellable_is_cancelled (GCancellable *cancellable)
{
  gboolean cancelled = REAL (g_cancellable_is_cancelled) (cancellable);
  if (cancelled)
    __tsan_acquire (cancellable);
  return cancelled;
}

void
g_object_unref (gpointer object)
{
  __tsan_release (object);
  __tsan_acquire (object);
  REAL (g_object_unref) (object);
}

void
g_bytes_unref (GBytes *bytes)
{
  if (bytes != NULL)
    {
      __tsan_release (bytes);
      __tsan_acquire (bytes);
    }
  REAL (g_bytes_unref) (bytes);
}

void
g_atomic_rc_box_release_full (gpointer box, GDestroyNotify clear)
{
  __tsan_release (box);
  __tsan_acquire (box);
  REAL (g_atomic_rc_box_release_full) (box, clear);
}

void (g_once_init_leave) (volatile void *location, gsize result)
{
  __tsan_release ((void *)location);
  REAL (g_once_init_leave) (location, result);
}
