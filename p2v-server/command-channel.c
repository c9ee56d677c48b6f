/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/command.h"

#include "common/error.h"
#include "common/protocol.h"
#include "p2v-server/lane.h"
#include "p2v-server/session.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* The commands that sshd runs: session, lane, and forced, which chooses between the two. */

static int
run_session (const P2vCommand *command, const char *config_file, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vInvocation) invocation
      = p2v_invocation_new (command, NULL, config_file, argc, argv, &error);
  if (invocation == NULL)
    return p2v_command_fail (error);
  /* A client that is gone is an error of write(), not the end of the process. */
  signal (SIGPIPE, SIG_IGN);
  return p2v_session_run (invocation->config, STDIN_FILENO, STDOUT_FILENO);
}

/* The file of a configuration, NULL for the usual one, which need not exist. */
static const char *
special_file (const P2vServerConfig *config)
{
  return strcmp (config->file, P2V_SERVER_CONFIG_FILE) == 0 ? NULL : config->file;
}

/* Becomes the program for it. */
static int
run_lane (const P2vCommand *command, const char *config_file, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vInvocation) invocation
      = p2v_invocation_new (command, NULL, config_file, argc, argv, &error);
  g_autofree char *self = invocation != NULL ? g_file_read_link ("/proc/self/exe", &error) : NULL;
  if (self == NULL)
    return p2v_command_fail (error);
  g_autofree char *directory = g_path_get_dirname (self);
  g_autofree char *program = g_build_filename (directory, P2V_LANE_PROGRAM, NULL);
  const char *words[] = { P2V_LANE_PROGRAM, special_file (invocation->config), NULL };
  execv (program, (char **)words);
  g_set_error (&error, P2V_ERROR, P2V_ERROR_FAILED,
               "cannot run %s: %s. It belongs to p2v-server: install the two together.", program,
               g_strerror (errno));
  return p2v_command_fail (error);
}

/* Becomes `sudo -n p2v-server NAME`, so that sudoers(5) can allow exactly this. */
static int
run_as_root (const char *name, const char *config_file)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *program = g_file_read_link ("/proc/self/exe", &error);
  if (program == NULL)
    return p2v_command_fail (error);
  g_autofree char *sudo = g_find_program_in_path ("sudo");
  if (sudo == NULL)
    {
      g_set_error_literal (&error, P2V_ERROR, P2V_ERROR_REFUSED,
                           "sudo was asked for (p2v.sudo) but is not installed on the server. "
                           "Install it there (apt install sudo), or leave out p2v.sudo.");
      return p2v_command_fail (error);
    }
  const char *argv[] = { sudo, "-n", program, name, NULL, NULL, NULL };
  if (config_file != NULL)
    {
      argv[4] = "--config";
      argv[5] = config_file;
    }
  execv (sudo, (char **)argv);
  g_set_error (&error, P2V_ERROR, P2V_ERROR_FAILED, "cannot run %s: %s", sudo, g_strerror (errno));
  return p2v_command_fail (error);
}

static int
refuse (const char *asked)
{
  g_autofree char *start = g_strndup (asked != NULL ? asked : "", 64);
  g_autofree char *shown = g_strescape (start, NULL);
  g_printerr ("p2v-server: this account only receives machines for conversion: \"%s\" is not "
              "\"" P2V_COMMAND_SESSION "\" or \"" P2V_COMMAND_LANE "\".\n",
              shown);
  return P2V_ERROR_USAGE;
}

int
p2v_forced_run (const char *asked, const char *config_file)
{
  /* Whole strings are compared and none is ever taken apart: nothing a client sends is an argument
   * of anything. */
  static const struct
  {
    const char *asked;
    const P2vCommand *command;
    gboolean as_root;
  } allowed[] = {
    { P2V_COMMAND_SESSION, &p2v_command_session, FALSE },
    { P2V_COMMAND_LANE, &p2v_command_lane, FALSE },
    { P2V_SUDO_PREFIX P2V_COMMAND_SESSION, &p2v_command_session, TRUE },
    { P2V_SUDO_PREFIX P2V_COMMAND_LANE, &p2v_command_lane, TRUE },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (allowed); i++)
    {
      if (g_strcmp0 (asked, allowed[i].asked) != 0)
        continue;
      const P2vCommand *command = allowed[i].command;
      if (allowed[i].as_root && geteuid () != 0)
        return run_as_root (command->name, config_file);
      char *argv[] = { (char *)command->name, NULL };
      return command->run (command, config_file, 1, argv);
    }
  return refuse (asked);
}

static int
run_forced (const P2vCommand *command, const char *config_file, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vInvocation) invocation
      = p2v_invocation_new (command, NULL, config_file, argc, argv, &error);
  if (invocation == NULL)
    return p2v_command_fail (error);
  return p2v_forced_run (g_getenv ("SSH_ORIGINAL_COMMAND"), special_file (invocation->config));
}

const P2vCommand p2v_command_session = {
  .name = "session",
  .summary = "receive a machine: the control protocol on standard input and output",
  .internal = TRUE,
  .run = run_session,
};

const P2vCommand p2v_command_lane = {
  .name = "lane",
  .summary = "receive the data of a disk: NBD on standard input and output",
  .internal = TRUE,
  .run = run_lane,
};

const P2vCommand p2v_command_forced = {
  .name = "forced",
  .summary = "run what SSH_ORIGINAL_COMMAND asks for, if it is a session or a lane",
  .details = "For ~/.ssh/authorized_keys of the server's account:\n"
             "  restrict,command=\"/usr/bin/p2v-server forced\" ssh-ed25519 AAAA…",
  .internal = TRUE,
  .run = run_forced,
};
