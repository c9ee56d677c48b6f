# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A block device some of whose sectors cannot be read: nbdkit serves a file but for some ranges,
# nbdfuse makes a file of that, and a loop device reads it past the page cache, sector by sector.

# faulty_disk_start FILE START:COUNT...: $loop is a device that has FILE's contents and answers
# EIO where one of the ranges is read, which are in sectors of 512 bytes.
faulty_disk_start ()
{
  local file=$1
  mkdir "$T/faulty"
  # nbdkit's sh plugin: a process a request, which is few of them, with the ranges as text.
  cat >"$T/serve" <<END
#!/bin/bash
case \$1 in
  get_size) echo $(stat -c %s "$file") ;;
  can_write) exit 3 ;;
  pread)
    for bad in ${*:2}; do
      first=\$((\${bad%:*} * 512)) end=\$(((\${bad%:*} + \${bad#*:}) * 512))
      if ((\$4 < end && \$4 + \$3 > first)); then
        echo "EIO bad sector" >&2
        exit 1
      fi
    done
    [[ ! -e $T/unplugged ]] || { echo "EIO no disk" >&2; exit 1; }
    exec dd if="$file" bs=1M skip="\$4" count="\$3" iflag=skip_bytes,count_bytes status=none
    ;;
  *) exit 2 ;;
esac
END
  chmod 755 "$T/serve"
  nbdfuse -r "$T/faulty/disk" [ nbdkit sh "$T/serve" ] >"$T/faulty.log" 2>&1 3>&- &
  faulty_pid=$!
  wait_until 20 test -e "$T/faulty/disk"
  loop=$(losetup --read-only --direct-io=on --find --show "$T/faulty/disk")
}

faulty_disk_end ()
{
  if [[ -n ${loop-} ]]; then
    # Conversions have made it read-only, which the next one attached there would inherit.
    blockdev --setrw "$loop"
    losetup -d "$loop"
    unset loop
  fi
  if [[ -n ${faulty_pid-} ]]; then
    wait_until 20 umount "$T/faulty" 2>/dev/null || umount -l "$T/faulty"
    wait "$faulty_pid" || true
    unset faulty_pid
  fi
}
