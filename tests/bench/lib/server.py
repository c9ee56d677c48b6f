# SPDX-License-Identifier: GPL-2.0-or-later
"""The servers in the server's namespace: p2v's own, and an ordinary sshd for the other methods."""

import os
import shutil
import signal
import subprocess
import tempfile

from network import SERVER_ADDRESS
from system import BUILD, TOP, BenchError, Process, run, wait_until

PRIVATE_SERVER = f"{TOP}/tests/lib/private-server"
# What virt-v2v would be asked to do once the data has landed is not what is measured here.
CONVERTERS = ("virt-v2v-in-place", "virt-v2v")

class P2vServer:
    """private-server with sshd, the forced command and p2v-server; conversions end at once."""

    def __init__(self, network, group):
        self.network, self.group, self.settings = network, group, {}

    def __enter__(self):
        if not os.access(f"{BUILD}/p2v-server/p2v-server", os.X_OK):
            raise BenchError(f"there is no {BUILD}/p2v-server/p2v-server. Build it first: make")

        def prepare():
            # It outlives its starter on purpose; private-server knows its owner.
            self.group.enter()

        # pylint: disable=subprocess-popen-preexec-fn
        started = subprocess.run(
            ["nsenter", f"--net=/run/netns/{self.network.server}", "--", PRIVATE_SERVER, "start",
             f"--owner={os.getpid()}", "--no-libvirt", f"--listen={SERVER_ADDRESS}"],
            preexec_fn=prepare, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        if started.returncode != 0:
            raise BenchError(f"the conversion server did not start: {started.stderr.strip()}")
        self.directory = started.stdout.strip()
        try:
            for line in run(PRIVATE_SERVER, "env", self.directory).splitlines():
                name, _, value = line.partition("=")
                self.settings[name] = value
            for program in CONVERTERS:
                path = shutil.which(program)
                if path:
                    self.root("mount", "--bind", "/dev/null", path)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        run(PRIVATE_SERVER, "stop", self.directory)

    def root(self, *argv):
        return run(PRIVATE_SERVER, "exec", "--root", self.directory, *argv)

    def arguments(self):
        """The kernel arguments that lead to it."""
        at = self.settings
        return [f"p2v.server={SERVER_ADDRESS}", f"p2v.port={at['PORT']}", f"p2v.username={at['USER']}",
                f"p2v.identity=file://{at['IDENTITY']}", f"p2v.hostkey={at['HOSTKEY']}",
                "p2v.o=local", f"p2v.os={at['IMAGES']}", "p2v.of=raw"]

    def image(self, name, source):
        return f"{self.settings['IMAGES']}/{name}-{os.path.basename(source)}"

# ssh and shells go by this, and not by $HOME.
ROOT_HOME = os.path.expanduser("~root")
SSHD_CONFIG = """\
ListenAddress {address}
Port {port}
HostKey {dir}/host
AuthorizedKeysFile {dir}/id.pub
PidFile none
StrictModes no
UsePAM no
PermitRootLogin prohibit-password
PasswordAuthentication no
AllowTcpForwarding yes
GatewayPorts no
Subsystem sftp internal-sftp
UseDNS no
SetEnv "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" {environment}
"""

class PlainServer:
    """An sshd that lets root in and forwards ports, as virt-p2v and ssh in a pipe need it.

    Leaving the with block ends whatever was started through it; what that left in /tmp and at root's is gone.
    """

    def __init__(self, network, group, port=22, environment=()):
        self.network, self.group, self.port, self.environment = network, group, port, environment
        self.sshd = None

    def __enter__(self):
        self.directory = tempfile.mkdtemp(prefix="p2v-bench-", dir="/var/tmp")
        try:
            for name in ("host", "id"):
                run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{self.directory}/{name}")
            with open(f"{self.directory}/host.pub", encoding="ascii") as key, \
                    open(f"{self.directory}/known_hosts", "w", encoding="ascii") as known:
                known.write(f"[{SERVER_ADDRESS}]:{self.port} {key.read()}" if self.port != 22
                            else f"{SERVER_ADDRESS} {key.read()}")
            with open(f"{self.directory}/sshd_config", "w", encoding="ascii") as config:
                config.write(SSHD_CONFIG.format(
                    address=SERVER_ADDRESS, dir=self.directory, port=self.port,
                    environment=" ".join(f'"{variable}"' for variable in self.environment)))
            os.mkdir(self.temporary())
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _start(self):
        # sshd wants a /run/sshd, which is missing where systemd does not run.
        log = f"{self.directory}/log"
        self.sshd = Process(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--", "sh", "-c",
             'mount -t tmpfs tmpfs /run && mkdir -m 755 /run/sshd /run/lock && '
             'mount --bind "$1/tmp" /tmp && mount -t tmpfs -o mode=700 tmpfs "$2" && '
             'exec /usr/sbin/sshd -D -f "$1/sshd_config" -E "$1/log"', "sh", self.directory, ROOT_HOME],
            self.network.server, self.group, stdin=subprocess.DEVNULL)

        def listening():
            if self.sshd.popen.poll() is not None:
                raise BenchError("sshd did not start; see its log above")
            return os.path.exists(log) and "listening" in open(log, encoding="utf-8").read()

        wait_until(10, "sshd", listening)

    def __exit__(self, *_):
        if self.sshd:
            self.sshd.popen.send_signal(signal.SIGKILL)
            self.sshd.popen.wait()
        shutil.rmtree(self.directory)

    def temporary(self):
        """What it has as /tmp."""
        return f"{self.directory}/tmp"

    def ssh(self, *options, command=None):
        """The words of an ssh command that logs in there, for a command or for a tunnel only."""
        return ["ssh", "-F", "none", "-T", "-p", str(self.port), "-l", "root", "-i", f"{self.directory}/id",
                "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-o", "LogLevel=ERROR",
                "-o", f"UserKnownHostsFile={self.directory}/known_hosts",
                "-o", "GlobalKnownHostsFile=none", "-o", "StrictHostKeyChecking=yes", *options,
                *([] if command else ["-N"]), SERVER_ADDRESS, *([command] if command else [])]
