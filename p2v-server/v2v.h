/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_V2V_H
#define P2V_V2V_H

#include "p2v-server/job.h"
#include "p2v-server/verify.h"

G_BEGIN_DECLS

/* virt-v2v and virt-v2v-in-place: what the installed one can do, what it is told, how it is run. */

#define P2V_V2V_PACKAGE "virt-v2v"

/* What `PROGRAM --machine-readable` lists, a word a line (virt-v2v(1), "Machine readable output").
 * program: "virt-v2v" or "virt-v2v-in-place". (transfer full)
 * Fails with P2V_ERROR_CONVERT, naming the package when it is not installed. */
char **p2v_v2v_capabilities (const char *program, GError **error);

/* The machine as libvirt XML for virt-v2v -i libvirtxml: name, memory, processors, firmware, disks
 * with the buses they had (virt-v2v renames /dev/sda in the guest's files by them), interfaces.
 * paths, format: the disks' files, one for each image of the plan, and the one format of all;
 * format NULL: each image's own. (transfer full) */
char *p2v_v2v_build_xml (const P2vJob *job, char *const *paths, const char *format);

/* Argument vector to convert in place what xml_path describes. output: file for the inspection
 * when capabilities has "output-xml-option", else ignored. (transfer full)
 * Fails with P2V_ERROR_REFUSED for a root that virt-v2v would take for something else. */
char **p2v_v2v_in_place_arguments (const P2vPlan *plan, const char *const *capabilities,
                                   const char *xml_path, const char *output, GError **error);

/* Argument vector to convert to the output mode of the plan. Everything in the plan may come from a
 * client: a value that would be taken for an option is refused, and so is a mode that capabilities
 * does not list (message with those that it does). "rhv" and "ovirt" name the same.
 * name: of the guest. Fails with P2V_ERROR_REFUSED. */
char **p2v_v2v_output_arguments (const P2vPlan *plan, const char *name,
                                 const char *const *capabilities, const char *xml_path,
                                 GError **error);

/* Our environment with what libguestfs needs to work without a daemon, and to know that KVM does
 * not work here; what the administrator has set himself stays. (transfer full) */
char **p2v_v2v_environment (gboolean kvm);

/* Runs virt-v2v or virt-v2v-in-place for a job: its stages become the job's progress from 0 to
 * last percent, its warnings the job's warnings, its output is appended to log. verify: what is to
 * be looked at meanwhile, may be NULL; once that has failed, virt-v2v is ended.
 * Fails with P2V_ERROR_CONVERT and virt-v2v's own last error, or with P2V_ERROR_CANCELLED. */
gboolean p2v_v2v_run (const P2vServerConfig *config, P2vJob *job, char *const *argv,
                      char *const *environment, const char *log, gint64 last, P2vVerify *verify,
                      GError **error);

/* virt-v2v prints "[  42.7] Inspecting the source": the text, or NULL for any other line. The
 * guest's kernel prints such lines too, but with six decimals. Points into line. */
const char *p2v_v2v_stage (const char *line);

G_END_DECLS

#endif
