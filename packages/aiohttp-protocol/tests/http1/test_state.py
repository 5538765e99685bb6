"""Whose turn it is: every state with every event, against what a request and a response are."""

from __future__ import annotations

import inspect
import re
from itertools import product

import pytest

from aiohttp.protocol.errors import InvalidUse
from aiohttp.protocol.http1 import state as module
from aiohttp.protocol.http1.state import TRANSITIONS, Event, State, advance

# How far the request and the response are in each state.
NOT_BEGUN, UNDER_WAY, COMPLETE = range(3)
PROGRESS = {
    State.IDLE: (NOT_BEGUN, NOT_BEGUN),
    State.REQUEST: (UNDER_WAY, NOT_BEGUN),
    State.WAITING: (COMPLETE, NOT_BEGUN),
    State.BOTH: (UNDER_WAY, UNDER_WAY),
    State.RESPONSE: (COMPLETE, UNDER_WAY),
    State.EARLY: (UNDER_WAY, COMPLETE),
    State.COMPLETE: (COMPLETE, COMPLETE),
}
STATES = {progress: state for state, progress in PROGRESS.items()}


def expected(state: State, event: Event) -> State | None:
    """Return the state that must follow, or None: from what the event does to either message."""
    if event is Event.CLOSE:
        return State.CLOSED
    if state not in PROGRESS:
        return None
    request, response = PROGRESS[state]
    match event, request, response:
        case Event.REQUEST_HEAD, 0, 0:
            following = (UNDER_WAY, NOT_BEGUN)
        case Event.REQUEST_WHOLE, 0, 0:
            following = (COMPLETE, NOT_BEGUN)
        case Event.REQUEST_END, 1, _:
            following = (COMPLETE, response)
        case Event.INFORMATION, 1 | 2, 0:
            following = (request, response)
        case Event.RESPONSE_HEAD, 1 | 2, 0:
            following = (request, UNDER_WAY)
        case Event.RESPONSE_WHOLE, 1 | 2, 0:
            following = (request, COMPLETE)
        case Event.RESPONSE_END, _, 1:
            following = (request, COMPLETE)
        case Event.SWITCH, 2, 0:
            return State.SWITCHED
        case Event.NEXT, 2, 2:
            following = (NOT_BEGUN, NOT_BEGUN)
        case _:
            return None
    return STATES[following]


@pytest.mark.parametrize(("state", "event"), list(product(State, Event)))
def test_every_event_in_every_state(state: State, event: Event) -> None:
    """An event moves the one message that it is about, in order, or it is refused."""
    following = expected(state, event)
    assert TRANSITIONS[state].get(event) is following
    if following is not None:
        assert advance(state, event) is following
        return
    with pytest.raises(InvalidUse, match=f"{event.name} in state {state.name}: expected one of "):
        advance(state, event)


@pytest.mark.parametrize("state", State)
def test_refusal_names_what_may_happen(state: State) -> None:
    """The message of a refusal lists the events that the state allows."""
    refused = next(event for event in Event if event not in TRANSITIONS[state])
    names = ", ".join(event.name for event in TRANSITIONS[state])
    with pytest.raises(InvalidUse, match=f"expected one of {names}$"):
        advance(state, refused)


def test_every_state_can_be_reached() -> None:
    """From IDLE, events lead to every state."""
    reached = {State.IDLE}
    while new := {to for state in reached for to in TRANSITIONS[state].values()} - reached:
        reached |= new
    assert reached == set(State)


@pytest.mark.parametrize("state", State)
def test_every_state_can_be_closed(state: State) -> None:
    """CLOSE may happen everywhere, also twice."""
    assert advance(advance(state, Event.CLOSE), Event.CLOSE) is State.CLOSED


@pytest.mark.parametrize("state", [State.SWITCHED, State.CLOSED])
def test_ends_are_ends(state: State) -> None:
    """From a switched or closed connection nothing leads back to HTTP."""
    assert set(TRANSITIONS[state].values()) == {State.CLOSED}


def test_drawn_table_is_the_table() -> None:
    """The docstring describes the states that there are, in their order, as they are."""
    progress = {"not begun": 0, "coming (or going)": 1, "under way": 1, "complete": 2}
    rows = re.findall(r"^([A-Z]+) +(\S.*)$", inspect.getdoc(module) or "", re.MULTILINE)
    assert [name for name, _ in rows] == [state.name for state in State]
    for name, description in rows:
        if State[name] in PROGRESS:
            request, response = re.split(r" {2,}|(?<=complete) (?=not|under)", description)
            words = request, response.partition(":")[0]
            assert tuple(progress[each] for each in words) == PROGRESS[State[name]]


def test_table_can_not_be_changed() -> None:
    """All transitions live in the module: nobody adds one."""
    with pytest.raises(TypeError):
        TRANSITIONS[State.IDLE] = {}  # type: ignore[index]
    with pytest.raises(TypeError):
        TRANSITIONS[State.IDLE][Event.NEXT] = State.IDLE  # type: ignore[index]
