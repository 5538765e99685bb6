"""The page that shows where an error came from, whatever the error is."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp.server.testing import make_mocked_request
from aiohttp.server.web.debugpage import debug_html, debug_members, debug_text


def raised(function: Callable[[], object]) -> BaseException:
    """Return what a function raises."""
    try:
        function()
    except BaseException as exc:  # noqa: BLE001 - returned
        return exc
    raise AssertionError("nothing was raised")


def page(function: Callable[[], object], *, with_locals: bool = False) -> str:
    """Return the page about what a function raises."""
    request = make_mocked_request("GET", "/")
    return debug_html(request, raised(function), with_locals=with_locals)


def test_source_is_shown_with_what_failed_marked() -> None:
    """The line, and in it the expression, also behind what isn't ASCII."""

    def divide() -> float:
        zero = 0
        return len("größer") + 1 / zero

    text = page(divide)
    assert "<b>test_source_is_shown_with_what_failed_marked.&lt;locals&gt;.divide</b>" in text
    assert "return len(&quot;größer&quot;) + <mark>1 / zero</mark>" in text


def test_cause_and_context_are_followed() -> None:
    """Each with how it led to the one before."""

    def chain() -> None:
        try:
            try:
                raise KeyError("first")
            except KeyError:
                raise ValueError("second") from None
        except ValueError as exc:
            try:
                raise TypeError("third") from exc
            except TypeError:
                raise RuntimeError("fourth")  # noqa: B904 - the point

    text = page(chain)
    places = [text.index(f"<pre class=message>{word}<") for word in ("fourth", "third", "second")]
    assert places == sorted(places)
    assert text.index("raised while handling") < text.index("caused by")
    assert "<pre class=message>&#x27;first" not in text


def test_errors_of_a_group_are_shown() -> None:
    """Those of a task group, for instance."""

    def group() -> None:
        raise ExceptionGroup("several", [ValueError("one"), TypeError("two")])

    text = page(group)
    assert text.count('<p class="relation">one of its errors is') == 2
    assert "<pre class=message>two</pre>" in text


def test_error_that_is_its_own_context_ends() -> None:
    """A circle is walked once."""

    def circle() -> None:
        exc = ValueError("round")
        exc.__cause__ = exc
        raise exc

    assert page(circle).count("<h1>ValueError</h1>") == 1


def test_recursion_is_cut_in_the_middle() -> None:
    """A thousand frames would hide the two that matter."""

    def endless(depth: int) -> int:
        return endless(depth + 1) + 1

    def dive() -> None:
        try:
            endless(0)
        except RecursionError as exc:
            raise exc.with_traceback(exc.__traceback__) from None

    text = page(dive)
    assert "frames like these" in text
    assert text.count("<summary><b>") == 40


def test_what_refuses_to_be_shown_is_left_out() -> None:
    """An error's text and a value's repr are somebody else's code."""

    class Shy(Exception):
        """Can't be told."""

        def __str__(self) -> str:
            raise ZeroDivisionError

    class Odd(int):
        """Can't be shown."""

        def __repr__(self) -> str:
            raise ZeroDivisionError

    def fail() -> None:
        odd = Odd()
        raise Shy(odd)

    text = page(fail, with_locals=True)
    assert "(its message can&#x27;t be shown: ZeroDivisionError)" in text
    assert "<th>odd<td>" in text
    assert debug_members(raised(fail))["message"].startswith("(its message can't be shown")


def test_long_messages_and_values_are_cut() -> None:
    """The page stays small."""

    def fail() -> None:
        many = ["x" * 10_000] * 10_000
        raise ValueError(f"{len(many)} " + "y" * 100_000)

    assert len(page(fail, with_locals=True)) < 30_000


def test_notes_belong_to_the_message() -> None:
    """As Python prints them below it (PEP 678)."""

    def fail() -> None:
        exc = ValueError("wrong")
        exc.add_note("look into the cellar")
        raise exc

    assert "wrong\nlook into the cellar</pre>" in page(fail)


def test_source_that_is_gone_is_no_error() -> None:
    """Such as that of code which was made from a string."""
    text = page(lambda: exec("1 / 0"))
    assert "its source isn&#x27;t there" in text or "its source isn't there" in text


def test_text_is_bounded_and_never_fails() -> None:
    """It is made while an error is handled: a second one would hide the first."""

    class Broken(Exception):
        """Can't be asked for its notes."""

        def __getattr__(self, name: str) -> object:
            raise ZeroDivisionError(name)

    def fail() -> None:
        raise Broken

    assert "Broken" in debug_text(raised(fail))
    assert "Broken" in page(fail)
