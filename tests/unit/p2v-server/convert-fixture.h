/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_CONVERT_FIXTURE_H
#define P2V_CONVERT_FIXTURE_H

#include "p2v-server/job.h"

#include <string.h>
#include <sys/stat.h>

/* A received job on disks that are files, for the tests of the stage "convert" and for the program
 * that runs that stage alone. */

static inline P2vServerConfig *
fixture_config (const char *state_dir)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *file = g_build_filename (state_dir, "server.conf", NULL);
  g_autofree char *text = g_strdup_printf ("[server]\nstate-dir=%s\n", state_dir);
  g_assert_true (g_file_set_contents (file, text, -1, &error));
  P2vServerConfig *config = p2v_server_config_load (file, &error);
  g_assert_no_error (error);
  return config;
}

static inline gpointer
fixture_parse (const P2vSchema *schema, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) object = p2v_json_from_text (text, -1, &error);
  g_assert_no_error (error);
  gpointer instance = p2v_schema_from_json (schema, object, &error);
  g_assert_no_error (error);
  return instance;
}

static inline void
fixture_set (char **member, const char *value)
{
  g_free (*member);
  *member = g_strdup (value);
}

/* A machine that has the paths as its disks sda, sdb, …, and a plan that has them as the received
 * images. loader: of its one boot entry, NULL for a machine of BIOS. */
static inline P2vJob *
fixture_job (const P2vServerConfig *config, const char *name, const char *loader,
             char *const *paths, const char *format)
{
  g_autoptr (P2vRequest) request = fixture_parse (
      &p2v_request_schema,
      "{\"machine\":{\"memory\":1073741824,\"cpu\":{\"sockets\":1,\"cores\":2,\"threads\":1,"
      "\"online\":2,\"acpi\":true,\"apic\":true,\"pae\":true},\"firmware\":{\"type\":\"bios\"},"
      "\"clock\":{\"basis\":\"utc\"},\"smbios\":{},\"disks\":[],"
      "\"nics\":[{\"name\":\"eno1\",\"mac\":\"52:54:00:12:34:56\"}]},"
      "\"guest\":{\"name\":\"x\",\"vcpus\":2,\"memory\":1073741824,\"rtc_basis\":\"utc\"},"
      "\"output\":{}}");
  g_autoptr (P2vPlan) plan = fixture_parse (
      &p2v_plan_schema, "{\"method\":\"local\",\"format\":\"raw\",\"allocation\":\"sparse\","
                        "\"root\":\"first\",\"nics\":[{\"mac\":\"52:54:00:12:34:56\","
                        "\"type\":\"network\",\"source\":\"default\"}]}");
  fixture_set (&request->guest->name, name);
  if (loader != NULL)
    {
      fixture_set (&request->machine->firmware->type, "uefi");
      P2vBootEntry *entry = g_new0 (P2vBootEntry, 1);
      entry->id = g_strdup ("0001");
      entry->active = TRUE;
      entry->loader = g_strdup (loader);
      g_ptr_array_add (request->machine->firmware->boot_entries, entry);
      request->machine->firmware->boot_order = g_strsplit ("0001", ",", -1);
    }
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  for (gsize i = 0; paths[i] != NULL; i++)
    {
      struct stat file;
      g_assert_cmpint (stat (paths[i], &file), ==, 0);
      P2vDisk *disk = g_new0 (P2vDisk, 1);
      disk->name = g_strdup_printf ("sd%c", (char)('a' + i));
      disk->path = g_strdup (paths[i]);
      disk->bus = g_strdup ("ata");
      disk->size = file.st_size;
      disk->logical_sector_size = disk->physical_sector_size = 512;
      g_ptr_array_add (request->machine->disks, disk);
      g_ptr_array_add (names, disk->name);
      P2vImage *image = g_new0 (P2vImage, 1);
      image->disk = g_strdup (disk->name);
      image->path = g_strdup (paths[i]);
      image->format = g_strdup (format);
      image->size = file.st_size;
      g_ptr_array_add (plan->images, image);
    }
  g_ptr_array_add (names, NULL);
  request->guest->disks = g_strdupv ((char **)names->pdata);

  g_autoptr (GError) error = NULL;
  P2vJob *job = p2v_job_create (config, request, &error);
  g_assert_no_error (error);
  job->plan = g_steal_pointer (&plan);
  g_assert_true (p2v_job_set_state (job, P2V_JOB_RECEIVED, &error));
  g_assert_no_error (error);
  return job;
}

#endif
