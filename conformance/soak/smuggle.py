#!/usr/bin/env python3
"""Raw requests of doubtful shape to gavel, to Go's net/http and to hyper: how many requests each takes from the same bytes, and what
body each sees. gavel may refuse more than they do; it may never take more, nor see another body where they agree."""

import collections
import concurrent.futures
import json
import os
import shutil
import socket
import subprocess
import tempfile

from gavel import ROOT, Checks, Gavel, arguments
from shapes import corpus

#: Statuses by which gavel refuses bytes. With `Connection: close` nothing behind them is looked at.
REFUSALS = {400, 408, 411, 413, 414, 417, 431, 501, 505}

#: What may not be.
FAULTS = ("takes more", "another body", "no end")

#: `bodies` of gavel are the statuses of what it took.
Seen = collections.namedtuple("Seen", "taken bodies statuses")


class Peer:
    """A server that answers each request with what it saw of it; its first line is its port."""

    def __init__(self, words):
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE)
        self.port = int(self.process.stdout.readline())

    def stop(self):
        self.process.kill()
        self.process.wait()


def exchange(port, raw):
    """All bytes that come back once these were sent and the sending side was closed; None if the server does not come to an end."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as sock:
        try:
            sock.sendall(raw)
            sock.shutdown(socket.SHUT_WR)
            while data := sock.recv(65_536):
                answer += data
        except TimeoutError:
            return None
        except OSError:
            pass  # A reset after a refusal: what came before it counts.
    return answer


def answers(data):
    """Status, fields and body of each final answer."""
    found = []
    while data:
        head, blank, rest = data.partition(b"\r\n\r\n")
        if not blank or not head.startswith(b"HTTP/1."):
            return found + [(0, {}, data)]
        lines = head.split(b"\r\n")
        status = int(lines[0].split()[1])
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines[1:])}
        if b"content-length" in fields:
            length = int(fields[b"content-length"])
            body, data = rest[:length], rest[length:]
        elif b"chunked" in fields.get(b"transfer-encoding", b""):
            body, data = chunks(rest)
        elif status < 200 or status in (204, 304):
            body, data = b"", rest
        else:
            body, data = rest, b""
        if status >= 200:
            found.append((status, fields, body))
    return found


def chunks(data):
    body = b""
    while True:
        line, _, data = data.partition(b"\r\n")
        size = int(line or b"0", 16)
        if size == 0:
            return body, data.removeprefix(b"\r\n")
        body, data = body + data[:size], data[size + 2:]


def seen_by_peer(port, raw):
    found = answers(exchange(port, raw) or b"")
    taken = [body.split(b" ") for status, fields, body in found if b"seen" in fields]
    return Seen(len(taken), [bytes.fromhex(words[-1].decode()) for words in taken], [status for status, _, _ in found])


def seen_by_gavel(port, raw):
    """What gavel took is in its answers: all but the refusal of what it cannot frame. What body it saw is in its records."""
    data = exchange(port, raw)
    if data is None:
        return Seen(0, [], ["no end"])
    found = answers(data)
    taken = [status for status, fields, _ in found if not (status in REFUSALS and fields.get(b"connection", b"").lower() == b"close")]
    return Seen(len(taken), taken, [status for status, _, _ in found])


def text_of(porc):
    """What of a PORC is its own text in the record: the rest is resolved by the domain."""
    return porc["operation"], porc["principal"]["sub"], json.dumps(porc["context"], sort_keys=True)


def decided(records):
    """What was decided about, by the name of its case."""
    found = collections.defaultdict(list)
    for record in records:
        porc = json.loads(record).get("porc")
        porc = json.loads(porc) if isinstance(porc, str) else porc
        if porc:
            found[porc["context"]["case"]].append(text_of(porc))
    return found


def texts(bodies):
    """The bodies that begin with a PORC: as the reference, gavel reads the first JSON value of a body."""
    found = []
    for body in bodies:
        try:
            found.append(text_of(json.JSONDecoder().raw_decode(body.decode())[0]))
        except (ValueError, KeyError, TypeError):
            pass
    return found


def verdict(gavel, go, hyper, decided_texts):
    """In a few words, how gavel's view of a case compares with those of the others."""
    if "no end" in gavel.statuses or 0 in gavel.statuses:
        return "no end"
    if gavel.taken > max(go.taken, hyper.taken):
        return "takes more"
    agree = (go.taken, go.bodies) == (hyper.taken, hyper.bodies)
    known = texts(go.bodies) if agree else texts(go.bodies + hyper.bodies)
    # A body that it took and could not read, where the others saw a PORC, was another body, too.
    if any(text not in known for text in decided_texts) or (agree and known and 400 in gavel.bodies):
        return "another body"
    if gavel.taken < min(go.taken, hyper.taken):
        return "stricter"
    if go.taken != hyper.taken:
        return "as the stricter" if gavel.taken == min(go.taken, hyper.taken) else "as the laxer"
    return "the same"


def peers(folder, options):
    """Go's and hyper's server, or why there is none."""
    hyper = options.hyper or f"{ROOT}/target/debug/examples/hyper_requests"
    if not os.path.exists(hyper):
        return None, f"hyper's server is not built (cargo build -p gavel-conformance --example hyper_requests): {hyper}"
    go = shutil.which("go") or "/usr/local/go/bin/go"
    if not os.path.exists(go):
        return None, "Go is not there"
    built = subprocess.run([go, "build", "-o", f"{folder}/go_requests", "."], cwd=f"{ROOT}/conformance/soak/smuggle", capture_output=True, text=True)
    if built.returncode:
        return None, f"Go's server cannot be built: {built.stderr}"
    return (Peer([f"{folder}/go_requests"]), Peer([hyper])), None


def main():
    options = arguments(__doc__, lambda parser: parser.add_argument("--hyper", help="the server of hyper, if it is built elsewhere"))
    checks = Checks()
    with tempfile.TemporaryDirectory() as folder:
        found, reason = peers(folder, options)
        if reason:
            print("skipped: " + reason)
            return
        go, hyper = found
        try:
            compare(options, checks, go, hyper)
        finally:
            go.stop()
            hyper.stop()
    checks.end()


def compare(options, checks, go, hyper):
    server = Gavel(options.gavel, keep_records=True).started()
    cases = corpus()
    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        raws = [raw for _, _, raw in cases]
        views = list(zip(pool.map(lambda raw: seen_by_gavel(server.port, raw), raws),
                         pool.map(lambda raw: seen_by_peer(go.port, raw), raws),
                         pool.map(lambda raw: seen_by_peer(hyper.port, raw), raws)))
    checks.check("gavel drains", server.stop() == 0)
    found = decided(server.records)
    table, wrong = collections.defaultdict(collections.Counter), []
    for (family, name, raw), (mine, gos, hypers) in zip(cases, views):
        word = verdict(mine, gos, hypers, found[name])
        table[family][word] += 1
        if word in FAULTS:
            wrong.append(name)
        if word in FAULTS or word == "as the laxer":
            print(f"{word}: {name}: gavel {mine.statuses}, Go {gos.statuses}, hyper {hypers.statuses}: {raw[:160]!r}")
    words = ["the same", "stricter", "as the stricter", "as the laxer", *FAULTS]
    print(f"{'':24}" + "".join(f"{word:>17}" for word in words))
    total = collections.Counter()
    for family, counts in table.items():
        total.update(counts)
        print(f"{family:24}" + "".join(f"{counts[word]:17}" for word in words))
    print(f"{'all':24}" + "".join(f"{total[word]:17}" for word in words))
    both = sum(1 for mine, gos, hypers in views if mine.taken and gos.taken and hypers.taken)
    checks.check("some requests are taken by all three, so that bodies are compared", both > 50, both)
    checks.check(f"{len(cases)} shapes: gavel takes no request that others do not, and sees no other body", not wrong, wrong[:5])


main()
