"""Rule 9: what goes out passes one validator: nothing that is given can become a line."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from aiohttp.protocol.errors import LocalProtocolError
from aiohttp.protocol.http1.body import ChunkedWriter
from aiohttp.protocol.http1.encode import encode_fields, encode_request_line, encode_status_line
from aiohttp.protocol.multipart import MultipartEncoder

LINE_BREAKS = ["a\r\nEvil: 1", "a\r\n\r\nGET / HTTP/1.1", "a\nEvil: 1", "a\rEvil: 1"]
CONTROLS = ["a\0b", "a\x0bb", "a\x7f"]
# CR and LF, if somebody keeps only the low byte of a character.
HIDDEN_LINE_BREAKS = ["a\u010d\u010aEvil: 1", "a\u560d\u560aEvil: 1"]

DOORS: dict[str, Callable[[str], object]] = {
    "CVE-2023-49081 version": lambda evil: encode_request_line("GET", "/", evil),  # type: ignore[arg-type]
    "CVE-2023-49082 method": lambda evil: encode_request_line(evil, "/"),
    "target": lambda evil: encode_request_line("GET", f"/{evil}"),
    "absolute target": lambda evil: encode_request_line("GET", f"http://{evil}/"),
    "CVE-2026-34519 reason": lambda evil: encode_status_line(200, evil),
    "CVE-2025-67724 reason of an unknown status": lambda evil: encode_status_line(599, evil),
    "status": lambda evil: encode_status_line(f"200 {evil}"),  # type: ignore[arg-type]
    "CVE-2020-7695 value": lambda evil: encode_fields([("A", evil)]),
    "CVE-2020-7695 name": lambda evil: encode_fields([(evil, "a")]),
    "CVE-2025-57804 value of a known field": lambda evil: encode_fields([("Host", evil)]),
    "Content-Length": lambda evil: encode_fields([("Content-Length", evil)]),
    "Transfer-Encoding": lambda evil: encode_fields([("Transfer-Encoding", evil)]),
    "Connection": lambda evil: encode_fields([("Connection", evil)]),
    "cookie": lambda evil: encode_fields([("Set-Cookie", f"a={evil}")]),
    "CVE-2026-35536 cookie attribute": lambda evil: encode_fields(
        [("Set-Cookie", f"a=b; Domain={evil}")]
    ),
    "trailer": lambda evil: ChunkedWriter().finish([("A", evil)]),
    "name of a trailer": lambda evil: ChunkedWriter().finish([(evil, "a")]),
}


# The heads of parts are UTF-8, so that these may have other characters.
DOORS_OF_PARTS: dict[str, Callable[[str], object]] = {
    "CVE-2026-34514 type of a part": lambda evil: MultipartEncoder().add_field(
        "a", b"b", content_type=evil
    ),
    "CVE-2026-50269 field of a part": lambda evil: MultipartEncoder("mixed").add_part(
        b"b", [("A", evil)]
    ),
    "boundary": lambda evil: MultipartEncoder(boundary=evil),
}


@pytest.mark.parametrize("evil", LINE_BREAKS + CONTROLS + HIDDEN_LINE_BREAKS, ids=ascii)
@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS.keys())
def test_door(door: Callable[[str], object], evil: str) -> None:
    """No argument of any encoder lets a line break or a control through."""
    with pytest.raises(LocalProtocolError):
        door(evil)


@pytest.mark.parametrize("evil", LINE_BREAKS + CONTROLS, ids=ascii)
@pytest.mark.parametrize("door", DOORS_OF_PARTS.values(), ids=DOORS_OF_PARTS.keys())
def test_door_of_a_part(door: Callable[[str], object], evil: str) -> None:
    """Nor does one into the head of a part."""
    with pytest.raises(LocalProtocolError):
        door(evil)


@pytest.mark.parametrize("evil", LINE_BREAKS, ids=ascii)
def test_names_in_a_form_are_escaped(evil: str) -> None:
    """CVE-2026-50269: names of fields and files come from users, so they are escaped."""
    form = MultipartEncoder(boundary="b")
    form.add_field(evil, b"c", filename=evil)
    head = b"".join(form).partition(b"\r\n\r\n")[0]
    assert head.startswith(b'--b\r\nContent-Disposition: form-data; name="a%0')
    assert b"\nEvil" not in head.replace(b"\r", b"\n")
