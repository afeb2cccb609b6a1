#!/usr/bin/env python3
"""Hostile clients beside an ordinary one, at a port, over TLS and over a unix socket: the ordinary one's latency may at most double, memory stays within its cap, and no answer is wrong."""

import os
import resource
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time

from gavel import GRANTED, Asker, Checks, Gavel, Load, arguments

#: What a server of one thread may take, in MiB: its receive buffers, 10,000 connections, the audit ring, itself.
RSS_MIB_MAX = 192

#: A head that asks for a decision and goes on.
SLOW_HEAD = b"POST /decision HTTP/1.1\r\nHost: a\r\nX-Slow: "

SLOW_BODY = b"POST /decision HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n{"


def at_port(server):
    """Opens connections to the server's port, without waiting for them."""

    def connect():
        sock = socket.socket()
        sock.setblocking(False)
        sock.connect_ex(("127.0.0.1", server.port))
        return sock

    return connect


def at_socket(path):
    """Opens connections to a unix socket; one that is not taken now is opened at a later turn."""

    def connect():
        sock = socket.socket(socket.AF_UNIX)
        sock.setblocking(False)
        try:
            sock.connect(path)
        except OSError:
            pass
        return sock

    return connect


def within_tls(server):
    """Opens connections whose handshake is over."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE

    def connect():
        sock = socket.socket()
        sock.settimeout(5)
        try:
            sock.connect(("127.0.0.1", server.port))
            sock = context.wrap_socket(sock, server_hostname="localhost")
            sock.setblocking(False)
        except OSError:
            pass
        return sock

    return connect


def client_hello():
    """The first record of a handshake."""
    context = ssl.create_default_context()
    received, sent = ssl.MemoryBIO(), ssl.MemoryBIO()
    try:
        context.wrap_bio(received, sent, server_hostname="localhost").do_handshake()
    except ssl.SSLWantReadError:
        pass
    return sent.read()


HELLO = client_hello()


def send(sock, data):
    """Bytes that were taken; -1 if the connection is over."""
    try:
        return sock.send(data)
    except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
        return 0
    except OSError:
        return -1


class Attack:
    """Opens connections, each of which sends `first`, and does `step` with each, over and over, until it is stopped."""

    def __init__(self, connect, count, step, first):
        self.connect, self.step, self.first = connect, step, first
        self.socks = []
        for at in range(count):
            self.socks.append(self._open())
            if at % 200 == 199:
                time.sleep(0.02)
        self.ends = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _open(self):
        sock = self.connect()
        send(sock, self.first)
        return sock

    def _run(self):
        turn = 0
        while not self.ends.wait(0.05):
            # A tenth of the connections each time, so that the attacker's own work does not take the machine away.
            for at in range(turn % 10, len(self.socks), 10):
                sock = self.socks[at]
                if not self.step(sock):
                    sock.close()
                    self.socks[at] = self._open()
            turn += 1

    def stop(self):
        self.ends.set()
        self.thread.join()
        for sock in self.socks:
            sock.close()


def drip(sock):
    """A head that never ends, a byte at a time."""
    return send(sock, b"X") >= 0


def slow_body(sock):
    return send(sock, b" ") >= 0


def idle(_):
    return True


def half_closed(sock):
    try:
        sock.shutdown(socket.SHUT_WR)
    except OSError:
        pass
    return False


def garbage(sock):
    send(sock, os.urandom(200) + b"\r\n\r\n" + os.urandom(64))
    return False


def pipelined_garbage(sock):
    """A request, and behind it what is none."""
    send(sock, b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n" * 20 + os.urandom(2_000) + b"\r\n\r\n")
    return False


def false_hello(sock):
    """A handshake that begins well."""
    send(sock, bytes.fromhex("16030100c8010000c40303") + os.urandom(190))
    return False


def huge_record(sock):
    """A record of TLS that is longer than one may be."""
    send(sock, bytes.fromhex("170303ffff") + os.urandom(16_000))
    return False


def huge_head(sock):
    send(sock, b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X-A: " + b"a" * 40_000 + b"\r\n\r\n")
    return False


def huge_body(sock):
    send(sock, b"POST /decision HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n")
    return False


def smuggle(sock):
    send(sock, b"POST /decision HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n")
    return False


def never_reads(sock):
    """Pipelines requests and takes no answer."""
    return send(sock, b"GET /openapi.yaml HTTP/1.1\r\nHost: a\r\n\r\n" * 50) >= 0


def split_bytes(server, checks):
    """One request, cut at every byte: each time the same answer."""
    with open(GRANTED, "rb") as file:
        body = file.read()
    head = b"POST /decision HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    request, wrong = head + body, []
    with socket.create_connection(("127.0.0.1", server.port)) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(1, len(request)):
            sock.sendall(request[:at])
            time.sleep(0.0005)
            sock.sendall(request[at:])
            answer = b""
            while not answer.endswith(b"}\n"):
                answer += sock.recv(4096)
            if not answer.startswith(b"HTTP/1.1 200") or b'{"allow":true}' not in answer:
                wrong.append(at)
    checks.check("a request cut at every byte", not wrong, f"{len(request)} places, wrong at {wrong[:5]}")


#: What is done over a connection, how many of them there are, and what each begins with.
ATTACKS = {
    "slow heads": (500, drip, SLOW_HEAD),
    "slow bodies": (500, slow_body, SLOW_BODY),
    "idle": (9_900, idle, b""),
    "half-closed": (200, half_closed, b""),
    "garbage": (200, garbage, b""),
    "pipelined garbage": (200, pipelined_garbage, b""),
    "TLS": (200, false_hello, b""),
    "oversized heads": (200, huge_head, b""),
    "oversized bodies": (200, huge_body, b""),
    "smuggling": (200, smuggle, b""),
    "no reading": (200, never_reads, b""),
}

OVER_UNIX = ("slow heads", "slow bodies", "half-closed", "garbage", "pipelined garbage", "TLS", "oversized heads", "oversized bodies", "no reading")

#: Before a handshake is over.
AT_TLS = {
    "slow handshakes": (500, drip, HELLO[:40]),
    "unfinished handshakes": (500, idle, HELLO),
    "handshakes half-closed": (200, half_closed, HELLO),
    "garbage": (200, garbage, b""),
    "false hellos": (200, false_hello, b""),
    "oversized records": (200, huge_record, b""),
    "plain requests": (200, smuggle, b""),
}

#: After it.
WITHIN_TLS = ("slow heads", "slow bodies", "half-closed", "pipelined garbage", "oversized heads", "no reading")


def certificate(folder):
    """A certificate for `localhost` that vouches for itself, and its key; None without openssl."""
    if not shutil.which("openssl"):
        return None
    chain, key = os.path.join(folder, "chain.pem"), os.path.join(folder, "key.pem")
    made = subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                           "-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE", "-keyout", key, "-out", chain], capture_output=True)
    return (chain, key) if made.returncode == 0 else None


class Trial:
    """A server with its ordinary client, which every attack is tried on."""

    def __init__(self, options, checks, server, ask):
        self.options, self.checks, self.server, self.ask = options, checks, server, ask
        self.seconds = options.seconds or (0.5 if options.short else 10)
        self.quiet = None

    def attack(self, name, connect, count, step, first):
        short, checks = self.options.short, self.checks
        if self.options.only and name not in self.options.only:
            return
        if not (short and self.quiet):
            self.quiet = self.ask(self.seconds)
        attack = Attack(connect, min(count, 300) if short else count, step, first)
        time.sleep(0.2 if short else 0.5)
        busy = self.ask(self.seconds)
        rss_mib = self.server.rss_kib() / 1024
        attack.stop()
        ratio, tail = (busy["latency_ns"][part] / self.quiet["latency_ns"][part] for part in ("p50", "p99"))
        checks.check(f"{name}: no request of others failed", busy["failed"] == 0, f"{busy['right']} right, {busy['first_failure']}")
        figure = "hostile." + name.replace(": ", ".").replace(" ", "_")
        checks.figure(f"{figure}.p50_ratio", f"{ratio:.2f}")
        checks.figure(f"{figure}.p99_ratio", f"{tail:.2f}")
        if not short:
            checks.check(f"{name}: latency at most doubles", ratio <= 2, f"{ratio:.2f}")
        checks.check(f"{name}: memory within {RSS_MIB_MAX} MiB", rss_mib <= RSS_MIB_MAX, f"{rss_mib:.0f} MiB")
        time.sleep(0.1 if short else 0.5)

    def end(self):
        self.checks.check("it drains", self.server.stop() == 0)


def at_a_port(options, checks, folder):
    path = os.path.join(folder, "decisions.sock")
    server = Gavel(options.gavel, "--listen", f"unix:{path}").started()
    split_bytes(server, checks)
    rate = 200 if options.short else 5_000
    trial = Trial(options, checks, server, lambda seconds: Load(options.load, server.port, rate, seconds, 4).result())
    trial.ask(1)
    for name, attack in ATTACKS.items():
        trial.attack(name, at_port(server), *attack)
    for name in OVER_UNIX:
        trial.attack(f"unix: {name}", at_socket(path), *ATTACKS[name])
    status, answer = server.ask(open(GRANTED, "rb").read())
    checks.check("it still answers", (status, answer) == (200, b'{"allow":true}\n'))
    trial.end()


def over_tls(options, checks, folder):
    files = certificate(folder)
    if not files:
        print("skipped: attacks over TLS: openssl, which makes the certificate, is not there")
        return
    chain, key = files
    server = Gavel(options.gavel, "--tls-cert", chain, "--tls-key", key).started()
    rate = 200 if options.short else 1_000
    trial = Trial(options, checks, server, lambda seconds: Asker(server.port, chain, rate, seconds, 4).result())
    trial.ask(1)
    for name, attack in AT_TLS.items():
        trial.attack(f"TLS: {name}", at_port(server), *attack)
    for name in WITHIN_TLS:
        _, step, first = ATTACKS[name]
        trial.attack(f"within TLS: {name}", within_tls(server), 100, step, first)
    checks.check("it still answers over TLS", trial.ask(0.5)["failed"] == 0)
    trial.end()


def main():
    options = arguments(__doc__, lambda parser: parser.add_argument("--only", action="append", help="one attack by its name"))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65_536), hard))
    checks = Checks()
    with tempfile.TemporaryDirectory() as folder:
        at_a_port(options, checks, folder)
        over_tls(options, checks, folder)
    checks.end()


main()
