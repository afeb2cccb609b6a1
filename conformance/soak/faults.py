#!/usr/bin/env python3
"""What the machine may do to a server: each fault has a named outcome, and none grants what should be denied."""

import contextlib
import glob
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
import time

from gavel import DENIED, DOMAIN, GRANTED, JSON, Checks, Gavel, Load, arguments, wait_until

import ring  # noqa: E402 (`gavel` has said where it is)

NOBODY = 65534
HERE = os.path.dirname(os.path.abspath(__file__))


def read(path):
    with open(path, "rb") as file:
        return file.read()


def answer(server, body):
    """`grant`, `deny`, or why there is no answer."""
    try:
        status, text = server.ask(body)
    except (OSError, http.client.HTTPException) as error:
        return f"no answer ({type(error).__name__})"
    if status != 200:
        return f"status {status}"
    return {b'{"allow":true}\n': "grant", b'{"allow":false}\n': "deny"}.get(text, repr(text))


class Fault:
    """Checks of one fault, under its name."""

    def __init__(self, checks, name):
        self.checks, self.name = checks, name

    def outcome(self, words, holds, detail=""):
        self.checks.check(f"{self.name}: {words}", holds, detail)

    def still_denies(self, server):
        got = answer(server, read(DENIED))
        self.outcome("what must be denied is not granted", got != "grant", got)

    def serves(self, server, words="serves on"):
        got = answer(server, read(GRANTED)), answer(server, read(DENIED))
        self.outcome(words, got == ("grant", "deny"), got)

    def ends(self, server):
        status = server.stop()
        self.outcome("ends with 0", status == 0, status)


def ended(server, seconds=20):
    """The status and the last line of a process that is expected to end by itself."""
    try:
        status = server.process.wait(seconds)
    except subprocess.TimeoutExpired:
        server.stop()
        return "runs", ""
    for reader in server.readers:
        reader.join(5)
    return status, " ".join(server.log[-2:])


@contextlib.contextmanager
def small_disk(mib=1, read_only=False):
    """A tmpfs; None where this process may not mount one."""
    with tempfile.TemporaryDirectory() as folder:
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mib}m" + (",ro" if read_only else ""), "tmpfs", folder], capture_output=True)
        if mounted.returncode:
            yield None
            return
        try:
            yield folder
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)


class Source(http.server.ThreadingHTTPServer):
    """Policies at a URL."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(read(DOMAIN))

        def log_message(self, *_):
            pass

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Source.Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def close(self):
        self.shutdown()
        self.server_close()


def source_unreachable(options, checks):
    fault = Fault(checks, "source unreachable")
    source = Source()
    url = f"http://127.0.0.1:{source.server_address[1]}/clinic.yml"
    with tempfile.TemporaryDirectory() as folder:
        server = Gavel(options.gavel, "--source", url, "--cache-dir", folder, "--source-poll", "1", bundle=None).started()
        source.close()
        wait_until("a poll fails", lambda: server.metric("gavel_policy_last_reload_successful") == 0)
        fault.serves(server, "what was loaded is served on")
        fault.outcome("it stays ready", server.admin("/readyz")[0] == 200)
        fault.ends(server)
        server = Gavel(options.gavel, "--source", url, "--cache-dir", folder, bundle=None).started()
        fault.serves(server, "a start serves what was kept")
        fault.outcome("the log says so", server.said("kept"), [line for line in server.log if "kept" in line][:1])
        fault.ends(server)
    server = Gavel(options.gavel, "--source", url, bundle=None)
    wait_until("the source is asked", lambda: server.said("nothing is served yet"))
    fault.outcome("a start without anything kept waits and is not ready", server.admin("/readyz")[0] == 503 and server.admin("/livez")[0] == 200)
    got = answer(server, read(GRANTED))
    fault.outcome("no port for decisions is open meanwhile", got == "no answer (ConnectionRefusedError)", got)
    status = server.stop()
    fault.outcome("a signal ends the waiting at once", status == 128 + signal.SIGTERM, status)


def fill(folder):
    """A file that takes all room that is left."""
    path = os.path.join(folder, "ballast")
    with open(path, "wb", buffering=0) as file:
        for size in (65_536, 512, 1):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                pass
    return path


def disk_full(options, checks):
    for full in ("deny", "wait"):
        fault = Fault(checks, f"disk full for the spool, --audit-full {full}")
        with small_disk(4) as folder:
            if folder is None:
                return disk_full_by_limit(options, checks)
            server = Gavel(options.gavel, "--audit-spool", f"{folder}/spool", "--audit-full", full).started()
            fault.serves(server, "serves while there is room")
            ballast = fill(folder)
            # The last page of the file of the spool has room for a few records yet.
            wait_until("writes fail", lambda: answer(server, read(GRANTED)) and server.metric("gavel_audit_failing") == 1)
            got = [answer(server, read(GRANTED)) for _ in range(3)]
            if full == "deny":
                fault.outcome("every answer is a denial", got == ["deny"] * 3, got)
                fault.outcome("that is counted", server.metric('gavel_decisions_total{decision="deny",reason="unrecorded"}') > 0)
            else:
                fault.outcome("records wait in memory, decisions stand", got == ["grant"] * 3, got)
            fault.still_denies(server)
            os.remove(ballast)
            wait_until("writes work again", lambda: answer(server, read(GRANTED)) and server.metric("gavel_audit_failing") == 0)
            fault.serves(server, "with room again it serves as before")
            fault.ends(server)
    return None


def disk_full_by_limit(options, checks):
    """Without the right to mount a disk: files may not grow beyond 64 KiB."""
    fault = Fault(checks, "disk full for the spool (limit of files), --audit-full deny")
    with tempfile.TemporaryDirectory() as folder:
        server = Gavel(options.gavel, "--audit-spool", f"{folder}/spool", "--audit-full", "deny", wrapper=("prlimit", "--fsize=65536")).started()
        fault.serves(server, "serves while there is room")
        wait_until("writes fail", lambda: answer(server, read(GRANTED)) == "deny")
        fault.outcome("every answer is a denial", answer(server, read(GRANTED)) == "deny")
        fault.still_denies(server)
        fault.ends(server)


def disk_full_and_reloads(options, checks):
    """Each load is another revision; a table of its own makes each image some megabytes, so that what is kept shows in the memory of the process."""
    fault = Fault(checks, "disk full for the records, policies reloaded")
    lines = read(DOMAIN).decode()
    known = 'clearance("clerk") := 1\n'
    indent = lines[:lines.index(known)].rsplit("\n", 1)[1]
    with small_disk() as disk, tempfile.TemporaryDirectory() as folder:
        if disk is None:
            print("skipped: disk full and reloads: this process may not mount one")
            return
        path = os.path.join(folder, "clinic.yml")

        def load(number):
            table = "".join(f'clearance("visitor-{number}-{at}-{"x" * 60}") := 0\n{indent}' for at in range(500 if options.short else 2000))
            with open(path, "w") as file:
                file.write(lines.replace(known, table + known))

        load(0)
        server = Gavel(options.gavel, "--audit-file", f"{disk}/records", bundle=path).started()
        fault.serves(server, "serves while there is room")
        ballast = fill(disk)
        wait_until("writes fail", lambda: answer(server, read(GRANTED)) and server.metric("gavel_audit_failing") == 1)
        # More than becomes text before the audit thread waits: from here on records wait as they were decided.
        large = json.loads(read(GRANTED))
        large["context"]["padding"] = "x" * 20_000
        got = {answer(server, json.dumps(large)) for _ in range(30)}
        memory = []
        for number in range(1, 41):
            load(number)
            status, text = server.admin("/reload", "POST")
            got |= {str(status) if status != 200 else answer(server, read(GRANTED))}
            memory.append(server.rss_kib())
        fault.outcome("each load is taken, decisions stand", got == {"grant"}, sorted(got))
        kept = server.metric("gavel_policy_revisions_kept")
        fault.outcome("at most 10 revisions are kept", kept <= 10, kept)
        grown = (memory[-1] - memory[14]) / memory[14]
        fault.outcome("25 loads more take no memory", grown < 0.1, f"{memory[0]} KiB after one, {memory[14]} after 15, {memory[-1]} after 40")
        fault.still_denies(server)
        os.remove(ballast)
        wait_until("writes work again", lambda: answer(server, read(GRANTED)) and server.metric("gavel_audit_failing") == 0)
        wait_until("what was kept goes", lambda: server.metric("gavel_policy_revisions_kept") == 1)
        fault.serves(server, "with room again it serves as before")
        fault.ends(server)


def read_only_disk(options, checks):
    fault = Fault(checks, "read-only disk")
    with small_disk(read_only=True) as folder:
        if folder is None:
            print("skipped: read-only disk: this process may not mount one")
            return
        for words in (("--audit-spool", f"{folder}/spool"), ("--audit-file", f"{folder}/records")):
            status, said = ended(Gavel(options.gavel, *words))
            fault.outcome(f"{words[0]}: the start ends with 1 and the reason", status == 1 and "ead-only" in said, said)
        source = Source()
        server = Gavel(options.gavel, "--source", f"http://127.0.0.1:{source.server_address[1]}/clinic.yml", "--cache-dir", folder, bundle=None).started()
        fault.serves(server, "--cache-dir: it serves")
        warned = [line for line in server.log if "what is served could not be kept" in line and "read-only" in line]
        fault.outcome("--cache-dir: the log says that what is served could not be kept, and why", len(warned) == 1, warned)
        fault.ends(server)
        source.close()


def clock_jumps(options, checks):
    fault = Fault(checks, "clock jumps")
    library = next(iter(glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")), None)
    if not library:
        print("skipped: clock jumps: libfaketime is not there (Debian: apt-get install faketime)")
        return
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "time")

        def jump(text):
            with open(path + ".new", "w") as file:
                file.write(text + "\n")
            os.rename(path + ".new", path)

        jump("+0")
        environment = {"LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": path, "DONT_FAKE_MONOTONIC": "1", "FAKETIME_NO_CACHE": "1"}
        server = Gavel(options.gavel, environment=environment, keep_records=True).started()
        kept = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        for offset in ("+0", "+400d", "-400d", "+0"):
            jump(offset)
            time.sleep(1.2)
            fault.serves(server, f"decides as before at {offset}")
            kept.request("POST", "/decision", read(GRANTED), JSON)
            fault.outcome(f"an open connection stays at {offset}", kept.getresponse().read() == b'{"allow":true}\n')
        fault.ends(server)
        years = {json.loads(record)["metadata"]["timestamp"][:4] for record in server.records}
        fault.outcome("records bear the time of the clock", len(years) >= 2, sorted(years))


def no_descriptors(options, checks):
    fault = Fault(checks, "no file descriptors")
    server = Gavel(options.gavel, wrapper=("prlimit", "--nofile=48:48")).started()
    kept = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    kept.request("POST", "/decision", read(DENIED), JSON)
    fault.outcome("an open connection is answered", kept.getresponse().read() == b'{"allow":false}\n')
    others = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(100)]
    wait_until("the log says that no connection can be accepted", lambda: server.said("no connection could be accepted"))
    fault.outcome("the log says it, and not for every attempt", len(server.log) < 60, f"{len(server.log)} lines")
    kept.request("POST", "/decision", read(GRANTED), JSON)
    fault.outcome("open connections are served on", kept.getresponse().read() == b'{"allow":true}\n')
    kept.request("POST", "/decision", read(DENIED), JSON)
    fault.outcome("what must be denied is not granted", kept.getresponse().read() == b'{"allow":false}\n')
    for other in others:
        other.close()
    wait_until("there are descriptors again", lambda: answer(server, read(GRANTED)) == "grant")
    fault.serves(server, "with descriptors again it serves as before")
    kept.close()
    fault.ends(server)


def driver_of(server):
    driver = json.loads(server.admin("/status")[1])["driver"]
    return driver["name"], driver["reason"]


@contextlib.contextmanager
def as_nobody(binary):
    """The words in front of a command that make another user run it where this one is root, and a binary and a domain that this user can read."""
    if os.geteuid() != 0:
        yield (), binary, DOMAIN
        return
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        copies = shutil.copy(binary, folder), shutil.copy(DOMAIN, folder)
        os.chmod(copies[0], 0o755)
        os.chmod(copies[1], 0o644)
        yield ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"), *copies


def no_locked_memory(options, checks):
    """What comes out depends on the kernel and the user alone: a ring is charged to users without CAP_IPC_LOCK, by kernels before 5.12 and by some newer ones."""
    for name, uid, user in (("memlock 0", None, contextlib.nullcontext(((), options.gavel, DOMAIN))), ("memlock 0, not root", NOBODY, as_nobody(options.gavel))):
        refused = ring.refusal(uid if os.geteuid() == 0 else None, memlock=0)
        fault = Fault(checks, f"{name}, Linux {os.uname().release}")
        with user as (words, binary, domain):
            limits = (*words, "prlimit", "--memlock=0:0")
            nowhere = {"MPE_CONFIG_PATH": ""}
            server = Gavel(binary, bundle=domain, wrapper=limits, environment=nowhere).started()
            driver, reason = driver_of(server)
            if refused is None:
                fault.outcome("a ring is not charged to this user: io_uring with 1024 entries", driver == "io_uring" and reason.startswith("1024 entries"), reason)
            elif refused == "ENOMEM":
                fault.outcome("a ring is charged to this user: epoll, because of RLIMIT_MEMLOCK", driver == "epoll" and "RLIMIT_MEMLOCK" in reason, reason)
            else:
                fault.outcome(f"no ring is to be had ({refused}): epoll", driver == "epoll", reason)
            fault.serves(server)
            fault.ends(server)
            server = Gavel(binary, "--io", "uring", bundle=domain, wrapper=limits, environment=nowhere)
            if refused is None:
                fault.serves(server.started(), "--io uring: it serves")
                fault.outcome("--io uring: with a ring", driver_of(server)[0] == "io_uring", driver_of(server))
                fault.ends(server)
            else:
                status, said = ended(server)
                why = "RLIMIT_MEMLOCK" if refused == "ENOMEM" else "io_uring"
                fault.outcome(f"--io uring: the start ends with 1 and {why}", status == 1 and why in said, said)


def no_io_uring(options, checks):
    fault = Fault(checks, "io_uring forbidden by seccomp")
    wrapper = (sys.executable, f"{HERE}/without_uring.py")
    server = Gavel(options.gavel, wrapper=wrapper).started()
    fault.outcome("it serves with epoll", driver_of(server)[0] == "epoll", driver_of(server))
    fault.serves(server)
    fault.ends(server)
    status, said = ended(Gavel(options.gavel, "--io", "uring", wrapper=wrapper))
    fault.outcome("--io uring: the start ends with 1 and the reason", status == 1 and "io_uring" in said, said)


def stopped(options, checks):
    fault = Fault(checks, "SIGSTOP and SIGCONT")
    server = Gavel(options.gavel).started()
    seconds = 3 if options.short else 20
    load = Load(options.load, server.port, 100, seconds, 4, GRANTED, "--body", DENIED)
    for _ in range(1 if options.short else 6):
        time.sleep(0.7)
        server.signal(signal.SIGSTOP)
        time.sleep(1)
        server.signal(signal.SIGCONT)
    result = load.result()
    fault.outcome("requests wait, none fails, none is answered wrongly", result["failed"] == 0, f"{result['right']} right, {result['first_failure']}")
    fault.serves(server)
    fault.ends(server)


class Asker(threading.Thread):
    """Asks one request after the other, each with a mark of its own, until the server dies; keeps the marks that were answered."""

    def __init__(self, port, number):
        super().__init__(daemon=True)
        self.port, self.number, self.answered, self.wrong = port, number, [], []

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        bodies = [(json.loads(read(path)), expected) for path, expected in ((GRANTED, b'{"allow":true}\n'), (DENIED, b'{"allow":false}\n'))]
        turn = 0
        while True:
            porc, expected = bodies[turn % 2]
            mark = f"{self.number}-{turn}"
            porc["context"]["mark"] = mark
            try:
                connection.request("POST", "/decision", json.dumps(porc), JSON)
                got = connection.getresponse().read()
            except (OSError, http.client.HTTPException):
                return
            if got != expected:
                self.wrong.append(mark)
            self.answered.append(mark)
            turn += 1


def killed(options, checks):
    for number in range(2 if options.short else 20):
        fsync = ("interval", "each-batch", "never")[number % 3]
        fault = Fault(checks, f"kill -9 under load, --audit-full deny, --audit-fsync {fsync}")
        with tempfile.TemporaryDirectory() as folder:
            words = ("--audit-spool", folder, "--audit-full", "deny", "--audit-fsync", fsync)
            server = Gavel(options.gavel, *words, threads=2).started()
            askers = [Asker(server.port, number) for number in range(8)]
            for asker in askers:
                asker.start()
            time.sleep(0.5 if options.short else 1 + number / 10)
            wait_until("each asker has answers", lambda: all(len(asker.answered) > 5 for asker in askers))
            server.stop(number=signal.SIGKILL)
            for asker in askers:
                asker.join(15)
            answered = {mark for asker in askers for mark in asker.answered}
            kept = marks(subprocess.run([options.gavel, "audit", "cat", folder], capture_output=True, check=True).stdout)
            fault.outcome("no answered decision lacks its record", answered and answered <= kept, f"{len(answered)} answered, {len(answered - kept)} lost")
            fault.outcome("no wrong answer", not any(asker.wrong for asker in askers))
            server = Gavel(options.gavel, *words, keep_records=True).started()
            fault.serves(server, "serves again on the same spool")
            fault.ends(server)
            verified = subprocess.run([options.gavel, "audit", "verify", folder], capture_output=True, text=True)
            fault.outcome("the spool is whole", verified.returncode == 0, verified.stdout.strip().replace("\n", "; "))


def marks(text):
    """The marks of the records in a text."""
    found = set()
    for line in text.splitlines():
        porc = json.loads(line).get("porc") or {}
        porc = json.loads(porc) if isinstance(porc, str) else porc
        found.add(porc.get("context", {}).get("mark"))
    return found


FAULTS = (source_unreachable, disk_full, disk_full_and_reloads, read_only_disk, clock_jumps, no_descriptors, no_locked_memory, no_io_uring, stopped, killed)


def main():
    options = arguments(__doc__, lambda parser: parser.add_argument("--only", action="append", help="one of " + ", ".join(fault.__name__ for fault in FAULTS)))
    checks = Checks()
    for fault in FAULTS:
        if not options.only or fault.__name__ in options.only:
            fault(options, checks)
    checks.end()


if __name__ == "__main__":
    main()
