# SPDX-License-Identifier: GPL-2.0-or-later
"""The disk that is sent: a Debian system, noise, and what deleted files have left behind.

GPT: 1 MiB for GRUB, one ext4 over nearly all the rest, 64 MiB of swap. The system is the test machine
debian-bios with more of a Debian /usr; the noise stands for what does not compress (pictures, archives),
and the deleted files make the free space what it is on a disk that has seen use: not zero.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys

from system import BUILD, GIB, MIB, TOP, BenchError, Loop, run, say

sys.path.append(f"{TOP}/tests/lib")
import ext4_unread  # pylint: disable=wrong-import-position

FOLDER = f"{BUILD}/bench"
MACHINE = f"{BUILD}/machines/debian-bios"
SECTOR = 512
ROOT_START = 4 * MIB
SWAP_SIZE = 64 * MIB
TAIL = 1 * MIB
LIST = "SHA256SUMS"


class Plan:
    """What a disk is to hold, bytes: size of the disk, system and noise in use, deleted."""

    def __init__(self, size, system, noise, deleted):
        self.size, self.system, self.noise, self.deleted = size, system, noise, deleted

    @classmethod
    def of(cls, size, used):
        """In the proportions of the disk of 8 GiB that the targets are stated for."""
        noise = used * 300 // 1100
        return cls(size, used - noise, noise, min(600 * MIB, used // 2))

    def key(self):
        digest = hashlib.sha256()
        with open(__file__, "rb") as own:
            digest.update(own.read())
        digest.update(os.path.realpath(MACHINE).encode())
        digest.update(json.dumps(vars(self), sort_keys=True).encode())
        return digest.hexdigest()[:12]

    def name(self):
        return f"{size_name(self.size)}-{self.used() // MIB}M"

    def used(self):
        return self.system + self.noise


def size_name(size):
    return f"{size // (1024 * GIB)}T" if size >= 1024 * GIB else f"{size // GIB}G"


class Disk:
    """A finished disk: its file, its partition and which ranges of it hold something."""

    def __init__(self, path):
        self.path = path
        with open(f"{path}.json", encoding="utf-8") as file:
            facts = json.load(file)
        self.size, self.root, self.free = facts["size"], facts["root"], facts["free"]
        self.used = self.size - sum(length for _, length in self.free)
        self.unread = [tuple(pair) for pair in facts["unread"]]
        self.facts = facts

    def needed(self):
        """(offset, length) of everything that somebody may read again: neither a free block of the
        filesystem, nor an inode table without inodes, nor what its journal once held."""
        return ext4_unread.subtract(list(self._in_use()), self.unread)

    def _in_use(self):
        at = 0
        for offset, length in self.free:
            if offset > at:
                yield at, offset - at
            at = offset + length
        if at < self.size:
            yield at, self.size - at


def get(plan):
    """The disk, made unless it is there already."""
    if not os.path.exists(f"{MACHINE}/sda.raw"):
        raise BenchError(f"there is no {MACHINE}/sda.raw. Make it first: make machine-debian-bios")
    os.makedirs(FOLDER, exist_ok=True)
    path = f"{FOLDER}/disk-{plan.name()}-{plan.key()}.raw"
    if not os.path.exists(f"{path}.json"):
        for old in os.listdir(FOLDER):
            if old.startswith(f"disk-{plan.name()}-"):
                os.unlink(f"{FOLDER}/{old}")
        say(f"making a disk of {size_name(plan.size)} with {plan.used() // MIB} MiB in use ...")
        _make(plan, path)
    return Disk(path)


def _make(plan, path):
    work = f"{path}.mnt"
    os.makedirs(work, exist_ok=True)
    with open(path, "wb") as file:
        file.truncate(plan.size)
    root_size = (plan.size - ROOT_START - SWAP_SIZE - TAIL) // MIB * MIB
    run("sfdisk", "--quiet", path, input=(
        "label: gpt\nlabel-id: 70327642-0000-4000-8000-000000000001\n"
        f"start={MIB // SECTOR}, size={MIB // SECTOR}, type=21686148-6449-6E6F-744E-656564454649\n"
        f"start={ROOT_START // SECTOR}, size={root_size // SECTOR}, type=linux\n"
        f"start={(ROOT_START + root_size) // SECTOR}, size={SWAP_SIZE // SECTOR}, type=swap\n"))
    facts = {"size": plan.size, "root": [ROOT_START, root_size], "plan": vars(plan)}
    try:
        with Loop(path, f"--offset={ROOT_START + root_size}", f"--sizelimit={SWAP_SIZE}") as swap:
            run("mkswap", "--uuid", "70327642-0000-4000-8000-000000000002", swap.device)
        with Loop(path, f"--offset={ROOT_START}", f"--sizelimit={root_size}") as root:
            run("mke2fs", "-q", "-t", "ext4", "-E", "nodiscard,lazy_itable_init=1", "-L", "root", root.device)
            facts["contents"] = _fill(plan, root.device, work)
            run("e2fsck", "-fn", root.device)
            facts["free"] = [[ROOT_START + offset, length] for offset, length in _free(root.device)]
            facts["unread"] = [[ROOT_START + offset, length]
                               for offset, length in ext4_unread.ranges(root.device)]
    finally:
        os.rmdir(work)
    # The word of e2fsprogs is what sums and comparisons rest on; written last, it makes the disk count.
    with open(f"{path}.json.new", "w", encoding="utf-8") as file:
        json.dump(facts, file)
    os.rename(f"{path}.json.new", f"{path}.json")


def _fill(plan, device, mount):
    """Puts the contents on the filesystem. In a mount namespace, so that no crash leaves it mounted."""
    script = f"{TOP}/tests/bench/lib/fill-disk"
    out = run("unshare", "--mount", "--propagation", "private", script, device, mount,
              f"{MACHINE}/sda.raw", str(plan.system), str(plan.noise), str(plan.deleted))
    return json.loads(out.splitlines()[-1])


def _free(device):
    """The free blocks of an ext4 as e2fsprogs lists them: (offset, length), bytes."""
    free, block = [], 0
    for line in run("dumpe2fs", device).splitlines():
        key, _, value = line.strip().partition(":")
        if key == "Block size":
            block = int(value)
        elif key == "Free blocks" and line.startswith(" "):
            for part in filter(None, (part.strip() for part in value.split(","))):
                first, _, last = part.partition("-")
                offset, end = int(first) * block, (int(last or first) + 1) * block
                if free and free[-1][0] + free[-1][1] == offset:
                    free[-1][1] = end - free[-1][0]
                else:
                    free.append([offset, end - offset])
    return free


def check(disk, image):
    """Fails unless every byte needed arrived, and the filesystem with all its files is whole."""
    if os.path.getsize(image) != disk.size:
        raise BenchError(f"{image} has {os.path.getsize(image)} bytes and not {disk.size}")
    with open(disk.path, "rb", buffering=0) as source, open(image, "rb", buffering=0) as target:
        for offset, length in disk.needed():
            _same(source, target, offset, length)
    if disk.size <= 64 * GIB:
        _check_files(disk, image, " ./")


def check_guest(disk, image):
    """Fails unless a converted image has a whole filesystem, and all the files that no conversion changes."""
    if os.path.getsize(image) != disk.size:
        raise BenchError(f"{image} has {os.path.getsize(image)} bytes and not {disk.size}")
    _check_files(disk, image, " ./srv/")


def _check_files(disk, image, which):
    """which: a string that the lines of the list of sums have."""
    offset, size = disk.root
    with Loop(image, "--read-only", f"--offset={offset}", f"--sizelimit={size}") as loop:
        run("e2fsck", "-fn", loop.device)
        run("unshare", "--mount", "--propagation", "private", "sh", "-euc",
            'mount -o ro,noload "$1" /mnt; cd /mnt; grep -F "$3" "$2" | sha256sum --quiet -c -',
            "sh", loop.device, LIST, which)


def _same(source, target, offset, length):
    at, end = offset, offset + length
    while at < end:
        # What is a hole in both needs no reading; it is what a disk of 1 TiB mostly has.
        starts = [_next_data(file, at, end) for file in (source, target)]
        at = min(starts)
        if at >= end:
            return
        piece = min(MIB, end - at)
        if os.pread(source.fileno(), piece, at) != os.pread(target.fileno(), piece, at):
            raise BenchError(f"{target.name} differs from the disk between {at} and {at + piece}")
        at += piece


def _next_data(file, at, end):
    try:
        return min(os.lseek(file.fileno(), at, os.SEEK_DATA), end)
    except OSError:
        return end


def space_needed(plan):
    """What a disk and two images of it may take of the place where they are, bytes."""
    return 3 * (plan.used() + plan.deleted)


def clear_away():
    """Remove what a run that was killed in the middle of making a disk has left."""
    for entry in os.listdir(FOLDER) if os.path.isdir(FOLDER) else []:
        if entry.endswith(".mnt"):
            shutil.rmtree(f"{FOLDER}/{entry}")


def used_bytes(disk, command):
    """Feed everything needed to a command; the size of what it prints, bytes."""
    with open(disk.path, "rb", buffering=0) as source, \
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child, \
            subprocess.Popen(["wc", "-c"], stdin=child.stdout, stdout=subprocess.PIPE) as counter:
        for offset, length in disk.needed():
            for at in range(offset, offset + length, MIB):
                child.stdin.write(os.pread(source.fileno(), min(MIB, offset + length - at), at))
        child.stdin.close()
        return int(counter.stdout.read())
