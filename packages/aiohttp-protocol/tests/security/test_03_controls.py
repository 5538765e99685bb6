"""Rule 3: bare CR, bare LF, NUL and other controls are refused, in and out, at any cut."""

from __future__ import annotations

import pytest

from aiohttp.protocol.errors import LocalProtocolError, RemoteProtocolError
from aiohttp.protocol.http1.encode import encode_fields, encode_request_line, encode_status_line
from aiohttp.protocol.http1.head import (
    HeadCollector,
    parse_request_head,
    parse_response_head,
)
from aiohttp.protocol.limits import DEFAULT_LIMITS
from wire import cuts

CONTROLS = [*range(0x09), *range(0x0A, 0x20), 0x7F]


def refuses(data: bytes, *, is_request: bool) -> bool:
    """Tell whether ``data`` is refused under every cut."""
    parse = parse_request_head if is_request else parse_response_head
    verdicts: set[bool] = set()
    for pieces in cuts(data):
        collector = HeadCollector(DEFAULT_LIMITS, is_request=is_request)
        try:
            for piece in pieces:
                if found := collector.feed(piece):
                    parse(found[0])
                    break
            verdicts.add(False)
        except RemoteProtocolError:
            verdicts.add(True)
    assert len(verdicts) == 1, "another cut, another verdict"
    return verdicts.pop()


REQUESTS = {
    "CVE-2023-37276 CR begins a field": b"GET / HTTP/1.1\r\nHost: a\r\nA: b\rEvil: 1\r\n\r\n",
    "CVE-2023-37276 CR hides CL": b"GET / HTTP/1.1\r\nHost: a\r\nA: b\rContent-Length: 9\r\n\r\n",
    "GHSA-pjjw-qhg8-p2p9 space before colon": (
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length : 5\r\n\r\n"
    ),
    "GHSA-pjjw-qhg8-p2p9 folded TE": (
        b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n"
    ),
    "CVE-2023-47627 name with brackets": b"GET / HTTP/1.1\r\nHost: a\r\nA[0]: b\r\n\r\n",
    "CVE-2023-47627 two colons": b"GET / HTTP/1.1\r\nHost: a\r\n::b\r\n\r\n",
    "CVE-2023-47627 tab as separator": b"GET\t/\tHTTP/1.1\r\nHost: a\r\n\r\n",
    "CVE-2024-23829 wide name": b"GET / HTTP/1.1\r\nHost: a\r\n\xe3\x83\x9b: b\r\n\r\n",
    "CVE-2024-23829 wide method": b"G\xc3\x89T / HTTP/1.1\r\nHost: a\r\n\r\n",
    "CVE-2024-23829 NUL in a name": b"GET / HTTP/1.1\r\nHost: a\r\nA\0: b\r\n\r\n",
    "CVE-2024-23829 odd version": b"GET / HTTP/1.1\x0c\r\nHost: a\r\n\r\n",
    "CVE-2019-16785 bare LF": b"GET / HTTP/1.1\nHost: a\n\n",
    "CVE-2019-16785 bare LF in a value": b"GET / HTTP/1.1\r\nHost: a\r\nA: b\nEvil: 1\r\n\r\n",
    "#13136 bare LF as the end": b"GET / HTTP/1.1\r\nHost: a\r\n\n\r\n\r\n",
}


@pytest.mark.parametrize("data", REQUESTS.values(), ids=REQUESTS.keys())
def test_request(data: bytes) -> None:
    """No line of a request can be taken for two, nor two for one, wherever it is cut."""
    assert refuses(data, is_request=True)


@pytest.mark.parametrize("control", CONTROLS, ids=hex)
def test_control_in_a_value(control: int) -> None:
    """CVE-2026-34520, CVE-2023-37276: no control is let through in a value, either way."""
    value = b"b%cc" % control
    assert refuses(b"GET / HTTP/1.1\r\nHost: a\r\nA: %b\r\n\r\n" % value, is_request=True)
    # A client takes LF for a line end (RFC 9112, section 2.2): then "c" is no field line.
    assert refuses(b"HTTP/1.1 200 OK\r\nA: %b\r\n\r\n" % value, is_request=False)
    with pytest.raises(LocalProtocolError):
        encode_fields([("A", value.decode())])


@pytest.mark.parametrize("control", [0x09, *CONTROLS], ids=hex)
def test_control_in_the_first_line(control: int) -> None:
    """No control is let through in a request line; a tab only in a reason."""
    char = chr(control)
    for line in (b"G%cT / HTTP/1.1", b"GET /%c HTTP/1.1", b"GET / HTTP/1.1%c"):
        data = line % control + b"\r\nHost: a\r\n\r\n"
        assert refuses(data, is_request=True)
    with pytest.raises(LocalProtocolError):
        encode_request_line(f"G{char}T", "/")
    with pytest.raises(LocalProtocolError):
        encode_request_line("GET", f"/{char}")
    if control == 0x09:
        return
    assert refuses(b"HTTP/1.1 200 O%cK\r\n\r\n" % control, is_request=False)
    with pytest.raises(LocalProtocolError):
        encode_status_line(200, f"O{char}K")


@pytest.mark.parametrize("control", [0x09, *CONTROLS], ids=hex)
def test_control_in_a_name(control: int) -> None:
    """No control is let through in a name, at its beginning, in it or at its end."""
    for name in (b"%cA", b"A%cB", b"A%c"):
        line = name % control + b": b\r\n\r\n"
        assert refuses(b"GET / HTTP/1.1\r\nHost: a\r\n" + line, is_request=True)
        if control not in (0x09, 0x0A):  # a fold, and a line end
            assert refuses(b"HTTP/1.1 200 OK\r\nC: d\r\n" + line, is_request=False)
        with pytest.raises(LocalProtocolError):
            encode_fields([((name % control).decode(), "b")])
