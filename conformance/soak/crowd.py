#!/usr/bin/env python3
"""As many connections as a port takes, and more, which ask for nothing or for half of something: who comes anew is answered soon, who asked before keeps its connection, and memory stays within what docs/tuning.md says of each."""

import os
import resource
import socket
import ssl
import tempfile
import time

from gavel import GRANTED, Checks, Gavel, arguments, certificate, free_port

#: How soon a newcomer is answered, in seconds.
SOON = 2.0

#: Connections of Envoys unless a flag says otherwise, and to the admin port, which none does.
ENVOYS, ADMINS = 1_024, 64

#: Those of Envoys that are there at the same time, some of them on their way out.
ENVOYS_OPEN = ENVOYS + 50

#: Heads and a body without their ends; the heads as long as a connection may keep them in the receive buffer that it has in any case, and as Envoy's are at the most.
HEAD = b"POST /decision HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 7_500
HALF_BODY = b"POST /decision HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n{"
LONG_HEAD = b"GET / HTTP/1.1\r\nHost: a\r\n" + b"".join(b"X-%d: %s\r\n" % (number, b"a" * 8_000) for number in range(15))

#: HTTP/2: what a client begins with (RFC 9113, 3.4), and a header block that goes on, of which a half is here.
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
HALF_BLOCK = PREFACE + bytes([0, 0x3F, 0xFF, 1, 0, 0, 0, 0, 1]) + b"\x00" * 8_000


def check_of_envoy(stream):
    """A Check over a stream of HTTP/2 (RFC 9113, 6.1 and 6.2; RFC 7541, 6.2), with an empty CheckRequest in gRPC's frame."""
    path, kind = b"/envoy.service.auth.v3.Authorization/Check", b"application/grpc"
    head = b"\x83\x86\x01\x01a\x04" + bytes([len(path)]) + path + b"\x0f\x10" + bytes([len(kind)]) + kind
    return bytes([0, 0, len(head), 1, 4, 0, 0, 0, stream]) + head + bytes([0, 0, 5, 0, 1, 0, 0, 0, stream]) + bytes(5)


def decision():
    with open(GRANTED, "rb") as file:
        body = file.read()
    return b"POST /decision HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def record(length):
    """A record of TLS that is announced so long, without its last byte."""
    return b"\x17\x03\x03" + length.to_bytes(2, "big") + b"\x00" * (length - 1)


def handshake(length):
    """A ClientHello that is announced so long, in one record, without its last byte."""
    return b"\x16\x03\x01" + (length + 4).to_bytes(2, "big") + b"\x01" + length.to_bytes(3, "big") + b"\x00" * (length - 1)


class Port:
    """Where clients connect, what each begins with, what it asks (another time with other words, if need be), and what a right answer has."""

    def __init__(self, address, question, answer, authority=None, preface=b"", again=None):
        self.address, self.question, self.answer, self.preface, self.again = address, question, answer, preface, again or question
        self.context = ssl.create_default_context(cafile=authority) if authority else None

    def plain(self):
        family = socket.AF_UNIX if isinstance(self.address, str) else socket.AF_INET
        sock = socket.socket(family)
        sock.settimeout(10)
        sock.connect(self.address)
        return sock

    def connect(self):
        sock = self.plain()
        sock = self.context.wrap_socket(sock, server_hostname="localhost") if self.context else sock
        sock.sendall(self.preface)
        return sock

    def ask(self, sock, again=False):
        """Whether the answer is right."""
        sock.sendall(self.again if again else self.question)
        answer = b""
        while self.answer not in answer:
            part = sock.recv(4096)
            if not part:
                return False
            answer += part
        return True


class Crowd:
    """Connections to a port, each with its first bytes; those that are ended meanwhile do not matter."""

    def __init__(self, connect, count, first, below=b""):
        self.socks = []
        for at in range(count):
            try:
                sock = connect()
                self.socks.append(sock)
                sock.sendall(first)
                # Beside the session of TLS, to the socket below it.
                if below:
                    os.write(sock.fileno(), below)
            except OSError:
                pass
            if at % 100 == 99:
                time.sleep(0.02)

    def end(self):
        for sock in self.socks:
            sock.close()


class Trials:
    """Servers, each of which a crowd comes to."""

    def __init__(self, options, checks):
        self.options, self.checks = options, checks

    def crowd(self, name, flags, at, comes, bound, kib_max):
        """Starts a server, has a crowd come to the port that is `at` it, and looks how others fare: newcomers, and who asked before."""
        checks = self.checks
        server = Gavel(self.options.gavel, *flags).started()
        port = at(server)
        known = port.connect()
        known_before = port.ask(known)
        before = server.rss_kib()
        crowd = comes(port)
        time.sleep(0.5 if self.options.short else 2)
        each = (server.rss_kib() - before) / bound
        times, right = [], 0
        for _ in range(20):
            begun = time.perf_counter()
            try:
                with port.connect() as newcomer:
                    right += port.ask(newcomer)
            except OSError:
                pass
            times.append(time.perf_counter() - begun)
        try:
            known_after = port.ask(known, again=True)
        except OSError:
            known_after = False
        checks.check(f"{name}: newcomers are answered", right == len(times), f"{right} of {len(times)}")
        if not self.options.short:
            checks.check(f"{name}: within {SOON} s", max(times) <= SOON, f"{max(times):.3f} s at the longest")
        checks.check(f"{name}: who asked before keeps its connection", known_before and known_after)
        figure = "crowd." + name.replace(": ", ".").replace(" ", "_")
        checks.figure(f"{figure}.kib_each", f"{each:.1f}")
        checks.figure(f"{figure}.newcomer_ms", f"{max(times) * 1000:.0f}")
        if kib_max and not self.options.short:
            checks.check(f"{name}: memory of each within {kib_max} KiB", each <= kib_max, f"{each:.1f} KiB")
        if kib_max:
            evicted, expired = (server.metric(f"gavel_connections_{what}_total") or 0 for what in ("evicted", "expired"))
            # Thousands of handshakes take longer than a head may: so many passed a deadline then that there is room again.
            checks.check(f"{name}: some went for others", evicted >= 20 or evicted + expired >= 50, f"{evicted:.0f}, and {expired:.0f} passed a deadline")
            told = sum("as many as it may have" in line or "as many connections as there may be" in line for line in server.log)
            checks.check(f"{name}: the log tells of it, once a minute at the most", min(evicted, 1) <= told <= 5, f"{told} lines")
        crowd.end()
        known.close()
        checks.check(f"{name}: it drains", server.stop() == 0)


def decisions(trials, folder, bound):
    path = os.path.join(folder, "decisions.sock")
    flags = ("--max-connections", str(bound), "--listen", f"unix:{path}")
    for kind, address in (("port", lambda server: ("127.0.0.1", server.port)), ("unix", lambda _: path)):
        for name, first, kib_max in (("idle", b"", 6), ("half heads", HEAD, 26), ("half bodies", HALF_BODY, 26)):
            at = lambda server, address=address: Port(address(server), decision(), b'{"allow":true}')
            trials.crowd(f"{kind}: {name}", flags, at, lambda port, first=first: Crowd(port.connect, bound + 100, first), bound, kib_max)


def over_tls(trials, folder, bound):
    files = certificate(folder)
    if not files:
        print("skipped: crowds over TLS: openssl, which makes the certificate, is not there")
        return
    chain, key = files
    flags = ("--max-connections", str(bound), "--tls-cert", chain, "--tls-key", key)
    at = lambda server: Port(("127.0.0.1", server.port), decision(), b'{"allow":true}', chain)
    crowds = {
        "idle": (lambda port: Crowd(port.connect, bound + 50, b""), 16),
        "half heads": (lambda port: Crowd(port.connect, bound + 50, HEAD), 40),
        "half bodies": (lambda port: Crowd(port.connect, bound + 50, HALF_BODY), 40),
        "half heads and half records": (lambda port: Crowd(port.connect, bound + 50, HEAD, record(16_384)), 56),
        "half handshakes": (lambda port: Crowd(port.plain, bound + 50, handshake(16_000)), 56),
    }
    for name, (comes, kib_max) in crowds.items():
        trials.crowd(f"TLS: {name}", flags, at, comes, bound, kib_max)


def envoys(trials):
    at = lambda server: Port(("127.0.0.1", server.port), b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"HTTP/1.1 403")
    for name, first, kib_max in (("idle", b"", 30), ("half heads", LONG_HEAD, 150)):
        comes = lambda port, first=first: Crowd(port.connect, ENVOYS_OPEN, first)
        trials.crowd(f"Envoy HTTP: {name}", ("--protocol", "envoy-http"), at, comes, ENVOYS_OPEN, kib_max)
    # No mapper is there, so that each is denied. A stream has one call.
    first_call, second_call = check_of_envoy(1), check_of_envoy(3)
    for name, first, kib_max in (("idle", PREFACE, 30), ("half heads", HALF_BLOCK, 55)):
        number = free_port()
        at = lambda _, number=number: Port(("127.0.0.1", number), first_call, b"permission denied", preface=PREFACE, again=second_call)
        comes = lambda port, first=first: Crowd(port.plain, ENVOYS_OPEN, first)
        trials.crowd(f"Envoy gRPC: {name}", ("--envoy-port", str(number)), at, comes, ENVOYS_OPEN, kib_max)


def admins(trials):
    at = lambda server: Port(("127.0.0.1", server.admin_port), b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n", b"HTTP/1.1 200")
    for name, first in (("idle", b""), ("half heads", b"GET /livez HTTP/1.1\r\nX: ")):
        trials.crowd(f"admin: {name}", (), at, lambda port, first=first: Crowd(port.connect, 10 * ADMINS, first), ADMINS, None)


def main():
    options = arguments(__doc__)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65_536), hard))
    checks = Checks()
    trials = Trials(options, checks)
    with tempfile.TemporaryDirectory() as folder:
        decisions(trials, folder, 500 if options.short else 10_000)
        over_tls(trials, folder, 200 if options.short else 2_500)
    envoys(trials)
    admins(trials)
    checks.end()


main()
