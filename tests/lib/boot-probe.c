/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The only program of an initramfs that stands in for the live image where a test is about what
 * comes before it: says on the first serial port what has arrived from the boot loader (the kernel
 * command line, a file of the second initramfs, whether the kernel is locked down as it is with
 * Secure Boot), and switches the machine off. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

static void
show (FILE *out, const char *name, const char *path)
{
  char text[4096];
  FILE *file = fopen (path, "r");
  size_t length = file != NULL ? fread (text, 1, sizeof text - 1, file) : 0;
  while (length > 0 && text[length - 1] == '\n')
    length--;
  text[length] = '\0';
  fprintf (out, "probe: %s: %s\n", name, file != NULL ? text : "missing");
  if (file != NULL)
    fclose (file);
}

int
main (void)
{
  mkdir ("/proc", 0755);
  mkdir ("/dev", 0755);
  mkdir ("/sys", 0755);
  mount ("proc", "/proc", "proc", 0, NULL);
  mount ("dev", "/dev", "devtmpfs", 0, NULL);
  mount ("sys", "/sys", "sysfs", 0, NULL);
  mount ("security", "/sys/kernel/security", "securityfs", 0, NULL);
  FILE *out = fopen ("/dev/ttyS0", "w");
  if (out == NULL)
    out = stdout;
  /* Boot menus leave the cursor anywhere. */
  fputs ("\n", out);
  show (out, "arguments", "/proc/cmdline");
  show (out, "site", "/etc/p2v/defaults");
  show (out, "lockdown", "/sys/kernel/security/lockdown");
  fflush (out);
  /* What is still in the UART when the power goes is lost. */
  tcdrain (fileno (out));
  sleep (1);
  return reboot (RB_POWER_OFF);
}
