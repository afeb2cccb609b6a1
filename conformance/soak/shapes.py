"""Requests of doubtful shape: what proxies and servers are known to read differently. Each case has a name, and its PORC bears it."""

import itertools
import json

LAST = b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n"
TYPE = b"Content-Type: application/json\r\n"


def porc(name):
    return json.dumps({"principal": {"sub": "eve"}, "operation": "clinic:hours:read", "resource": "mrn:clinic:hours:1", "context": {"case": name}}).encode()


def post(body, *lines, target=b"/decision", version=b"HTTP/1.1", host=b"Host: a\r\n"):
    return b"POST " + target + b" " + version + b"\r\n" + host + TYPE + b"".join(lines) + b"\r\n" + body


def chunked(body, size=None, end=b"\r\n", last=b"0\r\n\r\n"):
    size = b"%x" % len(body) if size is None else size
    return size + end + body + end + last


def lengths():
    """Content-Length: every way to write the right number, and others."""
    def forms(count):
        right = b"%d" % count
        yield from (right, b"+" + right, b"-" + right, b"0" + right, b"000000000000000000000" + right, b"0x%x" % count, right + b".0", right + b"e0",
                    b" " + right, right + b" ", b"\t" + right + b"\t", b"\x0b" + right, right + b"\x00", right + b"\r", b'"' + right + b'"',
                    right + b", " + right, right + b"," + right, right + b", 0", b"0, " + right, right + b",", b"," + right, b"", b" ", b"a",
                    right + b" 0", right + b";a", b"18446744073709551616", b"18446744073709551615", b"9223372036854775808", b"4294967296",
                    b"\xd9\xa1\xd9\xa2", b"%d" % (count - 1), b"%d" % (count + 1), b"0", b"1_0", b"(1)" + right)
    for at in range(36):
        for tail in (b"", LAST):
            def make(name, at=at, tail=tail):
                body = porc(name)
                return post(body + tail, b"Content-Length: " + list(forms(len(body)))[at] + b"\r\n")
            yield make
    pairs = ((b"%d", b"%d"), (b"%d", b"0"), (b"0", b"%d"), (b"%d", b"+%d"), (b"%d", b"a"), (b"", b"%d"), (b"%d", b""))
    for (first, second), name_of in itertools.product(pairs, (b"Content-Length", b"content-length", b"CONTENT-LENGTH")):
        def make(name, first=first, second=second, name_of=name_of):
            body = porc(name)
            count = b"%d" % len(body)
            return post(body + LAST, b"Content-Length: " + first.replace(b"%d", count) + b"\r\n", name_of + b": " + second.replace(b"%d", count) + b"\r\n")
        yield make


def encodings():
    """Transfer-Encoding: names, lists and blanks, alone, and beside a Content-Length of the whole, of nothing and of the next request."""
    values = (b"chunked", b"Chunked", b"CHUNKED", b" chunked", b"chunked ", b"\tchunked", b"chunked\t", b"\x0bchunked", b"chunked\x0b", b"chunked\x00", b"xchunked", b"chunkedx",
              b"chunked;a=b", b'"chunked"', b"chunked, chunked", b"chunked,", b",chunked", b"identity", b"identity, chunked", b"chunked, identity",
              b"gzip", b"gzip, chunked", b"chunked, gzip", b"", b"none", b"cow", b"\xffchunked", b"ch\xc3\xbcnked", b"chun ked", b"chunked\rx", b"chunked\r\n , identity")
    for value, length in itertools.product(values, (None, "whole", "nothing")):
        def make(name, value=value, length=length):
            body = chunked(porc(name))
            lines = [b"Transfer-Encoding: " + value + b"\r\n"]
            if length:
                lines.insert(0, b"Content-Length: %d\r\n" % (len(body) if length == "whole" else 0))
            return post(body + LAST, *lines)
        yield make
    names = (b"Transfer-Encoding ", b"Transfer-Encoding\t", b" Transfer-Encoding", b"\tTransfer-Encoding", b"Transfer_Encoding", b"Transfer-Encoding\x00", b"transfer-encoding",
             b"TRANSFER-ENCODING", b"Transfer-\nEncoding", b"X: y\nTransfer-Encoding", b"X: y\rTransfer-Encoding", b"X:\r\n Transfer-Encoding", b"\x00Transfer-Encoding", b"Transfer-Encoding\xa0")
    for field, length in itertools.product(names, (False, True)):
        def make(name, field=field, length=length):
            body = chunked(porc(name))
            lines = [field + b": chunked\r\n"] + ([b"Content-Length: %d\r\n" % len(body)] if length else [])
            return post(body + LAST, *lines)
        yield make
    for first, second in itertools.product((b"chunked", b"identity", b"gzip", b""), repeat=2):
        def make(name, first=first, second=second):
            return post(chunked(porc(name)) + LAST, b"Transfer-Encoding: " + first + b"\r\nTransfer-Encoding: " + second + b"\r\n")
        yield make


def chunk_sizes():
    """The lines of chunks: signs, blanks, extensions, overflow, line ends, and what stands behind the last one."""
    def forms(count):
        right = b"%x" % count
        yield from (right, right.upper(), b"0" + right, b"0" * 15 + right, b"0" * 200 + right, b"+" + right, b"-" + right, b"0x" + right, b" " + right, right + b" ", b"\t" + right,
                    right + b"\t", right + b";", right + b";a", right + b";a=b", right + b' ;a="b;c"', right + b";a\x00", right + b";" + b"x" * 300, right + b";" + b"x" * 20_000, right + b";a\nb",
                    right + b";a\rb", right + b"g", b"", b"g", b"10000000000000000", b"ffffffffffffffff", b"1" + b"0" * 16 + right, b"8000000000000000", right + b"\x00", right + b"\x0b", right + b".0", right + b",1",
                    b"%x" % (count - 1), b"%x" % (count + 1))
    for at in range(34):
        def make(name, at=at):
            body = porc(name)
            return post(chunked(body, list(forms(len(body)))[at]) + LAST, b"Transfer-Encoding: chunked\r\n")
        yield make
    ends = (b"\r\n", b"\n", b"\r", b"\r\r\n", b"\n\r", b"\r\n\r\n", b"", b" \r\n", b"\x00\r\n")
    lasts = (b"0\r\n\r\n", b"0\n\n", b"0\r\n\n", b"0\n\r\n", b"00\r\n\r\n", b"0;a\r\n\r\n", b"-0\r\n\r\n", b"0\r\nA: b\r\n\r\n", b"0\r\nContent-Length: 30\r\n\r\n",
             b"0\r\nTransfer-Encoding: chunked\r\n\r\n", b"0\r\nHost: b\r\n\r\n", b"0\r\nA\r\n\r\n", b"0\r\n A: b\r\n\r\n", b"0\r\nA : b\r\n\r\n", b"0\r\nA: b\n\r\n", b"0\r\n" + b"A: b\r\n" * 2_000 + b"\r\n", b"0\r\n",
             b"0\r\n\r", b"\r\n", b"", b"0 \r\n\r\n", b"0\r\nA: \x00\r\n\r\n")
    for end in ends:
        yield lambda name, end=end: post(chunked(porc(name), end=end) + LAST, b"Transfer-Encoding: chunked\r\n")
    for last in lasts:
        yield lambda name, last=last: post(chunked(porc(name), last=last) + LAST, b"Transfer-Encoding: chunked\r\n")
        yield lambda name, last=last: post(b"1\r\n{\r\n" + chunked(porc(name)[1:], last=last) + LAST, b"Transfer-Encoding: chunked\r\n")


def whole(name, head, body=None):
    """A head with the right length in the place of `%d`, and a request behind it."""
    body = porc(name) if body is None else body
    return head.replace(b"%d", b"%d" % len(body)) + body + LAST


def line_forms():
    """Request lines: methods, blanks, targets, versions."""
    starts = (b"POST /decision HTTP/1.1", b"POST  /decision HTTP/1.1", b"POST\t/decision HTTP/1.1", b" POST /decision HTTP/1.1", b"\r\nPOST /decision HTTP/1.1", b"\r\n\r\n\r\nPOST /decision HTTP/1.1",
              b"\nPOST /decision HTTP/1.1", b"\rPOST /decision HTTP/1.1", b"POST /decision  HTTP/1.1", b"POST /decision HTTP/1.1 ", b"POST /decision HTTP/1.1 x", b"POST /decision", b"POST /decision ", b"POST HTTP/1.1",
              b"post /decision HTTP/1.1", b"Post /decision HTTP/1.1", b"P\x00ST /decision HTTP/1.1", b"P(ST /decision HTTP/1.1", b"\xffPOST /decision HTTP/1.1", b"PRI * HTTP/2.0", b"CONNECT a:80 HTTP/1.1", b"OPTIONS * HTTP/1.1", b"TRACE /decision HTTP/1.1",
              b"GET /decision HTTP/1.1", b"PUT /decision HTTP/1.1", b"PATCH /decision HTTP/1.1", b"DELETE /decision HTTP/1.1", b"A" * 300 + b" /decision HTTP/1.1",
              b"POST http://a/decision HTTP/1.1", b"POST http://b/decision HTTP/1.1", b"POST http:///decision HTTP/1.1", b"POST HTTP://a/decision HTTP/1.1", b"POST https://a/decision HTTP/1.1", b"POST ftp://a/decision HTTP/1.1",
              b"POST http://a:b/decision HTTP/1.1", b"POST http://u@a/decision HTTP/1.1", b"POST http://a HTTP/1.1", b"POST //decision HTTP/1.1", b"POST decision HTTP/1.1", b"POST * HTTP/1.1", b"POST /decision?a b HTTP/1.1",
              b"POST /decision#x HTTP/1.1", b"POST /./decision HTTP/1.1", b"POST /a/../decision HTTP/1.1", b"POST /%64ecision HTTP/1.1", b"POST /decision%00 HTTP/1.1", b"POST /decision\x00 HTTP/1.1", b"POST /decision\x7f HTTP/1.1",
              b"POST /d\xc3\xa9cision HTTP/1.1", b"POST /decision\xff HTTP/1.1", b"POST /decision\\ HTTP/1.1", b"POST /" + b"a" * 9_000 + b" HTTP/1.1", b"POST /decision?" + b"a" * 20_000 + b" HTTP/1.1",
              b"POST /decision HTTP/0.9", b"POST /decision HTTP/1.0", b"POST /decision HTTP/1.2", b"POST /decision HTTP/1.9", b"POST /decision HTTP/1.10", b"POST /decision HTTP/1", b"POST /decision HTTP/1.", b"POST /decision HTTP/2.0", b"POST /decision HTTP/2",
              b"POST /decision HTTP/3.0", b"POST /decision HTTP/01.1", b"POST /decision HTTP/1.01", b"POST /decision HTTP/11.1", b"POST /decision http/1.1", b"POST /decision HTTP 1.1", b"POST /decision HTTP/1,1", b"POST /decision HTTP/-1.1",
              b"POST /decision HTTP/1.1\x00", b"POST /decision HTTP/ 1.1", b"POST /decision HTTPS/1.1", b"POST /decision ICY/1.1", b"POST /decision RTSP/1.1", b"POST /decision HTTP/1.x", b"POST /decision\tHTTP/1.1", b"POST /decision\x0bHTTP/1.1", b"POST /decision\x0cHTTP/1.1")
    for start in starts:
        yield lambda name, start=start: whole(name, start + b"\r\nHost: a\r\n" + TYPE + b"Content-Length: %d\r\n\r\n")
    for version, persistence in itertools.product((b"HTTP/1.0", b"HTTP/1.1"), (b"close", b"keep-alive", b"Keep-Alive, close", b"close, keep-alive", b"x", b"", b"Content-Length", b"Transfer-Encoding", b"upgrade", b"clo se", b"close\x00")):
        yield lambda name, version=version, persistence=persistence: whole(name, b"POST /decision " + version + b"\r\nHost: a\r\n" + TYPE + b"Connection: " + persistence + b"\r\nContent-Length: %d\r\n\r\n")
    for version in (b"HTTP/1.0", b"HTTP/0.9", b"HTTP/1.2"):
        yield lambda name, version=version: post(chunked(porc(name)) + LAST, b"Transfer-Encoding: chunked\r\n", version=version)


def line_ends():
    """Bare line feeds and carriage returns in each place of a head."""
    lines = [b"POST /decision HTTP/1.1", b"Host: a", b"Content-Type: application/json", b"Content-Length: %d", b""]
    for at, end in itertools.product(range(len(lines)), (b"\n", b"\r", b"\r\r\n", b"\n\r\n", b"\x00\r\n", b"\x85", b"\x0c\r\n")):
        def make(name, at=at, end=end):
            return whole(name, b"".join(line + (end if place == at else b"\r\n") for place, line in enumerate(lines)))
        yield make
    yield lambda name: whole(name, b"\n".join(lines) + b"\n")
    yield lambda name: whole(name, b"\r".join(lines) + b"\r")


def fields():
    """Names and values of fields, folded lines, hosts, many and long fields."""
    extra = (b"A : b", b"A\t: b", b" A: b", b"\tA: b", b": b", b"A", b"A b", b"A\x00: b", b"A\x7f: b", b"A\xff: b", b"A(: b", b"A\xc3\xa9: b", b"A: \x00", b"A: b\x00c", b"A: \x01", b"A: \x7f", b"A: \xff", b"A: b\x0bc", b"A: b\x0cc",
             b"A: b\r\n c", b"A: b\r\n\tc", b"A:\r\n b", b"A: b\r\n ", b"A: b\r\n Content-Length: 0", b"A: b\r\n Transfer-Encoding: chunked", b"A:b", b"A:", b"A:   ", b"A: " + b"b" * 10_000, b"A: " + b"b" * 70_000, b"A" * 10_000 + b": b",
             b"A" * 70_000 + b": b", b"\r\n".join([b"A: b"] * 60), b"\r\n".join([b"A: b"] * 300), b"\r\n".join([b"A: " + b"b" * 100] * 100), b"Content-Length\x00: 0", b"Content-Length : 0", b" Content-Length: 0", b"Content_Length: 0", b"Content-Length\xff: 0",
             b"Content-Length:0", b"content-length: 0", b"Content-Length\t:0", b"X: y\nContent-Length: 0", b"X: y\rContent-Length: 0", b"Expect: 100-continue", b"Expect: 200-ok", b"Expect: ", b"Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__",
             b"Upgrade: websocket\r\nConnection: Upgrade", b"TE: trailers", b"Trailer: Content-Length", b"Content-Encoding: gzip", b"Content-Type: text/plain", b"X-HTTP-Method-Override: GET")
    for line, first in itertools.product(extra, (False, True)):
        def make(name, line=line, first=first):
            length = b"Content-Length: %d\r\n"
            return whole(name, b"POST /decision HTTP/1.1\r\nHost: a\r\n" + TYPE + (line + b"\r\n" + length if first else length + line + b"\r\n") + b"\r\n")
        yield make
    hosts = (b"", b"Host: \r\n", b"Host:\r\n", b"Host: a\r\nHost: a\r\n", b"Host: a\r\nHost: b\r\n", b"Host: a, b\r\n", b"Host: a b\r\n", b"Host: a/b\r\n", b"Host: u@a\r\n", b"Host: a:b\r\n", b"Host: a:99999\r\n", b"Host: [::1]\r\n", b"Host: [::1\r\n", b"Host: a\x00\r\n", b"Host: \xff\r\n",
             b"Host : a\r\n", b" Host: a\r\n", b"Host: a\r\n b\r\n", b"host: a\r\n", b"Host: " + b"a" * 5_000 + b"\r\n")
    for host in hosts:
        yield lambda name, host=host: whole(name, b"POST /decision HTTP/1.1\r\n" + host + TYPE + b"Content-Length: %d\r\n\r\n")


def bodies():
    """No framing at all, requests inside bodies, ends in the middle."""
    yield lambda name: post(porc(name) + LAST)
    yield lambda name: post(LAST + porc(name))
    yield lambda name: b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n" + porc(name) + LAST
    yield lambda name: b"GET /livez HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(LAST) + LAST + LAST
    yield lambda name: b"GET /livez HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(LAST) + LAST
    yield lambda name: post(LAST + LAST, b"Content-Length: %d\r\n" % len(LAST))
    yield lambda name: post(chunked(LAST) + LAST, b"Transfer-Encoding: chunked\r\n")
    yield lambda name: LAST * 20
    yield lambda name: whole(name, b"POST /decision HTTP/1.1\r\nHost: a\r\n" + TYPE + b"Content-Length: %d\r\n\r\n") * 5
    for cut in (1, 5, 20, 40, 60, 80, 95, 120, 150):
        yield lambda name, cut=cut: whole(name, b"POST /decision HTTP/1.1\r\nHost: a\r\n" + TYPE + b"Content-Length: %d\r\n\r\n")[:cut]
        yield lambda name, cut=cut: post(chunked(porc(name)), b"Transfer-Encoding: chunked\r\n")[:-cut]


FAMILIES = {"lengths": lengths, "encodings": encodings, "chunks": chunk_sizes, "request lines": line_forms, "line ends": line_ends, "fields": fields, "bodies": bodies}


def corpus():
    """Family, name and bytes of each case."""
    return [(family, f"{family} {at}", make(f"{family} {at}")) for family, makers in FAMILIES.items() for at, make in enumerate(makers())]
