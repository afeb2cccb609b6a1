"""What the scripts of these folders share: where the checkout is, commands, free ports, waiting, and checks that are counted."""

import os
import socket
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def run(*words, **more):
    """What a command says; it is an error if it fails."""
    return subprocess.run(words, check=True, capture_output=True, text=True, **more).stdout


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(what, done, seconds=20):
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
