/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-client/inventory-parts.h"

/* How a filesystem is read without being touched: mounting replays a journal even when mounted
 * read-only, so nothing is mounted. GRUB's drivers, run as the ordinary program grub-fstest, open
 * the disk read-only, never replay anything and know ext2/3/4, XFS, Btrfs, NTFS, F2FS, JFS,
 * ReiserFS, LVM and RAID. ext2/3/4 with features that they lack, and machines without GRUB's
 * programs, are read by debugfs (-c: read-only, no bitmaps). Other filesystems, encrypted ones and
 * volumes spread over several disks are left unknown. */

#define MAX_SMALL_FILE (256 * 1024)
#define MAX_LINE 256
/* SYSTEM tells the host name and is some 20 MB, SOFTWARE the product and some 100 MB; they are held
 * in memory, of which a machine may have little. */
#define MAX_SYSTEM_HIVE (64 * 1024 * 1024)
#define MAX_SOFTWARE_HIVE (192 * 1024 * 1024)

typedef struct
{
  const P2vLook *look;
  const char *grub;
  P2vArea area;
  gboolean debugfs;
  const char *prefix; /* folder of the subvolume that is the root: "", "/@" */
} Volume;

static GBytes *
read_with_grub (const Volume *volume, const char *verb, const char *path, gsize limit)
{
  g_autofree char *file = g_strdup_printf ("(%s)%s%s", volume->grub, volume->prefix, path);
  const char *argv[] = { "grub-fstest", "/proc/self/fd/3", verb, file, NULL };
  g_autoptr (GError) error = NULL;
  GBytes *bytes
      = p2v_tool_capture (argv, volume->look->fd, limit, volume->look->cancellable, &error);
  if (bytes == NULL)
    g_debug ("%s: cannot read %s: %s", volume->look->disk->path, file, error->message);
  return bytes;
}

static GBytes *
read_with_debugfs (const Volume *volume, const char *path, gsize limit)
{
  g_autofree char *command = g_strdup_printf ("cat %s", path);
  g_autofree char *device
      = g_strdup_printf ("/proc/self/fd/3?offset=%" G_GINT64_FORMAT, volume->area.offset);
  const char *argv[] = { "debugfs", "-c", "-R", command, device, NULL };
  g_autoptr (GError) error = NULL;
  GBytes *bytes
      = p2v_tool_capture (argv, volume->look->fd, limit, volume->look->cancellable, &error);
  if (bytes == NULL)
    g_debug ("%s: cannot read %s: %s", volume->look->disk->path, path, error->message);
  return bytes;
}

/* A small text file of the volume, NULL when it is not there. */
static char *
read_text (const Volume *volume, const char *path)
{
  g_autoptr (GBytes) bytes = NULL;
  if (!p2v_look_goes_on (volume->look))
    return NULL;
  if (volume->grub != NULL)
    bytes = read_with_grub (volume, "cat", path, MAX_SMALL_FILE);
  if (bytes == NULL && volume->debugfs)
    bytes = read_with_debugfs (volume, path, MAX_SMALL_FILE);
  gsize length = 0;
  const char *data = bytes == NULL ? NULL : g_bytes_get_data (bytes, &length);
  if (data == NULL || length == 0)
    return NULL;
  return g_utf8_make_valid (data, strnlen (data, length));
}

/* Makes a line of a file fit to be shown. */
static char *
clean_line (const char *text)
{
  g_autofree char *clean = p2v_text_clean (text, -1);
  return clean == NULL ? NULL
                       : g_utf8_substring (clean, 0, MIN (g_utf8_strlen (clean, -1), MAX_LINE));
}

/* The value of NAME=value in the manner of a shell, as os-release(5) describes it. */
static char *
assignment (const char *text, const char *name)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (char **line = lines; *line != NULL; line++)
    {
      gsize length = strlen (name);
      g_strstrip (*line);
      if (strncmp (*line, name, length) != 0 || (*line)[length] != '=')
        continue;
      g_autofree char *value = g_shell_unquote (*line + length + 1, NULL);
      return clean_line (value != NULL ? value : *line + length + 1);
    }
  return NULL;
}

static char *
first_line (const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text == NULL ? "" : text, "\n", -1);
  for (char **line = lines; *line != NULL; line++)
    {
      g_autofree char *clean = clean_line (*line);
      if (clean != NULL && *clean != '#')
        return g_steal_pointer (&clean);
    }
  return NULL;
}

/* Distributions from before os-release say who they are in one line of prose. */
static P2vOs *
identify_old_linux (const Volume *volume)
{
  static const struct
  {
    const char *path, *word, *id;
  } known[] = {
    { "/etc/redhat-release", "CentOS", "centos" },   { "/etc/redhat-release", "Red Hat", "rhel" },
    { "/etc/redhat-release", "Fedora", "fedora" },   { "/etc/redhat-release", "Oracle", "ol" },
    { "/etc/SuSE-release", "openSUSE", "opensuse" }, { "/etc/SuSE-release", "SUSE", "sles" },
    { "/etc/debian_version", "", "debian" },
  };
  g_autofree char *text = NULL;
  const char *path = "";
  for (gsize i = 0; i < G_N_ELEMENTS (known); i++)
    {
      if (!g_str_equal (path, known[i].path))
        {
          g_free (text);
          path = known[i].path;
          text = read_text (volume, path);
        }
      if (text == NULL || strstr (text, known[i].word) == NULL)
        continue;
      P2vOs *os = p2v_os_new ();
      g_autofree char *line = first_line (text);
      os->id = g_strdup (known[i].id);
      gsize digits = line == NULL ? 0 : strcspn (line, "0123456789");
      if (line != NULL && line[digits] != '\0')
        os->version = g_strndup (line + digits, strspn (line + digits, "0123456789."));
      os->name = *known[i].word != '\0' || line == NULL ? g_strdup (line)
                                                        : g_strdup_printf ("Debian %s", line);
      return os;
    }
  return NULL;
}

static P2vOs *
identify_linux (const Volume *volume)
{
  /* The first is a link to the second; debugfs does not follow links, GRUB does. */
  g_autofree char *release = read_text (volume, "/etc/os-release");
  g_autofree char *id = release == NULL ? NULL : assignment (release, "ID");
  if (id == NULL)
    {
      g_free (release);
      release = read_text (volume, "/usr/lib/os-release");
      id = release == NULL ? NULL : assignment (release, "ID");
    }
  if (id == NULL)
    return identify_old_linux (volume);
  P2vOs *os = p2v_os_new ();
  os->id = g_steal_pointer (&id);
  os->version = assignment (release, "VERSION_ID");
  os->name = assignment (release, "PRETTY_NAME");
  if (os->name == NULL)
    os->name = assignment (release, "NAME");
  return os;
}

static P2vOs *
look_for_linux (const Volume *volume)
{
  P2vOs *os = identify_linux (volume);
  if (os == NULL)
    return NULL;
  const char *files[] = { "/etc/hostname", "/etc/HOSTNAME", NULL };
  for (gsize i = 0; os->hostname == NULL && files[i] != NULL; i++)
    {
      g_autofree char *text = read_text (volume, files[i]);
      os->hostname = first_line (text);
    }
  if (os->hostname == NULL)
    {
      g_autofree char *text = read_text (volume, "/etc/sysconfig/network");
      os->hostname = text == NULL ? NULL : assignment (text, "HOSTNAME");
    }
  /* adjtime(5) of hwclock(8): the third line; without the file the clock runs in UTC. */
  g_autofree char *adjtime = read_text (volume, "/etc/adjtime");
  g_auto (GStrv) lines = g_strsplit (adjtime == NULL ? "" : adjtime, "\n", -1);
  gboolean local = g_strv_length (lines) >= 3 && g_str_equal (g_strstrip (lines[2]), "LOCAL");
  os->clock = g_strdup (local ? "localtime" : "utc");
  return os;
}

/* Reads a hive from any of the ways that its folder has been spelt. */
static GBytes *
read_hive (const Volume *volume, const char *name, gsize limit)
{
  const char *folders[] = { "/Windows/System32/config/", "/WINDOWS/system32/config/",
                            "/WINNT/system32/config/", NULL };
  g_autofree char *lower = g_ascii_strdown (name, -1);
  for (gsize i = 0; folders[i] != NULL && p2v_look_goes_on (volume->look); i++)
    {
      g_autofree char *upper_path = g_strconcat (folders[i], name, NULL);
      g_autofree char *lower_path = g_strconcat (folders[i], lower, NULL);
      GBytes *hive = read_with_grub (volume, "cat", upper_path, limit);
      if (hive == NULL)
        hive = read_with_grub (volume, "cat", lower_path, limit);
      if (hive != NULL && g_bytes_get_size (hive) > 0)
        return hive;
      g_clear_pointer (&hive, g_bytes_unref);
    }
  return NULL;
}

static P2vOs *
look_for_windows (const Volume *volume)
{
  g_autoptr (GBytes) system
      = volume->grub == NULL ? NULL : read_hive (volume, "SYSTEM", MAX_SYSTEM_HIVE);
  if (system == NULL)
    return NULL;
  P2vOs *os = p2v_os_new ();
  os->id = g_strdup ("windows");
  g_autofree char *current = p2v_hive_lookup (system, "Select", "Current");
  gint64 number = current == NULL ? 1 : CLAMP (g_ascii_strtoll (current, NULL, 10), 1, 999);
  g_autofree char *names
      = g_strdup_printf ("ControlSet%03d\\Services\\Tcpip\\Parameters", (int)number);
  g_autofree char *netbios
      = g_strdup_printf ("ControlSet%03d\\Control\\ComputerName\\ComputerName", (int)number);
  g_autofree char *zone
      = g_strdup_printf ("ControlSet%03d\\Control\\TimeZoneInformation", (int)number);
  os->hostname = p2v_hive_lookup (system, names, "Hostname");
  if (os->hostname == NULL)
    os->hostname = p2v_hive_lookup (system, netbios, "ComputerName");
  g_autofree char *universal = p2v_hive_lookup (system, zone, "RealTimeIsUniversal");
  os->clock = g_strdup (g_strcmp0 (universal, "1") == 0 ? "utc" : "localtime");
  g_clear_pointer (&system, g_bytes_unref);

  g_autoptr (GBytes) software = read_hive (volume, "SOFTWARE", MAX_SOFTWARE_HIVE);
  const char *key = "Microsoft\\Windows NT\\CurrentVersion";
  if (software != NULL)
    {
      os->name = p2v_hive_lookup (software, key, "ProductName");
      os->version = p2v_hive_lookup (software, key, "CurrentVersion");
      g_autofree char *major = p2v_hive_lookup (software, key, "CurrentMajorVersionNumber");
      g_autofree char *build = p2v_hive_lookup (software, key, "CurrentBuildNumber");
      /* From Windows 10 on CurrentVersion stays 6.3 for old programs' sake. */
      if (major != NULL)
        {
          g_free (os->version);
          os->version = g_strdup_printf ("%s.0%s%s", major, build == NULL ? "" : ".",
                                         build == NULL ? "" : build);
        }
    }
  if (os->name == NULL)
    os->name = g_strdup ("Windows");
  return os;
}

P2vOs *
p2v_os_look (const P2vLook *look, const char *grub, P2vArea area, const char *type,
             const char *location)
{
  static const char *const types[]
      = { "ext2", "ext3", "ext4", "xfs", "btrfs", "ntfs", "f2fs", "jfs", "reiserfs", NULL };
  if ((type != NULL && !g_strv_contains (types, type)) || !p2v_look_goes_on (look))
    return NULL;
  Volume volume = { look, grub, area, FALSE, "" };
  volume.debugfs = area.size > 0 && type != NULL && g_str_has_prefix (type, "ext");
  if (grub == NULL && !volume.debugfs)
    return NULL;
  P2vOs *os = NULL;
  if (g_strcmp0 (type, "ntfs") == 0)
    os = look_for_windows (&volume);
  else if (g_strcmp0 (type, "btrfs") == 0)
    {
      /* Where distributions keep their root: at the top, Ubuntu, Debian, Fedora, openSUSE. */
      const char *prefixes[] = { "", "/@", "/@rootfs", "/root", "/@/.snapshots/1/snapshot", NULL };
      for (gsize i = 0; os == NULL && prefixes[i] != NULL; i++)
        {
          volume.prefix = prefixes[i];
          os = look_for_linux (&volume);
        }
    }
  else
    os = look_for_linux (&volume);
  if (os != NULL)
    os->location = g_strdup (location);
  return os;
}
