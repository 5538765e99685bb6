"""Receives whatever a server sends until it closes, into one buffer, and looks at none of it."""

from __future__ import annotations

import socket
import time

from bench.worker import answer_lines

REQUEST = "GET {} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
BUFFER = memoryview(bytearray(256 * 1024))


def drain(port: str, target: str, seconds: str) -> dict[str, float]:
    """Ask for this target again and again, for so many seconds; count responses and bytes."""
    began = time.perf_counter()
    times = size = 0
    while time.perf_counter() - began < float(seconds):
        size += receive(int(port), target)
        times += 1
    return {"times": times, "bytes": size, "seconds": time.perf_counter() - began}


def receive(port: int, target: str) -> int:
    """Return how many bytes came, the head's among them."""
    size = 0
    with socket.create_connection(("127.0.0.1", port), 20) as connection:
        connection.sendall(REQUEST.format(target).encode())
        while count := connection.recv_into(BUFFER):
            size += count
    return size


if __name__ == "__main__":
    answer_lines({"drain": drain})
