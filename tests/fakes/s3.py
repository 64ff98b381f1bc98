"""An S3-compatible store on this machine that refuses what Amazon would refuse."""

from __future__ import annotations

import hashlib
import hmac
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit
from xml.sax.saxutils import escape

ACCESS, SECRET, REGION, BUCKET = "AKIDEXAMPLE", "a-secret-access-key", "ap-southeast-1", "media-1"
_PAGE = 3  # names in one answer; Amazon gives a thousand


class S3:
    """What lies there, and the ways in which it may fail."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.address = ""
        self.refuses: int | None = None  # a status instead of an answer
        self.seen: list[tuple[str, str]] = []


@contextmanager
def serving() -> Iterator[S3]:
    state = S3()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (_Handler,), {"state": state}))
    state.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()


def _mark(content: bytes) -> str:
    return f'"{hashlib.md5(content).hexdigest()}"'


class _Handler(BaseHTTPRequestHandler):
    state: S3
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if (key := self._begin()) is None:
            return
        if not key:
            return self._list()
        content = self.state.files.get(key)
        if content is None:
            return self._say(404, _error("NoSuchKey"))
        mark, cut = _mark(content), re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers["Range"] or "")
        if cut is None:
            return self._say(200, content, ETag=mark)
        start, end = int(cut[1]), min(int(cut[2]) + 1, len(content))
        of = f"bytes {start}-{end - 1}/{len(content)}"
        self._say(206, content[start:end], ETag=mark, **{"Content-Range": of})

    def do_PUT(self) -> None:
        if not (key := self._begin()):
            return
        there, wanted = self.state.files.get(key), self.headers["If-Match"]
        if wanted is not None and there is None:
            return self._say(404, _error("NoSuchKey"))
        if wanted is not None and there is not None and wanted != _mark(there):
            return self._say(412, _error("PreconditionFailed"))
        self.state.files[key] = self._body
        self._say(200, b"", ETag=_mark(self._body))

    def do_POST(self) -> None:
        """Many are removed at once."""
        if self._begin() is None:
            return
        gone = ""
        for name in re.findall(r"<Key>([^<]+)</Key>", self._body.decode()):
            self.state.files.pop(name, None)
            gone += f"<Deleted><Key>{name}</Key></Deleted>"
        self._say(200, f'<?xml version="1.0"?><DeleteResult>{gone}</DeleteResult>'.encode())

    def _list(self) -> None:
        asked = dict(parse_qsl(urlsplit(self.path).query))
        assert asked["list-type"] == "2"
        prefix, after = asked.get("prefix", ""), asked.get("continuation-token", "")
        names = sorted(n for n in self.state.files if n.startswith(prefix) and n > after)
        page, more = names[:_PAGE], len(names) > _PAGE
        rows = "".join(
            f"<Contents><Key>{escape(name)}</Key><Size>{len(self.state.files[name])}</Size>"
            f"<LastModified>2026-01-01T00:00:00.000Z</LastModified>"
            f"<ETag>{escape(_mark(self.state.files[name]))}</ETag></Contents>"
            for name in page
        )
        token = f"<NextContinuationToken>{page[-1]}</NextContinuationToken>" if more else ""
        self._say(
            200,
            f'<?xml version="1.0"?><ListBucketResult><Name>{BUCKET}</Name><Prefix>{prefix}</Prefix>'
            f"<KeyCount>{len(page)}</KeyCount><IsTruncated>{str(more).lower()}</IsTruncated>"
            f"{rows}{token}</ListBucketResult>".encode(),
        )

    # Who asks

    def _begin(self) -> str | None:
        """The key that is asked for, "" for the bucket; None if it was answered already."""
        self._body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        path = unquote(urlsplit(self.path).path)
        self.state.seen.append((self.command, path))
        if self.state.refuses is not None:
            return self._say(self.state.refuses, _error("InternalError"))
        if not hmac.compare_digest(self._signature(), self._signed()):
            return self._say(403, _error("SignatureDoesNotMatch"))
        bucket, _slash, key = path.lstrip("/").partition("/")
        return key if bucket == BUCKET else self._say(404, _error("NoSuchBucket"))

    def _signed(self) -> str:
        found = re.search(r"Signature=([0-9a-f]{64})", self.headers["Authorization"] or "")
        return found[1] if found else ""

    def _signature(self) -> str:
        """As Amazon's version 4 makes it, from what has arrived."""
        given = self.headers["Authorization"] or ""
        names = re.search(r"SignedHeaders=([^,]+)", given)
        scope = re.search(rf"Credential={ACCESS}/((\d+)/{REGION}/s3/aws4_request)", given)
        payload = self.headers["x-amz-content-sha256"]
        if names is None or scope is None or {"host", "x-amz-date"} - set(names[1].split(";")):
            return "?"
        if payload not in ("UNSIGNED-PAYLOAD", hashlib.sha256(self._body).hexdigest()):
            return "?"
        parts = urlsplit(self.path)
        pairs = sorted(parse_qsl(parts.query, keep_blank_values=True))
        query = "&".join(f"{quote(k, safe='-_.~')}={quote(v, safe='-_.~')}" for k, v in pairs)
        heads = "".join(f"{n}:{(self.headers[n] or '').strip()}\n" for n in names[1].split(";"))
        asked = "\n".join((self.command, parts.path, query, heads, names[1], payload))
        digest = hashlib.sha256(asked.encode()).hexdigest()
        words = "\n".join(("AWS4-HMAC-SHA256", self.headers["x-amz-date"], scope[1], digest))
        key = f"AWS4{SECRET}".encode()
        for part in (scope[2], REGION, "s3", "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        return hmac.digest(key, words.encode(), "sha256").hex()

    def _say(self, status: int, content: bytes, **headers: Any) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Last-Modified", formatdate(usegmt=True))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Not on the screen."""


def _error(code: str) -> bytes:
    return f'<?xml version="1.0"?><Error><Code>{code}</Code></Error>'.encode()
