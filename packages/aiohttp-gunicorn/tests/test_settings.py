"""gunicorn's settings and our variables as limits of a connection; what can't be followed."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping
from typing import Any

import pytest
from gunicorn.config import Config
from hypothesis import given
from hypothesis import strategies as st

from aiohttp.protocol import DEFAULT_LIMITS, Limits
from aiohttp.worker.boot import BootError
from aiohttp.worker.settings import SET_BY_GUNICORN, check, limits_of


def config(**settings: Any) -> Any:
    """Return gunicorn's defaults with these settings."""
    cfg = Config()
    for name, value in settings.items():
        cfg.set(name, value)
    return cfg


def limits(environ: Mapping[str, str] | None = None, /, **settings: Any) -> Limits:
    """Return the limits by gunicorn's defaults, these settings and this environment."""
    return limits_of(config(**settings), environ or {})


def test_defaults() -> None:
    """Without settings gunicorn's own defaults hold, and ours where it has none."""
    assert limits().line == 4094
    assert limits().field_line == 8190
    assert limits().fields == 100
    assert limits().keep_alive == 2
    assert limits().connections == 1000
    assert limits().head_time == DEFAULT_LIMITS.head_time


def test_keep_alive_of_0() -> None:
    """A keepalive of 0 is none."""
    assert limits(keepalive=0).keep_alive == 0


def test_line_that_is_unlimited_has_a_bound() -> None:
    """Where gunicorn says unlimited, a line has a mebibyte, and the head room for it."""
    found = limits(limit_request_line=0, limit_request_field_size=0)
    assert found.line == found.field_line == 1024 * 1024
    assert found.head >= found.line + found.field_line


@pytest.mark.parametrize("setting", [0, 1_000_000])
def test_number_of_fields_has_a_bound(setting: int) -> None:
    """Gunicorn takes 32768 fields at most; 0 doesn't refuse every request."""
    assert limits(limit_request_fields=setting).fields == 32768


def test_head_stays_bounded() -> None:
    """Small lines don't make the head as a whole smaller than usual."""
    assert limits(limit_request_line=100).head == DEFAULT_LIMITS.head


def test_no_connections_at_all() -> None:
    """A worker that may have none would start, and leave its clients in the backlog."""
    with pytest.raises(BootError, match="worker_connections is 0, so nobody would be served"):
        check(config(worker_connections=0), logging.getLogger())


# Limits in the environment.


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("BODY", "10485760", 10_485_760),
        ("BODY", "none", None),
        ("BODY_TIME", "2.5", 2.5),
        ("HEAD_TIME", "5", 5.0),
        ("HEAD", "100000", 100_000),
        ("REQUESTS", "0", 0),
    ],
)
def test_limit_of_the_environment(name: str, text: str, value: float | None) -> None:
    """What gunicorn has no setting for has a variable: bytes, seconds, or a number of things."""
    found = limits({f"AIOHTTP_LIMIT_{name}": text, "PATH": "/bin", "AIOHTTP_LIMITS": "x"})
    assert getattr(found, name.lower()) == value
    assert type(getattr(found, name.lower())) is type(value)


def test_every_limit_can_be_set() -> None:
    """By a setting of gunicorn, or by a variable."""
    names = {each.name for each in dataclasses.fields(Limits) if each.init}
    for name in names - set(SET_BY_GUNICORN):
        assert getattr(limits({f"AIOHTTP_LIMIT_{name.upper()}": "7"}), name) == 7
    assert set(SET_BY_GUNICORN) < names
    assert set(SET_BY_GUNICORN.values()) <= set(Config().settings)


@pytest.mark.parametrize(
    ("variable", "text", "message"),
    [
        ("BODI", "1", "AIOHTTP_LIMIT_BODI: expected one of HEAD, .*, BODY, .* behind AIO"),
        ("UNCHECKED_HEAD", "1", "expected one of"),
        ("", "1", "AIOHTTP_LIMIT_: expected one of"),
        ("LINE", "1", "AIOHTTP_LIMIT_LINE: use gunicorn's limit_request_line instead"),
        ("KEEP_ALIVE", "1", "use gunicorn's keepalive instead"),
        ("BODY", "1e6", "AIOHTTP_LIMIT_BODY: expected a whole number or 'none', got '1e6'"),
        ("BODY", "1.5", "expected a whole number or 'none', got '1.5'"),
        ("BODY", "", "got ''"),
        ("BODY", "9" * 5000, "got '9999"),
        ("BODY", "-1", "got '-1'"),
        ("BODY", "1_000", "got '1_000'"),
        ("BODY", "\u0661", "got '\u0661'"),
        ("HEAD", "none", "expected a whole number, got 'none'"),
        ("HEAD_TIME", "none", "expected a number of seconds, got 'none'"),
        ("HEAD_TIME", "inf", "expected a number of seconds, got 'inf'"),
        ("HEAD_TIME", ".", r"got '\.'"),
        ("HEAD_TIME", "1.2.3", r"got '1\.2\.3'"),
    ],
)
def test_limit_that_is_none(variable: str, text: str, message: str) -> None:
    """A mistake ends the boot: it would leave a server without the bound that it counts on."""
    with pytest.raises(BootError, match=message):
        limits({f"AIOHTTP_LIMIT_{variable}": text})


@given(st.sampled_from(["BODY", "HEAD_TIME", "RATIO"]), st.text(max_size=8))
def test_any_text_is_a_limit_or_an_error(name: str, text: str) -> None:
    """No text becomes a bound that nobody wrote."""
    try:
        found = limits({f"AIOHTTP_LIMIT_{name}": text})
    except BootError:
        return
    value = getattr(found, name.lower())
    assert value is None if text == "none" else value == float(text) >= 0


# What can't be followed.


class Log:
    """Keeps warnings."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def warning(self, template: str, *args: object) -> None:
        """Keep one line."""
        self.lines.append(template % args)


def warnings(**settings: Any) -> list[str]:
    """Return what is said of these settings when a worker boots."""
    log = Log()
    check(config(**settings), log)
    return log.lines


def test_defaults_are_followed() -> None:
    """Nothing is said of them."""
    assert warnings() == []


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("http_protocols", "h2,h1", "HTTP/1.1 is spoken, but not HTTP/2"),
        ("http2_cleartext", "prior-knowledge", "HTTP/1.1 is spoken, but not HTTP/2"),
        ("casefold_http_method", True, "methods are taken as they come"),
        ("permit_obsolete_folding", True, "folded lines is refused"),
        ("permit_unconventional_http_version", True, "only versions 1.x are spoken"),
        ("strip_header_spaces", True, "a space before a colon is refused"),
    ],
)
def test_what_is_not_followed_is_said(setting: str, value: object, message: str) -> None:
    """With what is done instead; the same value as by default is no wish."""
    (line,) = warnings(**{setting: value})
    assert line.startswith(f"{setting} = ")
    assert message in line
    assert warnings(**{setting: Config().settings[setting].default}) == []


def test_uwsgi_is_no_http() -> None:
    """Nobody who speaks it would be understood: the worker doesn't start."""
    with pytest.raises(BootError, match=r"protocol is 'uwsgi', but .* 'http' only.*proxy_pass"):
        check(config(protocol="uwsgi"), Log())
