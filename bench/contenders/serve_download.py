"""A server of large bodies that costs as little as it can: a thread for each connection."""

import random
import re
import socket
import threading

from bench.worker import announce, end_with_parent, listen

BLOCK = 1_000_000
HEAD = "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: {}\r\n\r\n"


def answer(connection: socket.socket, block: bytes) -> None:
    """Send as many bytes as each target says, until the client goes."""
    connection.setblocking(True)
    with connection:
        while request := connection.recv(65536):
            found = re.match(rb"GET /([0-9]+) ", request)
            left = int(found[1]) if found else 0
            connection.sendall(HEAD.format(left).encode())
            while left > 0:
                connection.sendall(block if left >= BLOCK else block[:left])
                left -= BLOCK


def main() -> None:
    """Serve until the bench ends."""
    listener = listen()
    listener.setblocking(True)
    announce(listener.getsockname()[1])
    block = random.Random(2014).randbytes(BLOCK)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=answer, args=(connection, block), daemon=True).start()


if __name__ == "__main__":
    end_with_parent()
    main()
