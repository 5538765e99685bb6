"""What needs aiohttp-client as well is tested where that is installed, too, and only there."""

from __future__ import annotations

from importlib.util import find_spec

WITH_CLIENT = [
    "test_api.py",
    "test_api_testing.py",
    "test_pytest_plugin.py",
    "testing/test_cases.py",
    "testing/test_client.py",
]

collect_ignore = [] if find_spec("aiohttp.client") else WITH_CLIENT
