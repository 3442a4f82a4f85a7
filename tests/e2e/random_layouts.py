#!/usr/bin/env python3
"""Writes random stacks of layers into an OCI layout, one image for each seed, tagged with it.

usage: random_layouts.py LAYERS_CASE FOLDER FIRST COUNT

LAYERS_CASE is build/tests/tools/layers_case, which makes the cases and their tars. Each case is
kept as FOLDER/SEED.case.
"""

import os
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "fixtures"))
from oci_layout import Layer, Layout  # noqa: E402


def output(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout


def guest_names():
    """What vmbake adds where an image lacks it, so that no image lacks it."""
    layer = Layer()
    layer.dir(".")  # umoci and vmbake make up different times for a root that no layer describes
    for path in ("dev", "etc", "proc", "run", "sys", "tmp"):
        layer.dir(path)
    for path in ("etc/hostname", "etc/hosts", "etc/resolv.conf"):
        layer.file(path)
    return layer.bytes()


def main():
    tool, folder, first, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    layout = Layout(folder)
    top = layout.layer(guest_names(), "none")
    for seed in range(first, first + count):
        case = os.path.join(folder, "%d.case" % seed)
        with open(case, "wb") as file:
            file.write(output(tool, "random", str(seed), "calm"))
        layers = [layout.layer(output(tool, "tar", case, str(number + 1)), "none")
                  for number in range(int(output(tool, "count", case)))]
        layout.tag(layout.manifest(layers + [top]), str(seed))


if __name__ == "__main__":
    main()
