/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/error.h"

/* How often the log is looked at. */
#define POLL_MILLISECONDS 250

/* Between SIGTERM and SIGKILL: virt-v2v removes its temporary files when asked to end. */
#define GRACE_SECONDS 10

/* The same when a person waits for the job's end. What virt-v2v would remove is removed by us. */
#define CANCEL_GRACE_SECONDS 3

/* A line longer than this is handed out in pieces: the guest's console is in the log, and a guest
 * may print what it likes. */
#define LINE_MAX_BYTES 65536

#define PRINTABLE_MAX 400

typedef struct
{
  const P2vTool *tool;
  GMainContext *context;
  pid_t group;    /* the program's process and its group, 0 when not started */
  int status;     /* of waitpid(2), when ended */
  int log;        /* for reading what is appended */
  GString *line;  /* begun and not yet ended */
  gint64 started; /* monotonic microseconds */
  gint64 ticked;  /* seconds */
  gint64 killed;  /* monotonic microseconds of SIGTERM, 0 not yet */
  gint64 grace;   /* seconds from SIGTERM to SIGKILL */
  gboolean cancelled;
  gboolean ended;
} Run;

char *
p2v_tool_find (const char *program, const char *package, GError **error)
{
  char *path = g_find_program_in_path (program);
  if (path == NULL)
    g_set_error (error, P2V_ERROR, P2V_ERROR_CONVERT,
                 "%s is not installed on the conversion server. Install it there (apt install %s) "
                 "and try again.",
                 program, package);
  return path;
}

/* Runs in the child between fork and exec: async-signal-safe calls only. */
static void
child_setup (gpointer user_data)
{
  /* A group of its own, so that a time limit ends helpers (qemu, qemu-nbd) too. */
  setpgid (0, 0);
  prctl (PR_SET_PDEATHSIG, SIGTERM);
  /* The parent may have died before the line above took effect. */
  if (getppid () != GPOINTER_TO_INT (user_data))
    _exit (127);
}

static int
open_log (const char *path, int flags, GError **error)
{
  int fd = open (path, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    g_set_error (error, P2V_ERROR, P2V_ERROR_CONVERT,
                 "cannot open %s: %s. Check the disk that holds the server's state-dir.", path,
                 g_strerror (errno));
  return fd;
}

/* Not GSubprocess: it forgets the process's number as soon as that has ended, which may be at once,
 * and the group has that number. Here the process is waited for when we say so. */
static gboolean
start (Run *run, const char *program, GError **error)
{
  const P2vTool *tool = run->tool;
  int err = open_log (tool->log, O_WRONLY | O_CREAT | O_APPEND, error);
  if (err < 0)
    return FALSE;
  int out = tool->output == NULL ? open_log (tool->log, O_WRONLY | O_APPEND, error)
                                 : open_log (tool->output, O_WRONLY | O_CREAT | O_TRUNC, error);
  if (out < 0)
    {
      close (err);
      return FALSE;
    }
  g_autoptr (GPtrArray) argv = g_ptr_array_new ();
  g_ptr_array_add (argv, (gpointer)program);
  for (gsize i = 1; tool->argv[i] != NULL; i++)
    g_ptr_array_add (argv, (gpointer)tool->argv[i]);
  g_ptr_array_add (argv, NULL);
  g_autoptr (GError) failure = NULL;
  GPid pid;
  /* Without a descriptor standard input is /dev/null. */
  gboolean started = g_spawn_async_with_pipes_and_fds (
      NULL, (const char *const *)argv->pdata, (const char *const *)tool->environment,
      G_SPAWN_DO_NOT_REAP_CHILD, child_setup, GINT_TO_POINTER (getpid ()), -1, out, err, NULL, NULL,
      0, &pid, NULL, NULL, NULL, &failure);
  close (out);
  close (err);
  if (started)
    run->group = pid;
  else
    g_set_error (error, P2V_ERROR, P2V_ERROR_CONVERT, "cannot start %s: %s", tool->argv[0],
                 failure->message);
  return started;
}

static void
end_line (Run *run)
{
  if (run->line->len > 0 && run->tool->line != NULL)
    run->tool->line (run->line->str, run->tool->user_data);
  g_string_truncate (run->line, 0);
}

/* Hands out what was appended to the log since the last time. A carriage return ends a line too:
 * progress of qemu-img is written that way. */
static void
follow_log (Run *run)
{
  char buffer[8192];
  ssize_t n;
  while ((n = read (run->log, buffer, sizeof buffer)) > 0)
    for (ssize_t i = 0; i < n; i++)
      {
        if (buffer[i] == '\n' || buffer[i] == '\r' || run->line->len >= LINE_MAX_BYTES)
          end_line (run);
        if (buffer[i] != '\n' && buffer[i] != '\r' && buffer[i] != '\0')
          g_string_append_c (run->line, buffer[i]);
      }
}

static void
on_ended (GPid pid, gint status, gpointer user_data)
{
  Run *run = user_data;
  (void)pid;
  run->status = status;
  run->ended = TRUE;
}

static void
enforce_limit (Run *run)
{
  const P2vTool *tool = run->tool;
  gint64 now = g_get_monotonic_time ();
  gboolean late = tool->timeout > 0 && now - run->started > tool->timeout * G_USEC_PER_SEC;
  if (!run->cancelled && tool->cancelled != NULL && tool->cancelled (tool->cancelled_data))
    {
      run->cancelled = TRUE;
      run->grace = CANCEL_GRACE_SECONDS;
    }
  if (run->killed == 0 && (late || run->cancelled))
    {
      kill (-run->group, SIGTERM);
      run->killed = now;
    }
  else if (run->killed != 0 && now - run->killed > run->grace * G_USEC_PER_SEC)
    kill (-run->group, SIGKILL);
}

static gboolean
on_poll (gpointer user_data)
{
  Run *run = user_data;
  follow_log (run);
  gint64 elapsed = (g_get_monotonic_time () - run->started) / G_USEC_PER_SEC;
  if (elapsed > run->ticked && run->tool->tick != NULL && run->killed == 0)
    run->tool->tick (elapsed, run->tool->user_data);
  run->ticked = elapsed;
  enforce_limit (run);
  return G_SOURCE_CONTINUE;
}

/* Waits for the processes that the program has left behind (qemu-nbd takes a moment to let go of
 * an image's lock), ending them when they do not go by themselves. They have become our children,
 * because this process is their subreaper. */
static void
reap_group (pid_t group)
{
  gint64 deadline = g_get_monotonic_time () + GRACE_SECONDS * G_USEC_PER_SEC;
  for (;;)
    {
      pid_t pid = waitpid (-group, NULL, WNOHANG);
      if (pid < 0 && errno != EINTR)
        return;
      if (pid == 0)
        {
          if (g_get_monotonic_time () > deadline)
            kill (-group, SIGKILL);
          g_usleep (20000);
        }
    }
}

static void
watch (Run *run)
{
  g_autoptr (GSource) poll = g_timeout_source_new (POLL_MILLISECONDS);
  g_source_set_callback (poll, on_poll, run, NULL);
  g_source_attach (poll, run->context);
  g_autoptr (GSource) end = g_child_watch_source_new (run->group);
  g_source_set_callback (end, G_SOURCE_FUNC (on_ended), run, NULL);
  g_source_attach (end, run->context);
  while (!run->ended)
    g_main_context_iteration (run->context, TRUE);
  g_source_destroy (poll);
  g_source_destroy (end);
  if (run->killed != 0)
    kill (-run->group, SIGKILL);
  reap_group (run->group);
  follow_log (run);
  end_line (run);
}

static gboolean
check_outcome (const Run *run, GError **error)
{
  const char *name = run->tool->argv[0];
  if (run->cancelled)
    g_set_error (error, P2V_ERROR, P2V_ERROR_CANCELLED,
                 "%s was stopped because the job was cancelled.", name);
  else if (run->killed != 0)
    g_set_error (error, P2V_ERROR, P2V_ERROR_CONVERT,
                 "%s was stopped because it took longer than %" G_GINT64_FORMAT
                 " seconds. If it needs more time on this server, raise %s.",
                 name, run->tool->timeout, run->tool->timeout_key);
  else if (WIFSIGNALED (run->status))
    g_set_error (error, P2V_ERROR, P2V_ERROR_CONVERT, "%s was ended by signal %d (%s).", name,
                 WTERMSIG (run->status), g_strsignal (WTERMSIG (run->status)));
  else if (WEXITSTATUS (run->status) != 0)
    g_set_error (error, P2V_ERROR, P2V_ERROR_CONVERT, "%s failed with exit status %d.", name,
                 WEXITSTATUS (run->status));
  else
    return TRUE;
  return FALSE;
}

/* The command for the log. Output modes of virt-v2v take passwords as options
 * (-oo os-password=…); those are not written down. */
static char *
describe_command (const P2vTool *tool)
{
  g_autoptr (GString) text = g_string_new ("+");
  for (gsize i = 0; tool->argv[i] != NULL; i++)
    {
      const char *secret = strcasestr (tool->argv[i], "password=");
      g_string_append_c (text, ' ');
      if (secret != NULL)
        g_string_append_printf (text, "%.*s=***", (int)(strchr (secret, '=') - tool->argv[i]),
                                tool->argv[i]);
      else
        g_string_append (text, tool->argv[i]);
    }
  g_string_append_c (text, '\n');
  return g_strdup (text->str);
}

gboolean
p2v_tool_run (const P2vTool *tool, GError **error)
{
  g_autofree char *program = p2v_tool_find (tool->argv[0], tool->package, error);
  if (program == NULL)
    return FALSE;

  int was_subreaper = 0;
  prctl (PR_GET_CHILD_SUBREAPER, &was_subreaper);
  prctl (PR_SET_CHILD_SUBREAPER, 1);
  gboolean ok = FALSE;
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GString) line = g_string_new (NULL);
  g_autofree char *heading = describe_command (tool);
  Run run = { .tool = tool, .context = context, .line = line, .grace = GRACE_SECONDS };
  run.log = open_log (tool->log, O_RDWR | O_CREAT | O_APPEND, error);
  if (run.log >= 0)
    {
      /* Best effort: which command the following lines are from. */
      if (write (run.log, heading, strlen (heading)) < 0)
        g_debug ("%s: %s", tool->log, g_strerror (errno));
      lseek (run.log, 0, SEEK_END);
      run.started = g_get_monotonic_time ();
      if (start (&run, program, error))
        {
          watch (&run);
          ok = check_outcome (&run, error);
        }
    }
  if (run.log >= 0)
    close (run.log);
  prctl (PR_SET_CHILD_SUBREAPER, was_subreaper);
  return ok;
}

char *
p2v_tool_ask (const char *const *argv, const char *package, GError **error)
{
  g_autofree char *program = p2v_tool_find (argv[0], package, error);
  if (program == NULL)
    return NULL;
  g_autoptr (GError) failure = NULL;
  g_autofree char *answer = NULL;
  g_autoptr (GSubprocess) process = g_subprocess_newv (
      (const char *const *)argv, G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_SILENCE,
      &failure);
  if (process == NULL
      || !g_subprocess_communicate_utf8 (process, NULL, NULL, &answer, NULL, &failure)
      || !g_subprocess_wait_check (process, NULL, &failure))
    {
      g_autofree char *command = g_strjoinv (" ", (char **)argv);
      g_set_error (error, P2V_ERROR, P2V_ERROR_CONVERT,
                   "%s: %s. Check that the package %s is installed completely.", command,
                   failure->message, package);
      return NULL;
    }
  return g_steal_pointer (&answer);
}

char *
p2v_tool_printable (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  g_autoptr (GString) result = g_string_new (NULL);
  glong count = 0;
  for (const char *p = valid; *p != '\0' && count < PRINTABLE_MAX;
       p = g_utf8_next_char (p), count++)
    {
      gunichar c = g_utf8_get_char (p);
      g_string_append_unichar (result, g_unichar_isprint (c) ? c : ' ');
    }
  return g_strdup (g_strstrip (result->str));
}
