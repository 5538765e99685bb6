"""Four clients, driven in one way: requests, httpx, curl and ours."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import httpx
import requests

import aiohttp

__all__ = ["CLIENTS", "Answer", "Client", "Content", "Opener"]

PATIENCE = 20.0  # seconds until a request that hangs fails

Content: TypeAlias = "bytes | list[bytes]"
"""A body; one of several pieces is sent without its length being told."""


@dataclass(frozen=True)
class Answer:
    """A response; the names of its fields are in lower case."""

    status: int
    fields: Mapping[str, str]
    content: bytes

    @property
    def text(self) -> str:
        """The content as text."""
        return self.content.decode()

    def json(self) -> Any:
        """Return what the content says as JSON."""
        return json.loads(self.content)


class Client(Protocol):
    """Somebody who asks one site, follows redirects, and keeps its cookies."""

    def ask(self, method: str, target: str, content: Content | None = None) -> Answer:
        """Return the answer to a request."""
        ...

    def upload(self, target: str, fields: Mapping[str, str], **files: Path) -> Answer:
        """Return the answer to a form with files."""
        ...

    def lines(self, target: str) -> AbstractContextManager[Iterator[str]]:
        """Yield the lines of an answer as they come; leaving the block hangs up."""
        ...


class Requests:
    """The client whose name is requests."""

    def __init__(self, url: str, session: requests.Session) -> None:
        self._url = url
        self._session = session

    def ask(self, method: str, target: str, content: Content | None = None) -> Answer:
        """Return the answer to a request."""
        data = iter(content) if isinstance(content, list) else content
        return self._request(method, target, data=data)

    def upload(self, target: str, fields: Mapping[str, str], **files: Path) -> Answer:
        """Return the answer to a form with files."""
        named = {name: (file.name, file.read_bytes()) for name, file in files.items()}
        return self._request("POST", target, data=fields, files=named)

    @contextmanager
    def lines(self, target: str) -> Generator[Iterator[str]]:
        """Yield the lines of an answer as they come; leaving the block hangs up."""
        with self._session.get(self._url + target, stream=True, timeout=PATIENCE) as response:
            yield (line.decode() for line in response.iter_lines(chunk_size=1))

    def _request(self, method: str, target: str, **body: Any) -> Answer:
        response = self._session.request(method, self._url + target, timeout=PATIENCE, **body)
        fields = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, fields, response.content)


@contextmanager
def by_requests(url: str, folder: Path) -> Generator[Client]:
    """Ask with requests."""
    with requests.Session() as session:
        yield Requests(url, session)


class Httpx:
    """The client whose name is httpx."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def ask(self, method: str, target: str, content: Content | None = None) -> Answer:
        """Return the answer to a request."""
        return self._answer(self._client.request(method, target, content=content))

    def upload(self, target: str, fields: Mapping[str, str], **files: Path) -> Answer:
        """Return the answer to a form with files."""
        named = {name: (file.name, file.read_bytes()) for name, file in files.items()}
        return self._answer(self._client.post(target, data=fields, files=named))

    @contextmanager
    def lines(self, target: str) -> Generator[Iterator[str]]:
        """Yield the lines of an answer as they come; leaving the block hangs up."""
        with self._client.stream("GET", target) as response:
            yield response.iter_lines()

    @staticmethod
    def _answer(response: httpx.Response) -> Answer:
        return Answer(response.status_code, dict(response.headers), response.content)


@contextmanager
def by_httpx(url: str, folder: Path) -> Generator[Client]:
    """Ask with httpx."""
    with httpx.Client(base_url=url, timeout=PATIENCE, follow_redirects=True) as client:
        yield Httpx(client)


class Curl:
    """The program curl: one process for each request, with cookies in a file."""

    def __init__(self, url: str, folder: Path) -> None:
        self._url = url
        self._head = folder / "head"
        jar = folder / "cookies"
        self._command = ["curl", "-q", "--silent", "--show-error", "--location", "--globoff"]
        self._command += ["--noproxy", "*", "--max-time", str(PATIENCE)]
        self._command += ["--cookie", str(jar), "--cookie-jar", str(jar)]

    def ask(self, method: str, target: str, content: Content | None = None) -> Answer:
        """Return the answer to a request."""
        how = ["--head"] if method == "HEAD" else ["--request", method]
        if isinstance(content, list):
            # Without Expect: a body that waits for leave is not read before the site is called,
            # and Django would not know its length.
            how += ["--header", "Expect:", "--upload-file", "-"]
            return self._run(target, *how, stdin=b"".join(content))
        if content is not None:
            how += ["--header", "Content-Type: application/octet-stream", "--data-binary", "@-"]
        return self._run(target, *how, stdin=content)

    def upload(self, target: str, fields: Mapping[str, str], **files: Path) -> Answer:
        """Return the answer to a form with files."""
        named = {name: f"@{file}" for name, file in files.items()}
        form = [f"{name}={value}" for name, value in {**fields, **named}.items()]
        return self._run(target, *(option for part in form for option in ("--form", part)))

    @contextmanager
    def lines(self, target: str) -> Generator[Iterator[str]]:
        """Yield the lines of an answer as they come; leaving the block hangs up."""
        command = [*self._command, "--no-buffer", self._url + target]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            yield (line.rstrip("\n") for line in process.stdout)
            process.kill()

    def _run(self, target: str, *options: str, stdin: bytes | None = None) -> Answer:
        command = [*self._command, "--dump-header", str(self._head), *options, self._url + target]
        if "--head" in options:
            command += ["--output", "/dev/null"]
        done = subprocess.run(command, input=stdin, stdout=subprocess.PIPE, check=True)
        # Of those before it one may be a redirect, or 100 (Continue).
        *_, head = self._head.read_text(encoding="latin-1").strip().split("\n\n")
        status_line, *lines = head.splitlines()
        fields = (line.partition(":") for line in lines)
        return Answer(
            int(status_line.split()[1]),
            {name.lower(): value.strip() for name, _, value in fields},
            done.stdout,
        )


@contextmanager
def by_curl(url: str, folder: Path) -> Generator[Client]:
    """Ask with curl."""
    yield Curl(url, folder)


class Ours:
    """Our own client, in a loop that turns while it is asked."""

    def __init__(self, runner: asyncio.Runner, session: aiohttp.ClientSession) -> None:
        self._runner = runner
        self._session = session

    def ask(self, method: str, target: str, content: Content | None = None) -> Answer:
        """Return the answer to a request."""
        data = _pieces(content) if isinstance(content, list) else content
        return self._runner.run(self._ask(method, target, data))

    def upload(self, target: str, fields: Mapping[str, str], **files: Path) -> Answer:
        """Return the answer to a form with files."""
        form = aiohttp.FormData(fields)
        for name, file in files.items():
            form.add_field(name, file.read_bytes(), filename=file.name)
        return self._runner.run(self._ask("POST", target, form))

    @contextmanager
    def lines(self, target: str) -> Generator[Iterator[str]]:
        """Yield the lines of an answer as they come; leaving the block hangs up."""

        async def begin() -> aiohttp.ClientResponse:
            return await self._session.get(target)

        response = self._runner.run(begin())

        def read() -> Iterator[str]:
            while line := self._runner.run(response.content.readline()):
                yield line.decode().rstrip("\n")

        try:
            yield read()
        finally:
            response.close()

    async def _ask(self, method: str, target: str, data: Any) -> Answer:
        async with self._session.request(method, target, data=data) as response:
            fields = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status, fields, await response.read())


async def _pieces(content: list[bytes]) -> AsyncGenerator[bytes]:
    for piece in content:
        yield piece


@contextmanager
def by_ours(url: str, folder: Path) -> Generator[Client]:
    """Ask with our own client."""

    async def begin() -> aiohttp.ClientSession:
        jar = aiohttp.CookieJar(unsafe=True)  # keeps those of an address, too
        return aiohttp.ClientSession(url, cookie_jar=jar, timeout=PATIENCE)

    with asyncio.Runner() as runner:
        session = runner.run(begin())
        try:
            yield Ours(runner, session)
        finally:
            runner.run(session.close())


Opener: TypeAlias = Callable[[str, Path], AbstractContextManager[Client]]
"""Asks what is at a URL, and may keep files in a folder."""

CLIENTS: dict[str, Opener] = {
    "requests": by_requests,
    "httpx": by_httpx,
    "curl": by_curl,
    "ours": by_ours,
}
