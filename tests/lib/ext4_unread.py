# SPDX-License-Identifier: GPL-2.0-or-later
"""What of a clean ext4 is in use and yet never read again, in the words of e2fsprogs.

Ranges are (offset, length) in bytes, in order. As a program it prints those of a device."""

import re
import subprocess
import sys


def _ask(*argv):
    return subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True,
                          text=True, errors="replace").stdout


def _figure(text, name):
    return int(re.search(rf"^{name}:\s*(\d+)", text, re.MULTILINE).group(1))


def _unwritten_tables(text):
    """The ends of inode tables in which no inode has been yet."""
    block, size = _figure(text, "Block size"), _figure(text, "Inode size")
    count = _figure(text, "Inodes per group")
    for group in re.split(r"^Group \d+: ", text, flags=re.MULTILINE)[1:]:
        table = re.search(r"Inode table at (\d+)-(\d+)", group)
        unused = re.search(r", (\d+) unused inodes", group)
        if unused:
            start = int(table.group(1)) + -(-(count - int(unused.group(1))) * size // block)
            yield start * block, (int(table.group(2)) + 1 - start) * block


def _empty_journal(text, device):
    """What a journal that holds nothing once held: all but its superblock, the first block."""
    if not re.search(r"^Journal start:\s*0$", text, re.MULTILINE):
        return
    block = _figure(text, "Block size")
    # The tree's lowest level: " 1/ 1   2/  9  7678 - 15355  98819 - 106496   7678".
    extent = re.compile(r"\s*(\d+)/\s*\1\s+\d+/\s*\d+\s+(\d+)\s*-\s*\d+\s+(\d+)\s*-\s*(\d+)")
    for line in _ask("debugfs", "-R", "ex <8>", device).splitlines():
        if match := extent.match(line):
            _, logical, start, end = map(int, match.groups())
            start += logical == 0
            yield start * block, (end + 1 - start) * block


def ranges(device):
    """Both; none in a filesystem whose metadata has no checksums."""
    text = _ask("dumpe2fs", device)
    if not re.search(r"^Filesystem features:.* metadata_csum( |$)", text, re.MULTILINE):
        return []
    return sorted(pair for pair in [*_unwritten_tables(text), *_empty_journal(text, device)]
                  if pair[1] > 0)


def subtract(pairs, others):
    """What of some ranges is in none of the others."""
    left, at = [], 0
    for offset, length in pairs:
        end = offset + length
        # Both are in order: what ends before this range matters to none that follows.
        while at < len(others) and others[at][0] + others[at][1] <= offset:
            at += 1
        for other, size in others[at:]:
            if other >= end:
                break
            if other > offset:
                left.append((offset, other - offset))
            offset = max(offset, other + size)
        if offset < end:
            left.append((offset, end - offset))
    return left


if __name__ == "__main__":
    for pair in ranges(sys.argv[1]):
        print(*pair)
