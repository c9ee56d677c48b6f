# SPDX-License-Identifier: GPL-2.0-or-later
"""virt-p2v's whole conversion, by the programs in Debian's packages virt-p2v and virt-v2v."""

import glob
import json
import lzma
import os
import re
import shutil
import subprocess
import tempfile

from network import SERVER_ADDRESS
from server import ROOT_HOME, PlainServer
from system import BUILD, BenchError, LeftOut, Process

# The ordinary server has 22.
PORT = 2222
# Ten minutes is what it takes where libguestfs has to do without KVM and two cores do both sides' work.
TIMEOUT = 2400
# In the package it is a file for the live image, and not in anybody's path.
PACKED = "/usr/lib/*/virt-p2v/virt-p2v.xz"
# In a table's cell.
LONGEST_COMPLAINT = 300
# What it writes on the machine, host keys that it was never told to trust among it, is gone with it, and so
# is what it has started.
SCRATCH = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--", "sh", "-euc",
           'mount -t tmpfs tmpfs /tmp; mount -t tmpfs -o mode=700 tmpfs "$1"; shift; cd /tmp; unset DISPLAY; '
           'exec "$@"',
           "sh", ROOT_HOME]


def missing():
    """What has to be installed for it, or None."""
    if not shutil.which("virt-p2v") and not glob.glob(PACKED):
        return "virt-p2v is not installed (apt-get install virt-p2v)"
    for name in ("virt-v2v", "scp", "curl", "nbdkit"):
        if not shutil.which(name):
            return f"{name} is not installed"
    return None


def _unpack(directory):
    installed = shutil.which("virt-p2v")
    if installed:
        return installed
    path = f"{directory}/virt-p2v"
    with lzma.open(glob.glob(PACKED)[0]) as packed, open(path, "wb") as program:
        shutil.copyfileobj(packed, program)
    os.chmod(path, 0o755)
    return path


def _environment():
    """What libguestfs on the server has to know; p2v-server finds out by trying whether KVM works."""
    checked = subprocess.run([f"{BUILD}/p2v-server/p2v-server", "check", "--json"], check=False,
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    works = any(item["subject"] == "KVM" and item["status"] == "ok"
                for item in json.loads(checked.stdout)["checks"])
    return ["LIBGUESTFS_BACKEND=direct", *([] if works else ["LIBGUESTFS_BACKEND_SETTINGS=force_tcg"])]


def _complaint(log, plain):
    """The end of what virt-p2v has said, and what virt-v2v has complained of, in a line for a table."""
    log.seek(0)
    lines = [line for line in log.read().splitlines() if line.strip() and not line.startswith("DEBUG:")][-4:]
    for path in glob.glob(f"{plain.temporary()}/virt-p2v-*/virt-v2v-conversion-log.txt"):
        with open(path, encoding="utf-8", errors="replace") as file:
            lines += [line for line in file if line.startswith("virt-v2v: error")][-2:]
    return re.sub(r"[^ -{}~]+", " ", "; ".join(line.strip() for line in lines))[-LONGEST_COMPLAINT:]


def virt_p2v(bench, loop, meter):
    """From virt-p2v's start until it ends: the machine has to run until all is converted."""
    problem = missing()
    if problem:
        raise LeftOut(problem)
    name = f"bench{bench.next_number()}"
    final = f"{bench.plain.directory}/{name}.img"
    with PlainServer(bench.network, bench.server, PORT, _environment()) as plain, \
            tempfile.TemporaryFile("w+", errors="replace") as log:
        bench.server.settle()
        output = f"{plain.directory}/output"
        os.mkdir(output)
        cmdline = " ".join([
            f"p2v.server={SERVER_ADDRESS}", f"p2v.port={PORT}", "p2v.username=root",
            f"p2v.identity=file://{plain.directory}/id", f"p2v.name={name}",
            f"p2v.disks={os.path.basename(loop.device)}", "p2v.interfaces=", "p2v.memory=512M",
            "p2v.o=local", f"p2v.os={output}", "p2v.of=raw", "p2v.post=true"])
        argv = [*SCRATCH, _unpack(plain.directory), f"--cmdline={cmdline}"]
        meter.start()
        with Process(argv, bench.network.client, bench.client, stdin=subprocess.DEVNULL, stdout=log,
                     stderr=log) as client:
            try:
                status = client.wait(TIMEOUT)
            except BenchError as error:
                raise LeftOut(f"takes longer than {TIMEOUT // 60} minutes") from error
            finally:
                figures = meter.stop()
        image = f"{output}/{name}-sda"
        if status != 0 or not os.path.exists(image):
            raise LeftOut(f"virt-p2v ended with status {status}: {_complaint(log, plain)}")
        os.rename(image, final)
    return final, figures
