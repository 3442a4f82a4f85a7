#!/usr/bin/env python3
"""A registry over an OCI layout that asks for proof of identity, redirects, mirrors, and fails in
every way a test asks for.

usage: registry_server.py LAYOUT [OPTION=VALUE...]
prints its loopback port, serves until it is killed, and writes one JSON object a request to stderr

  port=N                that port instead of a free one
  tls=CERT,KEY          HTTPS
  client=CERT           and only for who shows that certificate, or one of its authority
  basic=USER:PASSWORD   401 without them
  token=USER:PASSWORD   a bearer challenge; its token server is /token of this very server and gives
                        tokens to that user ("token=:" to anybody)
  identity=TOKEN        the token server gives tokens for that identity token alone (OAuth2)
  token-uses=N          a token is good for N requests
  token-bytes=N         it is that long
  blobs-at=URL          blobs are redirected to URL/blobs/DIGEST
  no-referrers=         the registry does not know of referrers
  signed-uses=N         what is asked for as /blobs/DIGEST?signed=K is good for N requests
  FAULT:PART[*N]=VALUE  for paths that hold PART; N times, then never again
                        (a request for a blob's first byte counts as any other)

Faults: status=CODE, retry=SECONDS (429), retry-date=SECONDS (the same as a date), flip,
short=COUNT (a smaller Content-Length), extra=COUNT (a longer body), chunked=COUNT (so many bytes of
the body, then anything, without a Content-Length), cut=COUNT (closes after so many bytes),
cut-at=COUNT (never sends more than the body's first COUNT bytes), stall=COUNT,
slow=BYTES_PER_SECOND, wrong-range=COUNT (206 with a range shifted by so much), no-range, loop
(redirects to itself), redirect=STATUS,URL (with the path behind it), location=URL (as it is),
body=FILE, raw=FILE (the whole answer), gzip (a Content-Encoding that nobody asked for), endless,
type=MEDIA_TYPE, digest=TEXT, close (before any answer)
"""

import base64
import email.utils
import gzip
import hashlib
import http.server
import json
import re
import ssl
import sys
import threading
import time
import urllib.parse

sys.dont_write_bytecode = True  # so that the import leaves nothing beside the sources
from registry_layout import Layout, range_of


class Fault:
    def __init__(self, kind, part, left, value):
        self.kind, self.part, self.value = kind, part, value
        self.left = int(left) if left else -1


class Registry(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, layout, settings):
        port = [word[5:] for word in settings if word.startswith("port=")]
        super().__init__(("127.0.0.1", int(port[0]) if port else 0), Answer)
        self.layout = Layout(layout)
        self.options, self.faults = {}, []
        self.lock = threading.Lock()
        self.tokens, self.signed, self.token_count = {}, {}, 0
        self.digests = {}
        for setting in settings:
            name, _, value = setting.partition("=")
            match = re.fullmatch(r"([a-z-]+):([^*]*)(?:\*(\d+))?", name)
            if match:
                self.faults.append(Fault(match[1], match[2], match[3], value))
            else:
                self.options[name] = value
        if "tls" in self.options:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self.options["tls"].split(","))
            if "client" in self.options:
                context.verify_mode = ssl.CERT_REQUIRED
                context.load_verify_locations(self.options["client"])
            self.socket = context.wrap_socket(self.socket, server_side=True,
                                              do_handshake_on_connect=False)

    def handle_error(self, request, client_address):
        pass  # clients that go away are part of the tests

    def digest_of(self, body):
        kept = self.digests.get(id(body))
        if not kept or kept[0] is not body:
            kept = self.digests[id(body)] = (body, "sha256:" + hashlib.sha256(body).hexdigest())
        return kept[1]

    def referrers(self, digest):
        entries = []
        for found in set(self.layout.tags.values()):
            manifest = json.loads(self.layout.blob(found))
            if manifest.get("subject", {}).get("digest") == digest and "artifactType" in manifest:
                entries.append({"mediaType": manifest["mediaType"], "digest": found, "size": 1,
                                "artifactType": manifest["artifactType"]})
        return {"schemaVersion": 2, "manifests": entries}

    def fault(self, path):
        with self.lock:
            for fault in self.faults:
                if fault.part in path and fault.left != 0:
                    fault.left -= 1
                    return fault.kind, fault.value
        return None, None

    def new_token(self):
        with self.lock:
            self.token_count += 1
            length = int(self.options.get("token-bytes", 0))
            token = ("token-%d" % self.token_count).ljust(length, "x")
            self.tokens[token] = int(self.options.get("token-uses", 1 << 30))
            return token

    def use(self, uses, key, default):
        with self.lock:
            left = uses.setdefault(key, default)
            uses[key] = left - 1
            return left > 0


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60

    def log_message(self, format, *args):
        pass

    def log(self, status):
        kind = self.headers.get("Authorization", "").split(" ")[0]
        record = {"method": self.command, "path": self.path, "status": status,
                  "range": self.headers.get("Range", ""), "authorization": kind,
                  "x-test": self.headers.get("X-Test", ""), "host": self.headers.get("Host"),
                  "cookie": self.headers.get("Cookie", ""),
                  "connection": self.client_address[1], "version": self.request_version}
        sys.stderr.write(json.dumps(record) + "\n")
        sys.stderr.flush()

    def send(self, status, headers=(), body=b""):
        self.log(status)
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if not any(name.lower() == "content-length" for name, _ in headers):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def address(self):
        scheme = "https" if "tls" in self.server.options else "http"
        return "%s://%s" % (scheme, self.headers.get("Host"))

    def credentials(self):
        kind, _, value = self.headers.get("Authorization", "").partition(" ")
        return base64.b64decode(value).decode() if kind == "Basic" else None

    def give_token(self, form):
        options = self.server.options
        if "identity" in options:
            is_known = form.get("refresh_token") == [options["identity"]]
        else:
            is_known = options["token"] in (":", self.credentials())
        if not is_known:
            self.send(401, body=b'{"details": "unknown user"}')
            return
        name = "access_token" if "identity" in options else "token"
        self.send(200, body=json.dumps({name: self.server.new_token()}).encode())

    def is_allowed(self):
        options, authorization = self.server.options, self.headers.get("Authorization", "")
        if "basic" in options and self.credentials() != options["basic"]:
            self.send(401, [("WWW-Authenticate", 'Basic realm="test"')])
            return False
        if "token" in options or "identity" in options:
            token = authorization.partition(" ")[2]
            if not self.server.use(self.server.tokens, token, 0):
                self.send(401, [("WWW-Authenticate", 'Negotiate, Bearer realm="%s/token",'
                                 'service="test",scope="repository:demo:pull"' % self.address())])
                return False
        return True

    def send_redirect(self, value):
        status, _, url = value.partition(",")
        self.send(int(status), [("Location", url + self.path)])

    def send_file(self, path):
        self.log(0)
        with open(path, "rb") as file:
            self.wfile.write(file.read())
        self.close_connection = True

    def do_POST(self):
        form = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        kind, value = self.server.fault(self.path)
        if kind == "redirect":
            self.send_redirect(value)
        else:
            self.give_token(urllib.parse.parse_qs(form))

    def do_GET(self):
        path, _, query = re.sub("^http://[^/]*", "", self.path).partition("?")  # as a proxy
        kind, value = self.server.fault(path)
        if kind == "close":
            self.close_connection = True
        elif kind == "status":
            self.send(int(value))
        elif kind == "retry":
            self.send(429, [("Retry-After", value)])
        elif kind == "retry-date":
            when = email.utils.formatdate(time.time() + int(value), usegmt=True)
            self.send(429, [("Retry-After", when)])
        elif kind == "loop":
            self.send(307, [("Location", self.path)])
        elif kind == "location":
            self.send(307, [("Location", value)])
        elif kind == "redirect":
            self.send_redirect(value)
        elif kind == "raw":
            self.send_file(value)
        elif path == "/token":
            self.give_token({})
        elif path.startswith("/v2/") and not self.is_allowed():
            pass
        elif path.startswith("/blobs/") and "signed=" in query and not self.server.use(
                self.server.signed, query, int(self.server.options.get("signed-uses", 1 << 30))):
            self.send(403)
        elif path.startswith("/v2/") and "/blobs/" in path and "blobs-at" in self.server.options:
            target = (self.server.options["blobs-at"], path.rpartition("/")[2],
                      self.server.new_token())
            self.send(307, [("Location", "%s/blobs/%s?signed=%s" % target)])
        elif path == "/v2/":
            self.send(200, body=b"{}")
        elif "/referrers/" in path and "no-referrers" not in self.server.options:
            index = self.server.referrers(path.rpartition("/")[2])
            self.send(200, body=json.dumps(index).encode())
        elif path.endswith("/tags/list"):
            self.send(200, body=json.dumps({"tags": list(self.server.layout.tags)}).encode())
        else:
            self.serve(path, kind, value)

    def serve(self, path, kind, value):
        body, media_type = self.server.layout.find(path)
        if body is None:
            self.send(404, body=b'{"errors": [{"code": "UNKNOWN", "message": "not here"}]}')
            return
        if kind == "body":
            with open(value, "rb") as file:
                body = file.read()
        digest = self.server.digest_of(body)
        if kind == "flip":
            body = body[:-1] + bytes([body[-1] ^ 1])
        elif kind == "short":
            body = body[:-int(value)]
        elif kind == "extra":
            body += b"x" * int(value)
        elif kind == "gzip":
            body = gzip.compress(body)
        wanted = None if kind == "no-range" else range_of(self.headers.get("Range"), len(body))
        headers = [("Content-Type", value if kind == "type" else media_type),
                   ("Docker-Content-Digest", value if kind == "digest" else digest)]
        if kind == "gzip":
            headers.append(("Content-Encoding", "gzip"))
        if kind == "endless":
            self.send_endless()
            return
        if kind == "chunked":
            self.send_chunked(headers, body[:int(value)].ljust(int(value), b"x"))
            return
        if wanted is None:
            self.send_body(200, headers, body, kind, value)
            return
        if wanted[0] >= len(body):
            self.send(416)
            return
        shift = int(value) if kind == "wrong-range" else 0
        first, last = wanted[0] + shift, min(wanted[1] + shift, len(body) - 1)
        headers.append(("Content-Range", "bytes %d-%d/%d" % (first, last, len(body))))
        if kind == "cut-at":
            value = max(0, int(value) - first)
        self.send_body(206, headers, body[first:last + 1], kind, value)

    def send_body(self, status, headers, body, kind, value):
        self.log(status)
        self.send_response(status)
        for name, header in headers:
            self.send_header(name, header)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if kind == "slow":
            self.send_slowly(body, int(value))
        elif kind in ("cut", "cut-at", "stall"):
            self.wfile.write(body[:int(value)])
            self.wfile.flush()
            time.sleep(90 if kind == "stall" else 0)
            self.close_connection = True
        else:
            self.wfile.write(body)

    def send_chunked(self, headers, body):
        self.log(200)
        self.send_response(200)
        for name, header in headers + [("Transfer-Encoding", "chunked")]:
            self.send_header(name, header)
        self.end_headers()
        for at in range(0, len(body), 1 << 16):
            piece = body[at:at + (1 << 16)]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def send_slowly(self, body, bytes_per_second):
        step = max(bytes_per_second // 10, 1)
        for at in range(0, len(body), step):
            self.wfile.write(body[at:at + step])
            time.sleep(0.1)

    def send_endless(self):
        self.log(200)
        self.send_response(200)
        self.end_headers()
        self.close_connection = True
        for _ in range(1 << 14):
            self.wfile.write(b" " * (64 << 10))

    do_HEAD = do_GET


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    server = Registry(sys.argv[1], sys.argv[2:])
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
