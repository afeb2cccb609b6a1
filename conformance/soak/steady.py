#!/usr/bin/env python3
"""Thirty minutes at 60% of the largest rate, with reloads: memory flat within 2%, descriptors flat, no failed request."""

import os
import tempfile
import time

from gavel import DENIED, DOMAIN, GRANTED, Checks, Gavel, Load, arguments, version


def main():
    options = arguments(__doc__)
    seconds = options.seconds or (8 if options.short else 1800)
    checks = Checks()
    with open(DOMAIN) as file:
        text = file.read()
    with tempfile.TemporaryDirectory() as folder:
        domain = os.path.join(folder, "domain.yml")
        with open(domain, "w") as file:
            file.write(text)
        server = Gavel(options.gavel, bundle=domain).started()
        largest = Load(options.load, server.port, None, 1 if options.short else 3, 16, GRANTED).result()
        # The short form runs where machines are busy: a rate measured in a good second must hold in a bad one.
        rate = largest["rate"] * (0.3 if options.short else 0.6)
        checks.figure("steady.rate", f"{rate:.0f}")
        running = Load(options.load, server.port, rate, seconds, 16, GRANTED, "--body", DENIED)
        samples, reloads, refused = [], 0, []
        end = time.monotonic() + seconds - 2
        next_reload = time.monotonic() + 1
        while time.monotonic() < end:
            time.sleep(1)
            if time.monotonic() >= next_reload:
                with open(domain, "w") as file:
                    file.write(version(text, reloads))
                status, answer = server.admin("/reload", "POST")
                reloads += 1
                if status != 200:
                    refused.append(answer)
                next_reload += 1 if options.short else 10
            samples.append((server.rss_kib(), server.descriptors()))
        result = running.result()
        checks.check("no request failed", result["failed"] == 0, f"{result['right']} right, {result['failed']} failed")
        # What the first requests and reloads take is no growth.
        later = samples[len(samples) // 5:]
        quarter = max(1, len(later) // 4)
        first = sum(rss for rss, _ in later[:quarter]) / quarter
        last = sum(rss for rss, _ in later[-quarter:]) / quarter
        checks.figure("steady.rss_mib", f"{last / 1024:.1f}")
        checks.figure("steady.rss_growth_percent", f"{(last / first - 1) * 100:.2f}")
        if not options.short:
            checks.check("memory is flat within 2%", last <= first * 1.02, f"{first:.0f} KiB, later {last:.0f} KiB")
        descriptors = {count for _, count in later}
        checks.check("descriptors are flat", max(descriptors) - min(descriptors) <= 2, sorted(descriptors))
        checks.figure("steady.p999_us", result["latency_ns"]["p99.9"] / 1000)
        checks.check(f"it reloaded {reloads} times", not refused and server.metric("gavel_policy_revision") == reloads + 1, refused[:1])
        checks.check("it drains", server.stop() == 0)
        checks.check("each request has its record", server.record_count >= result["right"], server.record_count)
    checks.end()


main()
