"""What signals do to the worker under gunicorn: how it ends, and how it lives until then."""

from __future__ import annotations

import http.client
import itertools
import os
import re
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gunicorn_process import Gunicorn, until
from worker_applications import ASGI, NATIVE, WSGI

LOOPS = pytest.mark.parametrize("loop", ["asyncio", "auto"])
KINDS = pytest.mark.parametrize("source", [WSGI, ASGI, NATIVE], ids=["wsgi", "asgi", "native"])


def release(folder: Path) -> None:
    """Let the applications go on that wait."""
    (folder / "released").touch()


# How it ends.


@LOOPS
@KINDS
def test_sigterm_answers_what_runs(tmp_path: Path, source: str, loop: str) -> None:
    """After SIGTERM a running request is answered; then gunicorn ends, at once and well."""
    with Gunicorn(tmp_path, source, "--asgi-loop", loop) as gunicorn:
        answer = gunicorn.begin("/hold")
        gunicorn.has_logged("holding")
        gunicorn.signal(signal.SIGTERM)
        gunicorn.has_logged("Handling signal: term")
        release(tmp_path)
        assert answer.result()[0] == 200
        assert gunicorn.wait() == 0
        assert "cut" not in gunicorn.log


def test_idle_connection_is_not_waited_for(tmp_path: Path) -> None:
    """A connection that is kept alive doesn't keep the worker alive."""
    with Gunicorn(tmp_path, WSGI, "--graceful-timeout", "60", "--keep-alive", "60") as gunicorn:
        idle = gunicorn.connect()
        idle.request("GET", "/")
        idle.getresponse().read()
        gunicorn.signal(signal.SIGTERM)
        assert gunicorn.wait() == 0
        assert "cut" not in gunicorn.log
        idle.close()


@LOOPS
def test_sigterm_answers_what_waits_to_be_accepted(tmp_path: Path, loop: str) -> None:
    """Connections that the kernel has taken already are answered after SIGTERM, not reset."""
    with Gunicorn(tmp_path, WSGI, "--asgi-loop", loop) as gunicorn:
        gunicorn.get()
        worker = gunicorn.pids[0]
        gunicorn.signal(signal.SIGSTOP, worker)
        clients = [gunicorn.connect() for _ in range(10)]
        for client in clients:
            client.request("GET", "/")
        gunicorn.signal(signal.SIGTERM, worker)
        gunicorn.signal(signal.SIGCONT, worker)
        assert [client.getresponse().read() for client in clients] == [b"%d" % worker] * 10
        for client in clients:
            client.close()


@LOOPS
@KINDS
def test_what_is_cut_is_logged(tmp_path: Path, source: str, loop: str) -> None:
    """Before graceful_timeout cuts requests, each is logged: since when it runs, and where."""
    options = ["--graceful-timeout", "2", "--asgi-loop", loop]
    with Gunicorn(tmp_path, source, *options) as gunicorn:
        answer = gunicorn.begin("/hold?a=b")
        gunicorn.has_logged("holding")
        gunicorn.signal(signal.SIGTERM)
        assert gunicorn.wait() == 0
        assert answer.exception() is not None
        assert "SIGKILL" not in gunicorn.log
        lines = [line for line in gunicorn.log.splitlines() if "GET '/hold?a=b' for" in line]
        assert len(lines) == 1
        assert re.search(
            r" for \d+\.\d s, client 127\.0\.0\.1:\d+, at /.*/served\.py:\d+ in \w+$", lines[0]
        )


def test_endless_response_is_cut_within_graceful_timeout(tmp_path: Path) -> None:
    """After SIGTERM an endless response has graceful_timeout; no worker has to be killed."""
    with Gunicorn(tmp_path, WSGI, "--graceful-timeout", "2") as gunicorn:
        connection = gunicorn.connect()
        connection.request("GET", "/endless")
        response = connection.getresponse()
        gunicorn.signal(signal.SIGTERM)
        with pytest.raises((OSError, http.client.IncompleteRead)):
            while response.read(100_000):
                pass
        assert gunicorn.wait() == 0
        assert "SIGKILL" not in gunicorn.log
        connection.close()


@KINDS
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT])
def test_sigint_and_sigquit_cut(tmp_path: Path, source: str, number: signal.Signals) -> None:
    """SIGINT and SIGQUIT cut what runs."""
    with Gunicorn(tmp_path, source, "--graceful-timeout", "60") as gunicorn:
        answer = gunicorn.begin("/hold")
        gunicorn.has_logged("holding")
        gunicorn.signal(number)
        assert gunicorn.wait() == 0
        assert answer.exception() is not None
        assert "SIGKILL" not in gunicorn.log


def test_sigint_cuts_what_sigterm_waits_for(tmp_path: Path) -> None:
    """Whoever has no patience after SIGTERM sends SIGINT."""
    with Gunicorn(tmp_path, WSGI, "--graceful-timeout", "60") as gunicorn:
        answer = gunicorn.begin("/hold")
        gunicorn.has_logged("holding")
        gunicorn.signal(signal.SIGTERM)
        gunicorn.has_logged("Handling signal: term")
        gunicorn.signal(signal.SIGINT)
        assert gunicorn.wait() == 0
        assert answer.exception() is not None
        assert "SIGKILL" not in gunicorn.log


def test_dead_arbiter_is_noticed(tmp_path: Path) -> None:
    """A worker whose arbiter was killed ends within a heartbeat or two."""
    with Gunicorn(tmp_path, WSGI) as gunicorn:
        gunicorn.get()
        gunicorn.signal(signal.SIGKILL)
        assert gunicorn.has_logged("Parent changed, shutting down")


EXIT = "def worker_exit(server, worker): print('hook: exit', flush=True)\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGQUIT])
def test_startup_that_waits_is_not_waited_for(tmp_path: Path, number: signal.Signals) -> None:
    """An application that is still starting is cancelled, and cleans up."""
    source = """
import asyncio

class Application:
    def __call__(self): ...
    async def handle_exchange(self, exchange): ...
    async def startup(self):
        print("starting", flush=True)
        await asyncio.Event().wait()
    async def cleanup(self):
        print("cleaned up", flush=True)

app = Application()
"""
    with Gunicorn(tmp_path, source, "--graceful-timeout", "60") as gunicorn:
        gunicorn.has_logged("starting")
        gunicorn.signal(number)
        assert gunicorn.wait() == 0
        assert "cleaned up" in gunicorn.log
        assert "Error" not in gunicorn.log


@pytest.mark.parametrize("more", ["pass", "await asyncio.Event().wait()"], ids=["up", "starting"])
def test_failing_cleanup_is_logged(tmp_path: Path, more: str) -> None:
    """What goes wrong when an application cleans up isn't lost, even if it has never started."""
    source = f"""
import asyncio

class Application:
    def __call__(self): ...
    async def handle_exchange(self, exchange): ...
    async def startup(self):
        print("started", flush=True)
        {more}
    async def cleanup(self): 1 / 0

app = Application()
"""
    with Gunicorn(tmp_path, source) as gunicorn:
        gunicorn.has_logged("started")
        gunicorn.signal(signal.SIGTERM)
        assert gunicorn.wait() == 0
        assert "Error while stopping" in gunicorn.log
        assert "ZeroDivisionError: division by zero" in gunicorn.log
        assert "never retrieved" not in gunicorn.log


def test_thread_that_goes_on_is_left_and_costs_no_heartbeat(tmp_path: Path) -> None:
    """It holds the process up for graceful_timeout once more, longer than ``timeout`` is."""
    source = """
import asyncio, time

async def app(scope, receive, send):
    print("blocking", flush=True)
    await asyncio.to_thread(time.sleep, 600)
"""
    options = ["--timeout", "2", "--graceful-timeout", "3", "--asgi-lifespan", "off"]
    with Gunicorn(tmp_path, source, *options) as gunicorn:
        answer = gunicorn.begin("/")
        gunicorn.has_logged("blocking")
        worker = gunicorn.pids[0]
        gunicorn.signal(signal.SIGTERM, worker)
        gunicorn.has_logged("Threads of the application go on; the process ends without them")
        until(lambda: len(gunicorn.pids) == 2, "another worker")
        assert "WORKER TIMEOUT" not in gunicorn.log
        assert answer.exception() is not None


@LOOPS
def test_tasks_that_refuse_to_end_are_left(tmp_path: Path, loop: str) -> None:
    """A worker doesn't wait for them until it is killed, nor for ever where nobody does that."""
    source = """
import asyncio

class Application:
    def __call__(self): ...
    async def handle_exchange(self, exchange): ...
    async def startup(self):
        self.task = asyncio.create_task(self.refuse())
        print("started", flush=True)
    async def refuse(self):
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                pass

app = Application()
"""
    with Gunicorn(tmp_path, source, "--asgi-loop", loop, config=EXIT) as gunicorn:
        gunicorn.has_logged("started")
        gunicorn.signal(signal.SIGTERM)
        assert gunicorn.wait() == 0
        assert "Tasks that go on though they were cancelled" in gunicorn.log
        assert "hook: exit" in gunicorn.log
        assert "SIGKILL" not in gunicorn.log


def test_cleanup_has_its_time_where_requests_have_none(tmp_path: Path) -> None:
    """With a graceful_timeout of 0 an application isn't left half cleaned up."""
    source = """
import asyncio

class Application:
    def __call__(self): ...
    async def handle_exchange(self, exchange): ...
    async def startup(self): print("started", flush=True)
    async def cleanup(self):
        await asyncio.sleep(0.02)
        print("cleaned up", flush=True)

app = Application()
"""
    with Gunicorn(tmp_path, source, "--graceful-timeout", "0") as gunicorn:
        gunicorn.has_logged("started")
        gunicorn.signal(signal.SIGTERM, until(lambda: gunicorn.pids, "a worker")[0])
        assert gunicorn.has_logged("cleaned up")
        assert "still blocked" not in gunicorn.log


def test_endless_cleanup_of_what_never_started_is_given_up(tmp_path: Path) -> None:
    """It has the time that requests would have, and no worker has to be killed."""
    source = """
import asyncio

class Application:
    def __call__(self): ...
    async def handle_exchange(self, exchange): ...
    async def startup(self):
        print("starting", flush=True)
        await asyncio.Event().wait()
    async def cleanup(self):
        await asyncio.Event().wait()

app = Application()
"""
    with Gunicorn(tmp_path, source, "--graceful-timeout", "3") as gunicorn:
        gunicorn.has_logged("starting")
        gunicorn.signal(signal.SIGTERM, until(lambda: gunicorn.pids, "a worker")[0])
        assert gunicorn.has_logged("The application goes on though its start was cancelled")
        assert gunicorn.has_logged("Worker exiting")
        assert "SIGKILL" not in gunicorn.log


# How it lives.


@pytest.mark.parametrize("code", [0, 3])
@LOOPS
def test_exit_of_a_handler_ends_no_more_than_its_worker(
    tmp_path: Path, loop: str, code: int
) -> None:
    """Also with 3, which would say that no worker can start; somebody is told."""
    source = f"""
import asyncio, os, sys

class Application:
    def __call__(self): ...
    async def handle_exchange(self, exchange):
        if exchange.head.target == "/exit":
            await asyncio.sleep(0)
            sys.exit({code})
        await exchange.respond(200, (), b"%d" % os.getpid())

app = Application()
"""
    with Gunicorn(tmp_path, source, "--asgi-loop", loop) as gunicorn:
        first = gunicorn.get()[1]
        assert gunicorn.begin("/exit").exception() is not None
        assert gunicorn.get()[1] != first
        assert f"The application has called exit({code}); this worker ends" in gunicorn.log


def test_blocking_application_costs_no_heartbeat(tmp_path: Path) -> None:
    """A request that blocks longer than ``timeout`` is answered by a worker that lives."""
    with Gunicorn(tmp_path, WSGI, "--timeout", "2") as gunicorn:
        assert gunicorn.get("/sleep/3.5")[0] == 200
        assert "WORKER TIMEOUT" not in gunicorn.log


def test_draining_worker_keeps_its_heartbeat(tmp_path: Path) -> None:
    """A worker that drains for longer than ``timeout`` isn't taken for dead."""
    with Gunicorn(tmp_path, WSGI, "--timeout", "2") as gunicorn:
        answer = gunicorn.begin("/sleep/3.5")
        gunicorn.has_logged("sleeping")
        gunicorn.signal(signal.SIGTERM, gunicorn.pids[0])
        assert answer.result()[0] == 200
        assert "WORKER TIMEOUT" not in gunicorn.log


ABORT = "def worker_abort(worker): print('hook: abort', flush=True)\n"


@LOOPS
def test_blocked_loop_is_logged_before_its_worker_is_killed(tmp_path: Path, loop: str) -> None:
    """What blocks the loop is in the log, before the arbiter aborts the worker, and at its end."""
    options = ["--timeout", "4", "--asgi-loop", loop]
    with Gunicorn(tmp_path, ASGI, *options, config=ABORT) as gunicorn:
        first = gunicorn.pids[0]
        answer = gunicorn.begin("/block")
        gunicorn.has_logged("hook: abort")
        assert answer.exception() is not None or answer.result()[0] == 500
        release(tmp_path)
        before, _, after = gunicorn.log.partition("WORKER TIMEOUT")
        assert "The event loop has not turned for " in before
        assert "it is blocked by GET '/block' for " in before
        assert re.search(r'/served\.py", line \d+, in app\n +time\.sleep', before)
        assert re.search(r"GET '/block' for [^\n]*:\n", after)
        assert re.search(r'/served\.py", line \d+, in app\n +time\.sleep', after)
        until(lambda: len(gunicorn.pids) == 2, "a new worker")
        assert gunicorn.get()[1] != b"%d" % first


def test_loop_that_turns_again_is_logged(tmp_path: Path) -> None:
    """A loop that was blocked for some time says for how long."""
    with Gunicorn(tmp_path, ASGI, "--timeout", "6") as gunicorn:
        answer = gunicorn.begin("/block")
        gunicorn.has_logged("The event loop has not turned for ")
        release(tmp_path)
        assert answer.result()[0] == 200
        assert gunicorn.has_logged("The event loop turns again, after ")


@LOOPS
@KINDS
def test_sigabrt_dumps_what_runs(tmp_path: Path, source: str, loop: str) -> None:
    """SIGABRT leaves the stack of each running request in the log, and calls the hook."""
    options = ["--asgi-loop", loop]
    with Gunicorn(tmp_path, source, *options, config=ABORT) as gunicorn:
        answer = gunicorn.begin("/hold")
        gunicorn.has_logged("holding")
        gunicorn.signal(signal.SIGABRT, gunicorn.pids[0])
        gunicorn.has_logged("hook: abort")
        assert answer.exception() is not None or answer.result()[0] == 500
        assert re.search(r"GET '/hold' for \d+\.\d s, client 127\.0\.0\.1:\d+:\n", gunicorn.log)
        assert re.search(r'/served\.py", line \d+, in (app|handle_exchange)\n', gunicorn.log)
        until(lambda: len(gunicorn.pids) == 2, "a new worker")
        assert gunicorn.get()[0] == 200


def test_sigabrt_tells_where_the_application_is_loaded(tmp_path: Path) -> None:
    """An import that takes longer than ``timeout`` is in the log, with its stack."""
    source = """
import time

def connect():
    print("loading", flush=True)
    time.sleep(60)

connect()
"""
    with Gunicorn(tmp_path, source, config=ABORT) as gunicorn:
        gunicorn.has_logged("loading")
        gunicorn.signal(signal.SIGABRT, until(lambda: gunicorn.pids, "a worker")[0])
        gunicorn.has_logged("hook: abort")
        assert re.search(r'/served\.py", line \d+, in connect\n +time\.sleep', gunicorn.log)


@LOOPS
def test_sighup_reloads_without_a_lost_request(tmp_path: Path, loop: str) -> None:
    """While SIGHUP replaces the workers no request fails, and new processes answer."""
    options = ["--workers", "2", "--threads", "2", "--asgi-loop", loop]
    with Gunicorn(tmp_path, WSGI, *options) as gunicorn:
        pids: list[bytes] = []
        is_over = threading.Event()

        def ask() -> None:
            while not is_over.is_set():
                status, content = gunicorn.get()
                assert status == 200
                pids.append(content)

        with ThreadPoolExecutor(4) as clients:
            asked = [clients.submit(ask) for _ in range(4)]
            until(lambda: len(pids) > 100, "answers")
            before = set(pids)
            gunicorn.signal(signal.SIGHUP)
            until(lambda: set(pids[-50:]).isdisjoint(before), "answers of new workers")
            is_over.set()
        for each in asked:
            each.result()


@LOOPS
def test_max_requests(tmp_path: Path, loop: str) -> None:
    """The last of max_requests says that it is; the worker is replaced, and nothing is lost."""
    options = ["--max-requests", "10", "--asgi-loop", loop]
    with Gunicorn(tmp_path, WSGI, *options) as gunicorn:
        connection, announced, pids = gunicorn.connect(), list[bool](), set[bytes]()
        for _ in range(50):
            connection.request("GET", "/")  # http.client reconnects where the last one was told
            response = connection.getresponse()
            announced.append(response.headers["Connection"] == "close")
            pids.add(response.read())
        connection.close()
        assert len(pids) >= 4
        assert announced.index(True) == 9
        assert gunicorn.has_logged("Autorestarting worker after current request.")


def test_sigusr1_reopens_logs(tmp_path: Path) -> None:
    """After SIGUSR1 the logs are written to files of the same name."""
    log = tmp_path / "access.log"
    with Gunicorn(tmp_path, WSGI, "--access-logfile", str(log)) as gunicorn:
        gunicorn.get("/one")
        until(lambda: "/one" in log.read_text(), "a line")
        log.rename(tmp_path / "access.log.1")
        gunicorn.signal(signal.SIGUSR1)
        until(log.exists, "a new log")
        # The arbiter opens its log first: a worker may still be about to.
        until(lambda: gunicorn.get("/two")[0] == 200 and "/two" in log.read_text(), "a line")


@LOOPS
def test_sigusr1_lets_an_exit_take_its_course(tmp_path: Path, loop: str) -> None:
    """Logs may be rotated while a worker ends; it isn't killed by that."""
    hook = """
import os, time

def worker_exit(server, worker):
    print("exit begins", flush=True)
    while not os.path.exists("released"):
        time.sleep(0.02)
    print("exit ends", flush=True)
"""
    with Gunicorn(tmp_path, WSGI, "--asgi-loop", loop, config=hook) as gunicorn:
        gunicorn.get()
        gunicorn.signal(signal.SIGTERM, gunicorn.pids[0])
        gunicorn.has_logged("exit begins")
        gunicorn.signal(signal.SIGUSR1, gunicorn.pids[0])
        time.sleep(0.1)
        release(tmp_path)
        assert gunicorn.has_logged("exit ends")
        assert "was sent SIGUSR1" not in gunicorn.log


def test_sigusr2_starts_a_second_arbiter(tmp_path: Path) -> None:
    """After SIGUSR2 a new arbiter serves the same socket, also when the old one is gone."""
    with Gunicorn(tmp_path, WSGI, "--pid", "pid") as gunicorn:
        first = gunicorn.get()[1]
        gunicorn.signal(signal.SIGUSR2)
        new_pid_file = tmp_path / "pid.2"
        until(lambda: new_pid_file.exists() and new_pid_file.read_text(), "an arbiter")
        new_pid = int(new_pid_file.read_text())
        try:
            until(lambda: len(gunicorn.pids) == 2, "its worker")
            until(lambda: gunicorn.get()[1] != first, "an answer of it")
            gunicorn.signal(signal.SIGTERM)
            assert gunicorn.wait() == 0
            assert gunicorn.get()[1] == b"%d" % gunicorn.pids[1]
        finally:
            os.kill(new_pid, signal.SIGTERM)


def test_reload(tmp_path: Path) -> None:
    """With --reload a changed application is served anew."""
    with Gunicorn(tmp_path, WSGI, "--reload", "--reload-engine", "poll") as gunicorn:
        first = gunicorn.get()[1]
        changed = itertools.count(int(time.time()))  # the first may be what it has not yet seen

        def has_changed() -> bool:
            os.utime(tmp_path / "served.py", (0, next(changed)))
            return gunicorn.get()[1] != first

        until(has_changed, "another process")
