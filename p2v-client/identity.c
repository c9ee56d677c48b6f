/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/identity.h"

#include "common/error.h"
#include "p2v-client/text.h"

#include <curl/curl.h>
#include <string.h>

/* The largest keys (RSA with 16384 bits) have 13 KiB; whatever is longer is a web page. */
#define MAX_IDENTITY (64 * 1024)

/* Seconds. A key is one packet or two: who takes longer than this is not there. */
#define CONNECT_TIMEOUT 30L
#define TOTAL_TIMEOUT 60L

#define MAX_REDIRECTS 5L

/* A redirect may not point to a file of this machine, nor to a protocol that only libcurl knows. */
#define REDIRECT_PROTOCOLS "http,https,ftp,ftps"

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CURL, curl_easy_cleanup)

/* Allocated once at full size: growing it would leave copies of the key behind. */
typedef struct
{
  char *text;
  gsize length;
  gboolean too_large;
} Received;

void
p2v_secret_free (char *secret)
{
  if (secret == NULL)
    return;
  explicit_bzero (secret, strlen (secret));
  g_free (secret);
}

static gsize
receive (char *data, gsize size, gsize count, gpointer user_data)
{
  Received *received = user_data;
  gsize length = size * count;
  if (length > MAX_IDENTITY - received->length)
    {
      received->too_large = TRUE;
      return 0; /* libcurl stops with CURLE_WRITE_ERROR */
    }
  memcpy (received->text + received->length, data, length);
  received->length += length;
  return length;
}

static gboolean
refuse (GError **error, const char *url, const char *why, const char *next)
{
  g_autofree char *masked = p2v_url_mask (url);
  g_autofree char *shown = p2v_text_printable (masked);
  g_set_error (error, P2V_ERROR, P2V_ERROR_AUTH, "cannot use the SSH identity %s: %s. %s", shown,
               why, next);
  return FALSE;
}

/* TRUE when the server of the key, or the way to it, may be there in a moment. */
static gboolean
may_pass (CURL *curl, CURLcode code)
{
  long status = 0;
  switch (code)
    {
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
      return TRUE;
    case CURLE_HTTP_RETURNED_ERROR:
      /* RFC 9110, section 15.6: the server's fault, not the request's. */
      return curl_easy_getinfo (curl, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK && status >= 500;
    default:
      return FALSE;
    }
}

/* libcurl asks about once a second, and more often while data comes in. */
static int
on_progress (gpointer cancellable, curl_off_t total G_GNUC_UNUSED, curl_off_t now G_GNUC_UNUSED,
             curl_off_t upload_total G_GNUC_UNUSED, curl_off_t uploaded G_GNUC_UNUSED)
{
  return g_cancellable_is_cancelled (cancellable);
}

static gboolean
fetch (const char *url, Received *received, GCancellable *cancellable, GError **error)
{
  static gsize initialized = 0;
  if (g_once_init_enter (&initialized))
    {
      curl_global_init (CURL_GLOBAL_DEFAULT);
      g_once_init_leave (&initialized, 1);
    }
  g_autoptr (CURL) curl = curl_easy_init ();
  char details[CURL_ERROR_SIZE] = "";
  if (curl == NULL)
    return refuse (error, url, "libcurl does not start", "Check the memory of this machine.");
  curl_easy_setopt (curl, CURLOPT_URL, url);
  curl_easy_setopt (curl, CURLOPT_ERRORBUFFER, details);
  curl_easy_setopt (curl, CURLOPT_WRITEFUNCTION, receive);
  curl_easy_setopt (curl, CURLOPT_WRITEDATA, received);
  curl_easy_setopt (curl, CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt (curl, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt (curl, CURLOPT_MAXREDIRS, MAX_REDIRECTS);
  curl_easy_setopt (curl, CURLOPT_REDIR_PROTOCOLS_STR, REDIRECT_PROTOCOLS);
  curl_easy_setopt (curl, CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT);
  curl_easy_setopt (curl, CURLOPT_TIMEOUT, TOTAL_TIMEOUT);
  /* Without it libcurl uses SIGALRM, which does not go with threads. */
  curl_easy_setopt (curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt (curl, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt (curl, CURLOPT_XFERINFODATA, cancellable);
  curl_easy_setopt (curl, CURLOPT_NOPROGRESS, 0L);
  CURLcode code = curl_easy_perform (curl);
  if (g_cancellable_is_cancelled (cancellable))
    {
      g_set_error_literal (error, P2V_ERROR, P2V_ERROR_CANCELLED, "stopped on request");
      return FALSE;
    }
  if (received->too_large)
    return refuse (error, url, "it is larger than 64 KiB, so it is no private key",
                   "Check what p2v.identity points to.");
  if (code != CURLE_OK)
    {
      const char *why = details[0] != '\0' ? details : curl_easy_strerror (code);
      g_autofree char *shown = p2v_text_printable (why);
      refuse (error, url, shown,
              "Check the URL in p2v.identity, and that this machine may read it.");
      if (may_pass (curl, code))
        p2v_error_recode (error, P2V_ERROR_AUTH_PASSING);
      return FALSE;
    }
  return TRUE;
}

/* PROTOCOL.key of OpenSSH: "openssh-key-v1" and a zero byte, then the cipher's name with its
 * length; this is the Base64 form of all that up to the "no" of "none". */
static gboolean
has_passphrase (const char *begin)
{
  const char *const openssh = "-----BEGIN OPENSSH PRIVATE KEY-----";
  if (!g_str_has_prefix (begin, openssh))
    return g_str_has_prefix (begin, "-----BEGIN ENCRYPTED ")
           || strstr (begin, "Proc-Type: 4,ENCRYPTED") != NULL;
  begin += strlen (openssh);
  begin += strspn (begin, "\r\n \t");
  return !g_str_has_prefix (begin, "b3BlbnNzaC1rZXktdjEAAAAABG5v");
}

/* libssh would say "cannot import" for each of these. */
static gboolean
check_key (const Received *received, const char *url, GError **error)
{
  const char *text = received->text;
  if (received->length == 0)
    return refuse (error, url, "it is empty", "Check what p2v.identity points to.");
  if (g_str_has_prefix (text, "PuTTY-User-Key-File"))
    return refuse (error, url, "it is a key of PuTTY",
                   "Convert it: puttygen KEY -O private-openssh-new -o id_p2v");
  const char *begin = strstr (text, "-----BEGIN ");
  if (strlen (text) != received->length || begin == NULL
      || strstr (begin, "PRIVATE KEY-----") == NULL)
    return refuse (error, url, "it is not an SSH private key",
                   "Give the private key itself, not its .pub file or a page about it.");
  if (has_passphrase (begin))
    return refuse (error, url, "it is protected by a passphrase",
                   "Make one without: ssh-keygen -t ed25519 -N '' -f id_p2v");
  return TRUE;
}

char *
p2v_identity_fetch (const char *url, GCancellable *cancellable, GError **error)
{
  Received received = { g_malloc0 (MAX_IDENTITY + 1), 0, FALSE };
  if (fetch (url, &received, cancellable, error) && check_key (&received, url, error))
    return received.text;
  /* Not p2v_secret_free(): what is no text may hold a zero byte in its middle. */
  explicit_bzero (received.text, MAX_IDENTITY);
  g_free (received.text);
  return NULL;
}
