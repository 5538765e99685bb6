"""References to URLs, as fields of a response spell them: Location, Link."""

from __future__ import annotations

from urllib.parse import quote

from yarl import URL

__all__ = ["joined", "reference_of"]


def reference_of(text: str, *, requote: bool = True) -> URL:
    """Return a reference, absolute or not, that a field's value spells.

    ``requote``: whether percent-encoding is put into normal form, as for every URL.

    Raises:
        ValueError: if it is malformed.
    """
    # A head is ISO-8859-1, but what servers mean by an octet that isn't ASCII is UTF-8.
    return URL(quote(text.encode("latin-1"), safe="!#$%&'()*+,/:;=?@[]~"), encoded=not requote)


def joined(base: URL, reference: URL) -> URL:
    """Return where a reference leads from ``base`` (RFC 3986, section 5.2).

    yarl decodes the segments of a base that doesn't end in a slash: from ``/a%2Fb%3F/c``
    to ``d`` it goes by ``/a/b?/d``, and an ``ü`` can't be sent then. From the folder it
    leads to the same place, and stays as it was encoded.
    """
    path = reference.raw_path
    if path and not path.startswith("/"):
        base = base.with_path(base.raw_path.rpartition("/")[0] + "/", encoded=True)
    return base.join(reference)
