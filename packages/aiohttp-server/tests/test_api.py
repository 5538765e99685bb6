"""Names that aiohttp 3 documents of its server: each exists, takes what it should, is called here.

``aiohttp3-server.txt`` has what is documented. Tests in the files that are imported below
say with ``@calls`` which names they call; the table that this gives is compared with it.
"""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

import test_api_application
import test_api_exceptions
import test_api_requests
import test_api_responses
import test_api_routes
import test_api_running
import test_api_testing
from documented import Row, agrees, mentions
from documented_server import SERVER, parameters_of

CALLERS = [
    test_api_application,
    test_api_exceptions,
    test_api_requests,
    test_api_responses,
    test_api_routes,
    test_api_running,
    test_api_testing,
]


def with_signature() -> list[Row]:
    """Return the names that are documented with what they take; what fixtures give is not here."""
    return [row for row in SERVER.rows if row.parameters and row.kind != "fixture"]


@pytest.mark.parametrize("row", SERVER.rows, ids=str)
def test_each_documented_name_is_called_in_a_test(row: Row) -> None:
    """It is in the table of names, and the test that the table names does use it."""
    assert row.path in SERVER.covering
    assert row.name in mentions(SERVER.covering[row.path])


def test_nothing_else_is_in_the_table() -> None:
    """The table of names has nothing that is not documented."""
    assert SERVER.covering.keys() - {row.path for row in SERVER.rows} == set()
    files = {Path(inspect.getfile(test)).stem for test in SERVER.covering.values()}
    assert files == {module.__name__ for module in CALLERS}


@pytest.mark.parametrize("row", with_signature(), ids=str)
def test_each_documented_parameter_exists_with_its_kind(row: Row) -> None:
    """What can be given by position has its position, the rest its name."""
    assert agrees(parameters_of(row.found), row.parameters or {})
