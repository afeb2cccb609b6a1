"""What the scripts of this folder share: a started gavel, its admin port, its memory and descriptors, load upon it, checks."""

import argparse
import atexit
import ctypes
import http.client
import json
import os
import re
import shutil
import signal as signals
import socket
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from checks import ROOT, Checks, free_port, wait_until  # noqa: E402 (`Checks` is for the scripts that take all from here)

DOMAIN = f"{ROOT}/examples/clinic/clinic.yml"
GRANTED = f"{ROOT}/examples/clinic/nurse-reads.json"
DENIED = f"{ROOT}/examples/clinic/nurse-off-shift.json"
JSON = {"Content-Type": "application/json"}


def version(text, number):
    """The text of a domain with one constant that is its own, so that its image is another one and its decisions are the same."""
    known = 'clearance("clerk") := 1\n'
    before, after = text.split(known)
    indent = before[before.rindex("\n") + 1:]
    return f'{before}{known}{indent}clearance("visitor-{number:06}") := 0\n{after}'


def certificate(folder):
    """A certificate for `localhost` that vouches for itself, and its key; None without openssl."""
    if not shutil.which("openssl"):
        return None
    chain, key = os.path.join(folder, "chain.pem"), os.path.join(folder, "key.pem")
    made = subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                           "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE", "-keyout", key, "-out", chain], capture_output=True)
    return (chain, key) if made.returncode == 0 else None


class Gavel:
    """A gavel on loopback. Its records are counted, or kept with `keep_records`; its log is kept."""

    def __init__(self, binary, *flags, bundle=DOMAIN, keep_records=False, wrapper=(), environment=None, threads=1, admin=True):
        self.port = free_port()
        self.admin_port = free_port() if admin else None
        words = [*wrapper, binary, "serve", "--host", "127.0.0.1", "--port", str(self.port), "--threads", str(threads)]
        if bundle:
            words += ["--bundle", bundle]
        if admin:
            words += ["--admin", f"127.0.0.1:{self.admin_port}"]
        self.records, self.record_count, self.log = [], 0, []
        self.keep_records = keep_records
        self.process = subprocess.Popen(words + list(flags), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        env={**os.environ, **(environment or {})})
        # A script that breaks off leaves no process behind.
        atexit.register(self.process.kill)
        self.readers = [threading.Thread(target=read, daemon=True) for read in (self._read_records, self._read_log)]
        for reader in self.readers:
            reader.start()

    def started(self):
        wait_until("start: " + "\n".join(self.log[-3:]), lambda: self.process.poll() is not None or self._takes_connections())
        if self.process.poll() is not None:
            raise SystemExit("gavel ended at start: " + "\n".join(self.log))
        return self

    def _takes_connections(self):
        if self.admin_port:
            try:
                return self.admin("/readyz")[0] == 200
            except OSError:
                return False
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def _read_records(self):
        for line in self.process.stdout:
            self.record_count += 1
            if self.keep_records:
                self.records.append(line)

    def _read_log(self):
        for line in self.process.stderr:
            self.log.append(line.decode(errors="replace").rstrip())

    def said(self, text):
        return any(text in line for line in self.log)

    def ask(self, body, path="/decision", timeout=10):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request("POST", path, body, JSON)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def admin(self, path, method="GET", body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.admin_port, timeout=30)
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def metric(self, name):
        """Sum over all series of a metric, or the value of one, whose labels `name` has."""
        series = (line.rsplit(" ", 1) for line in self.admin("/metrics")[1].splitlines())
        found = [float(value) for text, value in series if text == name or text.startswith(name + "{")]
        return sum(found) if found else None

    def rss_kib(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read())[1])

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self, seconds=40, number=signals.SIGTERM):
        if self.process.poll() is None:
            self.signal(number)
        status = self.process.wait(seconds)
        for reader in self.readers:
            reader.join(5)
        return status


class Load:
    """gavel-load in the background; its figures when it ends. Without a rate as fast as it goes."""

    def __init__(self, tool, port, rate, seconds, connections=8, body=GRANTED, *more, scheme="http"):
        words = [tool, "--url", f"{scheme}://127.0.0.1:{port}/decision", *(["--rate", str(rate)] if rate else ["--closed"]), "--seconds", str(seconds),
                 "--connections", str(connections), "--body", body, "--json", *more]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def result(self):
        out, problem = self.process.communicate()
        if self.process.returncode not in (0, 1):
            raise SystemExit("gavel-load: " + problem)
        return json.loads(out)


def short_turns():
    """Asks the scheduler for turns of 0.1 ms in place of some 3 ms, for this process and what it starts; see `short_turns` in `server/src/sys.rs`. Where that cannot be, nothing changes."""
    sched_setattr = {"x86_64": 314, "aarch64": 274}.get(os.uname().machine)
    # struct sched_attr: size, policy, flags, nice, priority, runtime, deadline, period, util_min, util_max.
    attributes = struct.pack("=IIQiIQQQII", 56, os.SCHED_OTHER, 0, os.getpriority(os.PRIO_PROCESS, 0), 0, 100_000, 0, 0, 0, 0)
    if sched_setattr and os.sched_getscheduler(0) == os.SCHED_OTHER:
        ctypes.CDLL(None).syscall(sched_setattr, 0, attributes, 0)


def arguments(description, more=lambda parser: None):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("gavel", help="the binary under test")
    parser.add_argument("load", nargs="?", help="gavel-load, for the scripts that need load")
    parser.add_argument("--short", action="store_true", help="seconds instead of minutes")
    parser.add_argument("--seconds", type=float, help="how long what is measured lasts, in place of the script's own time")
    more(parser)
    return parser.parse_args()
