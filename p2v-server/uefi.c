/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/uefi.h"

#include <glib/gstdio.h>
#include <string.h>

#include "common/error.h"
#include "p2v-server/job-marks.h"
#include "p2v-server/overlay.h"
#include "p2v-server/tool.h"

#define FALLBACK_DIR "EFI/BOOT"
#define FALLBACK_LOADER "EFI/BOOT/BOOTX64.EFI"

/* For starting the appliance and copying a few megabytes; under TCG that takes a minute. */
#define GUESTFISH_TIMEOUT 600

/* A progress event at least this often, seconds. */
#define PROGRESS_INTERVAL 10

/* An EFI system partition holds a few dozen files; a list longer than this is nobody's. */
#define LISTING_MAX (4 * 1024 * 1024)

/* More partitions than any machine has; each is mounted in turn. */
#define PARTITIONS_MAX 8

char **
p2v_uefi_find_partitions (const char *log, gsize length)
{
  g_autoptr (GRegex) regex
      = g_regex_new ("^i_firmware = UEFI \\[([^\\]\\n]*)\\]$",
                     G_REGEX_MULTILINE | G_REGEX_RAW | G_REGEX_OPTIMIZE, 0, NULL);
  g_autoptr (GMatchInfo) match = NULL;
  g_autofree char *last = NULL;
  for (g_regex_match_full (regex, log, (gssize)length, 0, 0, &match, NULL);
       g_match_info_matches (match); g_match_info_next (match, NULL))
    {
      g_free (last);
      last = g_match_info_fetch (match, 1);
    }
  GPtrArray *result = g_ptr_array_new ();
  g_auto (GStrv) words = g_strsplit (last == NULL ? "" : last, ",", -1);
  for (gsize i = 0; words[i] != NULL && result->len < PARTITIONS_MAX; i++)
    {
      const char *word = g_strstrip (words[i]);
      if (g_regex_match_simple ("\\A/dev/[A-Za-z0-9/_.+-]+\\z", word, 0, 0))
        g_ptr_array_add (result, g_strdup (word));
    }
  g_ptr_array_add (result, NULL);
  return (char **)g_ptr_array_free (result, FALSE);
}

void
p2v_uefi_fix_free (P2vUefiFix *fix)
{
  g_free (fix->loader);
  g_strfreev (fix->companions);
  g_free (fix);
}

/* A path that is the same thing to FAT, to guestfish and to us: plain names with slashes between
 * them. */
static gboolean
path_is_plain (const char *path)
{
  return g_regex_match_simple ("\\A[A-Za-z0-9_][A-Za-z0-9 ._+()-]*"
                               "(/[A-Za-z0-9_][A-Za-z0-9 ._+()-]*)*\\z",
                               path, G_REGEX_DOLLAR_ENDONLY, 0);
}

/* The file of that path as it is written on the partition, NULL when it is not there. */
static const char *
find_file (char *const *files, const char *path)
{
  for (gsize i = 0; files[i] != NULL; i++)
    if (g_ascii_strcasecmp (files[i], path) == 0 && path_is_plain (files[i]))
      return files[i];
  return NULL;
}

/* "\EFI\debian\shimx64.efi" of a boot entry as a path on the partition. */
static const char *
find_loader (char *const *files, const char *loader)
{
  if (loader == NULL)
    return NULL;
  g_autofree char *path = g_strdelimit (g_strdup (loader), "\\", '/');
  const char *relative = path;
  while (*relative == '/')
    relative++;
  return find_file (files, relative);
}

static const P2vBootEntry *
find_entry (const P2vFirmware *firmware, const char *id)
{
  for (guint i = 0; i < firmware->boot_entries->len; i++)
    {
      const P2vBootEntry *entry = firmware->boot_entries->pdata[i];
      if (g_strcmp0 (entry->id, id) == 0)
        return entry;
    }
  return NULL;
}

/* The loader the machine itself would have started: the first in its boot order, then any active
 * entry. */
static const char *
choose_by_entry (const P2vFirmware *firmware, char *const *files)
{
  for (gsize i = 0; firmware->boot_order != NULL && firmware->boot_order[i] != NULL; i++)
    {
      const P2vBootEntry *entry = find_entry (firmware, firmware->boot_order[i]);
      const char *file = entry != NULL && entry->active ? find_loader (files, entry->loader) : NULL;
      if (file != NULL)
        return file;
    }
  for (guint i = 0; i < firmware->boot_entries->len; i++)
    {
      const P2vBootEntry *entry = firmware->boot_entries->pdata[i];
      const char *file = entry->active ? find_loader (files, entry->loader) : NULL;
      if (file != NULL)
        return file;
    }
  return NULL;
}

/* Without a usable entry: what operating systems install. Shim before what it starts. */
static const char *
choose_by_name (char *const *files)
{
  static const char *const patterns[] = {
    "efi/*/shimx64.efi",
    "efi/*/grubx64.efi",
    "efi/systemd/systemd-bootx64.efi",
    "efi/microsoft/boot/bootmgfw.efi",
  };
  for (gsize p = 0; p < G_N_ELEMENTS (patterns); p++)
    for (gsize i = 0; files[i] != NULL; i++)
      {
        g_autofree char *lower = g_ascii_strdown (files[i], -1);
        if (g_pattern_match_simple (patterns[p], lower) && path_is_plain (files[i]))
          return files[i];
      }
  return NULL;
}

/* What a loader looks for in the directory it was started from: shim for GRUB and its key manager,
 * GRUB (Fedora's) for its configuration. Not fbx64.efi: started from \EFI\BOOT, shim would run it
 * in place of GRUB, and it rewrites the boot entries and resets the machine, each time anew where
 * the guest's variables are not kept. */
static gboolean
is_companion (const char *lower_name)
{
  return g_pattern_match_simple ("grub*.efi", lower_name)
         || g_pattern_match_simple ("mm*.efi", lower_name) || strcmp (lower_name, "grub.cfg") == 0;
}

static char **
find_companions (char *const *files, const char *loader)
{
  GPtrArray *companions = g_ptr_array_new ();
  g_autofree char *dir = g_path_get_dirname (loader);
  for (gsize i = 0; files[i] != NULL; i++)
    {
      g_autofree char *own_dir = g_path_get_dirname (files[i]);
      g_autofree char *name = g_path_get_basename (files[i]);
      g_autofree char *lower = g_ascii_strdown (name, -1);
      g_autofree char *target = g_strconcat (FALLBACK_DIR "/", name, NULL);
      if (g_ascii_strcasecmp (own_dir, dir) == 0 && is_companion (lower)
          && g_ascii_strcasecmp (files[i], loader) != 0 && path_is_plain (files[i])
          && find_file (files, target) == NULL)
        g_ptr_array_add (companions, g_strconcat ("/", files[i], NULL));
    }
  g_ptr_array_add (companions, NULL);
  return (char **)g_ptr_array_free (companions, FALSE);
}

P2vUefiFix *
p2v_uefi_decide (const P2vFirmware *firmware, char *const *files)
{
  P2vUefiFix *fix = g_new0 (P2vUefiFix, 1);
  const char *loader = NULL;
  fix->has_loader = find_file (files, FALLBACK_LOADER) != NULL;
  if (!fix->has_loader)
    loader = choose_by_entry (firmware, files);
  if (!fix->has_loader && loader == NULL)
    loader = choose_by_name (files);
  if (loader != NULL)
    {
      fix->has_loader = TRUE;
      fix->loader = g_strconcat ("/", loader, NULL);
      fix->companions = find_companions (files, loader);
    }
  else
    fix->companions = g_new0 (char *, 1);
  return fix;
}

static void
add_word (GPtrArray *argv, const char *word)
{
  g_ptr_array_add (argv, g_strdup (word));
}

static void
add_words (GPtrArray *argv, const char *first, const char *second, const char *third)
{
  add_word (argv, ":");
  add_word (argv, first);
  if (second != NULL)
    add_word (argv, second);
  if (third != NULL)
    add_word (argv, third);
}

/* guestfish with every overlay and the appliance running. Its commands follow as arguments,
 * separated by ":"; no shell and no script parses them. */
static GPtrArray *
begin_guestfish (const P2vJob *job, gboolean read_only)
{
  GPtrArray *argv = g_ptr_array_new_with_free_func (g_free);
  add_word (argv, "guestfish");
  if (read_only)
    add_word (argv, "--ro");
  add_word (argv, "--format=qcow2");
  for (guint i = 0; i < job->plan->images->len; i++)
    {
      g_autofree char *path = p2v_overlay_path (job, job->plan->images->pdata[i]);
      add_word (argv, "-a");
      add_word (argv, path);
    }
  /* Options end here: commands may begin with "-" (guestfish: ignore a failure). */
  add_word (argv, "--");
  add_word (argv, "run");
  return argv;
}

typedef struct
{
  P2vJob *job;
  const char *doing;
  gint64 told; /* seconds since the start, of the last event */
} Step;

static void
on_tick (gint64 elapsed, gpointer user_data)
{
  Step *step = user_data;
  if (elapsed - step->told < PROGRESS_INTERVAL)
    return;
  step->told = elapsed;
  g_autofree char *message
      = g_strdup_printf ("%s (%" G_GINT64_FORMAT " s so far)", step->doing, elapsed);
  p2v_job_progress (step->job, P2V_STAGE_CONVERT, 86, message);
}

static gboolean
run_guestfish (P2vJob *job, GPtrArray *argv, char *const *environment, const char *log,
               const char *output, const char *doing)
{
  g_ptr_array_add (argv, NULL);
  Step step = { .job = job, .doing = doing };
  P2vTool tool = { .argv = (const char *const *)argv->pdata,
                   .package = "libguestfs-tools",
                   .environment = environment,
                   .log = log,
                   .output = output,
                   .timeout = GUESTFISH_TIMEOUT,
                   .timeout_key = "the speed of this server",
                   .tick = on_tick,
                   .user_data = &step,
                   .cancelled = p2v_job_is_cancelled,
                   .cancelled_data = job };
  g_autoptr (GError) error = NULL;
  p2v_job_progress (job, P2V_STAGE_CONVERT, 86, doing);
  if (p2v_tool_run (&tool, &error))
    return TRUE;
  /* Whoever goes on sees it by himself. */
  if (g_error_matches (error, P2V_ERROR, P2V_ERROR_CANCELLED))
    return FALSE;
  p2v_job_event (job, "warning", P2V_STAGE_CONVERT,
                 "%s: %s The guest's firmware may not find its boot loader; if so, choose the "
                 "loader once in the firmware's boot menu. Log: %s",
                 doing, error->message, log);
  return FALSE;
}

/* The files of every partition; NULL after a warning. (GPtrArray of char **) */
static GPtrArray *
list_partitions (P2vJob *job, char *const *partitions, char *const *environment, const char *log)
{
  g_autoptr (GPtrArray) argv = begin_guestfish (job, TRUE);
  for (gsize i = 0; partitions[i] != NULL; i++)
    {
      /* "-": a partition that cannot be mounted is one without files, not the end. */
      add_words (argv, "-mount-ro", partitions[i], "/");
      add_words (argv, "-find", "/", NULL);
      add_words (argv, "-umount-all", NULL, NULL);
      /* No file has this name: it has a slash at its beginning. */
      add_words (argv, "echo", "/", NULL);
    }
  g_autofree char *output = p2v_job_path (job, "convert.esp");
  gboolean ok = run_guestfish (job, argv, environment, log, output,
                               "Looking for the boot loader on the EFI system partition");
  g_autofree char *text = NULL;
  gsize length = 0;
  ok = ok && g_file_get_contents (output, &text, &length, NULL) && length <= LISTING_MAX;
  g_unlink (output);
  if (!ok)
    return NULL;
  GPtrArray *listings = g_ptr_array_new_with_free_func ((GDestroyNotify)g_strfreev);
  /* The newline before: a first partition without files leaves nothing before its mark. */
  g_autofree char *marked = g_strconcat ("\n", text, NULL);
  g_auto (GStrv) blocks = g_strsplit (marked, "\n/\n", -1);
  for (gsize i = 0; partitions[i] != NULL; i++)
    g_ptr_array_add (listings, i < g_strv_length (blocks) ? g_strsplit (blocks[i], "\n", -1)
                                                          : g_new0 (char *, 1));
  return listings;
}

/* The loader itself comes last, and under its name only when it is whole. */
static void
copy_loader (P2vJob *job, const char *partition, const P2vUefiFix *fix, char *const *environment,
             const char *log)
{
  g_autoptr (GPtrArray) argv = begin_guestfish (job, FALSE);
  add_words (argv, "mount", partition, "/");
  add_words (argv, "mkdir-p", "/" FALLBACK_DIR, NULL);
  for (gsize i = 0; fix->companions[i] != NULL; i++)
    add_words (argv, "cp", fix->companions[i], "/" FALLBACK_DIR "/");
  add_words (argv, "cp", fix->loader, "/" FALLBACK_DIR "/BOOTX64.NEW");
  add_words (argv, "mv", "/" FALLBACK_DIR "/BOOTX64.NEW", "/" FALLBACK_LOADER);
  add_words (argv, "umount-all", NULL, NULL);
  if (run_guestfish (job, argv, environment, log, NULL, "Installing the fallback boot loader"))
    p2v_job_event (job, "info", P2V_STAGE_CONVERT,
                   "the machine started %s through its boot entry only; a copy is now in "
                   "\\EFI\\BOOT, where the guest's firmware finds it",
                   fix->loader);
}

void
p2v_uefi_fix_fallback (P2vJob *job, char *const *partitions, char *const *environment,
                       const char *log)
{
  g_autoptr (GPtrArray) listings = partitions[0] == NULL
                                       ? g_ptr_array_new ()
                                       : list_partitions (job, partitions, environment, log);
  if (listings == NULL)
    return;
  for (guint i = 0; i < listings->len; i++)
    {
      g_autoptr (P2vUefiFix) fix
          = p2v_uefi_decide (job->request->machine->firmware, listings->pdata[i]);
      if (fix->loader != NULL)
        copy_loader (job, partitions[i], fix, environment, log);
      if (fix->has_loader)
        return;
    }
  p2v_job_event (job, "warning", P2V_STAGE_CONVERT,
                 "the machine boots by UEFI, but no boot loader was found on an EFI system "
                 "partition of the converted disks. The guest will start only if its firmware is "
                 "shown one; check that the disk with the EFI system partition is converted.");
}
