/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/command.h"

#include "common/error.h"
#include "p2v-server/media.h"
#include "p2v-server/ssh-key.h"
#include "p2v-server/table.h"

#include <pwd.h>
#include <string.h>
#include <sys/stat.h>

static P2vMediaOptions options = { .timeout = -1 };
static char *output, *tree, *owner;
static char *server, *username, *hostkey, *identity;
static gboolean show;

static const GOptionEntry entries[] = {
  { "output", 'o', 0, G_OPTION_ARG_FILENAME, &output, "The image to write", "SITE.iso" },
  { "pxe", 0, 0, G_OPTION_ARG_FILENAME, &tree, "Prepare a directory for PXE, in its place", "DIR" },
  { "show", 0, 0, G_OPTION_ARG_NONE, &show, "Print what is set in an image or directory", NULL },
  { "server", 0, 0, G_OPTION_ARG_STRING, &server, "The conversion server (this host)", "HOST" },
  { "port", 0, 0, G_OPTION_ARG_INT, &options.port, "Its SSH port (22)", "PORT" },
  { "user", 0, 0, G_OPTION_ARG_STRING, &username, "The account there (" P2V_ACCOUNT ")", "USER" },
  { "hostkey", 0, 0, G_OPTION_ARG_STRING, &hostkey, "Its host key's fingerprint (this host's)",
    "SHA256:..." },
  { "identity", 0, 0, G_OPTION_ARG_FILENAME, &identity,
    "The private key to log in with (" P2V_IDENTITY_FILE ")", "FILE" },
  { "argument", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options.arguments,
    "A p2v.* default or kernel argument, may be repeated", "ARG" },
  { "unattended", 0, 0, G_OPTION_ARG_NONE, &options.unattended,
    "The boot menu starts the conversion by itself", NULL },
  { "timeout", 0, 0, G_OPTION_ARG_INT, &options.timeout, "How long the boot menu waits",
    "SECONDS" },
  { "owner", 0, 0, G_OPTION_ARG_STRING, &owner,
    "With --pxe: the account of the TFTP server, which may read the key", "USER" },
  G_OPTION_ENTRY_NULL,
};

static gboolean
fail (GError **error, const char *message)
{
  g_set_error_literal (error, P2V_ERROR, P2V_ERROR_USAGE, message);
  return FALSE;
}

static gboolean
check_usage (const char *image, GError **error)
{
  if (image != NULL && tree != NULL)
    return fail (error, "either an image, or --pxe DIR: not both.");
  if (image == NULL && tree == NULL)
    return fail (error, "which medium? Name an image that \"make iso\" has made, or --pxe DIR. See "
                        "p2v-server media --help.");
  if (show)
    return output == NULL || fail (error, "--show writes nothing. Leave out -o.");
  if (image != NULL && output == NULL)
    return fail (error, "which file should be written? Name it with -o SITE.iso");
  if (tree != NULL && output != NULL)
    return fail (error, "--pxe DIR prepares the directory in its place. Leave out -o.");
  if (owner != NULL && tree == NULL)
    return fail (error, "--owner goes with --pxe.");
  return TRUE;
}

static gboolean
find_owner (uid_t *uid, GError **error)
{
  *uid = (uid_t)-1;
  const struct passwd *user = owner != NULL ? getpwnam (owner) : NULL;
  if (user != NULL)
    *uid = user->pw_uid;
  else if (owner != NULL)
    g_set_error (error, P2V_ERROR, P2V_ERROR_USAGE,
                 "--owner %s: there is no such user. It is the account of the TFTP server, such as "
                 "dnsmasq or tftp.",
                 owner);
  return owner == NULL || user != NULL;
}

static void
say_image (void)
{
  g_autofree char *quoted = g_shell_quote (output);
  g_print ("\n%s is made, mode 0600. To a stick:\n  dd if=%s of=/dev/STICK bs=4M conv=fsync\n"
           "A CD is written with any program for CD images.\n",
           output, quoted);
  g_printerr ("\nWarning: the private key is in %s, and so on each stick or CD made from it. "
              "Whoever holds one can deliver machines to this server (nothing else). Lost one? "
              "\"p2v-server setup --new-key\" on the server, then make the media anew.\n",
              output);
}

static void
say_tree (const P2vMedium *medium)
{
  g_autofree char *image = g_build_filename (medium->path, P2V_MEDIUM_IMAGE, NULL);
  g_autofree char *quoted = g_shell_quote (image);
  struct stat status;
  gboolean known = stat (image, &status) == 0;
  const struct passwd *user = known ? getpwuid (status.st_uid) : NULL;
  const char *name = user != NULL ? user->pw_name : "a user without name";
  g_print ("\n%s is prepared.\n", medium->path);
  g_printerr ("\nWarning: the private key is in %s, mode 0600, owner %s. A TFTP or HTTP server "
              "gives it to everybody on its network who asks, and he can then deliver machines to "
              "the conversion server (nothing else). Let it serve only a network that you trust.\n",
              image, name);
  if (known && status.st_uid == 0)
    g_printerr ("As it is, only root can read it, and machines will not start. Give it to the "
                "account of the TFTP server (dnsmasq with tftp-secure, in.tftpd with "
                "--permissive): chown ACCOUNT %s, or --owner ACCOUNT here.\n",
                quoted);
}

static gboolean
write_medium (const P2vMedium *medium, const P2vServerConfig *config, GError **error)
{
  uid_t uid;
  options.server = server;
  options.username = username;
  options.hostkey = hostkey;
  options.identity = identity;
  if (!find_owner (&uid, error))
    return FALSE;
  g_autoptr (P2vSite) site = p2v_media_site (&options, config, error);
  g_autoptr (GHashTable) files = site != NULL ? p2v_medium_prepare (medium, site, error) : NULL;
  if (files == NULL)
    return FALSE;
  if (tree != NULL ? !p2v_medium_write_tree (medium, files, uid, error)
                   : !p2v_medium_write_image (medium, files, output, error))
    return FALSE;
  g_autoptr (P2vMedium) written = p2v_medium_open (tree != NULL ? tree : output, error);
  if (written == NULL || !p2v_media_show (written, error))
    return FALSE;
  if (tree != NULL)
    say_tree (written);
  else
    say_image ();
  return TRUE;
}

static int
run (const P2vCommand *command, const char *config_file, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vInvocation) invocation
      = p2v_invocation_new (command, entries, config_file, argc, argv, &error);
  if (invocation == NULL)
    return p2v_command_fail (error);
  const char *image = invocation->arguments[0];
  if (!check_usage (image, &error))
    return p2v_command_fail (error);
  g_autoptr (P2vMedium) medium = p2v_medium_open (tree != NULL ? tree : image, &error);
  if (medium != NULL && tree != NULL && !medium->is_tree)
    fail (&error, "--pxe: expected the directory that \"make pxe\" has made.");
  else if (medium != NULL && image != NULL && medium->is_tree && !show)
    fail (&error, "this is a directory. Prepare it with --pxe DIR.");
  if (error != NULL
      || !(show ? p2v_media_show (medium, &error)
                : write_medium (medium, invocation->config, &error)))
    return p2v_command_fail (error);
  return 0;
}

const P2vCommand p2v_command_media = {
  .name = "media",
  .argument = "[IMAGE.iso]",
  .optional = TRUE,
  .summary = "put this site's settings on the medium that machines start from",
  .details
  = "p2v-server media p2v.iso -o site.iso --server kvm1.example.com\n"
    "p2v-server media --pxe /srv/tftp --owner dnsmasq --argument p2v.profile=web --unattended\n"
    "p2v-server media --show site.iso\n\n"
    "Takes an image that \"make iso\" has made, or one that was prepared before, whose settings\n"
    "are replaced. The image that is named is never changed.",
  .run = run,
};
