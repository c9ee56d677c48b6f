# SPDX-License-Identifier: GPL-2.0-or-later
"""Processes, clean-up and the other small things that every part of the benchmarks needs."""

import ctypes
import os
import signal
import subprocess
import sys
import time

TOP = os.environ.get("P2V_TOP") or os.path.realpath(os.path.join(os.path.dirname(__file__), "../../.."))
BUILD = os.environ.get("P2V_BUILD") or os.path.join(TOP, "build")
MIB = 1 << 20
GIB = 1 << 30
PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None, use_errno=True)


class BenchError(Exception):
    """Something that makes the figures worthless; its text is for the person who runs them."""


class LeftOut(Exception):
    """A method that has no figures on this machine; its text says why."""


def say(text):
    print(text, file=sys.stderr, flush=True)


def end_with_parent():
    """In a child, before its program starts: whatever ends the benchmarks ends it too."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def run(*argv, **options):
    """Run a command that has to succeed; its standard output as text."""
    result = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            check=False, **options)
    if result.returncode != 0:
        raise BenchError(f"{' '.join(argv)} failed with status {result.returncode}: "
                         f"{(result.stderr or result.stdout).strip()[-600:]}")
    return result.stdout


def wait_until(seconds, what, condition):
    """Wait until condition() is true, at most so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise BenchError(f"waited {seconds} s in vain for {what}")
        time.sleep(0.02)


class Process:
    """A program in a network namespace and a control group. Leaving the with block ends it."""

    def __init__(self, argv, network=None, group=None, **options):
        if network:
            argv = ["nsenter", f"--net=/run/netns/{network}", "--", *argv]

        def prepare():
            end_with_parent()
            if group:
                group.enter()

        self.argv = argv
        # pylint: disable=subprocess-popen-preexec-fn,consider-using-with
        self.popen = subprocess.Popen(argv, preexec_fn=prepare, start_new_session=True, **options)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def wait(self, seconds):
        """Its exit status, or an error when it takes longer."""
        try:
            return self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            raise BenchError(f"{' '.join(self.argv)} takes longer than {seconds} s") from None

    def end(self):
        if self.popen.poll() is None:
            # The session is ours: its processes are what this one has started.
            os.killpg(self.popen.pid, signal.SIGTERM)
            try:
                self.popen.wait(5)
            except subprocess.TimeoutExpired:
                os.killpg(self.popen.pid, signal.SIGKILL)
                self.popen.wait()
        for stream in (self.popen.stdout, self.popen.stdin):
            if stream:
                stream.close()


class Loop:
    """A block device that is a file. Reads of it find no holes, as those of a real disk do not."""

    def __init__(self, path, *options):
        self.path = path
        self.device = run("losetup", "--show", "--find", *options, path).strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # p2v-client sets its sources read-only in the kernel, and the mark outlives the attachment.
        subprocess.run(["blockdev", "--setrw", self.device], check=False, stderr=subprocess.DEVNULL)
        run("losetup", "--detach", self.device)

    def cool(self):
        """Forget what the machine has in memory of it, so that each method reads it anew."""
        run("blockdev", "--flushbufs", self.device)
        with open(self.path, "rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def clear_away(marker):
    """Detach loop devices on files below the folder marker that an earlier run has left."""
    for line in run("losetup", "--list", "--noheadings", "--raw", "--output=NAME,BACK-FILE").splitlines():
        device, _, file = line.partition(" ")
        if file.startswith(marker + "/"):
            say(f"detaching {device}, which an earlier run has left")
            run("losetup", "--detach", device)
