"""What a server says when it is started, and when it is stopped."""

from __future__ import annotations

import io

import pytest

from aiohttp.server.greeting import farewell, greeting, has_colors


class Terminal(io.StringIO):
    """A stream that says that somebody looks at it."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")


def test_greeting_says_where_and_how_to_stop() -> None:
    """In two lines, the URL in the first."""
    assert greeting(["http://127.0.0.1:8080", "http://unix:/run/app.sock:"]) == (
        "======== Serving on http://127.0.0.1:8080, http://unix:/run/app.sock: ========\n"
        "(Press CTRL+C to stop)"
    )


def test_everywhere_is_told_as_a_url_that_can_be_opened() -> None:
    """No browser finds 0.0.0.0 on every system; IPv4 and IPv6 are one place."""
    names = ["http://0.0.0.0:8080", "http://[::]:8080"]
    line = greeting(names).splitlines()[0]
    assert line == "======== Serving on http://localhost:8080 (on every address) ========"


def test_greeting_in_colors() -> None:
    """The URL stands out, the rest steps back."""
    assert greeting(["http://x"], colors=True) == (
        "\033[2m========\033[0m Serving on \033[1;36mhttp://x\033[0m \033[2m========\033[0m\n"
        "\033[2m(Press CTRL+C to stop)\033[0m"
    )


def test_farewell_counts() -> None:
    """Who stops a server learns why it doesn't end at once."""
    one = "Stopping: 1 request is still running, for 25 s at most (CTRL+C cuts it)"
    two = "Stopping: 2 requests are still running, for 0.5 s at most (CTRL+C cuts them)"
    assert (farewell(1, 25), farewell(2, 0.5)) == (one, two)


def test_colors_are_for_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere they are wanted only if somebody says so; NO_COLOR says no everywhere."""
    assert has_colors(Terminal())
    assert not has_colors(io.StringIO())
    monkeypatch.setenv("TERM", "dumb")
    assert not has_colors(Terminal())
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert has_colors(io.StringIO())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not has_colors(Terminal())
