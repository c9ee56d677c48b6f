# SPDX-License-Identifier: GPL-2.0-or-later
"""What a transfer costs: time, bytes on the wire, processor time of each side, memory."""

import os
import threading
import time

from system import BenchError

SAMPLE_SECONDS = 0.05
# All methods alike come before whatever else the machine has to do, so that it disturbs them less.
NICE = -10
PREFIX = "p2v-bench-"


def _hierarchy():
    with open("/proc/mounts", encoding="utf-8") as mounts:
        for line in mounts:
            fields = line.split()
            if fields[2] == "cgroup2":
                return fields[1]
    raise BenchError("no cgroup2 hierarchy is mounted, which counts processor time. "
                     "Mount it: mount -t cgroup2 none /sys/fs/cgroup")


class Group:
    """A control group (version 2): all processes of one side, those of sshd included."""

    def __init__(self, name):
        self.path = os.path.join(_hierarchy(), f"{PREFIX}{os.getpid()}-{name}")
        self.idle = set()

    def __enter__(self):
        clear_away()
        os.mkdir(self.path)
        return self

    def __exit__(self, *_):
        # Processes that were ended leave their group a moment later.
        for _attempt in range(100):
            try:
                os.rmdir(self.path)
                return
            except OSError:
                time.sleep(0.05)
        raise BenchError(f"processes remain in {self.path}")

    def enter(self):
        """Move the calling process, and what it will start, into the group."""
        with open(f"{self.path}/cgroup.procs", "w", encoding="ascii") as procs:
            procs.write("0")
        os.nice(NICE)

    def settle(self):
        """What runs in it now only waits for work, and belongs to none of the methods."""
        self.idle = set(self.processes())

    def cpu_seconds(self):
        with open(f"{self.path}/cpu.stat", encoding="ascii") as stat:
            return int(stat.readline().split()[1]) / 1e6

    def processes(self):
        with open(f"{self.path}/cgroup.procs", encoding="ascii") as procs:
            return [int(line) for line in procs]


def clear_away():
    """Remove the groups of runs that were killed, as far as they are empty."""
    top = _hierarchy()
    for entry in os.listdir(top):
        if entry.startswith(PREFIX) and not os.path.exists(f"/proc/{entry.split('-')[2]}"):
            try:
                os.rmdir(os.path.join(top, entry))
            except OSError:
                pass


class Memory(threading.Thread):
    """Watches the peak resident memory (VmHWM) of every process of some groups."""

    def __init__(self, groups):
        super().__init__(daemon=True)
        self.groups = groups
        self.done = threading.Event()
        self.peaks = {name: {} for name in groups}

    def run(self):
        while not self.done.wait(SAMPLE_SECONDS):
            self.look()

    def look(self):
        for name, group in self.groups.items():
            for pid in set(group.processes()) - group.idle:
                try:
                    program, peak = _memory_of(pid)
                except (OSError, ValueError):
                    continue
                if program:
                    self.peaks[name][pid] = (program, peak)

    def stop(self):
        self.done.set()
        self.join()

    def of(self, name):
        """The sum over the processes of a group, and the largest of each program; bytes."""
        largest = {}
        for program, peak in self.peaks[name].values():
            largest[program] = max(peak, largest.get(program, 0))
        return sum(peak for _, peak in self.peaks[name].values()), largest


def _memory_of(pid):
    with open(f"/proc/{pid}/cmdline", "rb") as cmdline:
        argv = cmdline.read().split(b"\0")
    # Kernel threads and zombies have none.
    program = os.path.basename(argv[0].decode(errors="replace").split(":")[0])
    if program == "p2v-server" and len(argv) > 1:
        # "p2v-server forced" becomes what it was asked for without a new command line.
        with open(f"/proc/{pid}/environ", "rb") as environ:
            for line in environ.read().split(b"\0"):
                if line.startswith(b"SSH_ORIGINAL_COMMAND="):
                    program = line.partition(b"=")[2].decode(errors="replace").strip()
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return program, int(line.split()[1]) * 1024
    return None, 0


def _machine_busy():
    """Processor seconds that the machine has spent on anything."""
    with open("/proc/stat", encoding="ascii") as stat:
        user, nice, system, _idle, _iowait, irq, softirq = map(int, stat.readline().split()[1:8])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


class Meter:
    """Counts from start() to stop(); stop() has the figures as a dictionary."""

    def __init__(self, network, client, server):
        self.network, self.groups = network, {"client": client, "server": server}
        self.memory = self.begin = None

    def _counters(self):
        sent, received = self.network.wire_bytes()
        return {"sent": sent, "received": received, "busy": _machine_busy(),
                **{name: group.cpu_seconds() for name, group in self.groups.items()}}

    def start(self):
        self.memory = Memory(self.groups)
        self.memory.start()
        self.begin = self._counters()
        self.started = time.monotonic()

    def stop(self):
        seconds = time.monotonic() - self.started
        end = self._counters()
        self.memory.look()
        self.memory.stop()
        delta = {key: end[key] - self.begin[key] for key in end}
        client, client_programs = self.memory.of("client")
        server, server_programs = self.memory.of("server")
        return {"seconds": seconds, "wire": delta["sent"] + delta["received"],
                "sent": delta["sent"], "received": delta["received"],
                "client_cpu": delta["client"], "server_cpu": delta["server"],
                # What everything else took: other programs, and the kernel's own threads.
                "other_cpu": max(0.0, delta["busy"] - delta["client"] - delta["server"]),
                "client_memory": client, "client_programs": client_programs,
                "server_memory": server, "server_programs": server_programs,
                "load": os.getloadavg()[0]}
