"""Options of serving: their names, and what a listener gets of them."""

from __future__ import annotations

import logging
from typing import Any, ClassVar

import pytest

from aiohttp.abc import AbstractAccessLogger
from aiohttp.protocol import Exchange, Limits, Service, TrustedProxies, access_logger
from aiohttp.server.options import listener_options


class Recorder(AbstractAccessLogger):
    """An access logger that notes what it gets."""

    formats: ClassVar[list[str]] = []
    lines: ClassVar[list[Any]] = []

    def __init__(self, logger: logging.Logger, log_format: str) -> None:
        super().__init__(logger, log_format)
        self.formats.append(log_format)

    def log(self, request: Any, response: Any, time: float) -> None:
        self.lines.append(request)


class OverExchange:
    """What a log asks of an exchange that is over."""

    request = None
    response_status = 200
    started = 0.0
    body_sent = 0
    sent_fields = ()


def test_limits_have_names_of_their_own() -> None:
    """The names of aiohttp 3 stand for one limit each, and win over ``limits``."""
    found = listener_options(
        {
            "limits": Limits(line=10, fields=20),
            "keepalive_timeout": 1.0,
            "lingering_time": 2.0,
            "max_line_size": 300,
            "max_field_size": 400,
            "read_bufsize": 500,
            "max_headers": None,
        }
    )["limits"]
    expected = Limits(
        keep_alive=1.0, linger=2.0, line=300, field_line=400, read_buffer=500, fields=20
    )
    assert found == expected


def test_defaults_are_those_of_listener() -> None:
    """Who says nothing gets the usual limits, and pays for nothing."""
    assert listener_options({}) == {"limits": Limits()}
    assert listener_options({"loop": None, "limits": None}) == {"limits": Limits()}


def test_what_a_service_takes_is_handed_on() -> None:
    """Under the same name."""
    given = {"server": "x/1", "tcp_keepalive": False, "allowed_methods": {"GET"}}
    assert listener_options(given) == {"limits": Limits(), **given}


def test_trusted_networks_may_be_strings() -> None:
    """One string would be a network for each of its characters."""
    found = listener_options({"trusted_proxies": ["10.0.0.0/8"]})["trusted_proxies"]
    assert isinstance(found, TrustedProxies)
    assert listener_options({"trusted_proxies": found})["trusted_proxies"] is found
    with pytest.raises(TypeError, match=r"such as \['10\.0\.0\.0/8'\], got '10\.0\.0\.1'"):
        listener_options({"proxy_protocol": "10.0.0.1"})


def test_unknown_option_is_refused_with_a_hint() -> None:
    """A slip of the pen would do nothing, and nobody would notice."""
    with pytest.raises(TypeError, match=r"'keep_alive_timeout' is no option.* keepalive_timeout"):
        listener_options({"keep_alive_timeout": 1})
    with pytest.raises(TypeError, match="'zzz' is no option of a connection: there are access_log"):
        listener_options({"zzz": 1})
    with pytest.raises(TypeError, match=r"logger is no option here: give it to web\.Application"):
        listener_options({"logger": None})


async def test_access_log_is_written_at_info(caplog: pytest.LogCaptureFixture) -> None:
    """It is on where the logger's level is, and a class and a format may be given."""
    caplog.set_level(logging.INFO, "aiohttp.access")
    Recorder.lines.clear()
    found = listener_options({"access_log_class": Recorder, "access_log_format": "%r"})
    assert Recorder.formats[-1] == "%r"
    exchange: Any = OverExchange()
    (write,) = found["observers"]
    write(exchange)
    assert len(Recorder.lines) == 1


def test_access_log_that_is_off_costs_nothing() -> None:
    """No logger, or one whose level is above INFO: nothing is called."""
    assert "observers" not in listener_options({"access_log": None})
    assert not access_logger.isEnabledFor(logging.INFO)
    assert "observers" not in listener_options({"access_log": access_logger})


async def test_own_observer_and_access_log_are_both_called(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Even if the first one fails."""
    caplog.set_level(logging.INFO, "aiohttp.access")
    Recorder.lines.clear()

    def fail(exchange: Exchange) -> None:
        raise ValueError("own")

    found = listener_options({"access_log_class": Recorder, "on_exchange": fail})
    exchange: Any = OverExchange()
    Service(**found).report(exchange)
    assert "ValueError: own" in caplog.text
    assert len(Recorder.lines) == 1
