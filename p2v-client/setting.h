/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_SETTING_H
#define P2V_SETTING_H

#include "p2v-client/cmdline.h"

G_BEGIN_DECLS

/* One row of the table of arguments (cmdline.c): its words for people, and how its value gets into
 * the configuration. The setters are the types of values; they check, then store. */

typedef struct _P2vSetting P2vSetting;

/* value: NULL when the argument has no "=". Fails with P2V_ERROR_USAGE. */
typedef gboolean (*P2vSettingFunc) (const P2vSetting *setting, P2vConfig *config, const char *value,
                                    GError **error);

struct _P2vSetting
{
  P2vArgument argument;
  P2vSettingFunc set;
  gsize offset;           /* of the member in P2vConfig, or in P2vOutput */
  gboolean in_output;     /* which of the two */
  gboolean secret;        /* the value is never quoted */
  gboolean repeatable;    /* may be given again: the values add up */
  gint64 min, max;        /* for numbers */
  const char *choices[4]; /* for choices, NULL after the last */
};

gboolean p2v_setting_set_text (const P2vSetting *, P2vConfig *, const char *, GError **);
gboolean p2v_setting_set_plain (const P2vSetting *, P2vConfig *, const char *, GError **);
gboolean p2v_setting_set_secret (const P2vSetting *, P2vConfig *, const char *, GError **);
gboolean p2v_setting_set_switch (const P2vSetting *, P2vConfig *, const char *, GError **);
gboolean p2v_setting_set_tristate (const P2vSetting *, P2vConfig *, const char *, GError **);
gboolean p2v_setting_set_number (const P2vSetting *, P2vConfig *, const char *, GError **);
gboolean p2v_setting_set_choice (const P2vSetting *, P2vConfig *, const char *, GError **);
gboolean p2v_setting_set_list (const P2vSetting *, P2vConfig *, const char *, GError **);
gboolean p2v_setting_set_command (const P2vSetting *, P2vConfig *, const char *, GError **);

/* Values with a form of their own. */
gboolean p2v_setting_set_server (const P2vSetting *, P2vConfig *, const char *, GError **);
gboolean p2v_setting_set_port (const P2vSetting *, P2vConfig *, const char *, GError **);
gboolean p2v_setting_set_username (const P2vSetting *, P2vConfig *, const char *, GError **);
gboolean p2v_setting_set_keyboard (const P2vSetting *, P2vConfig *, const char *, GError **);
gboolean p2v_setting_set_hostkey (const P2vSetting *, P2vConfig *, const char *, GError **);
gboolean p2v_setting_set_name (const P2vSetting *, P2vConfig *, const char *, GError **);
gboolean p2v_setting_set_memory (const P2vSetting *, P2vConfig *, const char *, GError **);
gboolean p2v_setting_set_rtc_offset (const P2vSetting *, P2vConfig *, const char *, GError **);
gboolean p2v_setting_set_networks (const P2vSetting *, P2vConfig *, const char *, GError **);
gboolean p2v_setting_set_allocation (const P2vSetting *, P2vConfig *, const char *, GError **);
gboolean p2v_setting_set_root (const P2vSetting *, P2vConfig *, const char *, GError **);
gboolean p2v_setting_set_lanes (const P2vSetting *, P2vConfig *, const char *, GError **);
gboolean p2v_setting_set_duration (const P2vSetting *, P2vConfig *, const char *, GError **);
gboolean p2v_setting_set_compress (const P2vSetting *, P2vConfig *, const char *, GError **);
gboolean p2v_setting_set_bwlimit (const P2vSetting *, P2vConfig *, const char *, GError **);

/* For setters: P2V_ERROR_USAGE "p2v.memory=8: REASON", without the value when it is secret.
 * Always FALSE. reason: what is expected, and what to write instead. */
gboolean p2v_setting_refuse (const P2vSetting *setting, const char *value, const char *reason,
                             GError **error);

/* Where the setting's member is. */
gpointer p2v_setting_member (const P2vSetting *setting, P2vConfig *config);

G_END_DECLS

#endif
