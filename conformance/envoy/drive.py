"""Starts an upstream, gavel and Envoy on loopback and asks through Envoy; see run.sh.

Each configuration of deploy/envoy is used as it is, but for ports and paths, which are replaced by free ones, and for Envoy's
patience, which is longer: what is asked here is what it decides, and not how soon. Two are used with what tls.yaml adds, too.
The closing line is 'N passed, N failed'; the exit status is 1 if a check failed.
"""

import argparse
import http.client
import http.server
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from checks import Checks, free_port, wait_until  # noqa: E402

RESULT = "x-ext-authz-check-result"
ENVOY_NAME = "spiffe://example.com/envoy"
ROLES = {"reader": "reader", "editor": "reader,editor", "": ""}


def takes_connections(address):
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with socket.socket(family) as sock:
        return sock.connect_ex(address) == 0


class Upstream(http.server.BaseHTTPRequestHandler):
    """Answers with what it got, as JSON."""

    protocol_version = "HTTP/1.1"
    # Head and body are two writes: without this the second waits for an acknowledgement of the first.
    disable_nagle_algorithm = True

    def answer(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        seen = {"method": self.command, "path": self.path, "body": body.decode("latin-1"),
                "headers": {k.lower(): v for k, v in self.headers.items()}}
        text = json.dumps(seen).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PUT = do_DELETE = answer

    def log_message(self, *_):
        pass


def make_certificates(folder):
    """An authority, and a certificate of it for each side."""

    def openssl(*words):
        subprocess.run(["openssl", "req", "-x509", "-config", "req.cnf", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                        "-nodes", "-days", "2", *words], cwd=folder, check=True, capture_output=True)

    with open(os.path.join(folder, "req.cnf"), "w") as f:
        f.write("[req]\ndistinguished_name = name\n[name]\n")
    openssl("-subj", "/CN=authority", "-addext", "basicConstraints=critical,CA:TRUE", "-keyout", "ca.key", "-out", "ca.crt")
    for name, subject in [("tls", "DNS:gavel.example.com"), ("envoy", "URI:" + ENVOY_NAME)]:
        openssl("-CA", "ca.crt", "-CAkey", "ca.key", "-subj", "/CN=" + name, "-addext", "basicConstraints=critical,CA:FALSE",
                "-addext", "subjectAltName=" + subject, "-keyout", name + ".key", "-out", name + ".crt")


class Setup:
    """One configuration with all its processes."""

    def __init__(self, opt, config, mode):
        self.folder = tempfile.mkdtemp(prefix="envoy-")
        self.front, self.decisions = free_port(), free_port()
        self.pipe = os.path.join(self.folder, "gavel.sock") if mode == "unix" else None
        self.upstream = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
        threading.Thread(target=self.upstream.serve_forever, daemon=True).start()
        with open(os.path.join(opt.configs, config)) as f:
            text = f.read()
        for old, new in [("port_value: 8080", "port_value: %d" % self.front),
                         ("port_value: 3000", "port_value: %d" % self.upstream.server_address[1]),
                         ("port_value: 9001", "port_value: %d" % self.decisions),
                         ("/run/gavel/envoy.sock", self.pipe or ""),
                         ("timeout: 0.5s", "timeout: 20s"), ("connect_timeout: 0.25s", "connect_timeout: 20s")]:
            text = text.replace(old, new)
        mode, is_tls = mode.removesuffix(" over TLS"), mode.endswith(" over TLS")
        if is_tls:
            text = text.replace("    - name: gavel\n", "    - name: gavel\n" + self.transport(opt))
        self.config = os.path.join(self.folder, "envoy.yaml")
        with open(self.config, "w") as f:
            f.write(text)
        flags = {"grpc": ["-p", "envoy", "--port", str(self.decisions)],
                 "unix": ["-p", "envoy", "--envoy-socket", self.pipe],
                 "http": ["-p", "envoy-http", "--port", str(self.decisions), "--envoy-path-prefix", "/authz"]}[mode]
        if is_tls:
            flags += [word for name, file in [("cert", "tls.crt"), ("key", "tls.key"), ("client-ca", "ca.crt")]
                      for word in ("--envoy-tls-" + name, os.path.join(self.folder, file))]
            flags += ["--envoy-tls-client-name", ENVOY_NAME]
        self.serve = [opt.gavel, "serve", "--host", "127.0.0.1", "-b", os.path.join(opt.configs, "domain.yml")] + flags
        self.log = open(os.path.join(self.folder, "log"), "wb")
        self.records = open(os.path.join(self.folder, "records"), "wb")
        self.gavel = self.envoy = None
        self.envoy_command = [opt.envoy, "-c", self.config, "--concurrency", "1", "--use-dynamic-base-id",
                              "--log-level", "error"]

    def transport(self, opt):
        """What the cluster needs for TLS, with certificates that are made for it."""
        make_certificates(self.folder)
        with open(os.path.join(opt.configs, "tls.yaml")) as f:
            lines = f.read().replace("/run/tls", self.folder).splitlines()
        return "".join("      " + line + "\n" for line in lines if not line.startswith("#"))

    def start(self):
        self.start_gavel()
        self.envoy = subprocess.Popen(self.envoy_command, stdin=subprocess.DEVNULL,
                                      stdout=self.log, stderr=self.log)
        wait_until("Envoy takes connections", lambda: takes_connections(("127.0.0.1", self.front)), 40)

    def start_gavel(self):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("MPE_")}
        self.gavel = subprocess.Popen(self.serve, stdin=subprocess.DEVNULL, stdout=self.records, stderr=self.log,
                                      cwd=self.folder, env=environment)
        address = self.pipe or ("127.0.0.1", self.decisions)
        wait_until("gavel takes connections", lambda: takes_connections(address))

    def kill_gavel(self):
        self.gavel.send_signal(signal.SIGKILL)
        self.gavel.wait()

    def stop_gavel(self):
        """Ends it in order: its exit status."""
        self.gavel.send_signal(signal.SIGTERM)
        return self.gavel.wait(30)

    def decisions_recorded(self, path):
        """What was decided over paths that begin so."""
        with open(self.records.name) as f:
            found = [json.loads(line) for line in f]
        return [record["decision"] for record in found if record["porc"]["context"]["path"].startswith(path)]

    def ask(self, method="GET", path="/docs/1", role="", body=None, headers=(), connection=None):
        """Status, headers and body of one request through Envoy."""
        conn = connection or http.client.HTTPConnection("127.0.0.1", self.front, timeout=20)
        sent = dict(headers)
        if role:
            sent.update({"x-user-name": "ann", "x-user-roles": ROLES[role]})
        conn.request(method, path, body=body, headers=sent)
        answer = conn.getresponse()
        text = answer.read().decode("latin-1")
        found = answer.status, {k.lower(): v for k, v in answer.getheaders()}, text
        if connection is None:
            conn.close()
        return found

    def show_log(self):
        with open(self.log.name, errors="replace") as log:
            sys.stderr.write(log.read())

    def close(self):
        for process in (self.envoy, self.gavel):
            if process and process.poll() is None:
                process.terminate()
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        self.upstream.shutdown()
        self.upstream.server_close()
        self.log.close()
        self.records.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def allow_and_deny(setup, checks, mode):
    found = setup.ask(role="reader", headers={RESULT: "forged", "authorization": "Bearer secret"})
    seen = json.loads(found[2]) if found[0] == 200 else {"headers": {}}
    checks.that(mode + ": a reader reads", found[0] == 200, found)
    checks.that(mode + ": the upstream sees our result, not the client's", seen["headers"].get(RESULT) == "allowed", seen)
    checks.that(mode + ": nothing else is added", "x-ext-authz-check-received" not in seen["headers"], seen)
    found = setup.ask("POST", role="reader", body="x", headers={"authorization": "Bearer secret"})
    checks.that(mode + ": a reader does not write", found[0] == 403 and found[2] == "permission denied", found)
    checks.that(mode + ": a denial says so", found[1].get(RESULT) == "denied", found)
    checks.that(mode + ": a denial says nothing of the request", "secret" not in str(found), found)
    checks.that(mode + ": nobody does not read", setup.ask()[0] == 403)
    checks.that(mode + ": nobody sees the health", setup.ask(path="/health")[0] == 200)


def bodies(setup, checks, mode):
    found = setup.ask("POST", role="editor", body="a" * 5000)
    checks.that(mode + ": an editor writes, the body arrives",
                found[0] == 200 and json.loads(found[2])["body"] == "a" * 5000, found[0])
    found = setup.ask("POST", role="editor", body="a forbidden word")
    checks.that(mode + ": a policy reads the body", found[0] == 403, found)
    found = setup.ask("POST", role="editor", body="a" * 100000)
    checks.that(mode + ": of a long body the start is decided over, the whole arrives",
                found[0] == 200 and len(json.loads(found[2])["body"]) == 100000, found[0])
    found = setup.ask("POST", role="editor", body=bytes(range(256)))
    checks.that(mode + ": a body that is no text", found[0] == 200, found[0])


def odd_requests(setup, checks, mode):
    found = setup.ask(path="/docs/%ff%fe", role="reader")
    checks.that(mode + ": bytes that are no UTF-8 in a path", found[0] == 200, found[0])
    found = setup.ask(role="reader", headers={"x-user-note": "caf\xe9"})
    checks.that(mode + ": bytes that are no UTF-8 in a header", found[0] == 200, found[0])
    found = setup.ask(path="/docs/../health", role="")
    checks.that(mode + ": the path is the one that the upstream gets",
                found[0] == 200 and json.loads(found[2])["path"] == "/health", found)
    with socket.create_connection(("127.0.0.1", setup.front), timeout=20) as raw:
        raw.sendall(b"GET /docs/\xff HTTP/1.1\r\nhost: a\r\nx-user-name: ann\r\nx-user-roles: reader\r\n\r\n")
        status = raw.recv(65536).split(b" ")[1]
    checks.that(mode + ": raw bytes in a path are denied or refused", status in (b"400", b"403"), status)


def outage(setup, checks, mode):
    setup.kill_gavel()
    found = [setup.ask(role="reader")[0] for _ in range(5)]
    checks.that(mode + ": without a decision nothing passes", found == [503] * 5, found)
    setup.start_gavel()
    wait_until("requests pass again", lambda: setup.ask(role="reader")[0] == 200)
    checks.that(mode + ": after an outage it decides again", setup.ask()[0] == 403)


def many(setup, checks, mode, count=1000):
    """Requests on one connection, in turn such as pass and such as do not."""
    kinds = [("GET", "reader", 200), ("POST", "reader", 403), ("GET", "", 403), ("DELETE", "editor", 200)]
    wrong = 0
    conn = http.client.HTTPConnection("127.0.0.1", setup.front, timeout=20)
    for at in range(count):
        method, role, want = kinds[at % len(kinds)]
        wrong += setup.ask(method, "/docs/many/%d" % at, role, connection=conn)[0] != want
    conn.close()
    checks.that("%s: %d requests without a wrong answer" % (mode, count), wrong == 0, wrong)
    status = setup.stop_gavel()
    checks.that(mode + ": SIGTERM ends it in order", status == 0, status)
    found = setup.decisions_recorded("/docs/many/")
    checks.that(mode + ": a record for each of them",
                [found.count("GRANT"), found.count("DENY")] == [count // 2, count // 2], len(found))


def main():
    args = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    for name in ("envoy", "gavel", "configs"):
        args.add_argument("--" + name, required=True)
    opt = args.parse_args()
    opt.configs = os.path.abspath(opt.configs)
    checks = Checks()
    every = (allow_and_deny, bodies, odd_requests, outage, many)
    for config, mode, parts in [("grpc.yaml", "grpc", every), ("grpc-unix.yaml", "unix", every), ("http.yaml", "http", every),
                                ("grpc.yaml", "grpc over TLS", (allow_and_deny, outage, many)),
                                ("http.yaml", "http over TLS", (allow_and_deny, bodies, many))]:
        setup, failed_before = Setup(opt, config, mode), len(checks.failed)
        done = False
        try:
            setup.start()
            for part in parts:
                part(setup, checks, mode)
            done = True
        finally:
            if not done or len(checks.failed) > failed_before:
                setup.show_log()
            setup.close()
    checks.end()


if __name__ == "__main__":
    main()
