# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Sourced by make-machine: trees of files with a list of their SHA-256 sums.

# noise BYTES SEED: BYTES bytes that do not compress and are the same every time.
noise ()
{
  head -c "$1" /dev/zero | openssl enc -aes-256-ctr \
    -K "$(printf '%s' "$2" | sha256sum | cut -c1-64)" -iv 00000000000000000000000000000000
}

# tree_make DIR: fill DIR with what a copy may get wrong: nothing, holes, odd names, links, data
# that compresses and data that does not. About 6 MiB, 22 MiB with the holes.
tree_make ()
{
  local dir=$1 i

  mkdir -p "$dir/many" "$dir/a name with spaces" "$dir/deep/1/2/3/4/5/6/7/8"
  : >"$dir/empty"
  printf 'x' >"$dir/one-byte"
  noise 3145728 big >"$dir/noise"
  noise 4097 odd >"$dir/deep/1/2/3/4/5/6/7/8/one byte over a block"
  seq 1 250000 >"$dir/numbers"

  # Data at the start, in the middle and in the very last byte of 16 MiB of holes.
  noise 65536 sparse >"$dir/sparse"
  noise 4096 sparse-middle | dd of="$dir/sparse" bs=4096 seek=2048 conv=notrunc status=none
  truncate -s 16777215 "$dir/sparse"
  printf 'e' >>"$dir/sparse"
  truncate -s 2097152 "$dir/only-a-hole"

  printf 'spaces\n' >"$dir/a name with spaces/and a file"
  printf 'unicode\n' >"$dir/Grüße, 日本語, 😀"
  printf 'shell\n' >"$dir/\$(id); 'quote\" & *"
  printf 'dash\n' >"$dir/-rf"
  printf 'secret\n' >"$dir/for-root-only"
  chmod 0600 "$dir/for-root-only"
  for i in $(seq 1 200); do
    printf 'file %d\n' "$i" >"$dir/many/$i"
  done

  ln "$dir/noise" "$dir/hard-link-to-noise"
  ln -s numbers "$dir/link-to-numbers"
  ln -s '../a name with spaces/and a file' "$dir/deep/link"
  ln -s /etc/hostname "$dir/absolute-link"
  ln -s nowhere "$dir/dangling-link"
  find "$dir" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
}

# tree_sums DIR PREFIX: write sums of every file under DIR to stdout, named as PREFIX/….
# Links inside the tree count as files: so they are checked too.
tree_sums ()
{
  (
    cd "$1" || exit
    find . -type f -print0 -o -type l ! -lname '/*' -xtype f -print0 | sort -z \
      | xargs -0 sha256sum | sed "s,^\([^ ]*  \)\./,\1$2/,"
  )
}
