/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_MEDIA_H
#define P2V_MEDIA_H

#include "p2v-server/config.h"
#include "p2v-server/medium.h"

G_BEGIN_DECLS

/* Where `setup` puts the private key of machines, and `media` looks for it. */
#define P2V_IDENTITY_FILE P2V_SYSCONFDIR "/p2v/identity"

/* The account that machines log in as, unless another is named. */
#define P2V_ACCOUNT "p2v"

/* What the options of `media` say; NULL, 0 and -1 where they say nothing. */
typedef struct
{
  const char *server;
  gint port;
  const char *username;
  const char *hostkey;
  const char *identity; /* file */
  char **arguments;
  gboolean unattended;
  gint timeout; /* seconds */
} P2vMediaOptions;

/* The site that options ask for, with what they leave out filled in from this host. The filling
 * in, and what is worth a thought, is said on standard error. Fails with P2V_ERROR_USAGE. */
P2vSite *p2v_media_site (const P2vMediaOptions *options, const P2vServerConfig *config,
                         GError **error);

/* Prints the settings of a site that a medium holds, without its key. */
gboolean p2v_media_show (const P2vMedium *medium, GError **error);

G_END_DECLS

#endif
