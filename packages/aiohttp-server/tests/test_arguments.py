"""``server/arguments.py``: what the command line takes, and what it says to mistakes."""

from __future__ import annotations

import pytest

from aiohttp.protocol import DEFAULT_LIMITS
from aiohttp.server.arguments import for_worker, limits_of, parse_arguments


def test_defaults() -> None:
    """A target alone is enough."""
    options = parse_arguments(["shop:app"], "serve")
    assert (options.target, options.rest) == ("shop:app", [])
    assert (options.host, options.port, options.unix) == (None, None, None)
    assert (options.workers, options.reload, options.shutdown_timeout) == (1, False, 25.0)
    assert options.access_log is None
    assert limits_of(options) == DEFAULT_LIMITS


def test_names_of_aiohttp_3() -> None:
    """``-H``, ``-P`` and ``-U`` mean what they mean in aiohttp 3, with their long names."""
    options = parse_arguments(["-H", "localhost", "-P", "80", "shop:app", "--mine", "x"], "serve")
    assert (options.host, options.port) == ("localhost", 80)
    assert options.rest == ["--mine", "x"]
    assert parse_arguments(["--hostname", "::1", "a:b"], "serve").host == "::1"
    assert parse_arguments(["--path", "/run/x", "a:b"], "serve").unix == "/run/x"


def test_arguments_for_a_worker() -> None:
    """A worker knows that it is one, whatever is behind ``--``: else it would start workers."""
    arguments = ["--port", "0", "--workers", "2", "shop:make", "--", "--lifeline", "3"]
    options = parse_arguments(for_worker(arguments, lifeline=7, found_port=8081), "serve")
    assert (options.lifeline, options.found_port, options.fd) == (7, 8081, None)
    assert options.rest == ["--lifeline", "3"]


def test_access_log() -> None:
    """``--access-log`` alone is the common format; it may be another."""
    assert parse_arguments(["a:b", "--access-log"], "serve").access_log == "common"
    assert parse_arguments(["a:b", "--access-log", "%a %s"], "serve").access_log == "%a %s"


def test_limits() -> None:
    """Every limit has an option; sizes have units, and some may be none."""
    options = parse_arguments(
        ["a:b", "--limit-body", "10M", "--limit-head-time=2.5", "--limit-fields", "50",
         "--limit-decoded", "none", "--limit-read-buffer", "64k"],
        "serve",
    )  # fmt: skip
    limits = limits_of(options)
    assert (limits.body, limits.head_time, limits.fields) == (10 * 1024**2, 2.5, 50)
    assert (limits.decoded, limits.read_buffer) == (None, 64 * 1024)


def test_networks() -> None:
    """Networks are separated by commas."""
    options = parse_arguments(["a:b", "--trusted-proxies", "10.0.0.0/8, ::1"], "serve")
    assert options.trusted_proxies == ["10.0.0.0/8", "::1"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "arguments are required: module:app"),
        (["a:b", "--port", "70000"], "expected a port, 0 to 65535, got '70000'"),
        (["a:b", "--port", "x"], "expected a port"),
        (["a:b", "--workers", "0"], "expected a number from 1 on, got '0'"),
        (["a:b", "--shutdown-timeout", "nan"], "expected seconds, such as 2.5, got 'nan'"),
        (["a:b", "--limit-body", "10X"], "expected a number, such as 500, 64k or 10M, got '10X'"),
        (["a:b", "--limit-bodi", "10"], "there is no --limit-bodi; see --help"),
        (["a:b", "--access-log", "%q"], "unknown atom '%q' at 0 of the access log's format"),
        (["--access-log", "a:b"], "expected 'common', 'json' or a format such as '%a %r %s'"),
        (["a:b", "--trusted-proxies", "10.0.0.300"], "or 'unix', or '*': '10.0.0.300'"),
        (["a:b", "--proxy-protocol", "x"], "argument --proxy-protocol: expected an address"),
        (["a:b", "--unix", "x", "--port", "1"], "--unix goes without --host and --port"),
        (["a:b", "--keyfile", "x"], "--keyfile needs --certfile"),
        (["a:b", "--reload", "--workers", "2"], "--reload goes with one worker"),
    ],
)
def test_mistakes(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each mistake ends with status 2 and a sentence, below a line that fits the screen."""
    with pytest.raises(SystemExit, match="2"):
        parse_arguments(arguments, "serve")
    said = capsys.readouterr().err
    assert message in said
    assert said.startswith("usage: serve [options] module:app [arguments]\nserve: error: ")


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    """``--help`` tells of every limit and its default, and nothing that is internal."""
    with pytest.raises(SystemExit, match="0"):
        parse_arguments(["--help"], "serve")
    text = " ".join(capsys.readouterr().out.split())
    assert "--limit-head-time SECONDS until a head is complete (default: 15)" in text
    assert "--limit-body N bytes of a body, or none (default: 1G)" in text
    assert "--limit-line N bytes of a request line (default: 8190)" in text
    assert "--lifeline" not in text
