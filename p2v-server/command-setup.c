/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/command.h"

#include "common/error.h"
#include "p2v-server/media.h"
#include "p2v-server/setup.h"
#include "p2v-server/this-host.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *user, *home, *key_file, *identity;
static gboolean new_key, dry_run;

static const GOptionEntry entries[] = {
  { "user", 0, 0, G_OPTION_ARG_STRING, &user, "The account (" P2V_ACCOUNT ")", "NAME" },
  { "home", 0, 0, G_OPTION_ARG_FILENAME, &home, "Its home directory (the state directory)", "DIR" },
  { "key", 0, 0, G_OPTION_ARG_FILENAME, &key_file, "Let this key in instead of making one",
    "FILE.pub" },
  { "new-key", 0, 0, G_OPTION_ARG_NONE, &new_key,
    "Make a new key; those made before are let in no more", NULL },
  { "identity", 0, 0, G_OPTION_ARG_FILENAME, &identity,
    "Where the private key is put (" P2V_IDENTITY_FILE ")", "FILE" },
  { "dry-run", 0, 0, G_OPTION_ARG_NONE, &dry_run, "Say what would be done, and do nothing", NULL },
  G_OPTION_ENTRY_NULL,
};

static gboolean
check_usage (const P2vServerConfig *config, GError **error)
{
  if (geteuid () != 0)
    g_set_error_literal (error, P2V_ERROR, P2V_ERROR_FAILED,
                         "setup makes a user account and writes below /etc, so only root can run "
                         "it (--dry-run too). Run: sudo p2v-server setup");
  else if (key_file != NULL && new_key)
    g_set_error_literal (error, P2V_ERROR, P2V_ERROR_USAGE,
                         "either a key of your own (--key) or a new one (--new-key), not both.");
  else if (key_file != NULL && identity != NULL)
    g_set_error_literal (error, P2V_ERROR, P2V_ERROR_USAGE,
                         "--identity says where a private key is put, and with --key none is made. "
                         "Leave it out.");
  else if (strcmp (config->file, P2V_SERVER_CONFIG_FILE) != 0)
    g_set_error (error, P2V_ERROR, P2V_ERROR_USAGE,
                 "as a login shell p2v-server reads %s only. Put the configuration there, and "
                 "leave out --config.",
                 P2V_SERVER_CONFIG_FILE);
  else
    return TRUE;
  return FALSE;
}

static void
print_host_keys (GPtrArray *keys)
{
  g_print ("\nHost keys of this server, for people who compare:\n");
  for (guint i = 0; i < keys->len; i++)
    {
      const P2vSshKey *key = keys->pdata[i];
      g_print ("  %s  %s\n", key->fingerprint, key->type);
    }
  if (keys->len == 0)
    g_print ("  none: make them with ssh-keygen -A, and run setup again\n");
}

static void
print_next (const P2vSetup *setup, GPtrArray *keys, guint16 port)
{
  g_autofree char *address = p2v_this_host_address (NULL);
  const char *server = address != NULL ? address : "ADDRESS-OF-THIS-SERVER";
  const char *hostkey
      = keys->len > 0 ? ((const P2vSshKey *)keys->pdata[0])->fingerprint : "SHA256:...";
  g_autofree char *ports = port != 22 ? g_strdup_printf (" p2v.port=%u", port) : g_strdup ("");
  g_autofree char *option = port != 22 ? g_strdup_printf (" --port %u", port) : g_strdup ("");
  const char *private = setup->key_file != NULL ? "YOUR-PRIVATE-KEY" : setup->identity;
  g_autofree char *quoted = g_shell_quote (private);
  gboolean standard = strcmp (private, P2V_IDENTITY_FILE) == 0;
  g_print (
      "\nKernel arguments with which a machine finds this server (p2v.identity= says where the "
      "machine\ngets the private key; on media made as below it is this file):\n"
      "  p2v.server=%s%s p2v.username=%s p2v.hostkey=%s p2v.identity=file:///etc/p2v/identity\n",
      server, ports, setup->user, hostkey);
  if (setup->key_file != NULL)
    g_print ("\nThe private key is yours: the one that belongs to %s.\n", setup->key_file);
  else
    g_print ("\nThe private key is in %s, for root alone. Whoever has it can deliver machines to "
             "this\nserver, and do nothing else.\n",
             setup->identity);
  g_print ("\nNext, put all that on a medium (\"make iso\" in p2v's source makes p2v.iso):\n"
           "  p2v-server media p2v.iso -o site.iso --server %s%s%s%s%s%s\n"
           "And see whether conversions can work here:\n"
           "  runuser -u %s -- %s check\n",
           server, option, strcmp (setup->user, P2V_ACCOUNT) != 0 ? " --user " : "",
           strcmp (setup->user, P2V_ACCOUNT) != 0 ? setup->user : "",
           standard ? "" : " --identity ",
           standard                  ? ""
           : setup->key_file != NULL ? private
                                     : quoted,
           setup->user, setup->program);
}

static gboolean
run_steps (P2vSetup *setup, guint16 *port, GError **error)
{
  if (!p2v_setup_program (setup, error) || !p2v_setup_account (setup, error)
      || !p2v_setup_directories (setup, error) || !p2v_setup_key (setup, error)
      || !p2v_setup_authorize (setup, error) || !p2v_setup_install_key (setup, error)
      || !p2v_setup_recover (setup, error))
    return FALSE;
  p2v_setup_check_sshd (setup, port);
  return TRUE;
}

static int
run (const P2vCommand *command, const char *config_file, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vInvocation) invocation
      = p2v_invocation_new (command, entries, config_file, argc, argv, &error);
  if (invocation == NULL || !check_usage (invocation->config, &error))
    return p2v_command_fail (error);
  g_autofree char *place
      = g_canonicalize_filename (identity != NULL ? identity : P2V_IDENTITY_FILE, NULL);
  g_auto (P2vSetup) setup = { .config = invocation->config,
                              .user = user != NULL ? user : P2V_ACCOUNT,
                              .home = home,
                              .key_file = key_file,
                              .identity = place,
                              .new_key = new_key,
                              .dry_run = dry_run };
  guint16 port = 22;
  /* What is made is for those it is given to. */
  umask (022);
  if (!run_steps (&setup, &port, &error))
    {
      p2v_setup_discard_key (&setup);
      return p2v_command_fail (error);
    }
  if (setup.changes == 0)
    g_print ("\nNothing had to be changed.\n");
  else if (dry_run)
    g_print ("\nNothing was changed (--dry-run).\n");
  g_autoptr (GPtrArray) keys = p2v_this_host_keys ();
  print_host_keys (keys);
  print_next (&setup, keys, port);
  return 0;
}

const P2vCommand p2v_command_setup = {
  .name = "setup",
  .summary = "prepare the account that machines log in as, and its key",
  .details = "Makes a user whose login shell is p2v-server, a key pair, and the directories, and "
             "says what it does.\nWhat is there already is kept, so it can be run again at any "
             "time. Needs root.",
  .run = run,
};
