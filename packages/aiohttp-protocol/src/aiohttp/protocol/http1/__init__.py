"""HTTP/1.0 and 1.1 on the wire: pure parts (head, body, encode, state), and two connections."""

from __future__ import annotations

__all__: list[str] = []
