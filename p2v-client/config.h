/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_CLIENT_CONFIG_H
#define P2V_CLIENT_CONFIG_H

#include "common/request.h"

G_BEGIN_DECLS

/* The most data connections that one machine makes at once, however many disks it has: the server
 * takes no more on one export. */
#define P2V_LANES_MAX 16

#define P2V_COMPRESS_OFF 0
#define P2V_COMPRESS_AUTO -1

/* How long a lost connection is tried to be brought back, seconds, unless p2v.retry_for says so. */
#define P2V_RETRY_FOR_DEFAULT (2 * 3600)

/* How long the machine stays (p2v.wait): until everything has landed, until the server has compared
 * its images with what was sent, or until the guest is there. */
#define P2V_WAIT_LANDED "landed"
#define P2V_WAIT_VERIFIED "verified"
#define P2V_WAIT_DEFINED "defined"

/* A conversion as it was asked for: what the kernel command line says, or what a person entered.
 * NULL, 0 and P2V_UNSET mean "not said": p2v_config_to_request() fills those in from the machine.
 */

/* One entry of p2v.network: a NULL nic is the default for the rest. */
typedef struct
{
  char *nic;
  char *network;
} P2vNetworkMapping;

typedef struct
{
  /* The server. */
  char *server;       /* host name or address; NULL: nothing to do without a person */
  guint16 port;       /* 22 unless said */
  char *username;     /* "root" unless said, as virt-p2v */
  char *password;     /* wiped when freed */
  char *identity_url; /* any URL that libcurl takes */
  gboolean sudo;
  char *hostkey; /* "SHA256:…", "any", or NULL */
  gboolean skip_test_connection;

  /* The guest. */
  char *name;
  gint64 vcpus; /* 0: as the machine */
  gboolean phys_topo;
  gint64 memory;  /* bytes, 0: as the machine */
  char *firmware; /* P2V_FIRMWARE_*; NULL: as the machine was started */
  char *cpu_vendor;
  char *cpu_model;
  P2vTristate acpi, apic, pae;
  char *rtc_basis;
  P2vTristate rtc_offset_set;
  gint64 rtc_offset;   /* seconds */
  char **disks;        /* names, or absolute paths of files; NULL: all convertible disks */
  char **removables;   /* NULL: all */
  char **interfaces;   /* NULL: all */
  GPtrArray *networks; /* of P2vNetworkMapping */
  char *root;          /* virt-v2v --root: "first", "single" or a device; NULL: not said */

  /* The output. */
  P2vOutput *output;

  /* How. */
  gint64 lanes;    /* up to P2V_LANES_MAX; 0: choose */
  gint64 compress; /* zstd's level, 1 to 19; P2V_COMPRESS_AUTO, P2V_COMPRESS_OFF */
  gint64 bwlimit;  /* bytes a second that data may take of the network; 0: all */
  char *pre;       /* commands as written; split as a shell splits words, run without a shell */
  char *post;
  char *fail;
  char *read_errors;  /* what a disk's errors do: "zero" (also when NULL) or "stop" */
  gint64 retry_for;   /* seconds to go on trying after a failure that may pass; -1: not said */
  char *wait;         /* P2V_WAIT_*; NULL: P2V_WAIT_DEFINED */
  P2vTristate resume; /* p2v.resume: an unfinished job; P2V_UNSET: ask, or yes where nobody is */
  gint64 wait_for;    /* seconds to wait for a link, and again for an address; -1: not said */
  gboolean dump_and_exit;

  /* For the live image's other programs, which read the same arguments. */
  gboolean text_interface;
  char *keyboard; /* the kiosk's layout, see p2v_keyboard_is_code(); NULL: as X has it */
  char *language; /* p2v.language: of kiosk and text interface; NULL: as the environment says */
  gboolean verify_medium;

  /* The command line itself names the server: nobody is to be asked. A server that only the
   * defaults name is what a person finds filled in. */
  gboolean unattended;
} P2vConfig;

P2vConfig *p2v_config_new (void);
void p2v_config_free (P2vConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vConfig, p2v_config_free)

/* The request for a machine: defaults filled in, disks that are paths of files added to the
 * machine's own list. The machine is copied. Fails with P2V_ERROR_USAGE (a value that cannot be
 * honoured) or P2V_ERROR_SOURCE (no such disk). */
P2vRequest *p2v_config_to_request (const P2vConfig *config, const P2vMachine *machine,
                                   GError **error);

/* The name that the guest gets: as asked for, else after the machine. machine: NULL when nothing is
 * known of it. (transfer full) */
char *p2v_config_guest_name (const P2vConfig *config, const P2vMachine *machine);

/* Where an interface goes according to p2v.network: its own target, else the default one, else
 * "default". Owned by the configuration. */
const char *p2v_config_network_for (const P2vConfig *config, const char *nic);

/* Sets the network that an interface of the machine goes to. NULL: the guest does not get the
 * interface. */
void p2v_config_set_network (P2vConfig *config, const P2vMachine *machine, const char *nic,
                             const char *network);

/* A mapping of p2v.network. nic: NULL for the default. (transfer full) */
P2vNetworkMapping *p2v_network_mapping_new (const char *nic, const char *network);
void p2v_network_mapping_free (P2vNetworkMapping *mapping);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vNetworkMapping, p2v_network_mapping_free)

/* The configuration as virt-p2v's p2v.dump_config_and_exit prints it (the format of virt-p2v
 * 1.42: the name padded to 20 columns, "(none)" for what is not set), and then ours in the same
 * form. Passwords are "***", also those within URLs and p2v.oo.
 * request: what p2v_config_to_request() made of it. (transfer full) */
char *p2v_config_dump (const P2vConfig *config, const P2vRequest *request);

G_END_DECLS

#endif
