#!/usr/bin/env python3
"""An ordinary client over TLS: asks in turn over a few connections at a steady rate, and prints as JSON how long answers took."""

import json
import socket
import ssl
import sys
import time

EXPECTED = b'{"allow":true}\n'


class Connection:
    """One connection that is kept, and opened anew when the server closes it."""

    def __init__(self, port, authority):
        self.port, self.context = port, ssl.create_default_context(cafile=authority)
        self.sock = None

    def ask(self, request):
        if self.sock is None:
            plain = socket.create_connection(("127.0.0.1", self.port), timeout=10)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.sock = self.context.wrap_socket(plain, server_hostname="localhost")
        self.sock.sendall(request)
        answer = b""
        while not answer.endswith(b"}\n"):
            part = self.sock.recv(4096)
            if not part:
                raise ConnectionError("closed")
            answer += part
        return answer

    def drop(self):
        if self.sock:
            self.sock.close()
        self.sock = None


def main():
    port, authority, rate, seconds, count, path = sys.argv[1:7]
    with open(path, "rb") as file:
        body = file.read()
    request = b"POST /decision HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    connections = [Connection(int(port), authority) for _ in range(int(count))]
    for connection in connections:
        connection.ask(request)
    times, failed, first_failure = [], 0, None
    begun, due = time.perf_counter(), 0.0
    turn = 0
    while due < float(seconds):
        time.sleep(max(0.0, begun + due - time.perf_counter()))
        connection = connections[turn % len(connections)]
        start = time.perf_counter_ns()
        try:
            answer = connection.ask(request)
            times.append(time.perf_counter_ns() - start)
            problem = None if answer.startswith(b"HTTP/1.1 200") and answer.endswith(EXPECTED) else repr(answer[:80])
        except OSError as error:
            problem = repr(error)
            connection.drop()
        if problem:
            failed += 1
            first_failure = first_failure or problem
        turn += 1
        due += 1 / float(rate)
    times.sort()
    latency = {name: times[int(len(times) * part)] for name, part in (("p50", 0.5), ("p99", 0.99))} if times else None
    print(json.dumps({"right": turn - failed, "failed": failed, "first_failure": first_failure, "latency_ns": latency}))


main()
