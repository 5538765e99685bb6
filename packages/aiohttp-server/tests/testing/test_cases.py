"""Tests of applications as classes."""

from __future__ import annotations

import asyncio
import unittest

from aiohttp import web
from aiohttp.test_utils import AioHTTPTestCase, TestClient, TestServer

ended: list[str] = []


async def hello(request: web.Request) -> web.Response:
    """Greet."""
    return web.Response(text="Hello")


class HelloTest(AioHTTPTestCase):
    """Two tests with an application each."""

    async def get_application(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/", hello)
        return app

    async def test_hello(self) -> None:
        async with self.client.get("/") as response:
            assert await response.text() == "Hello"
        assert self.loop is asyncio.get_running_loop()

    async def test_parts(self) -> None:
        assert self.client.server is self.server
        assert self.client.app is self.app
        assert isinstance(await self.get_server(self.app), TestServer)
        assert isinstance(await self.get_client(self.server), TestClient)

    async def asyncTearDown(self) -> None:
        await super().asyncTearDown()
        ended.append("closed" if self.server.closed else "open")


class WithoutApplication(AioHTTPTestCase):
    """What somebody writes who has not read the documentation."""

    async def test_nothing(self) -> None:
        """Never run."""


HelloTest.__test__ = WithoutApplication.__test__ = False  # type: ignore[attr-defined]
# They are run by the tests below, and not by pytest.


def run(case: type[unittest.TestCase]) -> unittest.TestResult:
    """Run the tests of a class, as unittest does."""
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(case).run(result)
    return result


def test_each_test_has_a_server_of_its_own() -> None:
    """Server and client are there before the test, and closed after it."""
    ended.clear()
    result = run(HelloTest)
    assert (result.testsRun, result.errors, result.failures) == (2, [], [])
    assert ended == ["closed", "closed"]


def test_application_must_be_given() -> None:
    """A class without get_application is told what it lacks."""
    ((_, error),) = run(WithoutApplication).errors
    assert "define get_application() in WithoutApplication" in error
