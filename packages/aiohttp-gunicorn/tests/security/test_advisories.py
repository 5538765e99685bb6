"""What went wrong in gunicorn and its workers: each is a test of ours, and here is which.

Those that only processes can show are in the repository's ``integration``.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from house import REPOSITORY

HERE = "packages/aiohttp-gunicorn/tests/security"

ADVISORIES = {
    "CVE-2024-1135": f"{HERE}/test_smuggling.py",
    "CVE-2024-6827": f"{HERE}/test_smuggling.py",
    "gunicorn 20.0.4": f"{HERE}/test_smuggling.py",
    "25.3 to 26.1": f"{HERE}/test_smuggling.py",
    # Of others, where the fault was a gateway's.
    "CVE-2016-5385": f"{HERE}/test_spoofing.py",
    "CVE-2026-48710": f"{HERE}/test_spoofing.py",
    "CVE-2020-7694": f"{HERE}/test_responses.py",
    "CVE-2020-7695": f"{HERE}/test_responses.py",
}
"""Each advisory, and the file that names it."""

COMPLAINTS = {
    # Requests that are lost.
    "A worker that is replaced closes connections without announcing it": (
        "integration/test_worker_load.py::test_reload"
    ),
    "So does one that restarts itself after max_requests": (
        "integration/test_worker_load.py::test_workers_that_restart_themselves"
    ),
    "Who waits in the accept backlog at SIGTERM is reset": (
        "integration/test_worker_signals.py::test_sigterm_answers_what_waits_to_be_accepted"
    ),
    "Behind a proxy that is a 502": (
        "integration/test_worker_proxies.py::test_nginx_passes_5000_requests"
    ),
    # Workers that don't end, or end too soon.
    "An idle connection delays the exit": (
        "integration/test_worker_signals.py::test_idle_connection_is_not_waited_for"
    ),
    "An endless response outlives the limit": (
        "integration/test_worker_signals.py::test_endless_response_is_cut_within_graceful_timeout"
    ),
    "A worker that drains is taken for dead": (
        "integration/test_worker_signals.py::test_draining_worker_keeps_its_heartbeat"
    ),
    "So is one whose application blocks": (
        "integration/test_worker_signals.py::test_blocking_application_costs_no_heartbeat"
    ),
    "A worker whose arbiter was killed lives on": (
        "integration/test_worker_signals.py::test_dead_arbiter_is_noticed"
    ),
    "What fails behind the boot is tried for ever": (
        "integration/test_worker_boot.py::test_start_that_fails_ends_gunicorn"
    ),
    # Slow clients.
    "As many slow clients as threads stop everybody": (
        "integration/test_worker_slow.py::test_good_client_is_served"
    ),
    "Half a head is kept for ever": (
        "integration/test_worker_slow.py::test_slow_client_has_its_time_and_no_more"
    ),
    "A handshake that stays silent holds good clients up": (
        "integration/test_worker_slow.py::test_silent_handshakes_hold_nobody_up"
    ),
    # Proxies.
    "The PROXY protocol's address belongs to the first request only": (
        "integration/test_worker_proxies.py::test_haproxy_tells_address_of_every_request"
    ),
    "proxy_protocol is a string, and so 'off' is on": (
        f"{HERE}/test_spoofing.py::test_proxy_protocol_that_is_off_is_a_bad_request"
    ),
    "Connection: close counts only alone, or only in the first line": (
        f"{HERE}/test_smuggling.py::test_close_is_a_member_of_a_list"
    ),
    # PEP 3333.
    "start_response with exc_info keeps the fields of the first call": (
        f"{HERE}/test_responses.py::test_error_replaces_what_was_said_before_it"
    ),
    "An application that never calls start_response is answered for": (
        f"{HERE}/test_responses.py::test_wsgi_application_that_never_starts_its_response"
    ),
}
"""What users have complained about, and the test that shows that it is not so here."""


@pytest.mark.parametrize(("advisory", "file"), ADVISORIES.items())
def test_advisory_is_named(advisory: str, file: str) -> None:
    """Each failure that a worker could repeat is named where it is tested."""
    assert advisory in text_of(file)


@pytest.mark.parametrize("test", COMPLAINTS.values(), ids=COMPLAINTS)
def test_complaint_has_its_test(test: str) -> None:
    """Each complaint has a test that is there."""
    file, _, name = test.partition("::")
    assert re.search(rf"^(?:async )?def {name}\(", text_of(file), re.MULTILINE)


def text_of(file: str) -> str:
    """Return what is in a file of the repository."""
    return Path(REPOSITORY, file).read_text(encoding="utf-8")
