/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_SERVER_LIBVIRT_H
#define P2V_SERVER_LIBVIRT_H

#include "common/error.h"

#include <libvirt/libvirt.h>

G_BEGIN_DECLS

G_DEFINE_AUTOPTR_CLEANUP_FUNC (virConnect, virConnectClose)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (virDomain, virDomainFree)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (virNetwork, virNetworkFree)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (virStoragePool, virStoragePoolFree)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (virStorageVol, virStorageVolFree)

/* Connects to the libvirt at uri (g_autoptr (virConnect) closes it). Never asks for a password.
 * From the first call on libvirt itself prints no errors: they reach people as GErrors only. Fails
 * with P2V_ERROR_REFUSED, telling what to check. */
virConnectPtr p2v_libvirt_open (const char *uri, GError **error);

/* Sets error from this thread's last libvirt error: "FORMAT…: libvirt's message". Returns FALSE, so
 * that a failing function can end with it. Call it before anything else that uses libvirt. */
gboolean p2v_libvirt_fail (GError **error, P2vErrorCode code, const char *format, ...)
    G_GNUC_PRINTF (3, 4);

/* TRUE when this thread's last libvirt call failed with that virErrorNumber, e.g.
 * VIR_ERR_NO_DOMAIN. */
gboolean p2v_libvirt_failed_with (int number);

G_END_DECLS

#endif
