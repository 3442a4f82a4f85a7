#!/usr/bin/env python3
"""A bad line: a TCP proxy in front of a server on this machine, for what that server sends.

usage: registry_proxy.py PORT [rate=BYTES] [cut=BYTES] [connect=FILE]
prints its own port, serves until it is killed; a line to stderr for each connection that ends:
how many bytes the server sent through it
  rate=BYTES   a second and connection
  cut=BYTES    each connection is closed after so many
  connect=FILE it is a web proxy: what a client asks for by CONNECT is that server, whatever its
               name; the requests go to FILE
"""

import socket
import sys
import threading
import time

CHUNK = 64 << 10


def forward(source, target):
    try:
        while data := source.recv(CHUNK):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def answer(client, server, rate, cut):
    sent, start = 0, time.monotonic()
    try:
        while data := server.recv(min(CHUNK, cut - sent if cut else CHUNK)):
            client.sendall(data)
            sent += len(data)
            if cut and sent >= cut:
                break
            if rate:
                time.sleep(max(0, start + sent / rate - time.monotonic()))
    except OSError:
        pass
    for side in (client, server):
        try:
            side.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
    sys.stderr.write("%d\n" % sent)
    sys.stderr.flush()


def accept_connect(client, path):
    """Reads the request up to its empty line and says that the tunnel is there."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = client.recv(1)
        if not byte:
            return
        head += byte
    with open(path, "ab") as file:
        file.write(head)
    client.sendall(b"HTTP/1.1 200 here it is\r\n\r\n")


def serve(client, options):
    if "connect" in options:
        accept_connect(client, options["connect"])
    server = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    threading.Thread(target=forward, args=(client, server), daemon=True).start()
    answer(client, server, int(options.get("rate", 0)), int(options.get("cut", 0)))


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    options = dict(word.split("=") for word in sys.argv[2:])
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    print(listener.getsockname()[1], flush=True)
    while True:
        client, _ = listener.accept()
        threading.Thread(target=serve, args=(client, options), daemon=True).start()


if __name__ == "__main__":
    main()
