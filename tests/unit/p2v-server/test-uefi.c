/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/uefi.h"

#include <string.h>

static P2vFirmware *
firmware_new (const char *order, ...)
{
  P2vFirmware *firmware = p2v_firmware_new ();
  firmware->boot_order = g_strsplit (order, ",", -1);
  va_list loaders;
  va_start (loaders, order);
  guint id = 0;
  for (const char *loader = va_arg (loaders, const char *); loader != NULL;
       loader = va_arg (loaders, const char *))
    {
      P2vBootEntry *entry = g_new0 (P2vBootEntry, 1);
      entry->id = g_strdup_printf ("%04X", id++);
      entry->active = TRUE;
      entry->loader = g_strdup (loader);
      g_ptr_array_add (firmware->boot_entries, entry);
    }
  va_end (loaders);
  return firmware;
}

static const char debian_files[]
    = "lost+found|EFI|EFI/debian|EFI/debian/BOOTX64.CSV|EFI/debian/fbx64.efi|"
      "EFI/debian/grub.cfg|EFI/debian/grubx64.efi|EFI/debian/mmx64.efi|"
      "EFI/debian/shimx64.efi";

/* What would be copied: "LOADER < COMPANION COMPANION…", "nothing" or "unknown". */
static char *
decide (const P2vFirmware *firmware, const char *files)
{
  g_auto (GStrv) list = g_strsplit (files, "|", -1);
  g_autoptr (P2vUefiFix) fix = p2v_uefi_decide (firmware, list);
  if (fix->loader == NULL)
    return g_strdup (fix->has_loader ? "nothing" : "unknown");
  g_autofree char *companions = g_strjoinv (" ", fix->companions);
  return g_strdup_printf ("%s < %s", fix->loader, companions);
}

static void
assert_decision (const P2vFirmware *firmware, const char *files, const char *expected)
{
  g_autofree char *decision = decide (firmware, files);
  g_assert_cmpstr (decision, ==, expected);
}

/* fbx64.efi stays where it is: beside shim in \EFI\BOOT it would be run in place of GRUB. */
static void
test_debian (void)
{
  g_autoptr (P2vFirmware) firmware = firmware_new ("0000", "\\EFI\\debian\\shimx64.efi", NULL);
  assert_decision (firmware, debian_files,
                   "/EFI/debian/shimx64.efi < /EFI/debian/grub.cfg /EFI/debian/grubx64.efi "
                   "/EFI/debian/mmx64.efi");
}

static void
test_fallback_exists (void)
{
  g_autoptr (P2vFirmware) firmware = firmware_new ("0000", "\\EFI\\debian\\shimx64.efi", NULL);
  g_autofree char *files = g_strconcat (debian_files, "|efi/Boot/bootx64.efi", NULL);
  assert_decision (firmware, files, "nothing");
}

static void
test_case_does_not_matter (void)
{
  g_autoptr (P2vFirmware) firmware = firmware_new ("0000", "/efi/DEBIAN/ShimX64.EFI", NULL);
  assert_decision (firmware, "EFI/debian/SHIMX64.EFI|EFI/Debian/GRUBX64.EFI|EFI/boot/grubx64.efi",
                   "/EFI/debian/SHIMX64.EFI < ");
}

static void
test_boot_order_decides (void)
{
  g_autoptr (P2vFirmware) firmware
      = firmware_new ("0007,0001,0000", "\\EFI\\a\\grubx64.efi", "\\EFI\\b\\grubx64.efi", NULL);
  const char *files = "EFI/a/grubx64.efi|EFI/b/grubx64.efi|EFI/c/shimx64.efi";
  assert_decision (firmware, files, "/EFI/b/grubx64.efi < ");
  ((P2vBootEntry *)firmware->boot_entries->pdata[1])->active = FALSE;
  assert_decision (firmware, files, "/EFI/a/grubx64.efi < ");
}

static void
test_without_entries (void)
{
  g_autoptr (P2vFirmware) firmware = firmware_new ("", NULL);
  assert_decision (firmware, debian_files,
                   "/EFI/debian/shimx64.efi < /EFI/debian/grub.cfg /EFI/debian/grubx64.efi "
                   "/EFI/debian/mmx64.efi");
  assert_decision (firmware, "EFI|EFI/Microsoft/Boot/BCD|EFI/Microsoft/Boot/bootmgfw.efi",
                   "/EFI/Microsoft/Boot/bootmgfw.efi < ");
  assert_decision (firmware, "EFI|EFI/vendor/firmware.cap", "unknown");
  assert_decision (firmware, "", "unknown");
}

/* A client may say anything; a file name on the partition may be anything. */
static void
test_hostile (void)
{
  static const char *const loaders[] = { "\\EFI\\..\\..\\etc\\shadow",
                                         "",
                                         "\\",
                                         "-x",
                                         ":",
                                         "\\EFI\\debian\\shimx64.efi\n",
                                         "<! id",
                                         "\\EFI\\debian\\",
                                         ".." };
  for (gsize i = 0; i < G_N_ELEMENTS (loaders); i++)
    {
      g_autoptr (P2vFirmware) firmware = firmware_new ("0000", loaders[i], NULL);
      g_autofree char *files = g_strconcat ("EFI/x.efi|-x|:|<! id|..|EFI/../../etc/shadow|EFI/a;b/"
                                            "shimx64.efi|EFI/$(id)/grubx64.efi|",
                                            loaders[i], NULL);
      assert_decision (firmware, files, "unknown");
    }
}

static void
assert_partitions (const char *log, const char *expected)
{
  g_auto (GStrv) partitions = p2v_uefi_find_partitions (log, strlen (log));
  g_autofree char *joined = g_strjoinv (" ", partitions);
  g_assert_cmpstr (joined, ==, expected);
}

static void
test_partitions (void)
{
  assert_partitions ("i_root = /dev/sda2\ni_firmware = UEFI [/dev/sda1]\ni_x = \n", "/dev/sda1");
  assert_partitions ("i_firmware = UEFI [/dev/sda1, /dev/sdb1]\n", "/dev/sda1 /dev/sdb1");
  assert_partitions ("i_firmware = BIOS\n", "");
  assert_partitions ("i_firmware = UEFI [/dev/sda1, : rm-rf /, /dev/$(id)]\n", "/dev/sda1");
  assert_partitions ("x i_firmware = UEFI [/dev/sda1]\n", "");
  assert_partitions ("", "");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/uefi/shim-and-what-it-needs", test_debian);
  g_test_add_func ("/uefi/existing-fallback-stays", test_fallback_exists);
  g_test_add_func ("/uefi/case-does-not-matter", test_case_does_not_matter);
  g_test_add_func ("/uefi/boot-order-decides", test_boot_order_decides);
  g_test_add_func ("/uefi/without-boot-entries", test_without_entries);
  g_test_add_func ("/uefi/hostile-names", test_hostile);
  g_test_add_func ("/uefi/partitions-of-virt-v2v", test_partitions);
  return g_test_run ();
}
