/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/error.h"

G_DEFINE_QUARK (p2v - error, p2v_error)

static const char *const code_names[] = {
  [P2V_ERROR_FAILED] = "failed",       [P2V_ERROR_USAGE] = "usage",
  [P2V_ERROR_CONNECTION] = "connect",  [P2V_ERROR_AUTH] = "auth",
  [P2V_ERROR_SOURCE] = "source",       [P2V_ERROR_REFUSED] = "refused",
  [P2V_ERROR_TRANSFER] = "transfer",   [P2V_ERROR_CONVERT] = "convert",
  [P2V_ERROR_CANCELLED] = "cancelled",
};

const char *
p2v_error_code_name (P2vErrorCode code)
{
  if (code < P2V_ERROR_FAILED || code > P2V_ERROR_CANCELLED)
    return code_names[P2V_ERROR_FAILED];
  return code_names[code];
}

P2vErrorCode
p2v_error_code_from_name (const char *name)
{
  for (guint code = P2V_ERROR_FAILED; code <= P2V_ERROR_CANCELLED; code++)
    if (g_strcmp0 (name, code_names[code]) == 0)
      return code;
  return P2V_ERROR_FAILED;
}

P2vErrorCode
p2v_error_code_of (const GError *error)
{
  if (error->domain != P2V_ERROR)
    return P2V_ERROR_FAILED;
  switch (error->code)
    {
    case P2V_ERROR_CONNECTION_FINAL:
      return P2V_ERROR_CONNECTION;
    case P2V_ERROR_AUTH_PASSING:
      return P2V_ERROR_AUTH;
    default:
      return (P2vErrorCode)error->code;
    }
}

void
p2v_error_recode (GError **error, P2vErrorCode code)
{
  if (error == NULL || *error == NULL)
    return;
  (*error)->domain = P2V_ERROR;
  (*error)->code = code;
}
