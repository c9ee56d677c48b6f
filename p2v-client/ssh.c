/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/ssh.h"

#include "common/error.h"
#include "common/protocol.h"
#include "p2v-client/ssh-pump.h"

#include <libssh/libssh.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#ifdef __aarch64__
#include <sys/auxv.h>
#endif

/* How long a server may take to accept the connection, and to answer while logging in, seconds. */
#define TIMEOUT_SECONDS 30

/* When a server that has vanished (its power, a cable on the way) is given up: after so long with
 * nothing acknowledged, or that many unanswered probes on an idle connection, seconds. The kernel's
 * own patience is a quarter of an hour for the one and two hours for the other. */
#define VANISHED_SECONDS 45
#define PROBE_AFTER_SECONDS 15
#define PROBE_EVERY_SECONDS 5
#define PROBES 6

/* How long we wait for the command's end once we are through with it, milliseconds. */
#define END_MS 3000
#define END_POLL_MS 20

/* Socket buffers between our threads, bytes: a chunk of data is on its way while another is
 * encrypted. */
#define LOCAL_BUFFER (1024 * 1024)

struct _P2vSsh
{
  ssh_session session;
  ssh_channel channel;
  int fds[2]; /* ours, the pump's */
  GThread *pump;
  P2vPumpControl control;
  gint pump_ended;
  GString *last_words;
  char *failure; /* why the connection was lost; valid when the pump has been joined */
};

static gboolean
fail_session (P2vSsh *ssh, P2vErrorCode code, const P2vConfig *config, const char *what,
              GError **error)
{
  g_set_error (error, P2V_ERROR, code, "%s %s port %u: %s", what, config->server, config->port,
               ssh_get_error (ssh->session));
  return FALSE;
}

/* A conversion takes hours, and nobody may be watching. Where an option is not known the kernel's
 * default has to do. */
static void
notice_silence (int fd)
{
  const struct
  {
    int level, name, value;
  } options[] = {
    { SOL_SOCKET, SO_KEEPALIVE, 1 },
    { IPPROTO_TCP, TCP_KEEPIDLE, PROBE_AFTER_SECONDS },
    { IPPROTO_TCP, TCP_KEEPINTVL, PROBE_EVERY_SECONDS },
    { IPPROTO_TCP, TCP_KEEPCNT, PROBES },
    { IPPROTO_TCP, TCP_USER_TIMEOUT, VANISHED_SECONDS * 1000 },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (options); i++)
    setsockopt (fd, options[i].level, options[i].name, &options[i].value, sizeof (int));
}

/* Resolves and connects; libssh's own connect() can neither be cancelled nor tries all addresses.
 */
static int
connect_socket (const P2vConfig *config, GCancellable *cancellable, GError **error)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_socket_client_set_timeout (client, TIMEOUT_SECONDS);
  g_socket_client_set_enable_proxy (client, FALSE);
  g_autoptr (GSocketConnectable) address = g_network_address_new (config->server, config->port);
  g_autoptr (GSocketConnection) connection
      = g_socket_client_connect (client, address, cancellable, error);
  if (connection == NULL)
    {
      if (error != NULL && g_error_matches (*error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        p2v_error_recode (error, P2V_ERROR_CANCELLED);
      else
        p2v_error_recode (error, P2V_ERROR_CONNECTION);
      g_prefix_error (error, "cannot reach the conversion server %s port %u: ", config->server,
                      config->port);
      if (error != NULL && (*error)->code == P2V_ERROR_CONNECTION)
        {
          char *message = g_strconcat (
              (*error)->message,
              ". Check p2v.server= and p2v.port=, this machine's network, and sshd there.", NULL);
          g_free ((*error)->message);
          (*error)->message = message;
        }
      return -1;
    }
  GSocket *socket = g_socket_connection_get_socket (connection);
  notice_silence (g_socket_get_fd (socket));
  /* GSocket closes its own descriptor; libssh wants to own one, too. */
  return dup (g_socket_get_fd (socket));
}

static gboolean
auth_with_key (P2vSsh *ssh, const P2vConfig *config, const char *identity, GError **error)
{
  ssh_key key = NULL;
  if (ssh_pki_import_privkey_base64 (identity, NULL, NULL, NULL, &key) != SSH_OK)
    {
      g_set_error (error, P2V_ERROR, P2V_ERROR_AUTH,
                   "the SSH identity is not a private key that can be used: it must be in OpenSSH "
                   "or PEM format and without a passphrase. Check p2v.identity=.");
      return FALSE;
    }
  int rc = ssh_userauth_publickey (ssh->session, NULL, key);
  ssh_key_free (key);
  if (rc == SSH_AUTH_SUCCESS)
    return TRUE;
  if (!ssh_is_connected (ssh->session))
    return fail_session (ssh, P2V_ERROR_CONNECTION, config, "the login was cut off by", error);
  g_set_error (
      error, P2V_ERROR, P2V_ERROR_AUTH,
      "%s does not let user %s in with the given SSH identity. Check that its public key is "
      "in that user's authorized_keys on the server, and p2v.username=.",
      config->server, config->username);
  return FALSE;
}

/* Answers every prompt of keyboard-interactive that hides its input with the password: how PAM asks
 * for one. */
static int
auth_interactively (P2vSsh *ssh, const char *password)
{
  int rc;
  while ((rc = ssh_userauth_kbdint (ssh->session, NULL, NULL)) == SSH_AUTH_INFO)
    for (int i = 0; i < ssh_userauth_kbdint_getnprompts (ssh->session); i++)
      {
        char echo = 1;
        ssh_userauth_kbdint_getprompt (ssh->session, (unsigned)i, &echo);
        if (ssh_userauth_kbdint_setanswer (ssh->session, (unsigned)i, echo ? "" : password) < 0)
          return SSH_AUTH_ERROR;
      }
  return rc;
}

static gboolean
auth_with_password (P2vSsh *ssh, const P2vConfig *config, GError **error)
{
  const char *password = config->password != NULL ? config->password : "";
  if (ssh_userauth_none (ssh->session, NULL) == SSH_AUTH_SUCCESS)
    return TRUE;
  int methods = ssh_userauth_list (ssh->session, NULL);
  if ((methods & SSH_AUTH_METHOD_PASSWORD)
      && ssh_userauth_password (ssh->session, NULL, password) == SSH_AUTH_SUCCESS)
    return TRUE;
  if ((methods & SSH_AUTH_METHOD_INTERACTIVE)
      && auth_interactively (ssh, password) == SSH_AUTH_SUCCESS)
    return TRUE;
  if (!ssh_is_connected (ssh->session))
    return fail_session (ssh, P2V_ERROR_CONNECTION, config, "the login was cut off by", error);
  g_set_error (
      error, P2V_ERROR, P2V_ERROR_AUTH,
      "%s does not let user %s in %s. Check p2v.username= and p2v.password=, or use a key: "
      "p2v.identity=URL.",
      config->server, config->username,
      config->password != NULL ? "with the given password" : "without a password");
  return FALSE;
}

static gboolean
start_command (P2vSsh *ssh, const P2vConfig *config, const char *command, GError **error)
{
  g_autofree char *full = g_strconcat (config->sudo ? P2V_SUDO_PREFIX : "", command, NULL);
  ssh->channel = ssh_channel_new (ssh->session);
  if (ssh->channel == NULL || ssh_channel_open_session (ssh->channel) != SSH_OK
      || ssh_channel_request_exec (ssh->channel, full) != SSH_OK)
    return fail_session (ssh, P2V_ERROR_CONNECTION, config, "cannot start p2v-server on", error);
  return TRUE;
}

static gpointer
run_pump (gpointer data)
{
  P2vSsh *ssh = data;
  ssh->failure
      = p2v_ssh_pump (ssh->session, ssh->channel, ssh->fds[1], &ssh->control, ssh->last_words);
  g_atomic_int_set (&ssh->pump_ended, 1);
  return NULL;
}

static gboolean
start_pump (P2vSsh *ssh, GError **error)
{
  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ssh->fds) < 0)
    {
      g_set_error_literal (error, P2V_ERROR, P2V_ERROR_FAILED, "cannot make a socket pair");
      return FALSE;
    }
  int size = LOCAL_BUFFER;
  for (int i = 0; i < 2; i++)
    setsockopt (ssh->fds[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  ssh_set_blocking (ssh->session, 0);
  ssh->pump = g_thread_new ("ssh-pump", run_pump, ssh);
  return TRUE;
}

/* The ciphers in the order in which we like them. All are sound; what differs is the time they
 * take. AES-GCM with the processor's help is the fastest (476 MB/s on one connection, where
 * ChaCha20 makes 354), without it by far the slowest. */
static const char *
preferred_ciphers (void)
{
#if defined(__x86_64__) || defined(__i386__)
  gboolean aes = __builtin_cpu_supports ("aes") && __builtin_cpu_supports ("pclmul");
#elif defined(__aarch64__)
  gboolean aes = (getauxval (AT_HWCAP) & HWCAP_AES) != 0;
#else
  gboolean aes = FALSE;
#endif
  return aes ? "aes128-gcm@openssh.com,aes256-gcm@openssh.com,chacha20-poly1305@openssh.com,"
               "aes128-ctr,aes192-ctr,aes256-ctr"
             : "chacha20-poly1305@openssh.com,aes128-ctr,aes192-ctr,aes256-ctr,"
               "aes128-gcm@openssh.com,aes256-gcm@openssh.com";
}

static gboolean
set_options (P2vSsh *ssh, const P2vConfig *config, int fd)
{
  unsigned port = config->port;
  long timeout = TIMEOUT_SECONDS;
  const char *ciphers = preferred_ciphers ();
  bool process_config = false; /* what a ~/.ssh/config says is not the administrator's word here */
  return ssh_options_set (ssh->session, SSH_OPTIONS_PROCESS_CONFIG, &process_config) == SSH_OK
         && ssh_options_set (ssh->session, SSH_OPTIONS_HOST, config->server) == SSH_OK
         && ssh_options_set (ssh->session, SSH_OPTIONS_PORT, &port) == SSH_OK
         && ssh_options_set (ssh->session, SSH_OPTIONS_USER, config->username) == SSH_OK
         && ssh_options_set (ssh->session, SSH_OPTIONS_TIMEOUT, &timeout) == SSH_OK
         && ssh_options_set (ssh->session, SSH_OPTIONS_CIPHERS_C_S, ciphers) == SSH_OK
         && ssh_options_set (ssh->session, SSH_OPTIONS_CIPHERS_S_C, ciphers) == SSH_OK
         && ssh_options_set (ssh->session, SSH_OPTIONS_KNOWNHOSTS, P2V_KNOWN_HOSTS_FILE) == SSH_OK
         && ssh_options_set (ssh->session, SSH_OPTIONS_GLOBAL_KNOWNHOSTS, P2V_KNOWN_HOSTS_FILE)
                == SSH_OK
         && ssh_options_set (ssh->session, SSH_OPTIONS_FD, &fd) == SSH_OK;
}

/* libssh waits for a silent server until its time-out; a closed connection ends that at once. */
static void
on_cancelled (GCancellable *cancellable G_GNUC_UNUSED, gpointer fd)
{
  shutdown (GPOINTER_TO_INT (fd), SHUT_RDWR);
}

/* From a connected socket to a running command. */
static gboolean
log_in (P2vSsh *ssh, const P2vConfig *config, const char *identity, const char *command,
        P2vHostKey *hostkey, GError **error)
{
  if (ssh_connect (ssh->session) != SSH_OK)
    return fail_session (ssh, P2V_ERROR_CONNECTION, config, "no SSH server answers at", error);
  if (!p2v_hostkey_check (ssh->session, config, hostkey, error))
    return FALSE;
  /* Only now, with the server known, does it learn anything secret. */
  gboolean let_in = identity != NULL ? auth_with_key (ssh, config, identity, error)
                                     : auth_with_password (ssh, config, error);
  return let_in && start_command (ssh, config, command, error);
}

P2vSsh *
p2v_ssh_open (const P2vConfig *config, const char *identity, const char *command,
              P2vBandwidth *bandwidth, GCancellable *cancellable, P2vHostKey *hostkey,
              GError **error)
{
  P2vHostKey unwanted = { 0 };
  g_autoptr (P2vSsh) ssh = g_new0 (P2vSsh, 1);
  g_autoptr (GError) failure = NULL;
  ssh->fds[0] = ssh->fds[1] = -1;
  ssh->control.compress = P2V_PUMP_PLAIN;
  ssh->control.bandwidth = bandwidth;
  ssh->last_words = g_string_new (NULL);
  int fd = connect_socket (config, cancellable, error);
  if (fd < 0)
    return NULL;
  ssh->session = ssh_new ();
  if (ssh->session == NULL || !set_options (ssh, config, fd))
    {
      close (fd);
      g_set_error (error, P2V_ERROR, P2V_ERROR_USAGE, "the server or user name cannot be used: %s",
                   ssh->session != NULL ? ssh_get_error (ssh->session) : "out of memory");
      return NULL;
    }
  gulong handler = cancellable == NULL
                       ? 0
                       : g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled),
                                                GINT_TO_POINTER (fd), NULL);
  gboolean ok
      = log_in (ssh, config, identity, command, hostkey != NULL ? hostkey : &unwanted, &failure)
        && start_pump (ssh, &failure);
  g_cancellable_disconnect (cancellable, handler);
  p2v_hostkey_clear (&unwanted);
  if (ok)
    return g_steal_pointer (&ssh);
  if (g_cancellable_is_cancelled (cancellable))
    g_set_error_literal (error, P2V_ERROR, P2V_ERROR_CANCELLED, "stopped on request");
  else
    g_propagate_error (error, g_steal_pointer (&failure));
  return NULL;
}

int
p2v_ssh_get_fd (P2vSsh *ssh)
{
  return ssh->fds[0];
}

void
p2v_ssh_compress (P2vSsh *ssh, gint64 level)
{
  atomic_store (&ssh->control.compress, level == P2V_COMPRESS_AUTO ? P2V_PUMP_ADAPT : (int)level);
}

gint64
p2v_ssh_get_sent (P2vSsh *ssh)
{
  return atomic_load (&ssh->control.sent);
}

static void
join_pump (P2vSsh *ssh)
{
  if (ssh->pump != NULL)
    g_thread_join (g_steal_pointer (&ssh->pump));
}

void
p2v_ssh_stop (P2vSsh *ssh)
{
  atomic_store (&ssh->control.stop, TRUE);
  shutdown (ssh->fds[0], SHUT_RDWR);
}

char *
p2v_ssh_explain_end (P2vSsh *ssh)
{
  shutdown (ssh->fds[0], SHUT_RDWR);
  for (int waited = 0; waited < END_MS && !g_atomic_int_get (&ssh->pump_ended);
       waited += END_POLL_MS)
    g_usleep (END_POLL_MS * 1000);
  gboolean silent = !g_atomic_int_get (&ssh->pump_ended);
  p2v_ssh_stop (ssh);
  join_pump (ssh);
  if (ssh->failure != NULL)
    return g_strdup_printf ("the connection was lost (%s)", ssh->failure);
  g_autofree char *words = g_utf8_make_valid (ssh->last_words->str, -1);
  g_strstrip (words);
  int status = ssh_channel_get_exit_status (ssh->channel);
  if (*words != '\0')
    return g_strdup_printf ("the server says: %s", words);
  if (silent)
    return g_strdup ("it does not answer any more");
  if (status < 0)
    return g_strdup ("it did not say why");
  return g_strdup_printf ("p2v-server ended there with status %d", status);
}

void
p2v_ssh_free (P2vSsh *ssh)
{
  if (ssh == NULL)
    return;
  atomic_store (&ssh->control.stop, TRUE);
  for (int i = 0; i < 2; i++)
    if (ssh->fds[i] >= 0)
      shutdown (ssh->fds[i], SHUT_RDWR);
  join_pump (ssh);
  for (int i = 0; i < 2; i++)
    if (ssh->fds[i] >= 0)
      close (ssh->fds[i]);
  g_clear_pointer (&ssh->channel, ssh_channel_free);
  if (ssh->session != NULL)
    {
      if (ssh_is_connected (ssh->session))
        ssh_disconnect (ssh->session);
      ssh_free (ssh->session);
    }
  g_string_free (ssh->last_words, TRUE);
  g_free (ssh->failure);
  g_free (ssh);
}
