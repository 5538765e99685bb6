"""Which fields get where a name with an underscore poses as another (RFC 9110, section 17.10)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from gunicorn.config import Config
from hypothesis import given
from hypothesis import settings as trial
from hypothesis import strategies as st

from aiohttp.protocol import Exchange, ServerHttpProtocol, Service
from aiohttp.worker.fields import DROP_AMBIGUOUS, FieldRule
from wire import connect

PROXY = ("10.0.0.1", 40000)
STRANGER = ("203.0.113.9", 40000)


def rule(**settings: Any) -> FieldRule:
    """Return the rule by gunicorn's defaults, with 10.0.0.1 as the proxy, and these settings."""
    cfg = Config()
    for name, value in {"forwarded_allow_ips": "10.0.0.1", **settings}.items():
        cfg.set(name, value)
    return FieldRule.of(cfg)


class Sift:
    """An application that notes what the rule keeps, and what it is told by a proxy."""

    def __init__(self, rule: FieldRule) -> None:
        self.rule = rule
        self.kept: list[tuple[str, str]] = []
        self.told: dict[str, str | None] = {}

    async def handle_exchange(self, exchange: Exchange) -> None:
        """Answer without content."""
        self.kept = list(self.rule.kept(exchange))
        self.told = {n: self.rule.told(exchange, n) for n in ("SCRIPT_NAME", "REMOTE_USER")}
        await exchange.respond(204)


async def sift(rule: FieldRule, *fields: str, peername: Any = PROXY) -> tuple[Sift, bytes]:
    """Return what became of a request's fields, and the answer."""
    application = Sift(rule)
    transport = connect(ServerHttpProtocol(Service(application)), peername=peername)
    lines = "".join(f"{field}\r\n" for field in ("Host: x", *fields))
    transport.feed(f"GET / HTTP/1.1\r\n{lines}\r\n".encode("latin-1"))
    for _ in range(5):
        await asyncio.sleep(0)
    transport.abort()
    return application, transport.written


async def kept(rule: FieldRule, *fields: str, peername: Any = PROXY) -> list[str]:
    """Return the names that are kept of these fields."""
    application, _ = await sift(rule, *fields, peername=peername)
    return [name for name, _ in application.kept if name != "Host"]


async def told(rule: FieldRule, *fields: str, peername: Any = PROXY) -> dict[str, str | None]:
    """Return what is told by these fields."""
    application, _ = await sift(rule, *fields, peername=peername)
    return application.told


async def test_usual_fields_pass_as_they_are() -> None:
    """In order, in their spelling, each line."""
    fields = ("Accept: a", "X-Two: 1", "ACCEPT: b")
    assert await kept(DROP_AMBIGUOUS, *fields) == ["Accept", "X-Two", "ACCEPT"]


@pytest.mark.parametrize("peername", [PROXY, STRANGER, ""])
async def test_ambiguous_names_are_dropped(peername: Any) -> None:
    """By default, whoever sends them; the others stay."""
    fields = ("Accept: a", "X_Forwarded_For: 127.0.0.1", "Content_Length: 5", "_: 1", "X-Two: 1")
    assert await kept(rule(), *fields, peername=peername) == ["Accept", "X-Two"]


async def test_ambiguous_names_are_refused() -> None:
    """With 400 and the name, if gunicorn is told so."""
    application, answer = await sift(rule(header_map="refuse"), "X_Forwarded_For: 127.0.0.1")
    assert application.kept == []
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"a field name without an underscore, got 'X_Forwarded_For'" in answer


async def test_ambiguous_names_get_in_where_that_is_wanted() -> None:
    """Dangerous, as the setting says."""
    assert await kept(rule(header_map="dangerous"), "X_A: 1", peername=STRANGER) == ["X_A"]


@pytest.mark.parametrize("header_map", ["drop", "refuse"])
async def test_forwarder_may_send_its_names(header_map: str) -> None:
    """Those of forwarder_headers, whatever else is dropped or refused."""
    fields = ("SCRIPT_NAME: /a", "Path_Info: /b")
    assert await kept(rule(header_map=header_map), *fields) == ["SCRIPT_NAME", "Path_Info"]
    assert await kept(rule(header_map=header_map), *fields, peername="") != []


async def test_forwarder_may_send_every_name() -> None:
    """If that is what the setting says."""
    assert await kept(rule(forwarder_headers="*"), "X_A: 1", "X_B: 2") == ["X_A", "X_B"]


async def test_stranger_may_not_send_the_names_of_forwarders() -> None:
    """It could choose under which path it is asked for, or who it is."""
    for settings in ({}, {"forwarder_headers": "*"}):
        names = await kept(rule(**settings), "SCRIPT_NAME: /a", peername=STRANGER)
        assert names == []


# What a forwarder tells.

SAID = ("SCRIPT_NAME: /a", "REMOTE_USER: ann")
BOTH = {"forwarder_headers": "SCRIPT_NAME,REMOTE_USER"}


async def test_forwarder_tells() -> None:
    """What it is named for; of REMOTE_USER nobody is by default."""
    assert await told(rule(), *SAID) == {"SCRIPT_NAME": "/a", "REMOTE_USER": None}
    assert await told(rule(**BOTH), *SAID) == {"SCRIPT_NAME": "/a", "REMOTE_USER": "ann"}
    assert await told(rule(**BOTH)) == {"SCRIPT_NAME": None, "REMOTE_USER": None}


@pytest.mark.parametrize("settings", [{}, {"header_map": "dangerous"}, {"forwarder_headers": "*"}])
async def test_stranger_tells_nothing(settings: dict[str, str]) -> None:
    """Not even where every name gets in, as with gunicorn's own workers."""
    found = await told(rule(**settings), *SAID, peername=STRANGER)
    assert found == {"SCRIPT_NAME": None, "REMOTE_USER": None}


async def test_hyphens_tell_nothing() -> None:
    """A field that a client can always get through isn't the one that a proxy sets."""
    fields = ("Script-Name: /a", "Remote-User: root")
    assert await told(rule(**BOTH), *fields) == {"SCRIPT_NAME": None, "REMOTE_USER": None}


async def test_what_is_told_twice_is_refused() -> None:
    """One of both would be the client's; the same again does no harm."""
    _, answer = await sift(rule(**BOTH), *SAID, "REMOTE_USER: root")
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"expected one REMOTE_USER from the proxy, got 'ann', 'root'" in answer
    assert (await told(rule(**BOTH), *SAID, "remote_user: ann"))["REMOTE_USER"] == "ann"


@trial(deadline=None)  # each begins by making a loop
@given(st.lists(st.text(alphabet="ab-_", min_size=1, max_size=6), max_size=5))
def test_no_ambiguous_name_gets_in(names: list[str]) -> None:
    """Whatever names a client invents, those without an underscore are kept, and no others."""
    fields = [f"x{name}: 1" for name in names]
    found = asyncio.run(kept(DROP_AMBIGUOUS, *fields))
    assert found == [f"x{name}" for name in names if "_" not in name]


def test_rule_shows_itself() -> None:
    """With what it was told."""
    assert repr(rule()) == "<FieldRule drop, PATH_INFO, SCRIPT_NAME from forwarders>"
    assert repr(DROP_AMBIGUOUS) == "<FieldRule drop, nothing from forwarders>"
