/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/command.h"

#include "common/error.h"
#include "p2v-server/follow.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* In the job's directory: all that virt-v2v said, see convert.h. */
#define CONVERT_LOG "convert.log"

static gboolean as_json;
static gboolean follow;
static gboolean conversion;

static const GOptionEntry entries[] = {
  { "follow", 'f', 0, G_OPTION_ARG_NONE, &follow, "Go on printing until the job ends", NULL },
  { "conversion", 0, 0, G_OPTION_ARG_NONE, &conversion,
    "Print what virt-v2v said, all of it, instead of the job's events", NULL },
  { "json", 0, 0, G_OPTION_ARG_NONE, &as_json, "Print events as JSON, one a line", NULL },
  G_OPTION_ENTRY_NULL,
};

/* The guest's boot messages are in it: control characters other than line ends become spaces. */
static void
print_clean (char *text, gsize length)
{
  for (gsize i = 0; i < length; i++)
    if (g_ascii_iscntrl (text[i]) && text[i] != '\n' && text[i] != '\t')
      text[i] = ' ';
  fwrite (text, 1, length, stdout);
}

static gboolean
print_conversion (const P2vJob *job, GError **error)
{
  g_autofree char *path = p2v_job_path (job, CONVERT_LOG);
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0 && errno == ENOENT)
    {
      g_set_error (error, P2V_ERROR, P2V_ERROR_REFUSED,
                   "job %s has not been converted yet, so virt-v2v has said nothing.", job->id);
      return FALSE;
    }
  char buffer[16384];
  ssize_t got = -1;
  while (fd >= 0 && (got = read (fd, buffer, sizeof buffer)) > 0)
    print_clean (buffer, (gsize)got);
  if (got < 0)
    g_set_error (error, P2V_ERROR, P2V_ERROR_FAILED, "cannot read %s: %s", path,
                 g_strerror (errno));
  if (fd >= 0)
    close (fd);
  return got == 0;
}

static int
run (const P2vCommand *command, const char *config_file, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vInvocation) invocation
      = p2v_invocation_new (command, entries, config_file, argc, argv, &error);
  if (invocation == NULL)
    return p2v_command_fail (error);
  g_autoptr (P2vJob) job = p2v_job_load (invocation->config, invocation->arguments[0], &error);
  if (job == NULL)
    return p2v_command_fail (error);
  goffset offset = 0;
  gboolean printed = conversion ? print_conversion (job, &error)
                     : follow ? p2v_follow_run (invocation->config, &job, &offset, as_json, &error)
                              : p2v_follow_print (job, &offset, as_json, &error);
  return printed ? 0 : p2v_command_fail (error);
}

const P2vCommand p2v_command_log = {
  .name = "log",
  .argument = "ID",
  .summary = "print what happened in a job",
  .run = run,
};
