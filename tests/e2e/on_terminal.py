#!/usr/bin/env python3
"""Runs a command on a terminal of its own and types: KEYS each time WORD has been shown. What is
shown goes to standard output; the command's exit code is its own.
usage: on_terminal.py WORD=KEYS... -- COMMAND...      KEYS as Python spells them: \\r, \\x1d
"""

import os
import pty
import sys


def main():
    split = sys.argv.index("--")
    typed = [pair.split("=", 1) for pair in sys.argv[1:split]]
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp(sys.argv[split + 1], sys.argv[split + 1:])
    shown = b""
    while True:
        try:
            piece = os.read(terminal, 4096)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        os.write(sys.stdout.fileno(), piece)
        shown += piece
        if typed and typed[0][0].encode() in shown:
            os.write(terminal, typed.pop(0)[1].encode().decode("unicode_escape").encode())
            shown = b""
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


main()
