/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/ending.h"

#include "p2v-client/i18n.h"

#include <string.h>

static gboolean
is_verified (const P2vOutput *output)
{
  return g_strcmp0 (output->verify, "off") != 0;
}

static gboolean
waits_for (const P2vConfig *config, const char *what)
{
  return g_strcmp0 (config->wait, what) == 0;
}

/* sentence: transfer full. */
static void
add (GString *text, char *sentence)
{
  g_string_append_printf (text, "%s%s", text->len > 0 ? " " : "", sentence);
  g_free (sentence);
}

/* As far as it is known here: a profile and the server's defaults are the server's. */
static char *
foretell_guest (const P2vOutput *output, const char *name)
{
  gboolean file = g_strcmp0 (output->mode, "local") == 0 || g_strcmp0 (output->mode, "disk") == 0
                  || (output->mode == NULL && output->profile == NULL && output->storage != NULL
                      && g_path_is_absolute (output->storage));
  gboolean libvirt = g_strcmp0 (output->mode, "libvirt") == 0;
  if (file)
    return g_strdup_printf (_ ("It then makes the guest bootable and writes its definition, "
                               "%s.xml, beside the disks. It does not start it."),
                            name);
  if (libvirt)
    return g_strdup_printf (_ ("It then makes the guest bootable and defines it in libvirt as %s. "
                               "It does not start it."),
                            name);
  return g_strdup_printf (
      _ ("It then makes the guest bootable and defines it as %s. It does not start it."), name);
}

static char *
foretell_wait (const P2vConfig *config)
{
  gboolean verified = is_verified (config->output);
  if (waits_for (config, P2V_WAIT_LANDED) || (waits_for (config, P2V_WAIT_VERIFIED) && !verified))
    return g_strdup (_ ("This machine is no longer needed as soon as everything has reached the "
                        "server; what the server does then is not waited for."));
  if (waits_for (config, P2V_WAIT_VERIFIED))
    return g_strdup (_ ("This machine is no longer needed once that has been compared; what the "
                        "server does then is not waited for."));
  return g_strdup (_ ("You then decide whether to switch this machine off."));
}

char *
p2v_ending_foretell (const P2vConfig *config, const char *name)
{
  GString *text = g_string_new (NULL);
  add (text, g_strdup (_ ("This machine's disks are only read: it stays as it is.")));
  add (text, is_verified (config->output)
                 ? g_strdup (_ ("The server compares all that has reached it with what was read "
                                "here."))
                 : g_strdup (_ ("What reaches the server is not compared with what was read here, "
                                "as p2v.verify=off says.")));
  add (text, foretell_guest (config->output, name));
  add (text, foretell_wait (config));
  return g_string_free (text, FALSE);
}

char *
p2v_ending_headline (const P2vEnding *ending)
{
  const char *name = ending->request->guest->name;
  if (ending->place != NULL)
    return g_strdup_printf (_ ("The guest %s has been made"), name);
  return g_strdup_printf (
      _ ("Everything has reached the server, which makes the guest %s by itself"), name);
}

/* Every chunk: what is not equal ends a job. */
static char *
count_compared (const P2vVerified *verified)
{
  gint64 all = verified->data + verified->zero;
  return g_strdup_printf (
      ngettext ("All %lld chunk of 4 MiB compared with what was read, all equal: %lld with data, "
                "%lld with zeroes.",
                "All %lld chunks of 4 MiB compared with what was read, all equal: %lld with data, "
                "%lld with zeroes.",
                (gulong)all),
      (long long)all, (long long)verified->data, (long long)verified->zero);
}

static char *
describe_comparison (const P2vEnding *ending)
{
  const P2vVerified *verified = ending->verified;
  const char *state = verified != NULL ? verified->state : NULL;
  if (!is_verified (ending->request->output) || g_strcmp0 (state, P2V_VERIFICATION_OFF) == 0)
    return g_strdup (
        _ ("The disks on the server were not compared with what was read, as p2v.verify=off "
           "says."));
  if (g_strcmp0 (state, P2V_VERIFICATION_PASSED) == 0)
    return count_compared (verified);
  if (ending->place != NULL)
    return g_strdup (_ ("The server does not say what it has compared."));
  if (waits_for (ending->config, P2V_WAIT_VERIFIED))
    return g_strdup (_ ("The server has compared all that has reached it with what was read: all "
                        "equal."));
  return g_strdup (_ ("The server compares all that has reached it with what was read; that was "
                      "not waited for, as p2v.wait=landed says."));
}

char *
p2v_ending_checks (const P2vEnding *ending)
{
  GString *text = g_string_new (NULL);
  add (text, describe_comparison (ending));
  add (text, ending->place != NULL
                 ? g_strdup (_ ("Whether the guest starts was not tried."))
                 : g_strdup (_ ("Whether the guest can be made was not waited for.")));
  return g_string_free (text, FALSE);
}

/* The command that starts the guest; a place is libvirt's address, the file of a definition, or
 * what virt-v2v was told. */
static char *
advise_start (const P2vEnding *ending)
{
  const char *name = ending->request->guest->name;
  const char *place = ending->place;
  const char *server = ending->config->server;
  if (g_path_is_absolute (place))
    return g_strdup_printf (_ ("Then start the guest on %s: virsh define %s, virsh start %s."),
                            server, place, name);
  if (strstr (place, "://") != NULL && strchr (place, ' ') == NULL)
    return g_strdup_printf (_ ("Then start the guest on %s: virsh -c %s start %s."), server, place,
                            name);
  return g_strdup_printf (_ ("Then start the guest %s where it is now."), name);
}

char *
p2v_ending_next_step (const P2vEnding *ending)
{
  GString *text = g_string_new (NULL);
  add (text, g_strdup (_ ("Switch this machine off before you start the guest: both have the same "
                          "name and may have the same addresses.")));
  add (text, ending->place != NULL
                 ? advise_start (ending)
                 : g_strdup_printf (_ ("When the guest is there says, on %s: p2v-server show %s."),
                                    ending->config->server, ending->job));
  return g_string_free (text, FALSE);
}
