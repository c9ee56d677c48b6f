/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text of a volume group, from a disk that anybody may have written. */
#include "p2v-client/lvm-text.h"
#include "p2v-client/lvm.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static void
check_volume (const P2vLogicalVolume *volume)
{
  gint64 length = 0;
  g_assert (volume->name != NULL && (volume->id != NULL || volume->obstacle != NULL));
  for (guint i = 0; i < volume->segments->len; i++)
    {
      const P2vLvmSegment *segment = volume->segments->pdata[i];
      g_assert (segment->length > 0 && segment->stripes->len > 0);
      g_assert (segment->stripes->len == 1 || segment->stripe_size > 0);
      for (guint j = 0; j < segment->stripes->len; j++)
        g_assert (((P2vLvmStripe *)segment->stripes->pdata[j])->offset >= 0);
      length += segment->length;
    }
  g_assert (volume->obstacle != NULL || length == volume->size);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *text = g_strndup ((const char *)data, size);
  g_autoptr (P2vLvmNode) root = p2v_lvm_text_parse (text);
  g_autoptr (P2vVolumeGroup) group = p2v_volume_group_parse (text);
  g_assert (root != NULL || group == NULL);
  if (group == NULL)
    return 0;
  g_assert (group->name != NULL && group->extent_size > 0);
  g_assert (group->id != NULL || group->obstacle != NULL);
  for (guint i = 0; i < group->members->len; i++)
    {
      const P2vLvmMember *member = group->members->pdata[i];
      g_assert (member->start >= 0 && member->size >= 0);
      g_assert (p2v_volume_group_find_member (group, member->id) != NULL);
    }
  for (guint i = 0; i < group->volumes->len; i++)
    check_volume (group->volumes->pdata[i]);
  return 0;
}
