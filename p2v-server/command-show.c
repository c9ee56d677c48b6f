/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/command.h"

#include "p2v-server/job-text.h"
#include "p2v-server/table.h"

static gboolean as_json;

static const GOptionEntry entries[] = {
  { "json", 0, 0, G_OPTION_ARG_NONE, &as_json, "Print JSON", NULL },
  G_OPTION_ENTRY_NULL,
};

static void
print_times (const P2vJob *job)
{
  g_autofree char *created = p2v_text_time (job->created);
  g_autofree char *changed = p2v_text_time (job->changed);
  p2v_text_print_field ("Created", created);
  p2v_text_print_field ("Changed", changed);
}

static void
print_machine (const P2vMachine *machine)
{
  const P2vSmbios *smbios = machine->smbios;
  g_autofree char *maker = g_strjoin (" ", smbios->manufacturer != NULL ? smbios->manufacturer : "",
                                      smbios->product != NULL ? smbios->product : "", NULL);
  g_autofree char *memory = p2v_text_size (machine->memory);
  g_autofree char *size
      = g_strdup_printf ("memory: %s, firmware: %s, disks: %u, network interfaces: %u", memory,
                         machine->firmware->type != NULL ? machine->firmware->type : "not known",
                         machine->disks->len, machine->nics->len);
  g_print ("\n");
  p2v_text_print_field ("Machine",
                        machine->hostname != NULL ? machine->hostname : "(no host name)");
  p2v_text_print_field ("  made by", g_strstrip (maker));
  p2v_text_print_field ("  CPU", machine->cpu->model);
  p2v_text_print_field ("  has", size);
}

static void
print_guest (const P2vJob *job)
{
  const P2vGuest *guest = job->request->guest;
  g_autofree char *memory = p2v_text_size (guest->memory);
  g_autofree char *size = g_strdup_printf (
      "CPUs: %" G_GINT64_FORMAT ", memory: %s, firmware: %s, network "
      "interfaces: %u",
      guest->vcpus, memory, p2v_request_firmware (job->request), guest->nics->len);
  g_print ("\n");
  p2v_text_print_field ("Guest", guest->name);
  if (guest->vcpus > 0)
    p2v_text_print_field ("  has", size);
  if (job->report != NULL)
    p2v_text_print_field ("  runs", job->report->product_name);
  if (job->plan != NULL)
    p2v_text_print_field ("  method", job->plan->method);
  p2v_text_print_field ("  place", job->guest_place);
  p2v_text_print_field ("  UUID", job->guest_uuid);
  for (gsize i = 0; job->plan != NULL && job->plan->warnings != NULL && job->plan->warnings[i]; i++)
    p2v_text_print_field ("  warning", job->plan->warnings[i]);
}

static char *
count_text (guint64 count)
{
  return g_strdup_printf ("%" G_GUINT64_FORMAT, count);
}

static void
print_images (const P2vJob *job)
{
  static const char *const titles[]
      = { "DISK", "SIZE", "CHUNKS", "DATA", "ZERO", "SKIPPED", "LEFT", "LANDED", "IMAGE", NULL };
  g_autoptr (P2vTable) table = p2v_table_new (titles);
  for (guint i = 0; job->plan != NULL && i < job->plan->images->len; i++)
    {
      const P2vImage *image = job->plan->images->pdata[i];
      g_autofree char *size = p2v_text_size (image->size);
      P2vChunkCounts counts = { 0 };
      if (!p2v_job_count_chunks (job, image->disk, &counts))
        {
          p2v_table_add (table, image->disk, size, "", "", "", "", "", "", image->path);
          continue;
        }
      g_autofree char *total = count_text (counts.total);
      g_autofree char *data = count_text (counts.data);
      g_autofree char *zero = count_text (counts.zero);
      g_autofree char *skipped = count_text (counts.skipped);
      g_autofree char *unknown = count_text (counts.unknown);
      /* Rounded down: 100% means all of it. */
      g_autofree char *landed = g_strdup_printf (
          "%d%%",
          counts.total == 0 ? 100 : (int)((counts.total - counts.unknown) * 100 / counts.total));
      p2v_table_add (table, image->disk, size, total, data, zero, skipped, unknown, landed,
                     image->path);
    }
  g_print ("\n");
  if (job->plan == NULL || job->plan->images->len == 0)
    g_print ("The job has no images: not yet, or no longer.\n");
  else
    p2v_table_print (table);
}

/* What of the machine's disks could not be read. */
static void
print_bad (const P2vJob *job)
{
  static const char *const titles[] = { "DISK", "OFFSET", "LENGTH", "PART OF", NULL };
  if (job->bad->len == 0)
    return;
  g_autoptr (P2vTable) table = p2v_table_new (titles);
  for (guint i = 0; i < job->bad->len; i++)
    {
      const P2vBadRange *range = job->bad->pdata[i];
      g_autofree char *offset = count_text ((guint64)range->offset);
      g_autofree char *length = count_text ((guint64)range->length);
      p2v_table_add (table, range->disk, offset, length, range->where);
    }
  g_print ("\nCould not be read on the machine, and is zeroes in the guest: %" G_GINT64_FORMAT
           " bytes in all.\n",
           p2v_bad_ranges_bytes (job->bad));
  p2v_table_print (table);
}

static void
print_verification (const P2vJob *job)
{
  const P2vVerification *verification = job->verification;
  if (verification == NULL)
    return;
  gboolean interrupted
      = g_strcmp0 (verification->state, P2V_VERIFICATION_RUNNING) == 0 && !p2v_job_is_busy (job);
  g_autofree char *text = interrupted ? g_strdup ("interrupted: nothing is known of it")
                                      : p2v_verification_text (verification);
  g_autofree char *bad = p2v_verification_bad_text (verification, P2V_BAD_CHUNKS_MAX);
  g_autofree char *finished = p2v_text_time (verification->finished);
  g_print ("\n");
  p2v_text_print_field ("Verified", text);
  p2v_text_print_field ("  bad", bad);
  if (verification->finished > 0)
    p2v_text_print_field ("  ended", finished);
}

static void
print_stages (const P2vJob *job)
{
  static const char *const titles[] = { "STAGE", "STARTED", "FINISHED", "TOOK", NULL };
  if (job->stages->len == 0)
    return;
  g_autoptr (P2vTable) table = p2v_table_new (titles);
  for (guint i = 0; i < job->stages->len; i++)
    {
      const P2vStageTime *stage = job->stages->pdata[i];
      g_autofree char *started = p2v_text_time (stage->started);
      g_autofree char *finished = p2v_text_time (stage->finished);
      g_autofree char *took = NULL;
      if (stage->finished >= stage->started && stage->started > 0)
        took = p2v_text_duration (stage->finished - stage->started);
      p2v_table_add (table, stage->stage, started, finished, took);
    }
  g_print ("\n");
  p2v_table_print (table);
}

static void
print_job (const P2vJob *job)
{
  g_autofree char *state = p2v_job_state_text (job);
  g_autofree char *next_step = p2v_job_next_step (job);
  p2v_text_print_field ("Job", job->id);
  p2v_text_print_field ("State", state);
  p2v_text_print_field ("Error", job->error_message);
  p2v_text_print_field ("Next step", next_step);
  print_times (job);
  p2v_text_print_field ("Directory", job->dir);
  print_machine (job->request->machine);
  print_guest (job);
  if (!p2v_job_is_record (job))
    {
      print_images (job);
      print_verification (job);
      print_bad (job);
    }
  print_stages (job);
}

static int
run (const P2vCommand *command, const char *config_file, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (P2vInvocation) invocation
      = p2v_invocation_new (command, entries, config_file, argc, argv, &error);
  if (invocation == NULL)
    return p2v_command_fail (error);
  g_autoptr (P2vJob) job = p2v_job_load (invocation->config, invocation->arguments[0], &error);
  if (job == NULL)
    return p2v_command_fail (error);
  if (!as_json)
    {
      print_job (job);
      return 0;
    }
  g_autoptr (JsonObject) object = p2v_job_details_json (job);
  g_autofree char *text = p2v_json_to_text (object, TRUE);
  g_print ("%s\n", text);
  return 0;
}

const P2vCommand p2v_command_show = {
  .name = "show",
  .argument = "ID",
  .summary = "show all about a job, and what to do next",
  .details = "A disk's chunks (4 MiB each) are data, zero (nothing to store), skipped (free by its "
             "own\nfilesystem's word) or left (nothing has landed yet). The verification compared "
             "them with what\nthe machine read.",
  .run = run,
};
