/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A clock that somebody sets. Preloaded (LD_PRELOAD), the time of day is as many seconds off as the
 * file P2V_CLOCK_STEP says; the monotonic clock is left alone, as settimeofday(2) leaves it. What
 * waits in the kernel for a time of day waits by the true one, and so for the wrong time. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static time_t
get_step (void)
{
  char text[32] = "";
  const char *path = getenv ("P2V_CLOCK_STEP");
  int fd = path != NULL ? open (path, O_RDONLY | O_CLOEXEC) : -1;
  if (fd < 0)
    return 0;
  ssize_t length = read (fd, text, sizeof text - 1);
  close (fd);
  return length > 0 ? (time_t)strtol (text, NULL, 10) : 0;
}

static int
get_clock (clockid_t clock, struct timespec *now)
{
  static int (*real) (clockid_t, struct timespec *);
  if (real == NULL)
    real = (int (*) (clockid_t, struct timespec *))dlsym (RTLD_NEXT, "clock_gettime");
  return real (clock, now);
}

int
clock_gettime (clockid_t clock, struct timespec *now)
{
  int result = get_clock (clock, now);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
    now->tv_sec += get_step ();
  return result;
}

int
gettimeofday (struct timeval *restrict now, void *restrict zone)
{
  struct timespec exact;
  (void)zone;
  if (clock_gettime (CLOCK_REALTIME, &exact) < 0)
    return -1;
  now->tv_sec = exact.tv_sec;
  now->tv_usec = exact.tv_nsec / 1000;
  return 0;
}

time_t
time (time_t *now)
{
  struct timespec exact;
  if (clock_gettime (CLOCK_REALTIME, &exact) < 0)
    return -1;
  if (now != NULL)
    *now = exact.tv_sec;
  return exact.tv_sec;
}
