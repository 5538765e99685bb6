"""A server that receives bodies as cheaply as it can: a thread for each connection.

It answers with the number of bytes; with their checksum at ``/checksum/…``.
"""

import re
import socket
import threading
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from bench.worker import announce, end_with_parent, listen

BUFFER = 256 * 1024
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b"


def requests(file: BinaryIO) -> Iterator[tuple[bool, Iterator[memoryview]]]:
    """Yield for each request whether its checksum is wanted, and views of its body."""
    while head := b"".join(iter(file.readline, b"\r\n")):
        length = re.search(rb"\r\ncontent-length: ([0-9]+)", head, re.IGNORECASE)
        sizes = iter([int(length[1])]) if length else chunk_sizes(file)
        yield head.startswith(b"POST /checksum/"), received(file, sizes)


def chunk_sizes(file: BinaryIO) -> Iterator[int]:
    """Yield the sizes of chunks, whose bytes somebody else reads."""
    while size := int(file.readline(), 16):
        yield size
        file.readline()
    file.readline()


def received(file: BinaryIO, sizes: Iterator[int]) -> Iterator[memoryview]:
    """Yield views of one buffer, again and again."""
    view = memoryview(bytearray(BUFFER))
    for size in sizes:
        left = size
        while left:
            count = file.readinto(view[:left])  # type: ignore[attr-defined]
            if not count:
                raise EOFError(f"{left} bytes of {size} didn't come")
            yield view[:count]
            left -= count


def answer(connection: socket.socket) -> None:
    """Answer one request after the other, until the client goes."""
    connection.setblocking(True)
    with connection, connection.makefile("rb", 64 * 1024) as file:
        for wants_checksum, pieces in requests(file):
            size = checksum = 0
            for piece in pieces:
                size += len(piece)
                if wants_checksum:
                    checksum = zlib.crc32(piece, checksum)
            text = f"{checksum if wants_checksum else size}".encode()
            connection.sendall(RESPONSE % (len(text), text))


def main() -> None:
    """Serve until the bench ends."""
    listener = listen()
    listener.setblocking(True)
    announce(listener.getsockname()[1])
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=answer, args=(connection,), daemon=True).start()


if __name__ == "__main__":
    end_with_parent()
    main()
