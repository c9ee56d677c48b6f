/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/libvirt.h"

#include <libvirt/virterror.h>

static void
print_nothing (void *data, virErrorPtr failure)
{
  (void)data;
  (void)failure;
}

static gpointer
silence (gpointer data)
{
  /* libvirt's default handler writes to stderr, which is the control channel's log for us. */
  virSetErrorFunc (NULL, print_nothing);
  return data;
}

virConnectPtr
p2v_libvirt_open (const char *uri, GError **error)
{
  static GOnce once = G_ONCE_INIT;
  g_once (&once, silence, NULL);
  virConnectPtr connection = virConnectOpen (uri);
  if (connection == NULL)
    {
      p2v_libvirt_fail (error, P2V_ERROR_REFUSED, "cannot connect to libvirt at %s", uri);
      g_autofree char *advice = g_strdup_printf (
          ". Check on the server that \"virsh -c %s list\" works for the account that p2v-server "
          "runs as (package libvirt-daemon-system, group libvirt), or set uri= in [libvirt].",
          uri);
      if (error != NULL)
        {
          char *message = g_strconcat ((*error)->message, advice, NULL);
          g_free ((*error)->message);
          (*error)->message = message;
        }
    }
  return connection;
}

gboolean
p2v_libvirt_fail (GError **error, P2vErrorCode code, const char *format, ...)
{
  const char *reason = virGetLastErrorMessage ();
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *what = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (error, P2V_ERROR, code, "%s: %s", what, reason);
  return FALSE;
}

gboolean
p2v_libvirt_failed_with (int number)
{
  return virGetLastErrorCode () == number;
}
