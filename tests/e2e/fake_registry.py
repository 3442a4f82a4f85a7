#!/usr/bin/env python3
"""A registry that serves an OCI layout and answers some requests wrongly, as it is told.

usage: fake_registry.py LAYOUT [FAULT...]      prints its loopback port, serves until it is killed,
and logs each request to stderr, with the range it asks for

A FAULT is KIND:PART[=VALUE]; the first whose PART stands in the path of a request decides:
  body:PART=FILE    the file's bytes instead, and a header with their digest
  flip:PART         the right length, one bit wrong
  cut:PART=COUNT    promises the whole body, closes after COUNT bytes of it, ranges included
  stall:PART=COUNT  sends COUNT bytes of the body, then nothing for a minute
  status:PART=CODE  that status and an empty body
"""

import hashlib
import http.server
import re
import sys
import time

sys.dont_write_bytecode = True  # so that the import leaves nothing beside the sources
from registry_layout import Layout, range_of


class Registry(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, layout, faults):
        super().__init__(("127.0.0.1", 0), Answer)
        self.layout = Layout(layout)
        self.faults = [re.fullmatch(r"(\w+):([^=]+)(?:=(.*))?", fault).groups()
                       for fault in faults]


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        """Nothing: a TLS greeting would be logged as it came, in bytes."""

    def fault(self):
        for kind, part, value in self.server.faults:
            if part in self.path:
                return kind, value
        return None, None

    def spoil(self, body):
        """(body, how much of it to send, whether to hang then)"""
        kind, value = self.fault()
        if kind == "body":
            with open(value, "rb") as file:
                body = file.read()
        if kind == "flip":
            body = body[:-1] + bytes([body[-1] ^ 1])
        sent = int(value) if kind in ("cut", "stall") else len(body)
        return body, sent, kind == "stall"

    def do_GET(self):
        wanted = self.headers.get("Range", "")
        print(self.command, self.path, "Range:", wanted or "all", file=sys.stderr, flush=True)
        kind, value = self.fault()
        sound, media_type = self.server.layout.find(self.path)
        if kind == "status" or sound is None:
            self.send_response(int(value) if kind == "status" else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body, sent, hangs = self.spoil(sound)
        promised = body if kind == "body" else sound
        span = range_of(wanted, len(body))
        start, last = span if span and span[0] < len(body) else (0, len(body) - 1)
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", "bytes %d-%d/%d" % (start, last, len(body)))
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(last + 1 - start))
        self.send_header("Docker-Content-Digest",
                         "sha256:" + hashlib.sha256(promised).hexdigest())
        self.end_headers()
        if self.command == "HEAD":
            return
        self.wfile.write(body[start:max(start, min(sent, last + 1))])
        if sent <= last:
            self.wfile.flush()
            time.sleep(60 if hangs else 0)
            self.close_connection = True

    do_HEAD = do_GET


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    server = Registry(sys.argv[1], sys.argv[2:])
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
