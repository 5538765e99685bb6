"""Many connections to a server, on each of which a small GET is under way all the time.

wrk opens its connections while it measures; here they are open before.
"""

from __future__ import annotations

import select
import socket
import time

from bench.worker import answer_lines

REQUEST = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
OK = b"HTTP/1.1 200 "


class Crowd:
    """The connections."""

    def __init__(self) -> None:
        self.poll = select.epoll()
        self.connections: dict[int, socket.socket] = {}

    def open(self, port: str, count: str) -> int:
        """Open so many, and let each make a request."""
        for _ in range(int(count)):
            connection = socket.create_connection(("127.0.0.1", int(port)), 20)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(REQUEST)
            expect_ok(connection.recv(4096))
            self.connections[connection.fileno()] = connection
            self.poll.register(connection, select.EPOLLIN)
        return len(self.connections)

    def load(self, seconds: str) -> tuple[float, int]:
        """Keep a request under way on each, for so many seconds.

        Return how many it were, as the last ones are waited for, and how many answers came.
        """
        connections, poll = self.connections, self.poll.poll
        for connection in connections.values():
            connection.send(REQUEST)
        done, waiting = 0, len(connections)
        began = time.perf_counter()
        end = began + float(seconds)
        while waiting:
            is_over = time.perf_counter() >= end
            for number, _ in poll(20, 256):
                connection = connections[number]
                expect_ok(connection.recv(4096))
                done += 1
                if is_over:
                    waiting -= 1
                else:
                    connection.send(REQUEST)
        return time.perf_counter() - began, done

    def close(self) -> int:
        """Close them all."""
        for connection in self.connections.values():
            self.poll.unregister(connection)
            connection.close()
        self.connections.clear()
        return 0


def expect_ok(data: bytes) -> None:
    """Make sure that a request was answered, in one piece as it is small."""
    if not data.startswith(OK) or not data.endswith(b"Hello, world"):
        raise ValueError(f"expected 200 and 'Hello, world', got {data!r}")


if __name__ == "__main__":
    crowd = Crowd()
    answer_lines({"open": crowd.open, "load": crowd.load, "close": crowd.close})
