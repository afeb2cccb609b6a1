#!/usr/bin/env python3
"""Reloads under load: a reload each second, half of them of a broken file. No request may fail, none may be decided wrongly, and
p99.9 may be at most twice what it is without reloads, in the median of three pairs of measurements where the first alone is above."""

import json
import os
import shutil
import signal
import statistics
import tempfile
import time

from gavel import DENIED, DOMAIN, GRANTED, Checks, Gavel, Load, arguments, version

#: What p99.9 may grow by, and how often with and without reloads take turns where the first time does not tell.
RATIO_MAX, ROUNDS = 2, 3


class Reloads:
    """A server under load, and the file that it serves from."""

    def __init__(self, options, server, domain, text, checks):
        self.options, self.server, self.domain, self.text, self.checks = options, server, domain, text, checks
        self.rate, seconds = (500, 4) if options.short else (10_000, 60)
        self.seconds = int(options.seconds or seconds)

    def write(self, content):
        with open(self.domain + ".new", "w") as file:
            file.write(content)
        os.rename(self.domain + ".new", self.domain)

    def load(self, seconds):
        return Load(self.options.load, self.server.port, self.rate, seconds, 8, GRANTED, "--body", DENIED)

    def begin(self, count):
        """Has the server reload for the time that number, by request and by signal in turns of two; what was wrong in the answer."""
        broken = count % 2 == 1
        self.write(self.text + "\n  this: [is, no PolicyDomain\n" if broken else version(self.text, count))
        if count % 4 >= 2:
            self.server.signal(signal.SIGHUP)
            return []
        status, answer = self.server.admin("/reload", "POST")
        result = json.loads(answer)["result"]
        is_right = result == ("failed" if broken else "loaded") and (status == 200) != broken
        return [] if is_right else [(count, status, answer)]

    def round(self):
        """The p99.9 with a reload each second over that without."""
        server, checks = self.server, self.checks
        quiet = self.load(self.seconds).result()
        before = server.metric("gavel_policy_reloads_total") or 0
        running = self.load(self.seconds)
        start, count, wrong = time.monotonic(), 0, []
        end = start + self.seconds - 1
        while time.monotonic() < end:
            wrong += self.begin(count)
            count += 1
            time.sleep(max(0, min(end, start + count) - time.monotonic()))
        busy = running.result()
        self.write(self.text)
        checks.check("whole files are taken, broken ones are refused", not wrong, wrong[:2] or f"{count} reloads")
        checks.check("no request failed", busy["failed"] == 0, f"{busy['right']} right, {busy['failed']} failed")
        checks.check("readiness stays", server.admin("/readyz")[0] == 200)
        loads = (server.metric("gavel_policy_reloads_total") or 0) - before
        # Signals that come while a load is going on are one load.
        checks.check("the reloads are counted", count / 2 <= loads <= count + 1, f"{loads:.0f} for {count}")
        checks.figure("reload.p999_us", busy["latency_ns"]["p99.9"] / 1000)
        return busy["latency_ns"]["p99.9"] / quiet["latency_ns"]["p99.9"]


def main():
    options = arguments(__doc__)
    checks = Checks()
    with tempfile.TemporaryDirectory() as folder:
        domain = os.path.join(folder, "domain.yml")
        shutil.copyfile(DOMAIN, domain)
        server = Gavel(options.gavel, bundle=domain).started()
        with open(DOMAIN) as file:
            reloads = Reloads(options, server, domain, file.read(), checks)
        reloads.load(1).result()
        ratios = [reloads.round()]
        if ratios[0] > RATIO_MAX and not options.short:
            ratios += [reloads.round() for _ in range(1, ROUNDS)]
        ratio = statistics.median(ratios)
        checks.figure("reload.p999_over_quiet", f"{ratio:.2f}")
        if not options.short:
            checks.check("p99.9 at most twice that without reloads", ratio <= RATIO_MAX, " ".join(f"{one:.2f}" for one in ratios))
        checks.check("it drains", server.stop() == 0)
    checks.end()


main()
