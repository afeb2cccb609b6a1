#!/usr/bin/env python3
"""Hostile clients beside an ordinary one: its latency may at most double, memory stays within its cap, and no answer is wrong."""

import os
import resource
import socket
import threading
import time

from gavel import GRANTED, Checks, Gavel, Load, arguments

#: What a server of one thread may take, in MiB: its receive buffers, 10,000 connections, the audit ring, itself.
RSS_MIB_MAX = 192


def connect(port):
    sock = socket.socket()
    sock.setblocking(False)
    sock.connect_ex(("127.0.0.1", port))
    return sock


def send(sock, data):
    """Bytes that were taken; -1 if the connection is over."""
    try:
        return sock.send(data)
    except BlockingIOError:
        return 0
    except OSError:
        return -1


class Attack:
    """Opens connections, each of which sends `first`, and does `step` with each, over and over, until it is stopped."""

    def __init__(self, port, count, step, first):
        self.port, self.step, self.first = port, step, first
        self.socks = []
        for at in range(count):
            self.socks.append(self._open())
            if at % 200 == 199:
                time.sleep(0.02)
        self.ends = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _open(self):
        sock = connect(self.port)
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


def tls(sock):
    send(sock, bytes.fromhex("16030100c8010000c40303") + os.urandom(190))
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


ATTACKS = {
    "slow heads": (500, drip, b"POST /decision HTTP/1.1\r\nHost: a\r\nX-Slow: "),
    "slow bodies": (500, slow_body, b"POST /decision HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n{"),
    "idle": (9_900, idle, b""),
    "half-closed": (200, half_closed, b""),
    "garbage": (200, garbage, b""),
    "TLS": (200, tls, b""),
    "oversized heads": (200, huge_head, b""),
    "oversized bodies": (200, huge_body, b""),
    "smuggling": (200, smuggle, b""),
    "no reading": (200, never_reads, b""),
}


def main():
    options = arguments(__doc__)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65_536), hard))
    checks = Checks()
    seconds, rate = (0.5, 200) if options.short else (15, 5_000)
    seconds = options.seconds or seconds
    server = Gavel(options.gavel).started()
    split_bytes(server, checks)
    Load(options.load, server.port, rate, 1, 4).result()
    quiet = None
    for name, (count, step, first) in ATTACKS.items():
        if not (options.short and quiet):
            quiet = Load(options.load, server.port, rate, seconds, 4).result()
        attack = Attack(server.port, count if not options.short else min(count, 300), step, first)
        time.sleep(0.2 if options.short else 0.5)
        busy = Load(options.load, server.port, rate, seconds, 4).result()
        rss_mib = server.rss_kib() / 1024
        attack.stop()
        ratio = busy["latency_ns"]["p50"] / quiet["latency_ns"]["p50"]
        tail = busy["latency_ns"]["p99"] / quiet["latency_ns"]["p99"]
        checks.check(f"{name}: no request of others failed", busy["failed"] == 0, f"{busy['right']} right, {busy['first_failure']}")
        checks.figure(f"hostile.{name.replace(' ', '_')}.p50_ratio", f"{ratio:.2f}")
        checks.figure(f"hostile.{name.replace(' ', '_')}.p99_ratio", f"{tail:.2f}")
        if not options.short:
            checks.check(f"{name}: latency at most doubles", ratio <= 2, f"{ratio:.2f}")
        checks.check(f"{name}: memory within {RSS_MIB_MAX} MiB", rss_mib <= RSS_MIB_MAX, f"{rss_mib:.0f} MiB")
        time.sleep(0.1 if options.short else 0.5)
    status, answer = server.ask(open(GRANTED, "rb").read())
    checks.check("it still answers", (status, answer) == (200, b'{"allow":true}\n'))
    checks.check("it drains", server.stop() == 0)
    checks.end()


main()
