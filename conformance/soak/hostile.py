#!/usr/bin/env python3
"""Hostile clients beside an ordinary one, at a port, over TLS and over a unix socket: the ordinary one's latency may at most double, memory stays within its cap, and no answer is wrong.

The ordinary client is gavel-load at a steady rate, over TLS too. Its p50 and its p99 under attack are judged, each by its ratio to that without (the median of all that were measured so far). All processes here ask the scheduler for short turns,
as gavel's own threads do: with Linux' usual ones of some 3 ms, who measures waits at p99 for the attacker's turn and not for an answer, on a machine of few processors.

What is left of that is told by a control, where the p99 more than doubles: the same attack against a second gavel of the same kind on the same processors, while the first, which nobody attacks, is asked,
in turns with the attack against the first. What the attacker, the second gavel and the kernel take away is in both; what the attacked process itself does to others is in one of them. Then the ratio of these is judged."""

import os
import resource
import socket
import statistics
import tempfile
import time

from attacks import AT_TLS, ATTACKS, OVER_UNIX, WITHIN_TLS, Attack, at_port, at_socket, within_tls
from gavel import GRANTED, Checks, Gavel, Load, arguments, certificate, short_turns

#: What a server of one thread may take, in MiB: its receive buffers, 10,000 connections, the audit ring, itself.
RSS_MIB_MAX = 192

#: What latency may grow by.
RATIO_MAX = 2

#: How often control and attack take turns where the p99 alone does not tell: between one round and the next each differs from itself by more than
#: what is judged, so that a few rounds that do not hold are followed by all the others, and the median of all is judged.
ROUNDS, ROUNDS_MAX = 3, 9

#: Requests a second of the ordinary client; where nothing is judged, few.
RATE, RATE_SHORT = 2_000, 200


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


def median(answers, part):
    """The median of several measurements, so that one in which the machine stalled neither condemns nor excuses."""
    return statistics.median(answer["latency_ns"][part] for answer in answers)


class Trial:
    """A server with its ordinary client, which every attack is tried on, and another one of the same kind."""

    def __init__(self, options, checks, start, *more):
        self.options, self.checks, self.more = options, checks, more
        self.server, self.other = start("attacked"), start("other")
        self.seconds = options.seconds or (0.5 if options.short else 10)
        self.quiet = []

    def ask(self, seconds):
        """What gavel-load says of the server."""
        rate = RATE_SHORT if self.options.short else RATE
        scheme = "https" if self.more else "http"
        return Load(self.options.load, self.server.port, rate, seconds, 4, GRANTED, *self.more, scheme=scheme).result()

    def under_attack(self, victim, connect_to, count, step, first):
        """The same while somebody is attacked."""
        short = self.options.short
        attack = Attack(connect_to(victim), min(count, 300) if short else count, step, first)
        time.sleep(0.2 if short else 0.5)
        answers = self.ask(self.seconds)
        rss_mib = victim.rss_kib() / 1024
        attack.stop()
        time.sleep(0.1 if short else 0.5)
        return answers, rss_mib

    def attack(self, name, *attack):
        short, checks = self.options.short, self.checks
        if self.options.only and name not in self.options.only:
            return
        if not (short and self.quiet):
            self.quiet.append(self.ask(self.seconds))
        busy, rss_mib = self.under_attack(self.server, *attack)
        ratio, tail = (busy["latency_ns"][part] / median(self.quiet, part) for part in ("p50", "p99"))
        checks.check(f"{name}: no request of others failed", busy["failed"] == 0, f"{busy['right']} right, {busy['first_failure']}")
        figure = "hostile." + name.replace(": ", ".").replace(" ", "_")
        checks.figure(f"{figure}.p50_ratio", f"{ratio:.2f}")
        checks.figure(f"{figure}.p99_ratio", f"{tail:.2f}")
        if not short:
            checks.check(f"{name}: latency at most doubles", ratio <= RATIO_MAX, f"{ratio:.2f}")
            if tail > RATIO_MAX:
                tail, rounds = self.over_control(*attack)
                checks.figure(f"{figure}.p99_over_control", f"{tail:.2f}")
                checks.figure(f"{figure}.control_rounds", rounds)
            checks.check(f"{name}: latency at p99 at most doubles", tail <= RATIO_MAX, f"{tail:.2f}")
        checks.check(f"{name}: memory within {RSS_MIB_MAX} MiB", rss_mib <= RSS_MIB_MAX, f"{rss_mib:.0f} MiB")

    def over_control(self, *attack):
        """The p99 of the attacked over that of one beside the attacked, and how many rounds that is the median of."""
        rounds, tail = [], 0
        for count in (ROUNDS, ROUNDS_MAX):
            while len(rounds) < count:
                rounds.append([self.under_attack(victim, *attack)[0] for victim in (self.other, self.server)])
            control, attacked = (median(answers, "p99") for answers in zip(*rounds))
            tail = attacked / control
            if tail <= RATIO_MAX:
                break
        return tail, len(rounds)

    def end(self):
        self.checks.check("it drains", self.server.stop() == 0)
        self.other.stop()


def at_a_port(options, checks, folder):
    paths = {}

    def start(name):
        path = os.path.join(folder, f"{name}.sock")
        server = Gavel(options.gavel, "--listen", f"unix:{path}").started()
        paths[server] = path
        return server

    trial = Trial(options, checks, start)
    split_bytes(trial.server, checks)
    trial.ask(1)
    for name, attack in ATTACKS.items():
        trial.attack(name, at_port, *attack)
    for name in OVER_UNIX:
        trial.attack(f"unix: {name}", lambda server: at_socket(paths[server]), *ATTACKS[name])
    status, answer = trial.server.ask(open(GRANTED, "rb").read())
    checks.check("it still answers", (status, answer) == (200, b'{"allow":true}\n'))
    trial.end()


def over_tls(options, checks, folder):
    files = certificate(folder)
    if not files:
        print("skipped: attacks over TLS: openssl, which makes the certificate, is not there")
        return
    chain, key = files
    trial = Trial(options, checks, lambda _: Gavel(options.gavel, "--tls-cert", chain, "--tls-key", key).started(), "--authority", chain)
    trial.ask(1)
    for name, attack in AT_TLS.items():
        trial.attack(f"TLS: {name}", at_port, *attack)
    for name in WITHIN_TLS:
        _, step, first = ATTACKS[name]
        trial.attack(f"within TLS: {name}", within_tls, 100, step, first)
    checks.check("it still answers over TLS", trial.ask(0.5)["failed"] == 0)
    trial.end()


def main():
    options = arguments(__doc__, lambda parser: parser.add_argument("--only", action="append", help="one attack by its name"))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65_536), hard))
    short_turns()
    checks = Checks()
    with tempfile.TemporaryDirectory() as folder:
        at_a_port(options, checks, folder)
        over_tls(options, checks, folder)
    checks.end()


main()
