"""Sites written with the frameworks of others, served by our worker, asked by four clients.

``frameworks`` has the sites, which all do the same, and the clients.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from chromium import Page, chromium
from frameworks.clients import CLIENTS, Client
from gunicorn_process import Gunicorn, until

INTEGRATION = Path(__file__).parent
ENVIRON = {"PYTHONPATH": str(INTEGRATION)}
MEGABYTE = 1_000_000
EXPECTED = "RuntimeError: out of order|Unclosed file <tempfile.SpooledTemporaryFile"
"""What may be in a log: the second is Django's, of a client that goes while it is sent to."""


class Site(NamedTuple):
    """Where an application is, and which file it gives as its ``/source``."""

    module: str
    name: str = "app"
    file: str = ""

    @property
    def statement(self) -> str:
        """How it is imported as ``app``."""
        return f"from frameworks.{self.module} import {self.name} as app\n"

    @property
    def source(self) -> Path:
        """The file that it gives."""
        return INTEGRATION / "frameworks" / (self.file or f"{self.module}.py")


SITES = {
    "Flask": Site("flask_site"),
    "Falcon": Site("falcon_site"),
    "Starlette": Site("starlette_site"),
    "FastAPI": Site("fastapi_site"),
    "Django": Site("django_site.wsgi", "application", "django_site/views.py"),
    "Django by ASGI": Site("django_site.asgi", "application", "django_site/views.py"),
}


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the database of the Django project, where Ahab is a superuser."""
    folder = tmp_path_factory.mktemp("database")
    settings = {"DJANGO_SETTINGS_MODULE": "frameworks.django_site.settings"}
    environment = {**os.environ, **ENVIRON, **settings}
    environment["DJANGO_SUPERUSER_PASSWORD"] = "white whale"
    ahab = ["--username", "ahab", "--email", "ahab@pequod.example", "--no-input"]
    for command in (["migrate"], ["createsuperuser", *ahab]):
        subprocess.run(
            [sys.executable, "-m", "django", *command],
            cwd=folder,
            env=environment,
            check=True,
            stdout=subprocess.DEVNULL,
        )
    return folder / "site.sqlite3"


class Served(NamedTuple):
    """A site that runs."""

    site: Site
    gunicorn: Gunicorn


@pytest.fixture(scope="module", params=SITES)
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, database: Path
) -> Iterator[Served]:
    """Each of the sites, in turn."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copy(database, folder)
    site = SITES[request.param]
    with Gunicorn(folder, site.statement, "--threads", "4", environ=ENVIRON) as gunicorn:
        yield Served(site, gunicorn)
        gunicorn.signal(signal.SIGTERM)
        assert gunicorn.wait() == 0
        wrong = re.findall(r".*(?:Error|Exception|(?:Resource|Runtime)Warning):.*", gunicorn.log)
        assert [line for line in wrong if not re.search(EXPECTED, line)] == []


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest, served: Served, tmp_path: Path) -> Iterator[Client]:
    """Each of the clients, in turn."""
    with CLIENTS[request.param](served.gunicorn.url, tmp_path) as opened:
        yield opened


# What all of them do.


def test_path_and_query(client: Client) -> None:
    """An application gets both decoded, as the client meant them."""
    answer = client.ask("GET", "/hello/%C3%A0%20la%20mer?whale=white&whale%3F=%26%2B")
    assert answer.status == 200
    assert answer.fields["content-type"].startswith("application/json")
    query = {"whale": "white", "whale?": "&+"}
    assert answer.json() == {"name": "à la mer", "query": query}


def test_redirect(client: Client) -> None:
    """A client arrives where it was sent to."""
    assert client.ask("GET", "/away").json() == {"name": "again", "query": {}}


def test_bodies(client: Client) -> None:
    """A body arrives whole, none, small or large."""
    for size in (0, 1, 70_000, 5 * MEGABYTE):
        content = os.urandom(size)
        answer = client.ask("POST", "/digest", content)
        assert answer.text == hashlib.sha256(content).hexdigest()


def test_body_without_length(client: Client) -> None:
    """A body arrives whole although nobody knew its length before it ended."""
    content = [b"call", b" me", b" Ishmael"]
    answer = client.ask("POST", "/digest", content)
    assert answer.text == hashlib.sha256(b"".join(content)).hexdigest()


def test_upload(client: Client, tmp_path: Path) -> None:
    """A file of 10 MB in a form arrives whole, with its name and the field beside it."""
    log = tmp_path / "log.bin"
    log.write_bytes(os.urandom(10 * MEGABYTE))
    answer = client.upload("/upload", {"ship": "Pequod"}, log=log)
    sha256 = hashlib.sha256(log.read_bytes()).hexdigest()
    told = {"ship": "Pequod", "name": "log.bin", "size": 10 * MEGABYTE, "sha256": sha256}
    assert (answer.status, answer.json()) == (200, told)


def test_sessions(client: Client) -> None:
    """A client that has been here is known by its cookie."""
    assert [client.ask("GET", "/visits").text for _ in range(3)] == ["1", "2", "3"]


def test_file(client: Client, served: Served) -> None:
    """A file is sent as it is, and its head alone to who asks for that."""
    content = served.site.source.read_bytes()
    got, head = (client.ask(method, "/source") for method in ("GET", "HEAD"))
    assert (got.status, got.content) == (200, content)
    assert (head.status, head.content) == (200, b"")
    assert got.fields["content-length"] == head.fields["content-length"] == str(len(content))
    assert got.fields["content-type"] == head.fields["content-type"]


def test_lines_come_one_by_one(client: Client) -> None:
    """A client has a line before the next one is made."""
    with client.lines("/lines") as lines:
        assert next(lines) == "first"
        assert client.ask("POST", "/go").status == 204
        assert list(lines) == ["second"]


def test_site_learns_that_nobody_listens(client: Client) -> None:
    """An answer without end ends when its client hangs up, and what made it is closed."""
    before = client.ask("GET", "/notes").json()
    with client.lines("/endless") as lines:
        assert [next(lines) for _ in range(3)] == ["and on"] * 3
        assert client.ask("GET", "/notes").json() == before
    until(lambda: client.ask("GET", "/notes").json() == [*before, "gone"], "the end of it")


def test_errors(client: Client) -> None:
    """What is not there is a 404, what fails a 500, and life goes on."""
    statuses = [client.ask("GET", target).status for target in ("/nowhere", "/broken", "/notes")]
    assert statuses == [404, 500, 200]


# What some of them do.


@pytest.mark.parametrize("served", [name for name in SITES if name != "Django"], indirect=True)
def test_large_body_without_length(client: Client) -> None:
    """So does a large one; but Django, by WSGI, reads what has a length only."""
    content = [os.urandom(100_000) for _ in range(50)]
    answer = client.ask("POST", "/digest", content)
    assert answer.text == hashlib.sha256(b"".join(content)).hexdigest()


@pytest.mark.parametrize("name", SITES)
def test_mounted_site(name: str, tmp_path: Path) -> None:
    """Below SCRIPT_NAME a site finds its pages, and builds URLs that lead there again."""
    environ = {**ENVIRON, "SCRIPT_NAME": "/ship"}
    with Gunicorn(tmp_path, SITES[name].statement, environ=environ) as gunicorn:
        answer = httpx.get(f"{gunicorn.url}/ship/away", follow_redirects=True)
        assert answer.url == f"{gunicorn.url}/ship/hello/again"
        assert answer.json() == {"name": "again", "query": {}}


@pytest.mark.parametrize("served", ["Starlette", "FastAPI"], indirect=True)
def test_background_task(client: Client) -> None:
    """What goes on after an answer holds up neither the answer nor what is asked next."""
    before = client.ask("GET", "/notes").json()
    assert client.ask("POST", "/later").status == 202
    assert client.ask("GET", "/notes").json() == before
    assert client.ask("POST", "/go").status == 204
    until(lambda: client.ask("GET", "/notes").json() == [*before, "worked"], "the end of the task")


@pytest.mark.parametrize("name", ["Starlette", "FastAPI"])
def test_lifespan(name: str, tmp_path: Path) -> None:
    """What begins before the first request is in its state, and ends after the last one."""
    with Gunicorn(tmp_path, SITES[name].statement, environ=ENVIRON) as gunicorn:
        assert gunicorn.get("/notes") == (200, b'["begun"]')
        gunicorn.signal(signal.SIGTERM)
        assert gunicorn.wait() == 0
        assert "ended after begun" in gunicorn.log


@pytest.mark.parametrize("served", ["Django", "Django by ASGI"], indirect=True)
async def test_admin_in_a_browser(served: Served, tmp_path: Path) -> None:
    """A person logs in, adds a group, and logs out; all pages have their styles."""
    async with chromium(tmp_path / "profile") as browser:
        page = await browser.new_page()
        await page.open(f"{served.gunicorn.url}/admin/")
        assert await page.text("#site-name") == "Django administration"
        await send_form(page, "#login-form", username="ahab", password="white whale")
        assert await text_once_shown(page, "#user-tools strong") == "AHAB"  # in capitals: by style

        await page.open(f"{served.gunicorn.url}/admin/auth/group/add/")
        await send_form(page, "#group_form", name="Harpooneers")
        told = await text_once_shown(page, ".messagelist .success")
        assert told == "The group “Harpooneers” was added successfully."
        assert await text_once_shown(page, "#result_list .field-__str__") == "Harpooneers"

        await send_form(page, "#logout-form")
        await page.until("document.title.startsWith('Logged out')")
        assert [each for each in page.complaints if "favicon.ico" not in each] == []


async def send_form(page: Page, form: str, **values: str) -> None:
    """Fill in a form and send it, as a click on its first button does."""
    for name, value in values.items():
        field = json.dumps(f"{form} [name={name}]")
        await page.evaluate(f"document.querySelector({field}).value = {json.dumps(value)}")
    button = json.dumps(f"{form} [type=submit]")
    await page.evaluate(f"document.querySelector({button}).click()")


async def text_once_shown(page: Page, selector: str) -> str:
    """Return the text of an element, once the page that has it is there with its styles."""
    element = f"document.querySelector({json.dumps(selector)})"
    return str(await page.until(f"document.readyState == 'complete' && {element}?.innerText"))


# httpbin, which others wrote to test clients with.


@pytest.fixture(scope="module")
def httpbin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gunicorn]:
    """Return httpbin, running."""
    folder = tmp_path_factory.mktemp("httpbin")
    with Gunicorn(folder, "from httpbin import app", "--threads", "4") as gunicorn:
        yield gunicorn


@pytest.fixture(params=CLIENTS)
def guest(request: pytest.FixtureRequest, httpbin: Gunicorn, tmp_path: Path) -> Iterator[Client]:
    """Each of the clients, in turn."""
    with CLIENTS[request.param](httpbin.url, tmp_path) as opened:
        yield opened


def test_httpbin_sees_what_was_sent(guest: Client, httpbin: Gunicorn, tmp_path: Path) -> None:
    """Arguments, fields, forms and files arrive as they were meant."""
    seen = guest.ask("GET", "/get?ship=Pequod&ship=Rachel").json()
    assert seen["args"] == {"ship": ["Pequod", "Rachel"]}
    assert seen["headers"]["Host"] == "{}:{}".format(*httpbin.address)
    log = tmp_path / "log.txt"
    log.write_text("à la mer")
    seen = guest.upload("/post", {"captain": "Ahab"}, log=log).json()
    assert (seen["form"], seen["files"]) == ({"captain": "Ahab"}, {"log": "à la mer"})
    seen = guest.ask("PUT", "/anything", [b"call ", b"me"]).json()
    assert (seen["method"], seen["data"]) == ("PUT", "call me")


def test_httpbin_is_seen_as_it_answers(guest: Client) -> None:
    """Statuses, redirects, cookies, and bodies of each kind come as they were meant."""
    assert guest.ask("GET", "/status/418").status == 418
    assert guest.ask("GET", "/redirect/3").json()["url"].endswith("/get")
    cookies = guest.ask("GET", "/cookies/set?ship=Pequod&captain=Ahab").json()["cookies"]
    assert cookies == {"ship": "Pequod", "captain": "Ahab"}
    assert len(guest.ask("GET", "/bytes/100000?seed=1").content) == 100_000
    alphabet = guest.ask("GET", "/range/26?chunk_size=5")
    assert (alphabet.status, alphabet.text) == (200, "abcdefghijklmnopqrstuvwxyz")
    assert guest.ask("HEAD", "/bytes/100000").fields["content-length"] == "100000"
    with guest.lines("/stream/5") as lines:
        assert [json.loads(line)["id"] for line in lines] == [0, 1, 2, 3, 4]
