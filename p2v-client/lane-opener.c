/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/lane-opener.h"

#include "common/error.h"
#include "common/protocol.h"
#include "p2v-client/control.h"
#include "p2v-client/identity.h"

#include <gio/gio.h>

struct _P2vLaneOpener
{
  const P2vConfig *config;
  const char *identity;
  char *job;
  char *token;
  P2vLaneOpenedFunc opened;
  gpointer user_data;
  P2vBandwidth *bandwidth;
  GCancellable *cancellable;
  GThreadPool *thread;
};

typedef struct
{
  char *disk;
  guint tag;
} Request;

/* A connection of its own, and a line each way before NBD begins. */
static P2vSsh *
open_lane (P2vLaneOpener *opener, const char *disk, GError **error)
{
  GError *failure = NULL;
  g_autoptr (P2vSsh) ssh = p2v_ssh_open (opener->config, opener->identity, P2V_COMMAND_LANE,
                                         opener->bandwidth, opener->cancellable, NULL, error);
  if (ssh == NULL)
    return NULL;
  JsonObject *hello = p2v_message_new (P2V_MESSAGE_LANE);
  json_object_set_int_member (hello, "version", P2V_PROTOCOL_VERSION);
  json_object_set_string_member (hello, "job", opener->job);
  json_object_set_string_member (hello, "token", opener->token);
  json_object_set_string_member (hello, "disk", disk);
  if (opener->config->compress != P2V_COMPRESS_OFF)
    json_object_set_string_member (hello, "compress", P2V_LANE_ZSTD);
  g_autoptr (JsonObject) ready
      = p2v_control_ask (ssh, hello, P2V_MESSAGE_READY, opener->cancellable, &failure);
  /* A server that does not know how to says nothing of it. */
  if (ready != NULL && g_strcmp0 (p2v_message_get_string (ready, "compress"), P2V_LANE_ZSTD) == 0)
    p2v_ssh_compress (ssh, opener->config->compress);
  if (ready != NULL)
    return g_steal_pointer (&ssh);
  if (g_error_matches (failure, P2V_ERROR, P2V_ERROR_TRANSFER))
    {
      g_autofree char *why = p2v_ssh_explain_end (ssh);
      g_prefix_error (&failure, "no lane for disk %s: %s: ", disk, why);
    }
  g_propagate_error (error, failure);
  return NULL;
}

static void
serve (gpointer data, gpointer user_data)
{
  P2vLaneOpener *opener = user_data;
  Request *request = data;
  if (!g_cancellable_is_cancelled (opener->cancellable))
    {
      GError *error = NULL;
      P2vSsh *ssh = open_lane (opener, request->disk, &error);
      opener->opened (request->tag, ssh, error, opener->user_data);
    }
  g_free (request->disk);
  g_free (request);
}

P2vLaneOpener *
p2v_lane_opener_new (const P2vConfig *config, const char *identity, const char *job,
                     const char *token, P2vBandwidth *bandwidth, P2vLaneOpenedFunc opened,
                     gpointer user_data)
{
  P2vLaneOpener *opener = g_new0 (P2vLaneOpener, 1);
  opener->config = config;
  opener->identity = identity;
  opener->job = g_strdup (job);
  opener->token = g_strdup (token);
  opener->bandwidth = bandwidth;
  opener->opened = opened;
  opener->user_data = user_data;
  opener->cancellable = g_cancellable_new ();
  opener->thread = g_thread_pool_new (serve, opener, 1, FALSE, NULL);
  return opener;
}

void
p2v_lane_opener_request (P2vLaneOpener *opener, const char *disk, guint tag)
{
  Request request = { .disk = g_strdup (disk), .tag = tag };
  g_thread_pool_push (opener->thread, g_memdup2 (&request, sizeof request), NULL);
}

void
p2v_lane_opener_free (P2vLaneOpener *opener)
{
  if (opener == NULL)
    return;
  g_cancellable_cancel (opener->cancellable);
  g_thread_pool_free (opener->thread, FALSE, TRUE);
  g_object_unref (opener->cancellable);
  g_free (opener->job);
  p2v_secret_free (opener->token);
  g_free (opener);
}
