#!/usr/bin/env python3
"""SIGTERM under load: clients that honour `Connection: close` see no failed request, and the process ends in time."""

import http.client
import threading
import time

from gavel import GRANTED, JSON, Checks, Gavel, arguments


class Client(threading.Thread):
    """Asks over one connection until the service takes no new ones. A refused connection is no failed request: nothing was sent."""

    def __init__(self, port, body):
        super().__init__(daemon=True)
        self.port, self.body = port, body
        self.answered, self.failed = 0, []

    def run(self):
        connection = None
        while True:
            if connection is None:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
                try:
                    connection.connect()
                except OSError:
                    return
            try:
                connection.request("POST", "/decision", self.body, JSON)
                answer = connection.getresponse()
                ok = answer.status == 200 and answer.read() == b'{"allow":true}\n'
            except (OSError, http.client.HTTPException) as error:
                self.failed.append(repr(error))
                return
            if not ok:
                self.failed.append(answer.status)
            self.answered += 1
            if answer.getheader("Connection") == "close":
                connection.close()
                connection = None


def main():
    options = arguments(__doc__)
    rounds = 2 if options.short else 20
    checks = Checks()
    with open(GRANTED, "rb") as file:
        body = file.read()
    slowest = 0.0
    for driver in ("uring", "epoll"):
        for round_number in range(rounds):
            server = Gavel(options.gavel, "--io", driver, "--drain-seconds", "10").started()
            clients = [Client(server.port, body) for _ in range(12)]
            for client in clients:
                client.start()
            time.sleep(options.seconds or (0.3 if options.short else 1))
            start = time.monotonic()
            status = server.stop()
            slowest = max(slowest, time.monotonic() - start)
            for client in clients:
                client.join(12)
            failed = [problem for client in clients for problem in client.failed]
            answered = sum(client.answered for client in clients)
            name = f"{driver}, round {round_number}"
            checks.check(f"{name}: no request failed", not failed and answered > 0, f"{answered} answered {failed[:3]}")
            checks.check(f"{name}: ends with 0", status == 0, status)
            checks.check(f"{name}: each answer has its record", server.record_count == answered, server.record_count)
    checks.figure("drain.slowest_s", f"{slowest:.2f}")
    checks.check("within the grace period", slowest < 10)
    checks.end()


main()
