/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_SITE_H
#define P2V_SITE_H

#include <glib.h>

G_BEGIN_DECLS

/* A site: what `p2v-server media` puts on a medium so that machines find their conversion server.
 * It becomes an additional initramfs, site.img, with p2v's defaults and the private key, and a
 * piece of the boot menu of each boot loader. */

/* The files of site.img, as the image's programs know them. The last holds kernel arguments, for
 * entries of the boot menu that could not be given any: the image finds the network's there. */
#define P2V_SITE_DEFAULTS "etc/p2v/defaults"
#define P2V_SITE_IDENTITY "etc/p2v/identity"
#define P2V_SITE_KERNEL "etc/p2v/kernel-arguments"

typedef struct
{
  char *server;
  guint16 port;
  char *username;
  char *hostkey;       /* "SHA256:…" or "any" */
  GBytes *identity;    /* the private key's text */
  GPtrArray *defaults; /* further p2v.* words, quoted as on a kernel command line */
  GPtrArray *kernel;   /* words for the kernel command line that are not p2v's; of those about the
                        * network the image itself takes care, see P2V_SITE_KERNEL */
  gboolean unattended; /* what the menu starts by itself */
  gint timeout;        /* seconds until it does; -1: as the medium's own menu says */
} P2vSite;

P2vSite *p2v_site_new (void);
void p2v_site_free (P2vSite *site);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vSite, p2v_site_free)

/* Set what their names say. All fail with P2V_ERROR_USAGE. */
gboolean p2v_site_set_server (P2vSite *site, const char *server, GError **error);
gboolean p2v_site_set_username (P2vSite *site, const char *username, GError **error);

/* Adds a kernel argument: "p2v.profile=x" becomes a default, anything else goes to the kernel
 * command line of the menu's entries. Blanks in the value of a p2v.* argument are quoted. Refuses
 * with P2V_ERROR_USAGE what no program of the image knows, what has an option of its own, secrets,
 * and what some boot loader would not hand on as it is. */
gboolean p2v_site_add_argument (P2vSite *site, const char *argument, GError **error);

/* The text of P2V_SITE_DEFAULTS (transfer full). */
char *p2v_site_defaults (const P2vSite *site);

/* The words for the kernel command line, separated by blanks (transfer full). */
char *p2v_site_kernel (const P2vSite *site);

/* site.img: a cpio archive in the format "newc" (Linux, Documentation/driver-api/early-userspace/
 * buffer-format.rst), wiped when freed. */
GBytes *p2v_site_image (const P2vSite *site, GError **error);

/* Reads a site.img. defaults, identity: their contents (transfer full), NULL when there are none.
 * Fails with P2V_ERROR_USAGE when it is no such archive. name: for the message. */
gboolean p2v_site_image_read (GBytes *image, const char *name, char **defaults, GBytes **identity,
                              GError **error);

/* The boot loaders. */
typedef enum
{
  P2V_MENU_ISOLINUX, /* BIOS, CD and USB */
  P2V_MENU_PXELINUX, /* BIOS, network */
  P2V_MENU_GRUB,     /* UEFI, all three */
  P2V_MENU_IPXE,     /* network */
} P2vMenuKind;

/* The boot loader's piece of menu. base: the medium's own kernel arguments. Fails with
 * P2V_ERROR_USAGE when the kernel command line gets too long, or base has what cannot be handed on
 * (transfer full). */
char *p2v_site_menu (const P2vSite *site, P2vMenuKind kind, const char *base, GError **error);

/* Whether a word can stand in every boot loader's menu without being changed by it. */
gboolean p2v_site_word_is_plain (const char *word);

G_END_DECLS

#endif
