"""The published failures of HTTP clients: each is a test here, or has a reason why not."""

from __future__ import annotations

from pathlib import Path

import pytest

# Of what this package does, or passes on to the wire.
BINDING = [
    # aiohttp
    "CVE-2022-33124", "CVE-2023-47641", "CVE-2023-37276", "GHSA-pjjw-qhg8-p2p9", "CVE-2023-47627",
    "CVE-2023-49081", "CVE-2023-49082", "CVE-2024-23829", "CVE-2024-52303", "CVE-2024-52304",
    "CVE-2025-53643", "CVE-2025-69223", "CVE-2025-69224", "CVE-2025-69227", "CVE-2025-69230",
    "CVE-2026-22815", "CVE-2026-34513", "CVE-2026-34514", "CVE-2026-34518", "CVE-2026-34520",
    "CVE-2026-34993", "CVE-2026-47265", "CVE-2026-50269", "GHSA-4m7w-qmgq-4wj5", "CVE-2026-54277",
    "CVE-2026-54278", "CVE-2026-54279", "CVE-2026-69243", "#13180", "#13136",
    # gunicorn, h11, uvicorn, httpx, h2, starlette
    "CVE-2024-1135", "CVE-2024-6827", "CVE-2025-43859", "CVE-2020-7694", "CVE-2020-7695",
    "CVE-2021-41945", "CVE-2026-84382", "CVE-2025-57804", "CVE-2026-48710",
    # waitress
    "CVE-2019-16786", "CVE-2019-16789", "CVE-2019-16792", "CVE-2020-5236", "CVE-2022-24761",
    "CVE-2024-49768",
    # tornado
    "CVE-2024-52804", "CVE-2025-47287", "CVE-2025-67726", "CVE-2026-35536", "GHSA-3x9g-8vmp-wqvf",
    "GHSA-mgf9-4vpg-hj56", "GHSA-pw6j-qg29-8w7f", "GHSA-wwv5-g3v4-889x",
    # urllib3
    "CVE-2026-21441", "CVE-2026-44431", "CVE-2026-44432",
]  # fmt: skip

# Why the others have no test here.
STATIC = "static files are the server's; this package opens no path that a peer names"
SERVER = "it is a server's to refuse: a client reads no request"
WIRE = "chunks, segments and parts are the wire's, and tested by aiohttp-protocol"
DIGEST = "this package knows no digest authentication"
WEBSOCKET = "this package speaks no WebSocket"
NATIVE = "there is no C extension"
ELSEWHERE = {
    "CVE-2021-21330": "an open redirect of a router",
    "CVE-2023-28370": STATIC,
    "CVE-2024-23334": STATIC,
    "CVE-2024-27306": STATIC,
    "CVE-2024-42367": STATIC,
    "CVE-2025-69225": STATIC,
    "CVE-2025-69226": STATIC,
    "CVE-2026-34515": STATIC,
    "CVE-2023-29159": STATIC,
    "CVE-2024-30251": WIRE,
    "CVE-2025-69228": SERVER,
    "CVE-2025-69229": WIRE,
    "CVE-2026-34516": WIRE,
    "CVE-2026-34517": SERVER,
    "CVE-2026-34519": SERVER,
    "CVE-2026-34525": SERVER,
    "CVE-2026-54273": SERVER,
    "#12988": WIRE,
    "#13652": WIRE,
    "CVE-2026-54275": DIGEST,
    "CVE-2026-54276": DIGEST,
    "CVE-2026-54280": DIGEST,
    "GHSA-hpj7-wq8m-9hgp": DIGEST,
    "#13054": DIGEST,
    "GHSA-9x8q-7h8h-wcw9": "its title is not known",
    "CVE-2026-54274": WEBSOCKET,
    "CVE-2026-59881": WEBSOCKET,
    "#13350": WEBSOCKET,
    "CVE-2018-1000518": WEBSOCKET,
    "CVE-2026-42544": WEBSOCKET,
    "CVE-2026-69244": NATIVE,
    "GHSA-cx3h-4qpv-8hc9": NATIVE,
    "gunicorn 20.0.4": SERVER,
    "gunicorn 25.3-26.1": SERVER,
    "CVE-2026-71554": SERVER,
    "CVE-2023-30798": SERVER,
    "CVE-2019-16785": "a bare LF between the lines of a response is a line end (RFC 9112, 2.2)",
    "CVE-2022-31015": "connections live in one thread",
    "CVE-2024-49769": WIRE,
    "CVE-2021-33880": "credentials are compared by nobody here; a fingerprint is no secret",
    "GHSA-753j-mpmx-qq6g": "its sources disagree on what it is; its framing is in test_02_framing",
    "CVE-2025-67724": SERVER,
    "CVE-2025-67725": WIRE,
    "CVE-2026-31958": WIRE,
    "GHSA-mpf4-983q-p7j4": SERVER,
    "GHSA-8423-8fgw-73vq": WIRE,
}

FOLDER = Path(__file__).parent
TESTS = {
    path.name: path.read_text(encoding="utf-8")
    for path in sorted(FOLDER.glob("test_*.py"))
    if path != Path(__file__)
}
# The sources are looked at where those of all packages are.
TESTS["test_language.py"] = (FOLDER.parent / "test_language.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("advisory", BINDING)
def test_advisory_is_named(advisory: str) -> None:
    """Each failure that this package could repeat is named where it is tested."""
    assert any(advisory in text for text in TESTS.values())


@pytest.mark.parametrize("advisory", ELSEWHERE)
def test_advisory_elsewhere_has_a_reason(advisory: str) -> None:
    """What can't happen here says why, and isn't tested here all the same."""
    assert ELSEWHERE[advisory]
    assert advisory not in BINDING
    assert not any(advisory in text for text in TESTS.values())


def test_no_advisory_is_forgotten() -> None:
    """The wire's list and this one have the same rows."""
    wire = FOLDER.parents[2] / "aiohttp-protocol" / "tests" / "security" / "test_advisories.py"
    listed = {*BINDING, *ELSEWHERE}
    text = wire.read_text(encoding="utf-8")
    assert [advisory for advisory in listed if f'"{advisory}"' not in text] == []


def test_every_rule_of_a_client_has_a_file() -> None:
    """Rule 5 is about requests, 14 about static files; 15 is held by ``test_connector.py``."""
    rules = {int(name[5:7]) for name in TESTS if name[5:7].isdigit()}
    assert rules == {1, 2, 3, 4, *range(6, 14)}
