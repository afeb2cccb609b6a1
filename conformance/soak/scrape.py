#!/usr/bin/env python3
"""A real Prometheus scrapes the admin port, and promtool finds nothing to say about the metrics. Needs Debian's `prometheus`."""

import json
import os
import shutil
import subprocess
import tempfile
import urllib.parse
import urllib.request

from gavel import DENIED, GRANTED, Checks, Gavel, arguments, free_port, wait_until


def main():
    options = arguments(__doc__)
    if not shutil.which("prometheus") or not shutil.which("promtool"):
        print("skipped: prometheus and promtool are not there (Debian: apt-get install prometheus)")
        return
    checks = Checks()
    server = Gavel(options.gavel).started()
    with open(GRANTED, "rb") as granted, open(DENIED, "rb") as denied:
        for body in (granted.read(), denied.read()):
            for _ in range(50):
                server.ask(body)
    text = server.admin("/metrics")[1]
    said = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
    checks.check("promtool has nothing to say", said.returncode == 0 and not said.stdout + said.stderr, said.stdout + said.stderr)
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "prometheus.yml"), "w") as file:
            file.write(f"scrape_configs:\n  - job_name: gavel\n    scrape_interval: 1s\n    scrape_timeout: 1s\n"
                       f"    static_configs:\n      - targets: ['127.0.0.1:{server.admin_port}']\n")
        port = free_port()
        prometheus = subprocess.Popen(["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
                                       f"--web.listen-address=127.0.0.1:{port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            def query(text):
                try:
                    url = f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode({"query": text})
                    with urllib.request.urlopen(url, timeout=5) as answer:
                        found = json.load(answer)["data"]["result"]
                        return float(found[0]["value"][1]) if found else None
                except OSError:
                    return None

            wait_until("Prometheus scrapes", lambda: query("sum(gavel_decisions_total)") is not None)
            # A scrape may be late, and the next one is not.
            wait_until("Prometheus says that gavel is up", lambda: query("up{job='gavel'}") == 1)
            checks.check("Prometheus sees the grants", query("sum(gavel_decisions_total{decision='grant'})") == 50,
                         query("sum(gavel_decisions_total{decision='grant'})"))
            checks.check("Prometheus sees the denials", query("sum(gavel_decisions_total{decision='deny'})") == 50,
                         query("sum(gavel_decisions_total{decision='deny'})"))
            quantile = query("histogram_quantile(0.99, sum by (le) (gavel_decision_duration_seconds_bucket))")
            checks.check("a quantile can be asked for", quantile is not None and quantile > 0, quantile)
        finally:
            prometheus.terminate()
            prometheus.wait(20)
    checks.check("it drains", server.stop() == 0)
    checks.end()


main()
