/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/secrets.h"

#include "common/secrets.h"

static GPtrArray *
secrets_of (const P2vJob *job)
{
  GPtrArray *secrets = p2v_secrets_new ();
  p2v_secrets_add (secrets, job->token);
  p2v_secrets_add_options (secrets, job->request->output->options);
  p2v_secrets_add_uri (secrets, job->request->output->connection);
  if (job->plan != NULL)
    {
      p2v_secrets_add_options (secrets, job->plan->options);
      p2v_secrets_add_uri (secrets, job->plan->connection);
    }
  return secrets;
}

char *
p2v_secrets_remove (const P2vJob *job, const char *text)
{
  g_autoptr (GPtrArray) secrets = secrets_of (job);
  return p2v_secrets_mask (secrets, text);
}
