#!/usr/bin/env python3
"""What the settings of `gavel serve` cost: processor time of the process for one answer, as the table of docs/tuning.md.

  benches/tuning.py GAVEL GAVEL-LOAD [--rounds N]

Variants take turns, and the best of all rounds counts, so that a machine that is busy now and then changes little. The example clinic,
one thread. Needs openssl.
"""
import argparse, json, os, shutil, socket, ssl, subprocess, tempfile, time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PORC = f"{ROOT}/examples/clinic/nurse-reads.json"
BATCH = 100
# Requests that one client sends one after the other, over a connection that stays and over new ones.
KEPT, NEW = 3000, 300


def processor_ns(process):
    """Time that all threads of the process had so far."""
    total = 0
    for thread in os.listdir(f"/proc/{process.pid}/task"):
        with open(f"/proc/{process.pid}/task/{thread}/schedstat") as stat:
            total += int(stat.read().split()[0])
    return total


class Served:
    """A gavel with these flags, for as long as the block lasts."""

    def __init__(self, binary, flags, environment=None):
        self.words = [binary, "serve", "--bundle", f"{ROOT}/examples/clinic/clinic.yml", "--threads", "1", *flags]
        self.environment = {**os.environ, **(environment or {})}

    def __enter__(self):
        with tempfile.NamedTemporaryFile("r") as log, open(os.devnull, "wb") as nothing:
            with open(log.name, "wb") as sink:
                self.process = subprocess.Popen(self.words, stdout=nothing, stderr=sink, env=self.environment)
            while "reachable: " not in log.read():
                if self.process.poll() is not None:
                    raise SystemExit(f"{' '.join(self.words)} ended")
                time.sleep(0.01)
        return self.process

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def under_load(options, flags, path="/decision", body=PORC, decisions=1, environment=None):
    """Microseconds for one decision, asked for over 32 connections as fast as answers come."""
    port = free_port()
    words = [options.load, "--url", f"http://127.0.0.1:{port}{path}", "--body", body, "--closed", "--connections", "32", "--json"]
    with Served(options.gavel, ["--host", "127.0.0.1", "--port", str(port), *flags], environment) as process:
        subprocess.run([*words, "--seconds", "0.15"], capture_output=True)
        before = processor_ns(process)
        report = json.loads(subprocess.run([*words, "--seconds", "0.5"], capture_output=True, text=True).stdout)
        return (processor_ns(process) - before) / (report["right"] * decisions) / 1000


def by_one_client(options, flags, connect, is_kept):
    """Microseconds for one decision of a client that asks again when it has an answer, over one connection or a new one each."""
    with open(PORC, "rb") as file:
        body = file.read()
    head = f"POST /decision HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    count = KEPT if is_kept else NEW
    with Served(options.gavel, flags) as process:
        before, connection = processor_ns(process), None
        for _ in range(count):
            connection = connection or connect()
            connection.sendall(head.encode() + body)
            answer = b""
            while not answer.endswith(b"}\n"):
                answer += connection.recv(4096)
            if not is_kept:
                connection.close()
                connection = None
        if connection:
            connection.close()
        return (processor_ns(process) - before) / count / 1000


def variants(options, work):
    """Name and measurement of each row, by the heading that it stands under; the first of each is what others are compared with."""
    batch = f"{work}/batch.json"
    with open(PORC) as porc, open(batch, "w") as file:
        json.dump([json.load(porc)] * BATCH, file)
    spool = ["--audit-spool", f"{work}/spool", "--audit-spool-bytes", str(64 << 20)]
    port, key, chain = free_port(), f"{work}/tls.key", f"{work}/tls.crt"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", chain,
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True)
    trusted = ssl.create_default_context(cafile=chain)
    tcp = ["--host", "127.0.0.1", "--port", str(port)]
    tls = [*tcp, "--tls-cert", chain, "--tls-key", key]
    plain = lambda: socket.create_connection(("127.0.0.1", port))
    secure = lambda: trusted.wrap_socket(plain(), server_hostname="localhost")

    def local():
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(f"{work}/gavel.sock")
        return connection

    path = [f"--listen=unix:{work}/gavel.sock"]
    load, one = (lambda *words, **more: lambda: under_load(options, *words, **more)), (lambda *words: lambda: by_one_client(options, *words))
    return {
        "32 connections that stay": [
            ("records to standard output", load([])),
            ("records to a file", load(["--audit-file", f"{work}/records.jsonl", "--audit-file-bytes", str(8 << 20), "--audit-file-count", "1"])),
            ("through a spool", load(spool)),
            ("through a spool, `--audit-full deny`", load([*spool, "--audit-full", "deny"])),
            ("the same, `--audit-fsync each-batch`", load([*spool, "--audit-full", "deny", "--audit-fsync", "each-batch"])),
            ("one of 100 grants recorded", load([], environment={"MPE_AUDIT_SAMPLE_GRANTS": "100"})),
            ("`?probe=true`: no record", load([], path="/decision?probe=true")),
            (f"in a batch of {BATCH}", load([], path="/decisions", body=batch, decisions=BATCH)),
            ("`--io epoll`", load(["--io", "epoll"])),
        ],
        "one client, one connection that stays": [
            ("TCP", one(tcp, plain, True)),
            ("unix socket", one(path, local, True)),
            ("TLS", one(tls, secure, True)),
        ],
        "one client, a new connection each time": [
            ("TCP", one(tcp, plain, False)),
            ("unix socket", one(path, local, False)),
            ("TLS, a P-256 certificate", one(tls, secure, False)),
        ],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gavel", type=os.path.abspath)
    parser.add_argument("load", type=os.path.abspath)
    parser.add_argument("--rounds", type=int, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gavel-tuning-") as work:
        table = variants(options, work)
        best = {}
        for _ in range(options.rounds):
            for heading, rows in table.items():
                for name, measure in rows:
                    shutil.rmtree(f"{work}/spool", ignore_errors=True)
                    best[heading, name] = min(measure(), best.get((heading, name), float("inf")))
    print("| | microseconds | ratio |\n|---|---:|---:|")
    for heading, rows in table.items():
        print(f"| **{heading}** | | |")
        for name, _ in rows:
            print(f"| {name} | {best[heading, name]:.1f} | {best[heading, name] / best[heading, rows[0][0]]:.2f} |")


main()
