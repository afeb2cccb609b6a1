"""Asks OPA what stands in server/tests/files/opa/requests.txt and writes its answers there.

    go build -o /path/to/opa github.com/open-policy-agent/opa     (v1.22.2, in a module that requires it)
    python3 conformance/opa_api/goldens.py /path/to/opa

A line `> METHOD TARGET BODY` is a request, the line `< STATUS BODY` below it the answer. `METHOD:gzip` packs the body and
takes a packed answer, which is then told of as `< STATUS gzip BODY`. Times in metrics, places and
traces of errors, and what Go's decoder says of a broken text are not OPA's API: they are left out.
"""

import gzip
import http.client
import json
import pathlib
import re
import socket
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from checks import free_port  # noqa: E402

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "server/tests/files/opa"


def essential(body):
    """What of an answer counts."""
    body = body.strip()
    if "\n" not in body and '"metrics":' not in body and '"provenance":' not in body:
        return body
    document = json.loads(body)
    if isinstance(document, dict):
        if "code" in document:
            document["message"] = re.sub("(malformed input document): .*", r"\1", document["message"])
        for error in document.get("errors", []):
            for name in ("location", "stack_trace", "message"):
                error.pop(name, None)
        for name in ("metrics", "provenance"):
            if name in document:
                document[name] = {}
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def ask(port, line):
    method, target, *body = line.split(" ", 2)
    method, _, packing = method.partition(":")
    body = body[0].encode() if body else None
    headers = {}
    if packing:
        headers["Accept-Encoding"] = "gzip"
    if packing and body:
        body = gzip.compress(body)
        headers["Content-Encoding"] = "gzip"
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, target, body=body, headers=headers)
    answer = connection.getresponse()
    text = answer.read()
    if answer.getheader("Content-Encoding") == "gzip":
        return f"{answer.status} gzip {essential(gzip.decompress(text).decode())}"
    text = text.decode()
    return f"{answer.status} {essential(text if answer.status != 405 else '')}".rstrip()


def main():
    port = free_port()
    modules = [FOLDER / "authz.rego", FOLDER / "names.rego"]
    flags = ["run", "--server", "--skip-version-check", "--log-level", "error", "--addr", f"127.0.0.1:{port}"]
    flags += ["--set", "default_decision=authz/allow"]
    opa = subprocess.Popen([sys.argv[1], *flags, *modules])
    try:
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.1)
        path = FOLDER / "requests.txt"
        out = []
        for line in path.read_text().splitlines():
            if line.startswith("<"):
                continue
            out.append(line)
            if line.startswith("> "):
                out.append("< " + ask(port, line[2:]))
        path.write_text("\n".join(out) + "\n")
    finally:
        opa.terminate()
        opa.wait()


main()
