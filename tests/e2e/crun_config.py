#!/usr/bin/env python3
"""Prints the config.json that docker would give to an OCI runtime for `docker run`.

usage: crun_config.py UID[:GID[,GID...]] CWD HOME HOSTNAME ENV... -- ARGUMENT...
"""

import json
import sys

CAPABILITIES = ["CAP_" + name for name in (
    "CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP"
    " NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE").split()]
SAFE = ["nosuid", "noexec", "nodev"]


def mount(target, kind, options, source=None):
    return {"destination": target, "type": kind, "source": source or kind, "options": options}


MOUNTS = [
    mount("/proc", "proc", SAFE),
    mount("/dev", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=65536k"]),
    mount("/dev/pts", "devpts", ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620",
                                 "gid=5"]),
    mount("/sys", "sysfs", SAFE + ["ro"]),
    mount("/sys/fs/cgroup", "cgroup", SAFE + ["ro"]),
    mount("/dev/mqueue", "mqueue", SAFE),
    mount("/dev/shm", "tmpfs", SAFE + ["mode=1777", "size=65536k"], "shm"),
]
MASKED = ["/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
          "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware"]
READ_ONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]


def main():
    user, folder, home, hostname = sys.argv[1:5]
    env, arguments = sys.argv[5:], []
    if "--" in env:
        arguments = env[env.index("--") + 1:]
        env = env[:env.index("--")]
    ids = [int(number) for number in user.replace(":", ",").split(",")]
    held = CAPABILITIES if ids[0] == 0 else []  # as dockerd does for a user that is not root
    json.dump({
        "ociVersion": "1.0.2",
        "process": {
            "user": {"uid": ids[0], "gid": ids[1], "umask": 0o022, "additionalGids": ids[2:]},
            "args": arguments,
            "env": ["HOSTNAME=" + hostname] + env + ["HOME=" + home],
            "cwd": folder,
            "capabilities": {"bounding": CAPABILITIES, "effective": held, "permitted": held},
            "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 1048576, "hard": 1048576}],
        },
        "root": {"path": "rootfs"},
        "hostname": hostname,
        "mounts": MOUNTS,
        "linux": {
            "namespaces": [{"type": kind} for kind in ("pid", "mount", "ipc", "uts", "network")],
            "maskedPaths": MASKED,
            "readonlyPaths": READ_ONLY,
        },
    }, sys.stdout, indent=2)


if __name__ == "__main__":
    main()
