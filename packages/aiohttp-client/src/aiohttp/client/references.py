"""References to URLs, as fields of a response spell them: Location, Link."""

from __future__ import annotations

from urllib.parse import quote

from yarl import URL

__all__ = ["reference_of"]


def reference_of(text: str, *, requote: bool = True) -> URL:
    """Return a reference, absolute or not, that a field's value spells.

    ``requote``: whether percent-encoding is put into normal form, as for every URL.

    Raises:
        ValueError: if it is malformed.
    """
    # A head is ISO-8859-1, but what servers mean by an octet that isn't ASCII is UTF-8.
    return URL(quote(text.encode("latin-1"), safe="!#$%&'()*+,/:;=?@[]~"), encoded=not requote)
