"""h11: the reference for reading the RFC strictly in plain Python."""

import h11
from multidict import CIMultiDict, CIMultiDictProxy

from bench.contenders.parse import serve


def headers_of(event):
    """Return an event's fields, names in their original spelling."""
    return CIMultiDictProxy(
        CIMultiDict(
            [
                (name.decode("latin-1"), value.decode("latin-1"))
                for name, value in event.headers.raw_items()
            ]
        )
    )


def keeps_alive(event, headers):
    """Say what h11 decides within its connection, from a head alone."""
    return event.http_version == b"1.1" and headers.get("Connection", "").lower() != "close"


def parse_request(data):
    """Parse one head; h11 has no smaller unit than a connection."""
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(data)
    event = connection.next_event()
    headers = headers_of(event)
    return event.method.decode(), event.target.decode(), headers, keeps_alive(event, headers)


def parse_response(data):
    """Parse one head, as the answer to a request that was just sent."""
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method="GET", target="/", headers=[("Host", "example.com")]))
    connection.receive_data(data)
    event = connection.next_event()
    headers = headers_of(event)
    return event.status_code, event.reason.decode(), headers, keeps_alive(event, headers)


if __name__ == "__main__":
    serve(parse_request, parse_response)
