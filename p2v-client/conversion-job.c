/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The beginning of a conversion: a new job, or one that an earlier run has left unfinished. */
#include "p2v-client/conversion-parts.h"

#include "common/error.h"

GPtrArray *
p2v_conversion_new_tables (P2vConversion *self)
{
  GPtrArray *tables = g_ptr_array_new_with_free_func ((GDestroyNotify)p2v_chunk_table_free);
  for (guint i = 0; i < self->sources->len; i++)
    g_ptr_array_add (tables, p2v_chunk_table_new (((P2vSource *)self->sources->pdata[i])->size));
  return tables;
}

static gboolean
make_no_sense (GError **error)
{
  g_set_error_literal (error, P2V_ERROR, P2V_ERROR_FAILED,
                       "the server's answer to the request makes no sense");
  return FALSE;
}

static gboolean
read_disks (P2vConversion *self, JsonArray *disks, GError **error)
{
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();
  g_array_set_size (self->zeroed, 0);
  for (guint i = 0; i < json_array_get_length (disks); i++)
    {
      JsonNode *node = json_array_get_element (disks, i);
      JsonObject *disk = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
      const char *name = disk != NULL ? p2v_message_get_string (disk, "disk") : NULL;
      if (name == NULL)
        return make_no_sense (error);
      JsonNode *member = json_object_get_member (disk, "zeroed");
      gboolean zeroed
          = member != NULL && JSON_NODE_HOLDS_VALUE (member) && json_node_get_boolean (member);
      g_strv_builder_add (names, name);
      g_array_append_val (self->zeroed, zeroed);
    }
  g_strfreev (self->names);
  self->names = g_strv_builder_end (names);
  return TRUE;
}

gboolean
p2v_conversion_read_job (P2vConversion *self, JsonObject *message, GError **error)
{
  JsonNode *disks = json_object_get_member (message, "disks");
  const char *job = p2v_message_get_string (message, "job");
  const char *token = p2v_message_get_string (message, "token");
  if (job == NULL || token == NULL || disks == NULL || !JSON_NODE_HOLDS_ARRAY (disks)
      || json_array_get_length (json_node_get_array (disks)) != self->sources->len)
    return make_no_sense (error);
  if (!read_disks (self, json_node_get_array (disks), error))
    return FALSE;
  self->job = g_strdup (job);
  self->token = g_strdup (token);
  self->exports = g_strdup (p2v_message_get_string (message, "exports"));
  p2v_conversion_tell (self, P2V_UPDATE_CREATED, self->job);
  return TRUE;
}

static gboolean
create_job (P2vConversion *self, GError **error)
{
  gint64 needed = 0;
  for (guint i = 0; i < self->sources->len; i++)
    {
      const P2vSource *source = self->sources->pdata[i];
      needed += p2v_block_map_bytes (source->map, P2V_EXTENT_DATA);
    }
  JsonObject *create = p2v_message_new (P2V_MESSAGE_CREATE);
  json_object_set_object_member (create, "request", p2v_request_to_json (self->request));
  json_object_set_int_member (create, "needed", needed);
  if (!p2v_conversion_send (self, create, error))
    return FALSE;
  self->creating = TRUE;
  g_autoptr (JsonObject) created = p2v_conversion_wait_for (self, P2V_MESSAGE_CREATED, error);
  self->creating = FALSE;
  return created != NULL && p2v_conversion_read_job (self, created, error);
}

static JsonObject *
new_message_with_request (P2vConversion *self, const char *type, const char *job)
{
  JsonObject *message = p2v_message_new (type);
  json_object_set_object_member (message, "request", p2v_request_to_json (self->request));
  if (job != NULL)
    json_object_set_string_member (message, "job", job);
  return message;
}

/* What the server has of one disk; "index" is the disk's place in our own order, as the kernel may
 * have given it another name this time. */
static gboolean
read_earlier (P2vConversion *self, JsonObject *message, GError **error)
{
  gint64 index;
  if (!p2v_message_get_int (message, "index", 0, (gint64)self->sources->len - 1, &index, error))
    return FALSE;
  P2vChunkTable *table = self->earlier->pdata[index];
  g_autoptr (GArray) runs
      = p2v_chunk_runs_from_message (message, p2v_chunk_table_count (table), TRUE, error);
  for (guint i = 0; runs != NULL && i < runs->len; i++)
    p2v_chunk_table_set (table, &g_array_index (runs, P2vChunkRun, i));
  return runs != NULL;
}

/* All of it has landed before: TRUE then, and we only look on. */
static gboolean
look_on (P2vConversion *self, JsonObject *resumed)
{
  const char *job = p2v_message_get_string (resumed, "job");
  if (job == NULL || !p2v_conversion_says_landed (resumed))
    return FALSE;
  self->job = g_strdup (job);
  p2v_conversion_tell (self, P2V_UPDATE_CREATED, job);
  p2v_conversion_hear_landed (self, resumed);
  return TRUE;
}

/* What of an earlier run the server says it has, with its hashes: manifests, and then "resumed". */
static gboolean
hear_earlier (P2vConversion *self, GError **error)
{
  for (;;)
    {
      GError *failure = NULL;
      g_autoptr (P2vNotice) notice = p2v_conversion_next_notice (self, &failure);
      JsonObject *message = notice != NULL ? notice->message : NULL;
      const char *type = message != NULL ? p2v_message_type (message) : "";
      if (g_str_equal (type, P2V_MESSAGE_MANIFEST))
        read_earlier (self, message, &failure);
      if (failure != NULL)
        {
          g_propagate_error (error, failure);
          return FALSE;
        }
      if (g_str_equal (type, P2V_MESSAGE_RESUMED))
        {
          if (look_on (self, message))
            return TRUE;
          if (!p2v_conversion_read_job (self, message, error))
            return FALSE;
          p2v_conversion_hear_bad (self, message);
          return TRUE;
        }
    }
}

static gboolean
resume_job (P2vConversion *self, const char *job, GError **error)
{
  self->earlier = p2v_conversion_new_tables (self);
  return p2v_conversion_send (self, new_message_with_request (self, P2V_MESSAGE_RESUME, job), error)
         && hear_earlier (self, error);
}

/* The earlier job is given up: its images would stand in the way of the new one. */
static gboolean
discard_job (P2vConversion *self, const char *job, GError **error)
{
  if (!p2v_conversion_send (self, new_message_with_request (self, P2V_MESSAGE_DISCARD, job), error))
    return FALSE;
  g_autoptr (JsonObject) noted = p2v_conversion_wait_for (self, P2V_MESSAGE_NOTED, error);
  return noted != NULL;
}

/* What a person is asked, and answers. */
typedef struct
{
  P2vConversion *conversion;
  const P2vUnfinished *unfinished;
  GCancellable *withdrawn;
  gboolean go_on;
  gint answered;
} Question;

static gpointer
question_thread (gpointer data)
{
  Question *question = data;
  P2vConversion *self = question->conversion;
  P2vNotice wake = { 0 };
  question->go_on = self->ask (question->unfinished, question->withdrawn, self->user_data);
  g_atomic_int_set (&question->answered, 1);
  p2v_conversion_notify (self, &wake);
  return NULL;
}

/* In a thread of its own: a server that hears nothing from us for long hangs up, and people take
 * their time. */
static gboolean
ask_person (P2vConversion *self, const P2vUnfinished *unfinished, gboolean *go_on, GError **error)
{
  g_autoptr (GCancellable) withdrawn = g_cancellable_new ();
  Question question
      = { .conversion = self, .unfinished = unfinished, .withdrawn = withdrawn, .go_on = TRUE };
  GError *failure = NULL;
  GThread *thread = g_thread_new ("question", question_thread, &question);
  while (failure == NULL && g_atomic_int_get (&question.answered) == 0)
    p2v_notice_free (p2v_conversion_next_notice (self, &failure));
  if (failure != NULL)
    g_cancellable_cancel (withdrawn);
  g_thread_join (thread);
  *go_on = question.go_on;
  if (failure == NULL)
    return TRUE;
  g_propagate_error (error, failure);
  return FALSE;
}

/* All of the job has landed before: the server is making a guest of it. */
static gboolean
is_complete (JsonObject *found)
{
  JsonNode *complete = json_object_get_member (found, "complete");
  return complete != NULL && JSON_NODE_HOLDS_VALUE (complete) && json_node_get_boolean (complete);
}

/* wanted: set to whether the job is gone on with. Fails when that cannot be found out any more. */
static gboolean
find_out_wish (P2vConversion *self, JsonObject *found, gboolean *wanted, GError **error)
{
  P2vUnfinished unfinished = { .job = (char *)p2v_message_get_string (found, "job") };
  *wanted = self->config->resume != P2V_NO;
  if (self->ask == NULL || self->config->resume != P2V_UNSET
      || !p2v_message_get_int (found, "created", 0, G_MAXINT64, &unfinished.created, NULL)
      || !p2v_message_get_int (found, "landed", 0, G_MAXINT64, &unfinished.landed, NULL)
      || !p2v_message_get_int (found, "total", 0, G_MAXINT64, &unfinished.total, NULL))
    return TRUE;
  return ask_person (self, &unfinished, wanted, error);
}

gboolean
p2v_conversion_begin_job (P2vConversion *self, GError **error)
{
  /* Nothing was heard while the filesystems were asked, nor was anything to be. */
  self->heard = g_get_monotonic_time ();
  if (!p2v_conversion_send (self, new_message_with_request (self, P2V_MESSAGE_FIND, NULL), error))
    return FALSE;
  g_autoptr (JsonObject) found = p2v_conversion_wait_for (self, P2V_MESSAGE_FOUND, error);
  if (found == NULL)
    return FALSE;
  const char *job = p2v_message_get_string (found, "job");
  /* To begin anew what is complete is for the server to refuse: it has the guest's name. */
  if (job == NULL || (is_complete (found) && self->config->resume == P2V_NO))
    return create_job (self, error);
  if (is_complete (found))
    return resume_job (self, job, error);
  gboolean wanted = TRUE;
  if (!find_out_wish (self, found, &wanted, error))
    return FALSE;
  if (wanted)
    return resume_job (self, job, error);
  return discard_job (self, job, error) && create_job (self, error);
}
