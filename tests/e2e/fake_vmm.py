#!/usr/bin/env python3
"""Stands in for firecracker and cloud-hypervisor, by the name that it is called: reads what a VMM
would be told, shows it on the console, waits for the request to stop if the settings' cmd says so,
and tells the end of its guest over its vsock.
"""

import json
import os
import socket
import struct
import sys


def firecracker(words):
    """(kernel arguments, settings drive, vsock's path, path of the request to stop, API socket)"""
    config = json.load(open(words[words.index("--config-file") + 1], encoding="utf-8"))
    drives = {drive["drive_id"]: drive["path_on_host"] for drive in config["drives"]}
    assert os.path.exists(config["boot-source"]["kernel_image_path"])
    return (config["boot-source"]["boot_args"], drives["settings"], config["vsock"]["uds_path"],
            "/actions", words[words.index("--api-sock") + 1])


def cloud_hypervisor(words):
    def value(option, member, offset=1):
        members = words[words.index(option) + offset].split(",")
        return dict(pair.split("=", 1) for pair in members)[member]

    assert value("--disk", "serial", 2) == "vmbake-run"
    return (words[words.index("--cmdline") + 1], value("--disk", "path", 2),
            value("--vsock", "socket"), "/api/v1/vm.power-button", value("--api-socket", "path"))


def read_settings(path):
    with open(path, "rb") as file:
        disk = file.read()
    assert disk.startswith(b"vmbake-run/1\0\0\0\0") and len(disk) % 512 == 0
    length = struct.unpack("<I", disk[16:20])[0]
    return json.loads(disk[20:20 + length])


def wait_for_stop(api, request):
    connection = api.accept()[0]
    heard = connection.recv(4096).decode()
    assert heard.startswith(f"PUT {request} HTTP/1.1\r\n"), heard


def main():
    name = os.path.basename(sys.argv[0])
    told = firecracker if name == "firecracker" else cloud_hypervisor
    arguments, drive, vsock, request, api_path = told(sys.argv[1:])
    settings = read_settings(drive)
    api = socket.socket(socket.AF_UNIX)
    api.bind(api_path)
    api.listen(1)
    print(f"{name}: {arguments}\r\n{json.dumps(settings)}\r", flush=True)
    if settings["cmd"] == ["wait"]:
        wait_for_stop(api, request)
    port = arguments.split("vmbake.report-vsock-port=")[1].split()[0]
    report = socket.socket(socket.AF_UNIX)
    report.connect(f"{vsock}_{port}")
    report.sendall(b'{"vmbake-exit":1,"code":5,"gpu":{"verdict":"not-asked","count":0}}\n')


main()
