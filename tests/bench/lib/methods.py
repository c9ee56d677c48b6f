# SPDX-License-Identifier: GPL-2.0-or-later
"""The ways to get a disk to a server that are compared.

Each is a function (bench, loop, meter, options) that returns the image it has written. It starts the
meter before its first byte and stops it when all of the image is on the server's disk to stay: at
that instant the machine may be switched off.
"""

import json
import os
import subprocess
import tempfile
import time

from system import BUILD, MIB, BenchError, LeftOut, Process, run, wait_until
from virtp2v import virt_p2v

# Longer than anything that a person would wait for.
TIMEOUT = 2400
# As virt-v2v 2.2 has it.
NBDCOPY = ["nbdcopy", "--requests=64", "--flush"]
NBD_PORT = 50123


def p2v(bench, loop, meter, arguments=()):
    """p2v-client until it says "landed"."""
    name = f"bench{bench.next_number()}"
    cmdline = " ".join([*bench.p2v.arguments(), f"p2v.name={name}", f"p2v.disks={loop.device}",
                        "p2v.interfaces=", "p2v.memory=512M", *arguments])
    argv = [f"{BUILD}/p2v-client/p2v-client", "--json-progress", f"--cmdline={cmdline}"]
    image = bench.p2v.image(name, loop.device)
    figures, said, phases = None, [], []
    with tempfile.TemporaryFile("w+") as log:
        meter.start()
        with Process(argv, bench.network.client, bench.client, stdin=subprocess.DEVNULL,
                     stdout=subprocess.PIPE, stderr=log, text=True) as client:
            for line in client.popen.stdout:
                message = json.loads(line)
                said.append(message)
                if message["type"] in ("activity", "connected", "created", "landed"):
                    phases.append([round(time.monotonic() - meter.started, 3), message["type"],
                                   message.get("activity") or message.get("message")])
                if message["type"] == "landed":
                    figures = meter.stop()
            status = client.wait(TIMEOUT)
        log.seek(0)
        complaint = log.read().strip()
    if status == 2:
        raise LeftOut(f"refused: {complaint.splitlines()[0] if complaint else 'without a word'}")
    # 8: the data is there, and the conversion that was taken away has failed.
    if figures is None or status not in (0, 8):
        raise BenchError(f"p2v-client ended with status {status}: {complaint[-600:]}")
    # Where the time goes, for whoever reads the JSON.
    figures["phases"] = phases
    figures["disks"] = next((m["disks"] for m in reversed(said) if m["type"] == "progress"), None)
    return image, figures


def _wait_for_port(bench, network, port):
    def listening():
        out = run("nsenter", f"--net=/run/netns/{network}", "--", "ss", "-Hltn", f"sport = :{port}")
        return bool(out.strip())

    wait_until(20, f"port {port}", listening)
    return bench


def nbdcopy(bench, loop, meter, trimmed=True):
    """virt-p2v's data path: nbdkit here, a tunnel that ssh makes, nbdkit and nbdcopy there.

    virt-v2v trims the filesystems before it copies, so that free space is not read: the trimming
    is done before the meter starts, as it is a part of the conversion. The copy alone is measured.
    """
    image = f"{bench.plain.directory}/nbdcopy.img"
    with open(image, "wb") as file:
        file.truncate(bench.disk.size)
    sockets = tempfile.mkdtemp(dir=bench.plain.directory)
    source, target = f"{sockets}/in", f"{sockets}/out"
    network, quiet = bench.network, {"stdin": subprocess.DEVNULL}
    with Process(["nbdkit", "-r", "-f", "--ipaddr=127.0.0.1", f"--port={NBD_PORT}", "file",
                  f"file={loop.device}"], network.client, bench.client, **quiet):
        _wait_for_port(bench, network.client, NBD_PORT)
        tunnel = bench.plain.ssh("-o", "ExitOnForwardFailure=yes", "-R",
                                 f"127.0.0.1:{NBD_PORT}:127.0.0.1:{NBD_PORT}")
        with Process(tunnel, network.client, bench.client, **quiet):
            _wait_for_port(bench, network.server, NBD_PORT)
            with Process(["nbdkit", "-f", "-U", source, "--filter=cow", "nbd", "hostname=127.0.0.1",
                          f"port={NBD_PORT}", "shared=true"], network.server, bench.server, **quiet), \
                    Process(["nbdkit", "-f", "-U", target, "file", f"file={image}", "cache=none"],
                            network.server, bench.server, **quiet):
                wait_until(20, "nbdkit", lambda: os.path.exists(source) and os.path.exists(target))
                if trimmed:
                    _trim(source, bench.disk)
                    loop.cool()
                meter.start()
                with Process([*NBDCOPY, f"nbd+unix:///?socket={source}", f"nbd+unix:///?socket={target}"],
                             network.server, bench.server, **quiet) as copy:
                    status = copy.wait(TIMEOUT)
                figures = meter.stop()
    if status != 0:
        raise BenchError(f"nbdcopy ended with status {status}")
    return image, figures


def nbdcopy_all(bench, loop, meter):
    """The same without the trimming, as for filesystems that virt-v2v cannot mount."""
    return nbdcopy(bench, loop, meter, trimmed=False)


def _trim(socket, disk):
    """What fstrim would send to the overlay: the free blocks."""
    # A command may be as long as this for QEMU, and a request of NBD has 32 bits for its length.
    longest = 1024 * MIB
    commands = []
    for offset, length in disk.free:
        for at in range(offset, offset + length, longest):
            commands.append(f"discard {at} {min(longest, offset + length - at)}")
    run("qemu-io", "-f", "raw", f"nbd+unix:///?socket={socket}", input="\n".join([*commands, "quit", ""]))


def _pipe(bench, meter, stages, remote):
    """stages | ssh 'remote'; all of it on the server's disk when it ends."""
    image = f"{bench.plain.directory}/pipe.img"
    script = " | ".join([*stages, '"$@"'])
    meter.start()
    with Process(["bash", "-c", f"set -o pipefail; {script}", "bash",
                  *bench.plain.ssh(command=f"{remote.format(image=image)} && sync -d {image}")],
                 bench.network.client, bench.client, stdin=subprocess.DEVNULL) as pipe:
        status = pipe.wait(TIMEOUT)
    figures = meter.stop()
    if status != 0:
        raise BenchError(f"{script} ended with status {status}")
    return image, figures


def dd_ssh(bench, loop, meter):
    """dd | ssh 'cat > image'"""
    return _pipe(bench, meter, [f"dd if={loop.device} bs=1M status=none"], "cat >{image}")


def dd_zstd_ssh(bench, loop, meter):
    """dd | zstd -1 | ssh 'zstd -d > image', which leaves holes where zeroes are"""
    return _pipe(bench, meter, [f"dd if={loop.device} bs=1M status=none", "zstd -q -1 -T1"],
                 "zstd -q -d -f --sparse -o {image}")


METHODS = {"p2v": p2v, "nbdcopy": nbdcopy, "nbdcopy-all": nbdcopy_all, "dd": dd_ssh,
           "zstd": dd_zstd_ssh, "virt-p2v": virt_p2v}
# Takes many minutes: measured once, and after everything else.
LAST = {"virt-p2v"}
# What they leave is not the disk any more, but a guest.
CONVERTING = {"virt-p2v"}
NAMES = {"p2v": "p2v", "nbdcopy": "nbdcopy over ssh -R, free space trimmed",
         "nbdcopy-all": "nbdcopy over ssh -R, whole disk", "dd": "dd \\| ssh",
         "zstd": "dd \\| zstd -1 \\| ssh", "virt-p2v": "virt-p2v, whole conversion"}
