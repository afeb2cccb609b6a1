"""What hostile clients do to a server: how they connect, what each connection sends, at a port, over a unix socket, in and behind a TLS handshake."""

import os
import socket
import ssl
import threading
import time

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
        self.socks, self.unsent = [], set()
        for at in range(count):
            self.socks.append(self._open())
            if at % 200 == 199:
                time.sleep(0.02)
        self.ends = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _open(self):
        sock = self.connect()
        # One that is not connected yet begins at its next turn.
        if self.first and send(sock, self.first) == 0:
            self.unsent.add(sock)
        return sock

    def _begins(self, sock):
        """Whether `first` was sent now or before; at the next turn, unless the connection is over."""
        if sock in self.unsent and send(sock, self.first):
            self.unsent.discard(sock)
        return sock not in self.unsent

    def _run(self):
        turn = 0
        while not self.ends.wait(0.05):
            # A tenth of the connections each time, so that the attacker's own work does not take the machine away.
            for at in range(turn % 10, len(self.socks), 10):
                sock = self.socks[at]
                if self._begins(sock) and not self.step(sock):
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


#: What is done over a connection, how many of them there are, and what each begins with.
ATTACKS = {
    "slow heads": (500, drip, SLOW_HEAD),
    "slow bodies": (500, slow_body, SLOW_BODY),
    "idle": (10_000, idle, b""),
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
