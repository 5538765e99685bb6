"""Whose turn it is on a connection of HTTP/1: every transition, in one table.

Two rules. All transitions live here: the connections name an event and get the
next state, they never set one. And this file does not know our role: a request
and a response happen in the same order on both ends.

======== ======================= ================================================
state    the request is …        the response is …
======== ======================= ================================================
IDLE     not begun               not begun
REQUEST  coming (or going)       not begun
WAITING  complete                not begun
BOTH     coming (or going)       under way
RESPONSE complete                under way
EARLY    coming (or going)       complete
COMPLETE complete                complete: the connection may be used again
SWITCHED the connection speaks another protocol now
CLOSED   nothing of this connection is read or written as HTTP any more
======== ======================= ================================================
"""

from __future__ import annotations

from enum import IntEnum
from types import MappingProxyType
from typing import Final

from ..errors import InvalidUse

__all__ = [
    "BOTH",
    "CLOSE",
    "CLOSED",
    "COMPLETE",
    "EARLY",
    "Event",
    "IDLE",
    "INFORMATION",
    "NEXT",
    "REQUEST",
    "REQUEST_END",
    "REQUEST_HEAD",
    "REQUEST_WHOLE",
    "RESPONSE",
    "RESPONSE_END",
    "RESPONSE_HEAD",
    "RESPONSE_WHOLE",
    "SWITCH",
    "SWITCHED",
    "State",
    "TRANSITIONS",
    "WAITING",
    "advance",
]


class State(IntEnum):
    """Where one exchange of a connection is; see the table above."""

    # IntEnum, because an int is hashed by C: this is looked up for each event.
    IDLE = 0
    REQUEST = 1
    WAITING = 2
    BOTH = 3
    RESPONSE = 4
    EARLY = 5
    COMPLETE = 6
    SWITCHED = 7
    CLOSED = 8


class Event(IntEnum):
    """What happens on a connection, whoever sends and whoever receives it."""

    REQUEST_HEAD = 0
    """The head of a request whose body follows."""
    REQUEST_WHOLE = 1
    """The head of a request without a body, or with all of it behind it."""
    REQUEST_END = 2
    """The end of a request's body."""
    INFORMATION = 3
    """An informational response, but not 101."""
    RESPONSE_HEAD = 4
    """The head of a response whose body follows."""
    RESPONSE_WHOLE = 5
    """A response that is complete at once."""
    RESPONSE_END = 6
    """The end of a response's body."""
    SWITCH = 7
    """101, or a 2xx to CONNECT."""
    NEXT = 8
    """The connection is made ready for another exchange."""
    CLOSE = 9
    """The connection is given up, for whatever reason."""


# Names of their own: on Python 3.11 ``State.IDLE`` takes 50 ns, a global 7, and a
# small GET needs a dozen.
IDLE, REQUEST, WAITING, BOTH, RESPONSE, EARLY, COMPLETE, SWITCHED, CLOSED = State
(
    REQUEST_HEAD,
    REQUEST_WHOLE,
    REQUEST_END,
    INFORMATION,
    RESPONSE_HEAD,
    RESPONSE_WHOLE,
    RESPONSE_END,
    SWITCH,
    NEXT,
    CLOSE,
) = Event

_TABLE: Final = {
    IDLE: {REQUEST_HEAD: REQUEST, REQUEST_WHOLE: WAITING},
    REQUEST: {
        REQUEST_END: WAITING,
        INFORMATION: REQUEST,
        RESPONSE_HEAD: BOTH,
        RESPONSE_WHOLE: EARLY,
    },
    WAITING: {
        INFORMATION: WAITING,
        RESPONSE_HEAD: RESPONSE,
        RESPONSE_WHOLE: COMPLETE,
        SWITCH: SWITCHED,
    },
    BOTH: {REQUEST_END: RESPONSE, RESPONSE_END: EARLY},
    RESPONSE: {RESPONSE_END: COMPLETE},
    EARLY: {REQUEST_END: COMPLETE},
    COMPLETE: {NEXT: IDLE},
    SWITCHED: {},
    CLOSED: {},
}

TRANSITIONS: Final = MappingProxyType(
    {state: MappingProxyType({**events, CLOSE: CLOSED}) for state, events in _TABLE.items()}
)
"""From each state, each event that may happen there, with the state that follows.

CLOSE may happen in every state, also twice.
"""


def advance(state: State, event: Event) -> State:
    """Return the state that follows ``state`` when ``event`` happens.

    Raises:
        InvalidUse: if it must not happen there; the message names what may.
    """
    following = _TABLE[state].get(event)
    if following is not None:
        return following
    if event is CLOSE:
        return CLOSED
    expected = ", ".join(each.name for each in TRANSITIONS[state])
    raise InvalidUse(f"{event.name} in state {state.name}: expected one of {expected}")
