/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/worker.h"

#include "common/error.h"
#include "p2v-server/job-processes.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the new process needs, prepared before fork(): between fork() and exec only what is safe in
 * a signal handler may be called (signal-safety(7)), because this process may have threads. */
typedef struct
{
  const char *program;
  char *const *arguments;
  char *const *environment;
  int input;  /* /dev/null */
  int output; /* the job's worker.log */
  int report; /* errno of what failed is written here; closed by a successful exec */
} Launch;

static G_GNUC_NORETURN void
give_up (const Launch *launch)
{
  int problem = errno;
  /* Nobody is left to tell when this fails, too. */
  if (write (launch->report, &problem, sizeof problem) < 0)
    _exit (126);
  _exit (127);
}

static G_GNUC_NORETURN void
run_detached (const Launch *launch)
{
  /* Its own session: the end of the SSH session, with its terminal or without, does not reach it.
   * Only then the second fork, after which it can never acquire a terminal again, and whose parent
   * ends at once: it has no parent that would wait for it. */
  if (setsid () < 0)
    give_up (launch);
  pid_t pid = fork ();
  if (pid < 0)
    give_up (launch);
  if (pid > 0)
    _exit (0);
  sigset_t none;
  sigemptyset (&none);
  if (chdir ("/") < 0 || sigprocmask (SIG_SETMASK, &none, NULL) < 0
      || signal (SIGPIPE, SIG_DFL) == SIG_ERR || dup2 (launch->input, STDIN_FILENO) < 0
      || dup2 (launch->output, STDOUT_FILENO) < 0 || dup2 (launch->output, STDERR_FILENO) < 0)
    give_up (launch);
  /* sshd waits until the last descriptor of its channel is closed. */
  close_range (STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
  execve (launch->program, launch->arguments, launch->environment);
  give_up (launch);
}

static gboolean
set_problem (GError **error, const char *what, int number)
{
  g_set_error (error, P2V_ERROR, P2V_ERROR_FAILED, "cannot start the conversion: %s: %s", what,
               g_strerror (number));
  return FALSE;
}

/* Waits until the first child has ended and the second has become another program. */
static gboolean
await_exec (pid_t child, int report, GError **error)
{
  int status;
  while (waitpid (child, &status, 0) < 0 && errno == EINTR)
    ;
  int problem = 0;
  ssize_t got;
  do
    got = read (report, &problem, sizeof problem);
  while (got < 0 && errno == EINTR);
  return got != (ssize_t)sizeof problem || set_problem (error, "p2v-server work", problem);
}

static gboolean
launch_and_wait (Launch *launch, GError **error)
{
  int ends[2];
  if (pipe2 (ends, O_CLOEXEC) < 0)
    return set_problem (error, "pipe", errno);
  launch->report = ends[1];
  pid_t child = fork ();
  if (child == 0)
    run_detached (launch);
  int problem = errno;
  close (ends[1]);
  gboolean started
      = child < 0 ? set_problem (error, "fork", problem) : await_exec (child, ends[0], error);
  close (ends[0]);
  return started;
}

gboolean
p2v_worker_spawn (const P2vServerConfig *config, const char *id, GError **error)
{
  g_autoptr (P2vJob) job = p2v_job_load (config, id, error);
  if (job == NULL)
    return FALSE;
  g_autofree char *program = g_file_read_link ("/proc/self/exe", error);
  if (program == NULL)
    return FALSE;
  const char *const arguments[] = { program, "--config", config->file, "work", job->id, NULL };
  g_autofree char *log = p2v_job_path (job, P2V_WORKER_LOG);
  /* This process may be a job's; the new one is nobody's before it holds the lock. */
  g_auto (GStrv) environment = g_environ_unsetenv (g_get_environ (), P2V_JOB_VARIABLE);
  Launch launch
      = { .program = program, .arguments = (char *const *)arguments, .environment = environment };
  launch.input = open ("/dev/null", O_RDONLY | O_CLOEXEC);
  launch.output = open (log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
  gboolean started = launch.input < 0 || launch.output < 0 ? set_problem (error, log, errno)
                                                           : launch_and_wait (&launch, error);
  if (launch.input >= 0)
    close (launch.input);
  if (launch.output >= 0)
    close (launch.output);
  return started;
}
