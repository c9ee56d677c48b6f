/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/ssh-key.h"

#include "common/error.h"
#include "p2v-server/program.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* No key is longer: an RSA key of 16384 bits takes 13 KiB. */
#define MAX_KEY (64 * 1024)

/* An unpadded Base64 SHA-256. */
#define FINGERPRINT_LENGTH 43

#define FINGERPRINT_PREFIX "SHA256:"

void
p2v_ssh_key_free (P2vSshKey *key)
{
  if (key == NULL)
    return;
  g_free (key->type);
  g_free (key->base64);
  g_free (key->comment);
  g_free (key->fingerprint);
  g_free (key);
}

static gpointer
refuse (GError **error, const char *name, const char *why)
{
  g_set_error (error, P2V_ERROR, P2V_ERROR_USAGE, "%s: %s", name, why);
  return NULL;
}

static char *
fingerprint_of (const guchar *blob, gsize size)
{
  guint8 digest[32];
  gsize length = sizeof digest;
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  g_checksum_update (checksum, blob, (gssize)size);
  g_checksum_get_digest (checksum, digest, &length);
  g_autofree char *base64 = g_base64_encode (digest, length);
  base64[FINGERPRINT_LENGTH] = '\0';
  return g_strconcat (FINGERPRINT_PREFIX, base64, NULL);
}

/* RFC 4253, section 6.6: the blob begins with the type, after its length in four bytes. */
static gboolean
blob_fits (const guchar *blob, gsize size, const char *type)
{
  gsize length = strlen (type);
  return size > 4 + length && blob[0] == 0 && blob[1] == 0
         && (gsize)(blob[2] << 8 | blob[3]) == length && memcmp (blob + 4, type, length) == 0;
}

P2vSshKey *
p2v_ssh_key_parse (const char *line, const char *name, GError **error)
{
  g_autofree char *copy = g_strdup (line);
  g_strstrip (copy);
  g_auto (GStrv) words = g_strsplit_set (copy, " \t", 3);
  if (strstr (copy, "PRIVATE KEY") != NULL)
    return refuse (error, name, "this is a private key. Name its .pub file.");
  if (strpbrk (copy, "\r\n") != NULL || g_strv_length (words) < 2)
    return refuse (error, name, "expected one public key, as in ~/.ssh/id_ed25519.pub");
  gsize size = 0;
  g_autofree guchar *blob = g_base64_decode (words[1], &size);
  if (!blob_fits (blob, size, words[0]) || !g_utf8_validate (copy, -1, NULL))
    return refuse (error, name,
                   "expected one public key without options, as in ~/.ssh/id_ed25519.pub");
  P2vSshKey *key = g_new0 (P2vSshKey, 1);
  key->type = g_strdup (words[0]);
  /* Encoded again: then nothing but Base64 is in it, whatever was around it. */
  key->base64 = g_base64_encode (blob, size);
  key->comment = g_strdup (words[2] != NULL ? g_strstrip (words[2]) : "");
  key->fingerprint = fingerprint_of (blob, size);
  return key;
}

/* Contents of a small file, wiped when freed. */
static GBytes *
load_file (const char *file, GError **error)
{
  int fd = open (file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  struct stat status;
  g_autofree char *buffer = g_malloc0 (MAX_KEY);
  ssize_t length = -1;
  if (fd >= 0 && fstat (fd, &status) == 0 && S_ISREG (status.st_mode))
    length = read (fd, buffer, MAX_KEY);
  else if (fd >= 0)
    errno = EISDIR;
  int failure = errno;
  if (fd >= 0)
    close (fd);
  GBytes *bytes = length >= 0 ? p2v_secret_bytes_new (buffer, (gsize)length) : NULL;
  if (buffer != NULL && length > 0) /* never NULL, which the sanitized build cannot see */
    explicit_bzero (buffer, (gsize)length);
  if (bytes == NULL)
    g_set_error (error, P2V_ERROR, P2V_ERROR_USAGE, "cannot read the key %s: %s.", file,
                 failure == EISDIR ? "it is no regular file" : g_strerror (failure));
  return bytes;
}

P2vSshKey *
p2v_ssh_key_load_public (const char *file, GError **error)
{
  g_autoptr (GBytes) bytes = load_file (file, error);
  if (bytes == NULL)
    return NULL;
  g_autofree char *text = g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  return p2v_ssh_key_parse (text, file, error);
}

P2vSshKey *
p2v_ssh_key_of_private (GBytes *text, const char *name, GError **error)
{
  /* An empty passphrase is given, or ssh-keygen would ask for one on the terminal. */
  const char *const argv[] = { "ssh-keygen", "-y", "-P", "", "-f", "/proc/self/fd/3", NULL };
  g_autofree char *line = NULL;
  g_autoptr (GError) problem = NULL;
  if (p2v_program_run (argv, "openssh-client", text, &line, &problem))
    return p2v_ssh_key_parse (line, name, error);
  if (strstr (problem->message, "incorrect passphrase") != NULL)
    return refuse (error, name,
                   "the key is protected by a passphrase, which nobody would be there to enter. "
                   "Make one without: ssh-keygen -t ed25519 -N '' -f FILE");
  if (strstr (problem->message, "not installed") != NULL)
    return refuse (error, name, problem->message);
  return refuse (error, name,
                 "this is not an SSH private key. Name the private key itself, not its .pub file.");
}

P2vSshKey *
p2v_ssh_key_load_private (const char *file, GBytes **text, GError **error)
{
  g_autoptr (GBytes) bytes = load_file (file, error);
  if (bytes == NULL)
    return NULL;
  P2vSshKey *key = p2v_ssh_key_of_private (bytes, file, error);
  if (key != NULL && text != NULL)
    *text = g_steal_pointer (&bytes);
  return key;
}

char *
p2v_ssh_key_line (const P2vSshKey *key)
{
  return g_strconcat (key->type, " ", key->base64, key->comment[0] != '\0' ? " " : "", key->comment,
                      NULL);
}

char *
p2v_ssh_fingerprint_parse (const char *text, GError **error)
{
  if (strcmp (text, "any") == 0)
    return g_strdup (text);
  const char *const base64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  gboolean prefixed = g_str_has_prefix (text, FINGERPRINT_PREFIX);
  const char *hash = prefixed ? text + strlen (FINGERPRINT_PREFIX) : "";
  gsize length = strspn (hash, base64);
  if (length == FINGERPRINT_LENGTH && (hash[length] == '\0' || strcmp (hash + length, "=") == 0))
    return g_strndup (text, hash + length - text);
  return refuse (error, "--hostkey",
                 "expected SHA256: and 43 characters, as this prints on the server: "
                 "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub; or \"any\", which trusts "
                 "whoever answers");
}
