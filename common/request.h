/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_REQUEST_H
#define P2V_REQUEST_H

#include "common/machine.h"

G_BEGIN_DECLS

/* What a client asks the server for: a machine, what its guest is to be, and where it goes. The
 * request is complete: the client has filled in every default that depends on the machine. */

/* What a guest is started by. */
#define P2V_FIRMWARE_BIOS "bios"
#define P2V_FIRMWARE_UEFI "uefi"
#define P2V_FIRMWARE_UEFI_SECURE "uefi-secure" /* with Secure Boot */

/* A network interface of the guest. */
typedef struct
{
  char *nic;     /* name of the machine's interface, P2vNic.name */
  char *network; /* the target as the administrator named it ("default", "ovirtmgmt", "br0"); the
                    server's profile and libvirt decide what it is */
} P2vGuestNic;

typedef struct
{
  char *name;                  /* never NULL; see p2v_guest_name_check() */
  gboolean phys_topo;          /* copy sockets, cores and threads; else vcpus in one socket */
  gint64 vcpus;                /* at least 1 */
  gint64 memory;               /* bytes, at least 1 MiB */
  char *firmware;              /* P2V_FIRMWARE_*; NULL: as the machine was started */
  char *cpu_vendor;            /* NULL: not said */
  char *cpu_model;             /* libvirt model name; NULL: the server's default */
  P2vTristate acpi, apic, pae; /* P2V_UNSET: as the machine */
  char *rtc_basis;             /* "utc", "localtime" or "unknown" */
  gint64 rtc_offset;           /* seconds */
  char **disks;                /* names of the machine's disks to convert, in order; at least one */
  char **removables;           /* names of the machine's removable drives that the guest gets */
  GPtrArray *nics;             /* of P2vGuestNic, in order */
  char *root; /* virt-v2v --root: "first" or a device; NULL: the server's default */
} P2vGuest;

/* Where the guest goes; the fields are virt-v2v's options of the same name. All may be NULL: the
 * profile, or the server's default, decides. */
typedef struct
{
  char *profile;    /* p2v.profile */
  char *mode;       /* -o */
  char *connection; /* -oc */
  char *storage;    /* -os */
  char *format;     /* -of: "raw" or "qcow2" */
  char *allocation; /* -oa: "sparse" or "preallocated" */
  char **options;   /* -oo, each "key=value" */
  char *verify;     /* "full": what has landed is compared with what was read; "off"; NULL: full */
} P2vOutput;

typedef struct
{
  P2vMachine *machine;
  P2vGuest *guest;
  P2vOutput *output;
} P2vRequest;

P2V_SCHEMA_DECLARE (P2vGuestNic, p2v_guest_nic)
P2V_SCHEMA_DECLARE (P2vGuest, p2v_guest)
P2V_SCHEMA_DECLARE (P2vOutput, p2v_output)
P2V_SCHEMA_DECLARE (P2vRequest, p2v_request)

/* Checks that a request holds together: everything that is "never NULL" is there, names are
 * acceptable, every disk, drive and interface it names exists on its machine, sizes are whole
 * sectors. Used by both sides; the server trusts nothing else.
 * Fails with P2V_ERROR_REFUSED. */
gboolean p2v_request_check (const P2vRequest *request, GError **error);

/* Checks only what also a request has that could not be completed, because the machine failed
 * before: all parts are there, however empty, and the guest has an acceptable name.
 * Fails with P2V_ERROR_REFUSED. */
gboolean p2v_request_check_outline (const P2vRequest *request, GError **error);

/* What the machine was started by, as far as this has been found out: P2V_FIRMWARE_*. */
const char *p2v_machine_firmware (const P2vMachine *machine);

/* What the guest is started by: as asked for, else as the machine. P2V_FIRMWARE_*. */
const char *p2v_request_firmware (const P2vRequest *request);

/* A request of which nothing is known but the guest's name; passes p2v_request_check_outline() if
 * that is acceptable. (transfer full) */
P2vRequest *p2v_request_new_outline (const char *name);

/* A guest's name becomes a libvirt name, a file name and an argument: 1 to 64 characters, letters
 * and digits of ASCII and "-", "_", ".", "+", starting with a letter, a digit or "_".
 * Fails with P2V_ERROR_REFUSED, quoting the name in a printable form. */
gboolean p2v_guest_name_check (const char *name, GError **error);

/* The nearest acceptable guest name to any text (a host name), NULL when nothing remains. */
char *p2v_guest_name_from (const char *text);

/* TRUE when text can be a single path component without surprises: the alphabet of guest names,
 * not starting with "." or "-". Used for disk and interface names that reach file names. */
gboolean p2v_name_is_plain (const char *text);

G_END_DECLS

#endif
