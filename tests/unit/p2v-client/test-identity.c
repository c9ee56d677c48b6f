/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/error.h"
#include "p2v-client/identity.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>

/* A key's frame with nothing of a key in it: what is fetched is not used for logging in here. */
#define KEY                                                                                        \
  "-----BEGIN OPENSSH PRIVATE KEY-----\n"                                                          \
  "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW\n"                       \
  "-----END OPENSSH PRIVATE KEY-----\n"

#define KEY_WITH_PASSPHRASE                                                                        \
  "-----BEGIN OPENSSH PRIVATE KEY-----\n"                                                          \
  "b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGAAAABDu8tSr3L\n"                       \
  "-----END OPENSSH PRIVATE KEY-----\n"

static char *
fetch_file (const char *text, gssize length, GError **error)
{
  g_autofree char *path = NULL;
  int fd = g_file_open_tmp ("p2v-identity-XXXXXX", &path, NULL);
  g_assert_cmpint (fd, >=, 0);
  g_close (fd, NULL);
  g_assert_true (g_file_set_contents (path, text, length, NULL));
  g_autofree char *url = g_filename_to_uri (path, NULL, NULL);
  char *key = p2v_identity_fetch (url, NULL, error);
  g_unlink (path);
  return key;
}

static void
assert_file_refused (const char *text, gssize length, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (fetch_file (text, length, &error));
  g_assert_error (error, P2V_ERROR, P2V_ERROR_AUTH);
  if (strstr (error->message, expected) == NULL)
    g_error ("refused with: %s\nexpected: %s", error->message, expected);
  g_assert_null (strstr (error->message, "hush"));
}

static void
test_a_file_is_read (void)
{
  g_autoptr (GError) error = NULL;
  char *key = fetch_file (KEY, -1, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (key, ==, KEY);
  p2v_secret_free (key);
}

static void
test_what_is_no_usable_key_is_refused (void)
{
  assert_file_refused ("", 0, "it is empty");
  assert_file_refused ("<html>hush</html>", -1, "it is not an SSH private key");
  assert_file_refused ("ssh-ed25519 AAAA hush", -1, "not its .pub file");
  assert_file_refused (KEY "\0hush", sizeof KEY + 4, "it is not an SSH private key");
  assert_file_refused ("PuTTY-User-Key-File-3: ssh-ed25519\n", -1, "puttygen");
  assert_file_refused (KEY_WITH_PASSPHRASE, -1, "protected by a passphrase");
  assert_file_refused ("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n", -1,
                       "protected by a passphrase");
}

static void
test_what_is_too_large_is_refused (void)
{
  g_autofree char *large = g_strnfill (64 * 1024 + 1, 'a');
  memcpy (large, KEY, strlen (KEY));
  assert_file_refused (large, -1, "larger than 64 KiB");
  large[64 * 1024] = '\0';
  g_autoptr (GError) error = NULL;
  char *key = fetch_file (large, -1, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (strlen (key), ==, 64 * 1024);
  p2v_secret_free (key);
}

static void
test_a_missing_file_is_reported (void)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (p2v_identity_fetch ("file:///nonexistent/id_p2v", NULL, &error));
  g_assert_error (error, P2V_ERROR, P2V_ERROR_AUTH);
  g_assert_nonnull (strstr (error->message, "file:///nonexistent/id_p2v"));
  g_assert_nonnull (strstr (error->message, "p2v.identity"));
}

/* Answers every request: /key the key, /endless a body without end, /to-file a redirect to a file
 * of this machine, else 404. */
static gboolean
answer (GThreadedSocketService *service, GSocketConnection *connection, GObject *source,
        gpointer user_data)
{
  (void)service, (void)source, (void)user_data;
  char request[4096] = "";
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (connection));
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (connection));
  g_input_stream_read (input, request, sizeof request - 1, NULL, NULL);
  const char *text = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
  if (g_str_has_prefix (request, "GET /key "))
    text = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" KEY;
  else if (g_str_has_prefix (request, "GET /to-file "))
    text = "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n";
  else if (g_str_has_prefix (request, "GET /endless "))
    text = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
  g_output_stream_write_all (output, text, strlen (text), NULL, NULL, NULL);
  g_autofree char *block = g_strnfill (4096, 'a');
  while (g_str_has_prefix (request, "GET /endless ")
         && g_output_stream_write_all (output, block, 4096, NULL, NULL, NULL))
    continue;
  return TRUE;
}

static gpointer
serve (gpointer loop)
{
  GMainContext *context = g_main_loop_get_context (loop);
  g_main_context_push_thread_default (context);
  g_main_loop_run (loop);
  g_main_context_pop_thread_default (context);
  return NULL;
}

static void
test_a_web_server_is_asked (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GMainLoop) loop = g_main_loop_new (context, FALSE);
  g_main_context_push_thread_default (context);
  GSocketService *service = g_threaded_socket_service_new (4);
  g_signal_connect (service, "run", G_CALLBACK (answer), NULL);
  guint16 port = g_socket_listener_add_any_inet_port (G_SOCKET_LISTENER (service), NULL, NULL);
  g_socket_service_start (service);
  g_main_context_pop_thread_default (context);
  GThread *thread = g_thread_new ("serve", serve, loop);

  static const char *const refused[][2]
      = { { "nothing", "404" }, { "endless", "larger than 64 KiB" }, { "to-file", "rotocol" } };
  for (gsize i = 0; i < G_N_ELEMENTS (refused); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *url
          = g_strdup_printf ("http://user:hush@127.0.0.1:%u/%s", port, refused[i][0]);
      g_assert_null (p2v_identity_fetch (url, NULL, &error));
      g_assert_error (error, P2V_ERROR, P2V_ERROR_AUTH);
      g_assert_nonnull (strstr (error->message, refused[i][1]));
      g_assert_null (strstr (error->message, "hush"));
      g_assert_nonnull (strstr (error->message, "http://***@127.0.0.1"));
    }
  g_autoptr (GError) error = NULL;
  g_autofree char *url = g_strdup_printf ("http://127.0.0.1:%u/key", port);
  char *key = p2v_identity_fetch (url, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (key, ==, KEY);
  p2v_secret_free (key);

  g_main_loop_quit (loop);
  g_thread_join (thread);
  g_socket_service_stop (service);
  g_socket_listener_close (G_SOCKET_LISTENER (service));
  g_object_unref (service);
}

int
main (int argc, char **argv)
{
  /* A proxy of whoever runs the tests has no business here. */
  g_setenv ("no_proxy", "*", TRUE);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/identity/a-file-is-read", test_a_file_is_read);
  g_test_add_func ("/identity/what-is-no-usable-key-is-refused",
                   test_what_is_no_usable_key_is_refused);
  g_test_add_func ("/identity/what-is-too-large-is-refused", test_what_is_too_large_is_refused);
  g_test_add_func ("/identity/a-missing-file-is-reported", test_a_missing_file_is_reported);
  g_test_add_func ("/identity/a-web-server-is-asked", test_a_web_server_is_asked);
  return g_test_run ();
}
