/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/network-words.h"

char *
p2v_network_word (const char *text)
{
  char *copy = g_strdup (text);
  return g_strstrip (copy);
}

char **
p2v_network_words (const char *text)
{
  g_auto (GStrv) parts = g_strsplit_set (text, " ,\t", -1);
  GPtrArray *words = g_ptr_array_new ();
  for (char **part = parts; *part != NULL; part++)
    if (**part != '\0')
      g_ptr_array_add (words, g_strdup (*part));
  g_ptr_array_add (words, NULL);
  return (char **)g_ptr_array_free (words, FALSE);
}

/* The number of ones that a netmask begins with; 0 for what is no netmask. */
static guint
count_ones (GInetAddress *mask)
{
  const guint8 *bytes = g_inet_address_to_bytes (mask);
  guint32 bits = 0;
  for (gsize i = 0; i < sizeof bits; i++)
    bits = bits << 8 | bytes[i];
  guint ones = 0;
  for (; bits >> 31 != 0; bits <<= 1)
    ones++;
  return bits == 0 ? ones : 0;
}

GInetAddress *
p2v_network_read_address (const char *text, GSocketFamily family, guint *prefix)
{
  g_autofree char *word = p2v_network_word (text);
  g_auto (GStrv) parts = g_strsplit (word, "/", 2);
  if (parts[0] == NULL || parts[1] == NULL)
    return NULL;
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (parts[0]);
  g_autoptr (GInetAddress) mask = g_inet_address_new_from_string (parts[1]);
  if (address == NULL || g_inet_address_get_family (address) != family)
    return NULL;
  guint64 length = 0;
  guint64 most = g_inet_address_get_native_size (address) * 8;
  if (mask != NULL && family == G_SOCKET_FAMILY_IPV4
      && g_inet_address_get_family (mask) == G_SOCKET_FAMILY_IPV4)
    length = count_ones (mask);
  else if (!g_ascii_string_to_unsigned (parts[1], 10, 1, most, &length, NULL))
    return NULL;
  *prefix = (guint)length;
  return length > 0 ? g_steal_pointer (&address) : NULL;
}
