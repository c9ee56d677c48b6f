# SPDX-License-Identifier: GPL-2.0-or-later
"""What nothing can be faster than: the link, the ciphers, ssh, zstd and the disks of this machine."""

import os
import re
import subprocess
import time

import disk as disks
from network import SERVER_ADDRESS
from system import GIB, MIB, Process, run, wait_until

CIPHERS = ("aes-128-gcm", "aes-256-gcm", "chacha20-poly1305")
SECONDS = 2
# Sends zeroes for a while; the other end counts until there are no more.
SENDER = """
import socket, sys, time
wire = socket.create_connection((sys.argv[1], 5001))
block, end = bytes(1 << 20), time.monotonic() + float(sys.argv[2])
while time.monotonic() < end:
    wire.sendall(block)
"""
RECEIVER = """
import socket, time
listener = socket.create_server(("0.0.0.0", 5001))
wire, _ = listener.accept()
total, start, block = 0, time.monotonic(), bytearray(1 << 20)
while count := wire.recv_into(block):
    total += count
print(total / (time.monotonic() - start))
"""


def tcp(bench):
    """Bytes a second that one TCP connection carries over the link as it is shaped now."""
    with Process(["python3", "-c", RECEIVER], bench.network.server, stdout=subprocess.PIPE,
                 text=True) as receiver:
        wait_until(10, "the receiver", lambda: run(
            "nsenter", f"--net=/run/netns/{bench.network.server}", "ss", "-Hltn", "sport = :5001").strip())
        with Process(["python3", "-c", SENDER, SERVER_ADDRESS, str(SECONDS)],
                     bench.network.client) as sender:
            sender.wait(60)
        return float(receiver.popen.stdout.read())


def ssh(bench, name):
    """Bytes a second that OpenSSH carries without a limit on the link: zeroes from end to end."""
    started = time.monotonic()
    with Process(["sh", "-c", 'head -c 1G /dev/zero | "$@"', "sh",
                  *bench.plain.ssh("-c", name, command="cat >/dev/null")], bench.network.client) as pipe:
        pipe.wait(120)
    return GIB / (time.monotonic() - started)


def cipher(name):
    """Bytes a second of one core, by openssl speed."""
    out = run("openssl", "speed", "-seconds", "1", "-bytes", "16384", "-evp", name)
    return float(re.search(r"([0-9.]+)k\s*$", out).group(1)) * 1000


def read(loop):
    loop.cool()
    started = time.monotonic()
    with open(loop.device, "rb", buffering=0) as device:
        count = sum(len(device.read(MIB)) for _ in range(1024))
    return count / (time.monotonic() - started)


def write(directory):
    """Bytes a second of 1 GiB written and flushed where the images go."""
    path = f"{directory}/write-test"
    block = os.urandom(MIB)
    started = time.monotonic()
    with open(path, "wb", buffering=0) as file:
        for _ in range(1024):
            file.write(block)
        os.fsync(file.fileno())
    seconds = time.monotonic() - started
    os.unlink(path)
    return GIB / seconds


def zstd(disk):
    """What zstd -1 makes of the data that is needed, and how fast one core is at it; bytes, bytes a second."""
    started = time.monotonic()
    size = disks.used_bytes(disk, ["zstd", "-q", "-1", "-T1"])
    needed = sum(length for _, length in disk.needed())
    return size, needed / (time.monotonic() - started)


def measure(bench, loop, links):
    found = {"tcp": {}}
    for link in links:
        bench.network.shape(link)
        found["tcp"][link] = tcp(bench)
    bench.network.shape("unshaped")
    found["ssh"] = {name: ssh(bench, name)
                    for name in ("chacha20-poly1305@openssh.com", "aes128-gcm@openssh.com")}
    found["cipher"] = {name: cipher(name) for name in CIPHERS}
    found["read"] = read(loop)
    found["write"] = write(bench.plain.directory)
    found["zstd_bytes"], found["zstd_rate"] = zstd(bench.disk)
    return found
