/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/disk-warnings.h"

#include "p2v-client/i18n.h"
#include "p2v-client/text.h"

#include <string.h>

/* GPT partition types that firmware starts from, UEFI specification 2.10 table 5.7 and GRUB's. */
#define GPT_EFI_SYSTEM "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"
#define GPT_BIOS_BOOT "21686148-6449-6e6f-744e-656564454649"
#define MBR_EFI_SYSTEM "0xef"

/* A member of an array or a volume group. */
typedef struct
{
  const P2vDisk *disk;
  const P2vContent *content;
} Member;

typedef struct
{
  GPtrArray *chosen;   /* of P2vDisk */
  GArray *members;     /* of Member, on all disks that can be converted */
  GPtrArray *warnings; /* of P2vDiskWarning */
} Judgement;

typedef void (*VisitFunc) (Judgement *self, const P2vDisk *disk, const P2vContent *content);

void
p2v_disk_warning_free (P2vDiskWarning *warning)
{
  if (warning == NULL)
    return;
  g_free (warning->disk);
  g_free (warning->text);
  g_free (warning->advice);
  g_free (warning);
}

/* text: transfer full. */
static P2vDiskWarning *
warning_new (const P2vDisk *disk, P2vSeverity severity, char *text, const char *advice)
{
  g_autofree char *raw = text;
  P2vDiskWarning *warning = g_new0 (P2vDiskWarning, 1);
  warning->severity = severity;
  warning->disk = disk != NULL ? g_strdup (disk->name) : NULL;
  warning->text = p2v_text_printable (raw);
  warning->advice = p2v_text_printable (advice);
  return warning;
}

/* Adds a warning, unless it has been given for the disk; takes text. */
static void
add (Judgement *self, const P2vDisk *disk, P2vSeverity severity, char *text, const char *advice)
{
  g_autoptr (P2vDiskWarning) warning = warning_new (disk, severity, text, advice);
  for (guint i = 0; i < self->warnings->len; i++)
    {
      const P2vDiskWarning *other = self->warnings->pdata[i];
      if (g_strcmp0 (other->disk, warning->disk) == 0 && strcmp (other->text, warning->text) == 0)
        return;
    }
  g_ptr_array_add (self->warnings, g_steal_pointer (&warning));
}

static gboolean
is_chosen (const Judgement *self, const P2vDisk *disk)
{
  return g_ptr_array_find (self->chosen, disk, NULL);
}

static gboolean
is_kind (const P2vContent *content, const char *kind)
{
  return g_strcmp0 (content->kind, kind) == 0;
}

/* Calls func for a content of a disk and all that is in it. */
static void
visit (Judgement *self, const P2vDisk *disk, const P2vContent *content, VisitFunc func)
{
  if (content == NULL)
    return;
  func (self, disk, content);
  for (guint i = 0; i < content->partitions->len; i++)
    visit (self, disk, ((const P2vPartition *)content->partitions->pdata[i])->content, func);
}

/* Arrays and volume groups. */

static void
find_member (Judgement *self, const P2vDisk *disk, const P2vContent *content)
{
  Member member = { disk, content };
  if (content->group != NULL && (is_kind (content, "lvm-pv") || is_kind (content, "raid-member")))
    g_array_append_val (self->members, member);
}

/* Of an array the UUID is the array's own; of a physical volume it is that of the volume. */
static gboolean
belong_together (const P2vContent *a, const P2vContent *b)
{
  if (g_strcmp0 (a->kind, b->kind) != 0)
    return FALSE;
  if (is_kind (a, "raid-member") && a->uuid != NULL && b->uuid != NULL)
    return strcmp (a->uuid, b->uuid) == 0;
  return strcmp (a->group, b->group) == 0;
}

/* Says which disks have other members of the group and are not chosen. */
static void
judge_split (Judgement *self, const Member *member)
{
  g_autoptr (GPtrArray) absent = g_ptr_array_new ();
  for (guint i = 0; i < self->members->len; i++)
    {
      const Member *other = &g_array_index (self->members, Member, i);
      if (!is_chosen (self, other->disk) && belong_together (member->content, other->content)
          && !g_ptr_array_find (absent, other->disk->name, NULL))
        g_ptr_array_add (absent, other->disk->name);
    }
  if (absent->len == 0)
    return;
  g_ptr_array_add (absent, NULL);
  g_autofree char *names = g_strjoinv (", ", (char **)absent->pdata);
  g_autofree char *advice
      = g_strdup_printf (_ ("Choose it with %s, or leave all of them out."), names);
  const char *format = is_kind (member->content, "lvm-pv")
                           ? _ ("Volume group %s continues on %s, which is not chosen.")
                           : _ ("Array %s has other members on %s, which is not chosen.");
  add (self, member->disk, P2V_SEVERITY_SERIOUS,
       g_strdup_printf (format, member->content->group, names), advice);
}

/* Says when the group has more members than there are on this machine. */
static void
judge_missing (Judgement *self, const Member *member)
{
  gint64 present = 0;
  for (guint i = 0; i < self->members->len; i++)
    {
      const Member *other = &g_array_index (self->members, Member, i);
      present += belong_together (member->content, other->content);
    }
  gint64 missing = member->content->members - present;
  if (missing <= 0)
    return;
  const char *group = member->content->group;
  if (is_kind (member->content, "lvm-pv"))
    add (self, member->disk, P2V_SEVERITY_SERIOUS,
         g_strdup_printf (
             _ ("Volume group %s lacks %lld of its %lld physical volumes on this machine."), group,
             (long long)missing, (long long)member->content->members),
         _ ("Connect the missing disk and look again; what lies on it is lost to the guest."));
  else
    add (self, member->disk, P2V_SEVERITY_CAUTION,
         g_strdup_printf (_ ("Array %s lacks %lld of its %lld members on this machine."), group,
                          (long long)missing, (long long)member->content->members),
         _ ("Connect the missing disk and look again, or be sure that the array starts without "
            "it."));
}

static void
judge_members (Judgement *self, const P2vDisk *disk)
{
  for (guint i = 0; i < self->members->len; i++)
    {
      const Member *member = &g_array_index (self->members, Member, i);
      if (member->disk != disk)
        continue;
      judge_split (self, member);
      judge_missing (self, member);
    }
}

/* What is on one disk. */

static void
judge_encryption (Judgement *self, const P2vDisk *disk, const P2vContent *content)
{
  if (is_kind (content, "bitlocker"))
    add (self, disk, P2V_SEVERITY_CAUTION,
         g_strdup (_ ("It is encrypted with BitLocker: all of it is sent, and the guest will ask "
                      "for the recovery key.")),
         _ ("Have the recovery key at hand, or switch BitLocker off in Windows first."));
  else if (is_kind (content, "luks"))
    add (self, disk, P2V_SEVERITY_NOTE,
         g_strdup (_ ("It is encrypted with LUKS: all of it is sent, and the guest will ask for "
                      "the passphrase as this machine does.")),
         _ ("Have the passphrase at hand, and a console to type it at."));
}

static gboolean
says (const P2vContent *content, const char *words)
{
  return content->read_in_full != NULL && strstr (content->read_in_full, words) != NULL;
}

/* The map's words are those of free-space*.c. */
static void
judge_filesystem (Judgement *self, const P2vDisk *disk, const P2vContent *content)
{
  const char *type = content->type != NULL ? content->type : "?";
  if (g_strcmp0 (content->type, "swsuspend") == 0)
    add (self, disk, P2V_SEVERITY_CAUTION,
         g_strdup (_ ("Linux is hibernated on it: what it has in memory is not on its disks.")),
         _ ("Start it, shut it down, and come back."));
  else if (says (content, "Windows is hibernated"))
    add (
        self, disk, P2V_SEVERITY_CAUTION,
        g_strdup (_ ("Windows is hibernated on it, or was shut down with fast startup.")),
        _ ("Start Windows, and shut it down with \"shutdown /s /t 0\". Else all of it is sent, and "
           "it cannot be adapted to its new hardware."));
  else if (says (content, "not unmounted cleanly") || says (content, "its log cannot be read"))
    add (self, disk, P2V_SEVERITY_CAUTION,
         g_strdup_printf (_ ("A filesystem (%s) was not unmounted cleanly: all of it is sent."),
                          type),
         _ ("Start the system on it and shut it down, or go on: the guest repairs it as it "
            "starts."));
  else if (says (content, "it needs chkdsk") || says (content, "it needs e2fsck"))
    add (self, disk, P2V_SEVERITY_CAUTION,
         g_strdup_printf (_ ("A filesystem (%s) has errors: all of it is sent as it is."), type),
         _ ("Repair it on this machine before, or in the guest."));
}

static void
judge_disk (Judgement *self, const P2vDisk *disk)
{
  if (g_strcmp0 (disk->health, "failing") == 0)
    add (self, disk, P2V_SEVERITY_SERIOUS,
         g_strdup (_ ("The disk says that it is failing (SMART).")),
         _ ("Convert it soon, and back up what matters first: reading it all may be its end."));
  if (disk->content == NULL)
    add (self, disk, P2V_SEVERITY_CAUTION,
         g_strdup (_ ("What is on it could not be read: it may be failing.")),
         _ ("Check its cable. Everything on it will be read, which can take long."));
  if (disk->missing > 0)
    add (self, disk, P2V_SEVERITY_CAUTION,
         g_strdup_printf (_ ("The array is degraded: it lacks %lld of its members."),
                          (long long)disk->missing),
         _ ("It can be read as it is; if another member fails meanwhile, it cannot."));
  judge_members (self, disk);
  visit (self, disk, disk->content, judge_filesystem);
  visit (self, disk, disk->content, judge_encryption);
}

/* The choice as a whole. */

/* TRUE when a content, or something in it, may start a machine, or cannot be looked into. */
static gboolean
may_start (const P2vContent *content)
{
  if (content == NULL || content->os != NULL || is_kind (content, "luks")
      || is_kind (content, "bitlocker"))
    return TRUE;
  for (guint i = 0; i < content->partitions->len; i++)
    {
      const P2vPartition *partition = content->partitions->pdata[i];
      if (partition->bootable || g_strcmp0 (partition->type, GPT_EFI_SYSTEM) == 0
          || g_strcmp0 (partition->type, GPT_BIOS_BOOT) == 0
          || g_strcmp0 (partition->type, MBR_EFI_SYSTEM) == 0
          || (partition->content != NULL && may_start (partition->content)))
        return TRUE;
    }
  return FALSE;
}

static void
judge_start (Judgement *self)
{
  for (guint i = 0; i < self->chosen->len; i++)
    if (may_start (((const P2vDisk *)self->chosen->pdata[i])->content))
      return;
  if (self->chosen->len > 0)
    add (self, NULL, P2V_SEVERITY_CAUTION,
         g_strdup (_ ("No operating system and no boot loader was found on the chosen disks.")),
         _ ("Choose the disk that this machine starts from, too, unless the guest is to have data "
            "only."));
}

/* By disk as they were added, the worst of each first. */
static void
sort (GPtrArray *warnings)
{
  for (guint i = 1; i < warnings->len; i++)
    for (guint k = i; k > 0; k--)
      {
        P2vDiskWarning *before = warnings->pdata[k - 1], *after = warnings->pdata[k];
        if (g_strcmp0 (before->disk, after->disk) != 0 || before->severity >= after->severity)
          break;
        warnings->pdata[k - 1] = after;
        warnings->pdata[k] = before;
      }
}

static gboolean
is_named (const P2vDisk *disk, const char *const *names)
{
  return names != NULL
         && (g_strv_contains (names, disk->name) || g_strv_contains (names, disk->path));
}

P2vDiskWarning *
p2v_disk_warnings_judge_space (const P2vMachine *machine, const char *const *chosen,
                               gint64 free_space)
{
  gint64 total = 0;
  for (guint i = 0; i < machine->disks->len; i++)
    {
      const P2vDisk *disk = machine->disks->pdata[i];
      if (p2v_disk_is_convertible (disk) && is_named (disk, chosen))
        total += disk->size;
    }
  if (free_space < 0 || total <= free_space)
    return NULL;
  g_autofree char *wanted = p2v_size_format (total);
  g_autofree char *there = p2v_size_format (free_space);
  return warning_new (
      NULL, P2V_SEVERITY_SERIOUS,
      g_strdup_printf (_ ("The chosen disks are %s large, and the server has %s free."), wanted,
                       there),
      _ ("Make room on the server or choose another storage; it is enough only if most of the "
         "disks is free."));
}

GPtrArray *
p2v_disk_warnings_judge (const P2vMachine *machine, const char *const *chosen, gint64 free_space)
{
  Judgement self = {
    .chosen = g_ptr_array_new (),
    .members = g_array_new (FALSE, FALSE, sizeof (Member)),
    .warnings = g_ptr_array_new_with_free_func ((GDestroyNotify)p2v_disk_warning_free),
  };
  for (guint i = 0; i < machine->disks->len; i++)
    {
      P2vDisk *disk = machine->disks->pdata[i];
      if (!p2v_disk_is_convertible (disk))
        continue;
      visit (&self, disk, disk->content, find_member);
      if (is_named (disk, chosen))
        g_ptr_array_add (self.chosen, disk);
    }
  for (guint i = 0; i < self.chosen->len; i++)
    judge_disk (&self, self.chosen->pdata[i]);
  P2vDiskWarning *space = p2v_disk_warnings_judge_space (machine, chosen, free_space);
  if (space != NULL)
    g_ptr_array_add (self.warnings, space);
  judge_start (&self);
  sort (self.warnings);
  g_ptr_array_unref (self.chosen);
  g_array_unref (self.members);
  return self.warnings;
}

const char *
p2v_severity_word (P2vSeverity severity)
{
  if (severity == P2V_SEVERITY_SERIOUS)
    return _ ("Warning");
  return severity == P2V_SEVERITY_CAUTION ? _ ("Caution") : _ ("Note");
}

const P2vDisk *
p2v_disk_warnings_find_gone (const P2vMachine *machine, const char *const *chosen)
{
  for (gsize i = 0; chosen != NULL && chosen[i] != NULL; i++)
    {
      const P2vDisk *disk = p2v_machine_find_disk (machine, chosen[i]);
      if (disk != NULL && !g_file_test (disk->path, G_FILE_TEST_EXISTS))
        return disk;
    }
  return NULL;
}
