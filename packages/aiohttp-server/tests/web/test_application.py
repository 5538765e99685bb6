"""``web/application.py``: what an application keeps, its life, and how it answers."""

from __future__ import annotations

import asyncio
import logging
import zlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from aiohttp import web
from aiohttp.abc import AbstractMatchInfo, AbstractRouter
from aiohttp.protocol import Limits, Listener, PeerDisconnected
from aiohttp.server.testing import MemoryClient

COUNT = web.AppKey("count", int)


async def hello(request: web.Request) -> web.Response:
    """Answer."""
    return web.Response(text="hello")


# What it keeps.


def test_application_is_a_mapping() -> None:
    """What handlers need is kept in it, below typed keys."""
    app = web.Application()
    app[COUNT] = 1
    assert app[COUNT] == 1
    assert app.get(COUNT) == 1
    assert app.get(web.AppKey("other", str), "none") == "none"
    assert (list(app), len(app), COUNT in app) == ([COUNT], 1, True)
    del app[COUNT]
    assert app.get(COUNT) is None


def test_string_as_a_key_warns() -> None:
    """A string works, with a warning that says what is better."""
    app = web.Application()
    with pytest.warns(web.NotAppKeyWarning, match="a web.AppKey instead of 'count'"):
        app["count"] = 1
    assert app["count"] == 1


def test_applications_are_different() -> None:
    """An application equals itself only, and is true although it is an empty mapping."""
    one, other = web.Application(), web.Application()
    assert one != other
    assert bool(one)
    assert len({one, other}) == 2
    assert repr(one).startswith("<Application 0x")


async def test_change_after_the_start_warns() -> None:
    """What is kept may be changed after the start, with a warning."""
    app = web.Application()
    app[COUNT] = 1
    await app.startup()
    with pytest.warns(DeprecationWarning, match="should not be changed"):
        app[COUNT] = 2
    with pytest.warns(DeprecationWarning, match="should not be changed"):
        del app[COUNT]


def test_arguments_of_the_wrong_kind() -> None:
    """A router must be one; a loop is not needed any more."""
    with pytest.raises(TypeError, match="expected an AbstractRouter as router, got int"):
        web.Application(router=5)  # type: ignore[arg-type]
    with asyncio.Runner() as runner, pytest.warns(DeprecationWarning, match="loop is ignored"):
        web.Application(loop=runner.get_loop())


def test_limits_by_name_or_together() -> None:
    """Bounds of requests are given as aiohttp 3 names them, or as one object."""
    limits = web.Application(client_max_size=10, client_max_fields=5).request_limits
    assert (limits.body, limits.fields) == (10, 5)
    unbounded = web.Application(client_max_size=0, client_max_fields=0).request_limits
    assert (unbounded.body, unbounded.fields) == (None, None)
    mine = web.RequestLimits(body=7)
    assert web.Application(request_limits=mine).request_limits is mine


async def test_debug() -> None:
    """Debug mode is given, or the loop's."""
    assert web.Application(debug=True).debug
    assert not web.Application(debug=False).debug
    loop = asyncio.get_running_loop()
    before = loop.get_debug()
    try:
        for value in (True, False):
            loop.set_debug(value)
            assert web.Application().debug is value
    finally:
        loop.set_debug(before)
    assert web.Application().loop is loop


def test_debug_outside_of_a_loop() -> None:
    """Without a loop there is no debug mode."""
    assert not web.Application().debug


# Its life.


async def test_life_in_order() -> None:
    """Contexts are entered before on_startup, and left after on_cleanup; sub-applications too."""
    seen: list[str] = []

    def named(name: str) -> web.Application:
        app = web.Application()

        async def context(app: web.Application) -> AsyncIterator[None]:
            seen.append(f"{name} in")
            yield
            seen.append(f"{name} out")

        for moment in ("startup", "shutdown", "cleanup"):

            async def note(app: web.Application, moment: str = moment) -> None:
                seen.append(f"{name} {moment}")

            getattr(app, f"on_{moment}").append(note)
        app.cleanup_ctx.append(context)
        return app

    app = named("outer")
    app.add_subapp("/in", named("inner"))
    listener = Listener(app)
    await listener.start()
    await listener.drain()
    assert seen == [
        "outer in", "outer startup", "inner in", "inner startup",
        "outer shutdown", "inner shutdown",
        "outer cleanup", "inner cleanup", "inner out", "outer out",
    ]  # fmt: skip


async def test_start_that_fails_half_way() -> None:
    """Contexts that were entered are left, also those of a sub-application; nothing else."""
    seen: list[str] = []

    async def context(app: web.Application) -> AsyncIterator[None]:
        yield
        seen.append("out")

    async def fail(app: web.Application) -> None:
        raise ValueError("no database")

    async def cleanup(app: web.Application) -> None:
        seen.append("cleanup")

    app, inner = web.Application(), web.Application()
    for each in (app, inner):
        each.cleanup_ctx.append(context)
        each.on_cleanup.append(cleanup)
    inner.on_startup.append(fail)
    app.add_subapp("/in", inner)
    with pytest.raises(ValueError, match="no database"):
        await Listener(app).start()
    assert seen == ["out", "out"]


async def test_all_of_the_end_happens() -> None:
    """Whatever goes wrong at the end, the rest of it happens; all errors are told."""
    seen: list[str] = []

    async def bad(app: web.Application) -> None:
        raise ValueError("first")

    async def context(app: web.Application) -> AsyncIterator[None]:
        yield
        seen.append("out")
        raise KeyError("second")

    async def good(app: web.Application) -> None:
        seen.append("good")

    app = web.Application()
    app.on_shutdown.extend([bad, good])
    app.on_cleanup.extend([bad, good])
    app.cleanup_ctx.append(context)
    await app.startup()
    with pytest.raises(ValueError, match="first"):
        await app.shutdown()
    with pytest.raises(web.CleanupError, match=r"2 errors in cleanup; ValueError.*KeyError"):
        await app.cleanup()
    assert seen == ["good", "good", "out"]


async def test_end_of_a_task_is_no_end_of_the_cleanup() -> None:
    """Who awaits the task that it has cancelled gets CancelledError; the rest happens."""
    seen: list[str] = []

    async def context(app: web.Application) -> AsyncIterator[None]:
        yield
        seen.append("out")

    async def careless(app: web.Application) -> None:
        task = asyncio.create_task(asyncio.Event().wait())
        task.cancel()
        await task

    async def good(app: web.Application) -> None:
        seen.append("good")

    app = web.Application()
    app.cleanup_ctx.append(context)
    app.on_shutdown.extend([careless, good])
    app.on_cleanup.extend([careless, good])
    await app.startup()
    with pytest.raises(asyncio.CancelledError):
        await app.shutdown()
    with pytest.raises(asyncio.CancelledError):
        await app.cleanup()
    assert seen == ["good", "good", "out"]


async def test_cleanup_goes_on_when_it_is_cancelled() -> None:
    """Cancelling it cancels one step; contexts are left all the same, and it ends as cancelled."""
    seen: list[str] = []

    async def endless(app: web.Application) -> None:
        seen.append("endless")
        await asyncio.Event().wait()

    async def context(app: web.Application) -> AsyncIterator[None]:
        yield
        seen.append("out")
        raise ValueError("of the context")

    app = web.Application()
    app.cleanup_ctx.append(context)
    app.on_cleanup.append(endless)
    await app.startup()
    task = asyncio.create_task(app.cleanup())
    while not seen:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    assert "of the context" in str(caught.value.__cause__)
    assert seen == ["endless", "out"]


@web.middleware
async def marks(request: web.Request, handler: web.Handler) -> web.StreamResponse:
    """Do nothing."""
    return await handler(request)


async def start(app: web.Application) -> None:
    """Do nothing."""


async def test_frozen_application_takes_no_routes() -> None:
    """After the start neither routes nor middlewares nor signals nor applications are taken."""
    app = web.Application()
    assert (app.frozen, app.pre_frozen) == (False, False)
    await app.startup()
    assert (app.frozen, app.pre_frozen) == (True, True)
    with pytest.raises(RuntimeError):
        app.router.add_get("/", hello)
    with pytest.raises(RuntimeError, match="frozen"):
        app.middlewares.append(marks)
    with pytest.raises(RuntimeError, match="frozen"):
        app.on_startup.append(start)
    with pytest.raises(RuntimeError, match="frozen"):
        app.add_subapp("/x", web.Application())


async def test_routes_are_taken_until_the_end_of_the_start() -> None:
    """A start may set what is kept, and add routes, middlewares and what is to happen later."""
    app = web.Application()

    async def start(app: web.Application) -> None:
        app[COUNT] = 5
        app.router.add_get("/", hello)
        app.middlewares.append(marks)
        for signal in (app.on_shutdown, app.on_cleanup):
            signal.append(end)
        with pytest.raises(RuntimeError, match="is frozen, for it has started"):
            app.add_subapp("/x", web.Application())

    async def end(app: web.Application) -> None:
        ended.append(app)

    ended: list[web.Application] = []
    app.on_startup.append(start)
    async with MemoryClient(app) as client:
        assert app[COUNT] == 5
        assert (await client.get("/")).text() == "hello"
    assert ended == [app, app]


# Applications below.


@pytest.mark.parametrize("prefix", ["", "/", "//"])
def test_prefix_for_everything(prefix: str) -> None:
    """A sub-application needs a prefix."""
    with pytest.raises(ValueError, match="expected a prefix such as '/admin'"):
        web.Application().add_subapp(prefix, web.Application())


def test_application_is_added_once() -> None:
    """An application belongs to one other, and never to itself."""
    app, inner = web.Application(), web.Application()
    app.add_subapp("/in", inner)
    with pytest.raises(RuntimeError, match="was added somewhere already"):
        app.add_subapp("/again", inner)
    with pytest.raises(RuntimeError, match="can't be added to itself"):
        app.add_subapp("/me", app)
    with pytest.raises(TypeError, match="expected a str as prefix, got int"):
        app.add_subapp(5, web.Application())  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="expected a str as domain, got int"):
        app.add_domain(5, web.Application())  # type: ignore[arg-type]


async def test_application_of_a_domain() -> None:
    """A domain's application answers requests to it, and no others."""
    app = web.Application()
    for domain in ("a.test", "*.b.test"):
        inner = web.Application()

        async def tell(request: web.Request, domain: str = domain) -> web.Response:
            return web.Response(text=domain)

        inner.router.add_get("/", tell)
        app.add_domain(domain, inner)
    app.router.add_get("/", hello)
    async with MemoryClient(app) as client:
        for host, text in (("a.test", "a.test"), ("x.b.test", "*.b.test"), ("c.test", "hello")):
            assert (await client.get("/", headers={"Host": host})).text() == text


# Answering.


def serving(handler: Any, **options: Any) -> web.Application:
    """Return an application with one handler, for GET and POST."""
    app = web.Application(**options)
    app.router.add_get("/", handler)
    app.router.add_post("/", handler)
    return app


async def test_answer() -> None:
    """What a handler returns is sent."""
    async with MemoryClient(serving(hello)) as client:
        response = await client.get("/")
        assert (response.status, response.text()) == (200, "hello")
        assert (await client.get("/no")).status == 404
        response = await client.request("DELETE", "/")
        assert (response.status, response.headers["Allow"]) == (405, "GET, HEAD, POST")


async def test_exception_that_is_a_response() -> None:
    """An HTTPException that is raised is sent."""

    async def gone(request: web.Request) -> web.Response:
        raise web.HTTPGone(text="long ago")

    async with MemoryClient(serving(gone)) as client:
        response = await client.get("/")
        assert (response.status, response.text()) == (410, "long ago")


async def test_error_of_a_handler(caplog: pytest.LogCaptureFixture) -> None:
    """Users see an id and nothing else; the log has the same id, and the traceback."""

    async def bad(request: web.Request) -> web.Response:
        raise ValueError("secret")

    async with MemoryClient(serving(bad)) as client:
        response = await client.get("/")
    assert response.status == 500
    assert "secret" not in response.text()
    (record,) = caplog.records
    assert record.name == "aiohttp.web"
    assert record.levelno == logging.ERROR
    (identity,) = [word for word in response.text().split() if len(word) == 16]
    assert f"[request {identity}]" in record.getMessage()
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], ValueError)


@pytest.mark.parametrize("value", [None, "text", web.Response])
async def test_handler_that_returns_no_response(
    value: object, caplog: pytest.LogCaptureFixture
) -> None:
    """What is no response is a 500, and the log says which handler returned what."""

    async def careless(request: web.Request) -> Any:
        return value

    async with MemoryClient(serving(careless)) as client:
        assert (await client.get("/")).status == 500
    assert (
        f"careless of GET '/' returned {type(value).__name__}, expected a response" in caplog.text
    )


async def test_another_response_than_the_prepared_one(caplog: pytest.LogCaptureFixture) -> None:
    """A handler returns the response that it has begun; another one can't be sent."""

    async def confused(request: web.Request) -> web.StreamResponse:
        await web.StreamResponse().prepare(request)
        return web.Response(text="other")

    async with MemoryClient(serving(confused)) as client:
        response = await client.get("/")
    assert response.status == 500
    assert "which was prepared, to be returned" in caplog.text


async def test_error_after_the_head_was_sent(caplog: pytest.LogCaptureFixture) -> None:
    """A response that can't be finished is cut: nobody takes the part for the whole."""

    async def breaks(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"a part")
        raise ValueError("in the middle")

    async with MemoryClient(serving(breaks)) as client:
        with pytest.raises(Exception, match="broke the connection after 6 bytes"):
            await client.get("/")
    assert "in the middle" in caplog.text


async def test_response_that_can_not_be_sent(caplog: pytest.LogCaptureFixture) -> None:
    """A response that breaks a rule of HTTP is a 500, and the log says which."""

    async def splits(request: web.Request) -> web.Response:
        return web.Response(headers={"X-Name": "a\r\nSet-Cookie: b=1"})

    async with MemoryClient(serving(splits)) as client:
        response = await client.get("/")
        assert response.status == 500
        assert "Set-Cookie" not in response.headers
    assert "LocalProtocolError" in caplog.text


async def test_another_response_where_one_can_not_be_sent() -> None:
    """Who catches what is wrong with a response may return another one."""

    async def careful(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"X-Name": "a\nb"})
        try:
            await response.prepare(request)
        except ValueError:
            return web.Response(text="another")
        return response

    async with MemoryClient(serving(careful)) as client:
        assert (await client.get("/")).text() == "another"


async def test_handler_that_waits_for_what_is_cancelled(caplog: pytest.LogCaptureFixture) -> None:
    """A CancelledError that isn't the handler's own is an error like others: a 500, and logged."""

    async def waits(request: web.Request) -> web.Response:
        task = asyncio.create_task(asyncio.Event().wait())
        task.cancel()
        await task
        return web.Response()

    async with MemoryClient(serving(waits)) as client:
        assert (await client.get("/")).status == 500
    assert "the handler waited for something that was cancelled" in caplog.text


async def test_another_peer_that_goes_away(caplog: pytest.LogCaptureFixture) -> None:
    """PeerDisconnected of a connection that the handler has made is an error of the program."""

    async def asks(request: web.Request) -> web.Response:
        raise PeerDisconnected("upstream has gone")

    async with MemoryClient(serving(asks)) as client:
        response = await client.get("/")
    assert response.status == 500
    assert f"[request {response.text().split()[-1]}]" in caplog.text


async def test_refused_request_has_no_handler() -> None:
    """A request that breaks a rule of HTTP is answered by its status, and ends the connection."""
    async with MemoryClient(serving(hello)) as client:
        response = await client.get("/", headers={"X-Long": "a" * 9000})
        assert response.status == 431
        assert response.headers["Connection"] == "close"


async def test_signal_before_the_head() -> None:
    """on_response_prepare may add to each response, also to errors and to those of others."""
    app = serving(hello)

    async def sign(request: web.Request, response: web.StreamResponse) -> None:
        response.headers["X-Signed"] = request.path

    app.on_response_prepare.append(sign)
    async with MemoryClient(app) as client:
        assert (await client.get("/")).headers["X-Signed"] == "/"
        assert (await client.get("/no")).headers["X-Signed"] == "/no"


async def test_expect_handler_may_refuse() -> None:
    """A handler of Expect ends a request before its body has come, or lets it go on."""

    async def check(request: web.Request) -> web.StreamResponse | None:
        return web.Response(status=417) if request.headers.get("X-Bad") else None

    async def upload(request: web.Request) -> web.Response:
        return web.Response(body=await request.read())

    app = web.Application()
    app.router.add_post("/", upload, expect_handler=check)
    async with MemoryClient(app) as client:
        expecting = {"Expect": "100-continue"}
        response = await client.post("/", data=b"body", headers=expecting)
        assert (response.status, response.body) == (200, b"body")
        response = await client.post("/", data=b"body", headers={**expecting, "X-Bad": "1"})
        assert response.status == 417


class OwnMatch(AbstractMatchInfo):
    """What ``OwnRouter`` found."""

    @property
    def http_exception(self) -> None:
        return None

    async def handler(self, request: web.Request) -> web.StreamResponse:
        return web.Response(text="own")

    async def expect_handler(self, request: web.Request) -> web.StreamResponse | None:
        return None


class OwnRouter(AbstractRouter):
    """Sends every request to the same handler."""

    async def resolve(self, request: web.Request) -> AbstractMatchInfo:
        return OwnMatch()


async def test_router_of_ones_own() -> None:
    """An application may have a router that knows nothing of ours."""
    app = web.Application(router=OwnRouter())
    async with MemoryClient(app) as client:
        assert (await client.get("/any")).text() == "own"


async def test_make_handler() -> None:
    """The deprecated factory of connections still makes them."""
    app = serving(hello)
    server = await asyncio.get_running_loop().create_server(app.make_handler(), "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"GET / HTTP/1.0\r\n\r\n")
        assert (await reader.read()).endswith(b"hello")
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize("middlewares", [[], [marks]])
async def test_exceeded_limits_are_counted_once(middlewares: list[Any]) -> None:
    """Limits that are found by reading a body are in the books, as those of the connection are."""

    async def read(request: web.Request) -> web.Response:
        return web.Response(body=await request.read())

    async def stream(request: web.Request) -> web.Response:
        return web.Response(body=await request.content.read())

    app = web.Application(client_max_size=10, middlewares=middlewares)
    app.router.add_post("/", read)
    app.router.add_post("/stream", stream)
    limits = Limits(body=20, decoded=10)
    async with MemoryClient(app, limits=limits) as client:
        assert (await client.post("/", data=b"x" * 11)).status == 413
        assert (await client.post("/stream", data=b"x" * 21)).status == 413
        coded = {"Content-Encoding": "deflate"}
        response = await client.post("/stream", data=zlib.compress(b"x" * 11), headers=coded)
        assert response.status == 413
        assert client.books.limits_hit == {"client_max_size": 1, "body": 1, "decoded": 1}
