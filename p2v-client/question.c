/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/question.h"

#include "p2v-client/i18n.h"
#include "p2v-client/text.h"

#define MILLISECONDS 1000

struct _P2vQuestion
{
  void (*changed) (gpointer user_data);
  gpointer user_data;
  GMutex lock;
  GCond woken;
  P2vUnfinished *asked; /* NULL: nothing, or it is answered */
  gboolean go_on;
};

P2vUnfinished *
p2v_unfinished_copy (const P2vUnfinished *unfinished)
{
  P2vUnfinished *copy = g_memdup2 (unfinished, sizeof *unfinished);
  copy->job = g_strdup (unfinished->job);
  return copy;
}

void
p2v_unfinished_free (P2vUnfinished *unfinished)
{
  if (unfinished == NULL)
    return;
  g_free (unfinished->job);
  g_free (unfinished);
}

char *
p2v_unfinished_describe (const P2vUnfinished *unfinished)
{
  g_autofree char *job = p2v_text_printable (unfinished->job);
  g_autofree char *landed = p2v_size_format (unfinished->landed);
  g_autofree char *total = p2v_size_format (unfinished->total);
  g_autoptr (GDateTime) created
      = g_date_time_new_from_unix_local (unfinished->created / MILLISECONDS);
  /* The server may say any number; not each is a date. */
  g_autofree char *begun = created != NULL
                               ? g_date_time_format (created, _ (", begun on %Y-%m-%d at %H:%M %Z"))
                               : NULL;
  return g_strdup_printf (_ ("The server has job %s%s: %s of %s have landed."), job,
                          begun != NULL ? begun : "", landed, total);
}

P2vQuestion *
p2v_question_new (void (*changed) (gpointer user_data), gpointer user_data)
{
  P2vQuestion *question = g_new0 (P2vQuestion, 1);
  question->changed = changed;
  question->user_data = user_data;
  g_mutex_init (&question->lock);
  g_cond_init (&question->woken);
  return question;
}

void
p2v_question_free (P2vQuestion *question)
{
  if (question == NULL)
    return;
  g_mutex_clear (&question->lock);
  g_cond_clear (&question->woken);
  p2v_unfinished_free (question->asked);
  g_free (question);
}

static void
tell_changed (P2vQuestion *question)
{
  if (question->changed != NULL)
    question->changed (question->user_data);
}

static void
on_cancelled (GCancellable *cancellable G_GNUC_UNUSED, gpointer user_data)
{
  P2vQuestion *question = user_data;
  g_mutex_lock (&question->lock);
  g_cond_broadcast (&question->woken);
  g_mutex_unlock (&question->lock);
}

gboolean
p2v_question_ask (P2vQuestion *question, const P2vUnfinished *unfinished, GCancellable *cancellable)
{
  g_mutex_lock (&question->lock);
  question->asked = p2v_unfinished_copy (unfinished);
  question->go_on = TRUE;
  g_mutex_unlock (&question->lock);
  tell_changed (question);
  /* Not with the lock held: when it is cancelled already, the function is called at once. */
  gulong handler = g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), question, NULL);
  g_mutex_lock (&question->lock);
  while (question->asked != NULL && !g_cancellable_is_cancelled (cancellable))
    g_cond_wait (&question->woken, &question->lock);
  g_clear_pointer (&question->asked, p2v_unfinished_free);
  gboolean go_on = question->go_on;
  g_mutex_unlock (&question->lock);
  g_cancellable_disconnect (cancellable, handler);
  tell_changed (question);
  return go_on;
}

P2vUnfinished *
p2v_question_get (P2vQuestion *question)
{
  g_mutex_lock (&question->lock);
  P2vUnfinished *asked = question->asked != NULL ? p2v_unfinished_copy (question->asked) : NULL;
  g_mutex_unlock (&question->lock);
  return asked;
}

gboolean
p2v_question_is_open (P2vQuestion *question)
{
  g_mutex_lock (&question->lock);
  gboolean open = question->asked != NULL;
  g_mutex_unlock (&question->lock);
  return open;
}

void
p2v_question_answer (P2vQuestion *question, gboolean go_on)
{
  g_mutex_lock (&question->lock);
  if (question->asked != NULL)
    {
      question->go_on = go_on;
      g_clear_pointer (&question->asked, p2v_unfinished_free);
      g_cond_broadcast (&question->woken);
    }
  g_mutex_unlock (&question->lock);
}
