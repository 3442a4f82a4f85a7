#!/usr/bin/env python3
"""A bad line: a TCP proxy in front of a server on this machine, for what that server sends.

usage: registry_proxy.py PORT [rate=BYTES] [cut=BYTES]
prints its own port, serves until it is killed; a line to stderr for each connection that ends:
how many bytes the server sent through it
  rate=BYTES   a second and connection
  cut=BYTES    each connection is closed after so many
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


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    options = dict(word.split("=") for word in sys.argv[2:])
    rate, cut = int(options.get("rate", 0)), int(options.get("cut", 0))
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    print(listener.getsockname()[1], flush=True)
    while True:
        client, _ = listener.accept()
        server = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
        threading.Thread(target=forward, args=(client, server), daemon=True).start()
        threading.Thread(target=answer, args=(client, server, rate, cut), daemon=True).start()


if __name__ == "__main__":
    main()
