"""What the scripts of these folders share: where the checkout is, commands, free ports, waiting, and checks that are counted."""

import os
import random
import socket
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def run(*words, **more):
    """What a command says; it is an error if it fails."""
    return subprocess.run(words, check=True, capture_output=True, text=True, **more).stdout


# Names in the kernel that last as long as this process, one for each port that it was given.
LEASES = []


def free_port():
    """A port that is free, and given to nobody else who asks here, in any process, while this one runs.

    It lies below those that the kernel picks for connections: what is free of those now may be taken when the server starts.
    """
    with open("/proc/sys/net/ipv4/ip_local_port_range") as file:
        lowest = int(file.read().split()[0])
    for _ in range(1000):
        port = random.randrange(10_000, max(lowest, 20_000))
        lease = socket.socket(socket.AF_UNIX)
        try:
            lease.bind(f"\0gavel-test-port-{port}")
            with socket.socket(socket.AF_INET6) as probe:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
                probe.bind(("::", port))
        except OSError:
            lease.close()
            continue
        LEASES.append(lease)
        return port
    raise SystemExit("no port is free")


def wait_until(what, done, seconds=60):
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            raise SystemExit(f"timed out: {what}")
        time.sleep(0.02)


class Checks:
    """Counts what held; `figure` prints what was measured."""

    def __init__(self):
        self.failed = []
        self.held = 0

    def check(self, name, holds, detail=""):
        print(("ok   " if holds else "FAIL ") + name + (f": {detail}" if detail != "" else ""), flush=True)
        if holds:
            self.held += 1
        else:
            self.failed.append(name)

    def that(self, name, holds, found=""):
        """As `check`, but what was found is told only where it does not hold."""
        self.check(name, holds, "" if holds else found)

    def figure(self, name, value):
        print(f"figure {name} {value}", flush=True)

    def end(self):
        print(f"{self.held} passed, {len(self.failed)} failed")
        sys.exit(1 if self.failed else 0)
