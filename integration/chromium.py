"""Headless Chromium, driven by the DevTools protocol over a pair of pipes: no port, no driver."""

from __future__ import annotations

import asyncio
import base64
import fcntl
import itertools
import json
import os
import shutil
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

__all__ = ["Chromium", "Page", "chromium"]

PATIENCE = 20.0  # seconds until a test that hangs fails
MESSAGE_LIMIT = 64 * 1024 * 1024
OPTIONS = [
    "--headless=new", "--no-sandbox", "--remote-debugging-pipe", "--disable-gpu", "--disable-quic",
    "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars", "--force-color-profile=srgb",
]  # fmt: skip


class Chromium:
    """A running browser: commands go in, answers and events come out, each ending in NUL."""

    def __init__(self, reader: asyncio.StreamReader, sink: int) -> None:
        self._reader = reader
        self._sink = sink
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._pages: dict[str, Page] = {}

    async def call(self, method: str, session: str | None = None, **parameters: Any) -> Any:
        """Return the result of a command; ``session`` is that of a page."""
        number = next(self._numbers)
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        self._answers[number] = asyncio.get_running_loop().create_future()
        os.write(self._sink, json.dumps(message).encode() + b"\0")
        async with asyncio.timeout(PATIENCE):
            answer = await self._answers[number]
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    async def new_page(self, *, width: int = 960, height: int = 720, dark: bool = False) -> Page:
        """Return an empty page of this size, in light or dark colours."""
        target = await self.call("Target.createTarget", url="about:blank")
        attached = await self.call(
            "Target.attachToTarget", targetId=target["targetId"], flatten=True
        )
        page = Page(self, attached["sessionId"])
        self._pages[page.session] = page
        for domain in ("Page", "Runtime", "Log", "DOM"):
            await page.call(f"{domain}.enable")
        await page.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await page.call("Emulation.setEmulatedMedia", features=[scheme])
        return page

    async def listen(self) -> None:
        """Hand out what comes, until the browser ends."""
        while True:
            message = json.loads((await self._reader.readuntil(b"\0"))[:-1])
            if "id" in message:
                self._answers.pop(message["id"]).set_result(message)
            elif (page := self._pages.get(message.get("sessionId", ""))) is not None:
                page.event_came(message["method"], message["params"])


class Page:
    """One page; ``complaints`` is what the browser has logged of it, and errors of its scripts."""

    def __init__(self, browser: Chromium, session: str) -> None:
        self._browser = browser
        self.session = session
        self.complaints: list[str] = []
        self._has_loaded = asyncio.Event()

    async def call(self, method: str, **parameters: Any) -> Any:
        """Return the result of a command to this page."""
        return await self._browser.call(method, self.session, **parameters)

    def event_came(self, method: str, parameters: dict[str, Any]) -> None:
        """Take note of an event."""
        if method == "Page.loadEventFired":
            self._has_loaded.set()
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(str(parameters["exceptionDetails"]))
        elif method == "Log.entryAdded":
            entry = parameters["entry"]
            self.complaints.append(f"{entry['text']} ({entry.get('url', '')})")

    async def open(self, url: str) -> None:
        """Go to a URL, and return when the page has been loaded."""
        self._has_loaded.clear()
        went = await self.call("Page.navigate", url=url)
        if "errorText" in went:
            raise RuntimeError(f"{url}: {went['errorText']}")
        async with asyncio.timeout(PATIENCE):
            await self._has_loaded.wait()

    async def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression, or what its promise brings."""
        answer = await self.call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    async def text(self, selector: str = "body") -> str:
        """Return the text of the first element that matches, as it is shown."""
        return str(await self.evaluate(f"document.querySelector({json.dumps(selector)}).innerText"))

    async def until(self, expression: str, seconds: float = PATIENCE) -> Any:
        """Return the value of an expression once it is true."""
        try:
            async with asyncio.timeout(seconds):
                while not (value := await self.evaluate(expression)):
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise TimeoutError(f"waited {seconds:g} s for {expression}") from None
        return value

    async def choose_files(self, selector: str, *files: Path) -> None:
        """Choose files in an ``<input type=file>``, as a person does."""
        root = (await self.call("DOM.getDocument"))["root"]["nodeId"]
        found = await self.call("DOM.querySelector", nodeId=root, selector=selector)
        await self.call(
            "DOM.setFileInputFiles", nodeId=found["nodeId"], files=[os.fspath(f) for f in files]
        )

    async def screenshot(self) -> bytes:
        """Return what is seen of the page, as PNG."""
        taken = await self.call("Page.captureScreenshot", optimizeForSpeed=False)
        return base64.b64decode(taken["data"])


@asynccontextmanager
async def chromium(profile: Path) -> AsyncGenerator[Chromium]:
    """Run a browser as long as the block lasts; ``profile`` is a folder of its own."""
    if shutil.which("chromium") is None:
        raise FileNotFoundError("chromium is not installed: .ci/debian-packages names it")
    commands, sink = _pipe()
    source, answers = _pipe()
    # It reads commands from 3 and writes answers to 4.
    redirected = f'exec chromium "$@" 3<&{commands} 4>&{answers}'
    process = await asyncio.create_subprocess_exec(
        "bash", "-c", redirected, "bash", *OPTIONS, f"--user-data-dir={profile}", "about:blank",
        pass_fds=[commands, answers], stderr=asyncio.subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    os.close(commands)
    os.close(answers)
    reader = asyncio.StreamReader(MESSAGE_LIMIT)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(source, "rb", 0)
    )
    browser = Chromium(reader, sink)
    listening = asyncio.create_task(browser.listen())
    try:
        yield browser
    finally:
        listening.cancel()
        await asyncio.wait([listening])
        transport.close()
        os.close(sink)
        # The browser and all its processes: nobody is to write into the profile any more.
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def _pipe() -> tuple[int, int]:
    """Return a pipe whose two ends have numbers above those that a shell can redirect to."""
    ends = os.pipe()
    moved = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends]
    for end in ends:
        os.close(end)
    return moved[0], moved[1]
