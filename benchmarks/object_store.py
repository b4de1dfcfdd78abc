"""A small S3 server of the files in a folder, for benchmarks: it takes little of the processors beside the work.

``python benchmarks/object_store.py FOLDER [--wait SECONDS]`` prints its address. A folder in FOLDER is a bucket. Of S3
it knows what reading takes: HEAD, GET of ranges, ListObjectsV2; it asks nobody who he is. ``GET /`` tells how many
requests there were, by kind. Each is answered after ``--wait`` seconds, as real stores take some 20 ms for each.
"""

import argparse
import collections
import contextlib
import json
import os
import re
import socketserver
import time
from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote
from xml.sax.saxutils import escape

PAGE = 1000
"""How many names an answer lists at most."""
asked: collections.Counter[str] = collections.Counter()


class Handler(socketserver.StreamRequestHandler):
    """A connection, on which one request after the other is answered."""

    folder: Path
    wait: float
    disable_nagle_algorithm = True

    def handle(self) -> None:
        """Answer until the client hangs up."""
        with contextlib.suppress(OSError):
            while request := self.rfile.readline():
                lines = iter(self.rfile.readline, b"\r\n")
                headers = dict(line.decode("latin-1").strip().lower().split(": ", 1) for line in lines)
                method, target, _ = request.decode("latin-1").split(" ")
                path, _, query = target.partition("?")
                self.answer(method, unquote(path).strip("/"), query, headers.get("range", ""))

    def answer(self, method: str, path: str, query: str, span: str) -> None:
        """Answer one request."""
        if not path:
            self.send(200, json.dumps(asked).encode())
            return
        asked["list" if "list-type" in query else method] += 1
        time.sleep(self.wait)
        file = self.folder / path
        if "list-type" in query:
            self.send(200, self.listing(file, {name: value[0] for name, value in parse_qs(query).items()}))
            return
        if not file.is_file():
            self.send(200 if file.is_dir() and "/" not in path else 404, b"")
            return
        with open(file, "rb") as body:
            status = os.fstat(body.fileno())
            part = re.fullmatch(r"bytes=(\d+)-(\d*)", span)
            first, last = (int(part[1]), int(part[2] or status.st_size)) if part else (0, status.st_size)
            length = min(last + 1, status.st_size) - first
            more = {"ETag": tag(status), "Last-Modified": formatdate(status.st_mtime, usegmt=True)}
            if part:
                more["Content-Range"] = f"bytes {first}-{first + length - 1}/{status.st_size}"
            self.send(206 if part else 200, None, {"Content-Length": length, "Accept-Ranges": "bytes", **more})
            if method == "GET":
                self.connection.sendfile(body, first, length)

    def send(self, status: int, body: bytes | None, more: dict[str, Any] | None = None) -> None:
        """The head of an answer, and its body unless that follows."""
        more = more or {"Content-Length": len(body or b""), "Content-Type": "application/xml"}
        head = "".join(f"{name}: {value}\r\n" for name, value in more.items())
        self.connection.sendall(f"HTTP/1.1 {status} -\r\n{head}\r\n".encode() + (body or b""))

    def listing(self, bucket: Path, asked_for: dict[str, str]) -> bytes:
        """The names in a bucket that begin with a prefix, some at a time."""
        begin, after = asked_for.get("prefix", ""), asked_for.get("continuation-token", "")
        names = sorted(str(file.relative_to(bucket)) for file in bucket.rglob("*") if file.is_file())
        names = [name for name in names if name.startswith(begin) and name > after]
        entries = []
        for name in names[:PAGE]:
            status = os.stat(bucket / name)
            when = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(status.st_mtime))
            known = f"<LastModified>{when}</LastModified><ETag>{escape(tag(status))}</ETag>"
            entries.append(f"<Contents><Key>{escape(name)}</Key>{known}<Size>{status.st_size}</Size></Contents>")
        more = f"<NextContinuationToken>{escape(names[PAGE - 1])}</NextContinuationToken>" if names[PAGE:] else ""
        head = f"<IsTruncated>{str(bool(more)).lower()}</IsTruncated><KeyCount>{len(entries)}</KeyCount>"
        return f"<ListBucketResult>{head}{''.join(entries)}{more}</ListBucketResult>".encode()


def tag(status: os.stat_result) -> str:
    """What a store calls the version of a file."""
    return f'"{status.st_mtime_ns:x}-{status.st_size:x}"'


class Server(socketserver.ThreadingTCPServer):
    """A thread a connection."""

    daemon_threads = True
    request_queue_size = 128


def main() -> None:
    """Serve until it is ended."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folder", type=Path)
    options.add_argument("--wait", type=float, default=0.0)
    given = options.parse_args()
    Handler.folder, Handler.wait = given.folder, given.wait
    with Server(("127.0.0.1", 0), Handler) as server:
        print("{}:{}".format(*server.server_address), flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
