#!/usr/bin/env python3
"""Reloads under load: a reload each second, half of them of a broken file. No request may fail, none may be decided wrongly, and
p99.9 may be at most twice what it is without reloads."""

import json
import os
import signal
import tempfile
import time

from gavel import DENIED, DOMAIN, GRANTED, Checks, Gavel, Load, arguments, version


def load(options, server, rate, seconds):
    return Load(options.load, server.port, rate, seconds, 8, GRANTED, "--body", DENIED)


def main():
    options = arguments(__doc__)
    rate, seconds = (500, 4) if options.short else (10_000, 60)
    seconds = int(options.seconds or seconds)
    checks = Checks()
    with open(DOMAIN) as file:
        text = file.read()
    with tempfile.TemporaryDirectory() as folder:
        domain = os.path.join(folder, "domain.yml")

        def write(content):
            with open(domain + ".new", "w") as file:
                file.write(content)
            os.rename(domain + ".new", domain)

        write(text)
        server = Gavel(options.gavel, bundle=domain).started()
        load(options, server, rate, 1).result()
        quiet = load(options, server, rate, seconds).result()

        before = server.metric("gavel_policy_reloads_total") or 0
        running = load(options, server, rate, seconds)
        start, count, wrong = time.monotonic(), 0, []
        end = start + seconds - 1
        while time.monotonic() < end:
            broken = count % 2 == 1
            write(text + "\n  this: [is, no PolicyDomain\n" if broken else version(text, count))
            if count % 4 < 2:
                status, answer = server.admin("/reload", "POST")
                result = json.loads(answer)["result"]
                if result != ("failed" if broken else "loaded") or (status == 200) == broken:
                    wrong.append((count, status, answer))
            else:
                server.signal(signal.SIGHUP)
            count += 1
            time.sleep(max(0, min(end, start + count) - time.monotonic()))
        busy = running.result()
        write(text)
        checks.check("whole files are taken, broken ones are refused", not wrong, wrong[:2] or f"{count} reloads")
        checks.check("no request failed", busy["failed"] == 0, f"{busy['right']} right, {busy['failed']} failed")
        checks.check("readiness stays", server.admin("/readyz")[0] == 200)
        loads = (server.metric("gavel_policy_reloads_total") or 0) - before
        # Signals that come while a load is going on are one load.
        checks.check("the reloads are counted", count / 2 <= loads <= count + 1, f"{loads:.0f} for {count}")
        ratio = busy["latency_ns"]["p99.9"] / quiet["latency_ns"]["p99.9"]
        checks.figure("reload.p999_over_quiet", f"{ratio:.2f}")
        checks.figure("reload.p999_us", busy["latency_ns"]["p99.9"] / 1000)
        if not options.short:
            checks.check("p99.9 at most twice that without reloads", ratio <= 2, f"{ratio:.2f}")
        checks.check("it drains", server.stop() == 0)
    checks.end()


main()
