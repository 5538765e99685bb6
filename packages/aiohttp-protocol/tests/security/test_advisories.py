"""The published failures of other HTTP stacks: each is a test here, or has a reason why not."""

from __future__ import annotations

from pathlib import Path

import pytest

# Of what this package does: heads, bodies, codings, multipart, the server's connection.
BINDING = [
    # aiohttp
    "CVE-2022-33124", "CVE-2023-47641", "CVE-2023-37276", "GHSA-pjjw-qhg8-p2p9", "CVE-2023-47627",
    "CVE-2023-49081", "CVE-2023-49082", "CVE-2024-23829", "CVE-2024-30251", "CVE-2024-52304",
    "CVE-2025-53643", "CVE-2025-69223", "CVE-2025-69224", "CVE-2025-69227", "CVE-2025-69228",
    "CVE-2025-69229", "CVE-2025-69230", "CVE-2026-22815", "CVE-2026-34514", "CVE-2026-34516",
    "CVE-2026-34517", "CVE-2026-34519", "CVE-2026-34520", "CVE-2026-34525", "CVE-2026-34993",
    "CVE-2026-50269", "CVE-2026-54273", "CVE-2026-54277", "CVE-2026-54278", "CVE-2026-69243",
    "#13136", "#12988", "#13652",
    # gunicorn
    "CVE-2024-1135", "CVE-2024-6827", "gunicorn 20.0.4", "gunicorn 25.3-26.1",
    # h11, uvicorn, httpx, starlette
    "CVE-2025-43859", "CVE-2020-7694", "CVE-2020-7695", "CVE-2021-41945", "CVE-2026-84382",
    "CVE-2025-57804", "CVE-2026-71554", "CVE-2026-48710", "CVE-2023-30798",
    # waitress
    "CVE-2019-16785", "CVE-2019-16786", "CVE-2019-16789", "CVE-2019-16792", "CVE-2020-5236",
    "CVE-2022-24761", "CVE-2022-31015", "CVE-2024-49768", "CVE-2024-49769",
    # tornado, urllib3
    "GHSA-753j-mpmx-qq6g", "CVE-2025-47287", "CVE-2025-67724", "CVE-2025-67725", "CVE-2025-67726",
    "CVE-2026-31958", "CVE-2026-35536", "GHSA-mgf9-4vpg-hj56", "GHSA-8423-8fgw-73vq",
    "CVE-2026-21441", "CVE-2026-44432",
]  # fmt: skip

# Why the others have no test here.
STATIC = "static files are the server's; this package opens no path that a peer names"
REDIRECTS = "redirects, cookies and credentials are the client's, above a connection"
WEBSOCKET = "this package speaks no WebSocket"
FORMS = "urlencoded forms are the server's"
NATIVE = "there is no C extension"
ELSEWHERE = {
    "CVE-2021-21330": "an open redirect of a router; a target is handed on as it came",
    "CVE-2023-28370": STATIC,
    "CVE-2024-23334": STATIC,
    "CVE-2024-27306": STATIC,
    "CVE-2024-42367": STATIC,
    "CVE-2025-69225": STATIC,
    "CVE-2025-69226": STATIC,
    "CVE-2026-34515": STATIC,
    "CVE-2023-29159": STATIC,
    "CVE-2024-52303": "a router's cache; caches here are bounded (test_head.py, test_encode.py)",
    "CVE-2026-34513": "names are resolved by the client",
    "CVE-2026-34518": REDIRECTS,
    "CVE-2026-47265": REDIRECTS,
    "CVE-2026-54275": REDIRECTS,
    "CVE-2026-54276": REDIRECTS,
    "CVE-2026-54280": REDIRECTS,
    "GHSA-hpj7-wq8m-9hgp": REDIRECTS,
    "GHSA-4m7w-qmgq-4wj5": "connections are pooled by the client",
    "GHSA-9x8q-7h8h-wcw9": "its title is not known",
    "CVE-2026-54279": REDIRECTS,
    "#13180": REDIRECTS,
    "#13054": REDIRECTS,
    "CVE-2026-54274": WEBSOCKET,
    "CVE-2026-59881": WEBSOCKET,
    "#13350": WEBSOCKET,
    "CVE-2018-1000518": WEBSOCKET,
    "CVE-2026-42544": WEBSOCKET,
    "CVE-2026-69244": NATIVE,
    "GHSA-cx3h-4qpv-8hc9": NATIVE,
    "CVE-2021-33880": "credentials are compared by nobody here",
    "CVE-2024-52804": "cookies are the server's and the client's",
    "GHSA-3x9g-8vmp-wqvf": REDIRECTS,
    "GHSA-pw6j-qg29-8w7f": "there is no curl handle",
    "GHSA-mpf4-983q-p7j4": FORMS,
    "GHSA-wwv5-g3v4-889x": "cookies are the server's and the client's",
    "CVE-2026-44431": REDIRECTS,
}

FOLDER = Path(__file__).parent
TESTS = {
    path.name: path.read_text(encoding="utf-8")
    for path in sorted(FOLDER.glob("test_*.py"))
    if path != Path(__file__)
}


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


def test_every_rule_of_the_wire_has_a_file() -> None:
    """Rules 1 to 9, 12 and 13 bind the wire; the others are kept by the packages above."""
    rules = {int(name.split("_")[1]) for name in TESTS}
    assert rules == {*range(1, 10), 12, 13}
