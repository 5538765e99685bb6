"""Where a redirect leads, and what goes along (RFC 9110, section 15.4; the Fetch standard)."""

from __future__ import annotations

from typing import NamedTuple

from .destination import Destination, check_authority, destination_of
from .errors import (
    InvalidUrlClientError,
    InvalidUrlRedirectClientError,
    NonHttpUrlClientError,
    NonHttpUrlRedirectClientError,
)
from .references import joined, reference_of

__all__ = ["BODY_FIELDS", "ORIGIN_FIELDS", "REDIRECT_STATUSES", "Redirect", "redirect"]

REDIRECT_STATUSES = frozenset({301, 302, 303, 307, 308})
"""Those that may be followed; 300 offers a choice, 304 is none, 305 and 306 are gone."""

ORIGIN_FIELDS = frozenset({"authorization", "cookie", "host", "proxy-authorization"})
"""Fields that are meant for one origin, in lower case: every copy is dropped when another
origin is next."""

BODY_FIELDS = frozenset({
    "content-encoding", "content-language", "content-length", "content-location",
    "content-type", "expect", "transfer-encoding",
})  # fmt: skip
"""Fields about a body, in lower case: dropped with it (RFC 9110, section 15.4)."""


class Redirect(NamedTuple):
    """The next request.

    Attributes:
        method: of the next request.
        destination: where it goes.
        keeps_body: whether it has the body of the one before.
        leaves_origin: whether scheme, host or port are others.
        loses_tls: whether https leads to http.
    """

    method: str
    destination: Destination
    keeps_body: bool
    leaves_origin: bool
    loses_tls: bool = False


def redirect(
    status: int, method: str, base: Destination, location: str, *, requote: bool = True
) -> Redirect:
    """Return the request that a redirect asks for.

    307 and 308 repeat the request as it was. 303 asks for a GET without a body, even
    of a GET that had one (RFC 9110, section 15.4.4); a HEAD stays one. 301 and 302 turn
    a POST into a GET, as every browser does, and leave other methods alone. A fragment
    is inherited (RFC 9110, section 10.2.2). ``requote``: whether percent-encoding is put
    into normal form, as for every URL.

    Raises:
        InvalidUrlRedirectClientError: if ``location`` is malformed.
        NonHttpUrlRedirectClientError: if it is neither http nor https.
    """
    destination = _resolve(base, location, requote=requote)
    drops_body = status == 303 or (status in (301, 302) and method == "POST")
    return Redirect(
        "GET" if drops_body and method != "HEAD" else method,
        destination,
        keeps_body=not drops_body,
        leaves_origin=destination.key[:3] != base.key[:3],
        loses_tls=base.key.is_tls and not destination.key.is_tls,
    )


def _resolve(base: Destination, location: str, *, requote: bool) -> Destination:
    try:
        check_authority(location)
        url = joined(base.url, reference_of(location, requote=requote))
        if not url.raw_fragment and base.real_url.raw_fragment:
            url = url.with_fragment(base.real_url.fragment)
        return destination_of(url)
    except NonHttpUrlClientError as exc:
        raise NonHttpUrlRedirectClientError(
            location, f"{base.url} redirects to a URL that is neither http nor https"
        ) from exc
    except InvalidUrlClientError as exc:
        raise InvalidUrlRedirectClientError(
            location, f"{base.url} redirects to it: {exc.description}"
        ) from exc
    except ValueError as exc:
        raise InvalidUrlRedirectClientError(location, f"{base.url} redirects to it: {exc}") from exc
