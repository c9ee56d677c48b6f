# SPDX-License-Identifier: GPL-2.0-or-later
"""The wire: two network namespaces, a veth pair between them, and tc tbf on both of its ends."""

import json
import os

from system import run, say

# Of TEST-NET-2 (RFC 5737), and in namespaces only.
CLIENT_ADDRESS, SERVER_ADDRESS = "198.51.100.2", "198.51.100.1"
LINKS = {"1gbit": "1gbit", "100mbit": "100mbit", "unshaped": None}
PREFIX = "p2v-bench-"


class Network:
    """with Network() as network: network.shape("1gbit"); network.client and network.server are names."""

    def __init__(self):
        self.client = f"{PREFIX}{os.getpid()}-c"
        self.server = f"{PREFIX}{os.getpid()}-s"
        self.link = None

    def __enter__(self):
        clear_away()
        try:
            for name in (self.client, self.server):
                run("ip", "netns", "add", name)
                run("ip", "-n", name, "link", "set", "lo", "up")
            run("ip", "-n", self.client, "link", "add", "wire", "type", "veth",
                "peer", "name", "wire", "netns", self.server)
            for name, address in ((self.client, CLIENT_ADDRESS), (self.server, SERVER_ADDRESS)):
                run("ip", "-n", name, "address", "add", f"{address}/24", "dev", "wire")
                run("ip", "-n", name, "link", "set", "wire", "up")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for name in (self.client, self.server):
            if os.path.exists(f"/run/netns/{name}"):
                run("ip", "netns", "delete", name)

    def shape(self, link):
        """Limit both directions to one of LINKS."""
        rate = LINKS[link]
        for name in (self.client, self.server):
            if self.link and LINKS[self.link]:
                run("tc", "-n", name, "qdisc", "del", "dev", "wire", "root")
            if rate:
                run("tc", "-n", name, "qdisc", "add", "dev", "wire", "root", "tbf",
                    "rate", rate, "burst", "128kb", "latency", "50ms")
        self.link = link

    def wire_bytes(self):
        """(bytes to the server, bytes from it) since the wire was made: the interface's counters."""
        stats = json.loads(run("ip", "-n", self.client, "-s", "-j", "link", "show", "dev", "wire"))
        counters = stats[0]["stats64"]
        return counters["tx"]["bytes"], counters["rx"]["bytes"]


def clear_away():
    """Remove the namespaces of runs that were killed."""
    for entry in os.listdir("/run/netns") if os.path.isdir("/run/netns") else []:
        if entry.startswith(PREFIX):
            owner = entry[len(PREFIX):].split("-")[0]
            if not os.path.exists(f"/proc/{owner}"):
                say(f"removing the network namespace {entry}, which an earlier run has left")
                run("ip", "netns", "delete", entry)
