/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/site.h"

#include "common/error.h"

#include <string.h>

/* x86's kernel keeps 2047 bytes of command line (arch/x86/include/asm/setup.h, COMMAND_LINE_SIZE);
 * boot loaders add BOOT_IMAGE= and initrd= to what they are told. */
#define MAX_COMMAND_LINE 1800

#define HEADING "# Made by \"p2v-server media\", which replaces it each time.\n"

/* The unattended entry's kernel arguments: the medium's own, the server, and what was asked for. */
static char *
build_arguments (const P2vSite *site, const char *base, GError **error)
{
  g_autoptr (GString) all = g_string_new (NULL);
  g_auto (GStrv) words = g_strsplit_set (base, " \t\r\n", -1);
  for (gsize i = 0; words[i] != NULL; i++)
    {
      if (words[i][0] == '\0')
        continue;
      if (!p2v_site_word_is_plain (words[i]))
        {
          g_autofree char *shown = g_strescape (words[i], NULL);
          g_set_error (error, P2V_ERROR, P2V_ERROR_USAGE,
                       "p2v/arguments of the medium has the kernel argument \"%s\", which not "
                       "every boot loader would hand on as it is. Make the image without it.",
                       shown);
          return NULL;
        }
      g_string_append_printf (all, "%s ", words[i]);
    }
  g_autofree char *kernel = p2v_site_kernel (site);
  g_string_append_printf (all, "p2v.server=%s%s%s", site->server, kernel[0] != '\0' ? " " : "",
                          kernel);
  if (all->len > MAX_COMMAND_LINE)
    {
      g_set_error (error, P2V_ERROR, P2V_ERROR_USAGE,
                   "the kernel command line would have %zu bytes, and the kernel cuts it off after "
                   "2047. Leave out some --argument; p2v.* ones are no part of it.",
                   all->len);
      return NULL;
    }
  return g_string_free (g_steal_pointer (&all), FALSE);
}

/* DEFAULT in an included file replaces the one before it (measured, syslinux 6.04 with menu.c32;
 * MENU DEFAULT does not). Without it this entry must not become the default by being the first,
 * which the DEFAULT of the including file prevents. folder: "/p2v/" or "p2v/". */
static void
append_syslinux (GString *text, const P2vSite *site, const char *folder, const char *arguments)
{
  g_string_append (text, HEADING);
  if (site->unattended)
    g_string_append (text, "DEFAULT unattended\n");
  if (site->timeout >= 0)
    /* Tenths of a second; 0 would wait for ever. */
    g_string_append_printf (text, "TIMEOUT %d\n", MAX (site->timeout * 10, 1));
  g_string_append_printf (
      text,
      "\nLABEL unattended\n"
      "  MENU LABEL Convert this machine to %s, ^no questions\n"
      "  TEXT HELP\n"
      "  Sends the disks to that server without asking anything, then switches\n"
      "  the machine off. The disks are only read.\n"
      "  ENDTEXT\n"
      "  KERNEL %svmlinuz\n"
      "  APPEND initrd=%sinitramfs.img,%ssite.img %s\n\n",
      site->server, folder, folder, folder, arguments);
}

static void
append_grub (GString *text, const P2vSite *site, const char *arguments)
{
  g_autofree char *kernel = p2v_site_kernel (site);
  g_string_append (text, HEADING);
  /* Every other entry has them too. */
  g_string_append_printf (text, "set p2v_arguments='%s'\nexport p2v_arguments\n", kernel);
  if (site->unattended)
    g_string_append (text, "set default=unattended\n");
  if (site->timeout >= 0)
    g_string_append_printf (text, "set timeout=%d\n", site->timeout);
  g_auto (GStrv) words = g_strsplit (arguments, " ", -1);
  g_string_append_printf (text,
                          "\nmenuentry 'Convert this machine to %s, no questions' --id unattended "
                          "--hotkey n {\n"
                          "  linux /p2v/vmlinuz",
                          site->server);
  for (gsize i = 0; words[i] != NULL; i++)
    g_string_append_printf (text, " '%s'", words[i]);
  g_string_append (text, "\n  initrd /p2v/initramfs.img /p2v/site.img\n}\n");
}

/* A menu of its own before that of boot.ipxe, which goes on when this script ends. iPXE hands an
 * initrd to an EFI kernel by its name, so initrd= has to be there; BIOS kernels do not look. */
static void
append_ipxe (GString *text, const P2vSite *site, const char *arguments)
{
  g_autofree char *kernel = p2v_site_kernel (site);
  g_autofree char *timeout
      = site->timeout >= 0 ? g_strdup_printf ("%d", MAX (site->timeout * 1000, 1)) : NULL;
  g_string_append (text, "#!ipxe\n" HEADING);
  if (kernel[0] != '\0')
    g_string_append_printf (text, "set p2v_arguments %s\n", kernel);
  g_string_append_printf (text,
                          "menu p2v\n"
                          "item unattended Convert this machine to %s, no questions\n"
                          "item other Other ways to start\n"
                          "choose --default %s --timeout %s choice || goto other\n"
                          "goto ${choice}\n\n"
                          ":unattended\n"
                          "kernel p2v/vmlinuz initrd=initramfs.img initrd=site.img %s || goto "
                          "failed\n"
                          "initrd p2v/initramfs.img || goto failed\n"
                          "initrd p2v/site.img || goto failed\n"
                          "boot || goto failed\n\n"
                          ":failed\n"
                          "echo Cannot load p2v. The server may not read p2v/site.img (mode "
                          "0600).\n"
                          "imgfree\n"
                          "prompt --timeout 15000 Press any key for the menu. ||\n\n"
                          ":other\n"
                          "exit 0\n",
                          site->server, site->unattended ? "unattended" : "other",
                          timeout != NULL ? timeout : "15000", arguments);
}

char *
p2v_site_menu (const P2vSite *site, P2vMenuKind kind, const char *base, GError **error)
{
  g_autofree char *arguments = build_arguments (site, base, error);
  if (arguments == NULL)
    return NULL;
  GString *text = g_string_new (NULL);
  switch (kind)
    {
    case P2V_MENU_ISOLINUX:
      append_syslinux (text, site, "/p2v/", arguments);
      break;
    case P2V_MENU_PXELINUX:
      append_syslinux (text, site, "p2v/", arguments);
      break;
    case P2V_MENU_GRUB:
      append_grub (text, site, arguments);
      break;
    case P2V_MENU_IPXE:
      append_ipxe (text, site, arguments);
      break;
    }
  return g_string_free (text, FALSE);
}
