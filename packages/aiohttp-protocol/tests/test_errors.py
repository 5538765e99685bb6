"""The tree of errors: as it is drawn, with the status and the facts of each."""

from __future__ import annotations

import copy
import inspect
import pickle
import re

import pytest

from aiohttp.protocol import errors
from aiohttp.protocol.errors import (
    BadRequestLine,
    BodyTooLarge,
    HttpException,
    IncompleteRead,
    InvalidUse,
    LimitExceeded,
    LocalProtocolError,
    MethodNotAllowed,
    PeerDisconnected,
    PeerTooSlow,
    RemoteProtocolError,
)

CLASSES: dict[str, type[HttpException]] = {name: getattr(errors, name) for name in errors.__all__}


def drawn() -> list[tuple[int, str, list[str], int | None]]:
    """Return depth, name, facts and status of each line of the drawing, in its order."""
    found: list[tuple[int, str, list[str], int | None]] = []
    for line in inspect.getdoc(errors).splitlines()[2:]:  # type: ignore[union-attr]
        match = re.match(r"([│├└─ ]*)(\w+)(.*?)([0-9]{3})?$", line)
        if not line.strip() or match is None:
            break
        facts = re.findall(r"\.(\w+)", match[3])
        status = int(match[4]) if match[4] else None
        found.append((len(match[1]) // 4, match[2], facts, status))
    return found


def test_every_error_is_drawn() -> None:
    """The drawing shows exactly the classes of the module."""
    names = [name for _, name, _, _ in drawn()]
    assert sorted(names) == sorted(errors.__all__)
    defined = {
        name
        for name, value in vars(errors).items()
        if inspect.isclass(value) and issubclass(value, Exception)
    }
    assert defined == set(names)


def test_every_branch_is_drawn_where_it_grows() -> None:
    """In the drawing a class hangs below its base."""
    path: list[str] = []
    for depth, name, _, _ in drawn():
        del path[depth:]
        bases = [base.__name__ for base in CLASSES[name].__bases__]
        assert bases[0] == (path[-1] if path else "Exception")
        path.append(name)


def test_every_status_is_drawn() -> None:
    """The drawing gives each class its status; what has none is no answer by itself."""
    for _, name, _, status in drawn():
        assert status == (None if name == "HttpException" else CLASSES[name].status)
        assert 400 <= CLASSES[name].status <= 599


@pytest.mark.parametrize("name", errors.__all__)
def test_facts_are_attributes(name: str) -> None:
    """Each fact in the drawing is an attribute with a default, the message among them."""
    exc = CLASSES[name]("expected this, got that")
    for _, drawn_name, facts, _ in drawn():
        if issubclass(CLASSES[name], CLASSES[drawn_name]):
            for fact in facts:
                assert hasattr(exc, fact)
    assert exc.message == str(exc) == "expected this, got that"
    assert CLASSES[name]().message == ""


@pytest.mark.parametrize("name", errors.__all__)
def test_errors_can_be_copied(name: str) -> None:
    """Errors survive copying and pickling with their facts, as between processes."""
    exc = CLASSES[name]("expected this, got that")
    for other in (copy.copy(exc), pickle.loads(pickle.dumps(exc))):
        assert type(other) is type(exc)
        assert str(other) == str(exc)
        assert other.__dict__ == exc.__dict__


@pytest.mark.parametrize("name", errors.__all__)
def test_blame_is_the_first_branch(name: str) -> None:
    """Every error blames this program or the peer, and never both."""
    ours = issubclass(CLASSES[name], LocalProtocolError)
    theirs = issubclass(CLASSES[name], RemoteProtocolError)
    assert ours + theirs == (name != "HttpException")


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        (LocalProtocolError, ValueError),
        (InvalidUse, ValueError),
        (IncompleteRead, EOFError),
        (PeerDisconnected, ConnectionResetError),
        (PeerDisconnected, OSError),
    ],
)
def test_builtin_kinship(error: type[HttpException], builtin: type[Exception]) -> None:
    """Who only knows Python's own errors catches these by them."""
    with pytest.raises(builtin):
        raise error("expected this, got that")


def test_facts() -> None:
    """The facts are what was given, by name."""
    assert BadRequestLine("no", line="GET").line == "GET"
    assert LimitExceeded("no", name="body", limit=5).name == "body"
    assert BodyTooLarge("no", name="body", limit=5).limit == 5
    assert PeerTooSlow("no", waited=1.5).waited == 1.5
    incomplete = IncompleteRead("no", received=3, expected=5)
    assert (incomplete.received, incomplete.expected) == (3, 5)


def test_allowed_methods_are_sorted() -> None:
    """MethodNotAllowed tells the methods in an order that doesn't change."""
    exc = MethodNotAllowed("no", method="PUT", allowed={"POST", "GET", "HEAD"})
    assert exc.allowed == ("GET", "HEAD", "POST")
