"""What ``request()`` can be told, option by option: in the words of 2014 and of today."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict

from aiohttp.protocol.http1.head import ResponseHead

from .payload import Data
from .request import HttpRequest, LooseHeaders, Params
from .timeouts import Timeout
from .tls import Ssl

if TYPE_CHECKING:
    import asyncio

    from aiohttp.protocol.abc import LooseCookies

    from .response import HttpResponse
    from .uploads import UploadTracker

__all__ = ["CharsetResolver", "RaiseForStatus", "RequestOptions"]

RaiseForStatus: TypeAlias = "bool | Callable[[HttpResponse], Awaitable[None]]"
"""Whether a status of 400 or more is an error; or who decides about each response."""

CharsetResolver: TypeAlias = "Callable[[HttpResponse, bytes], str]"
"""Names the encoding of a text that doesn't say it, by response and body."""


class RequestOptions(TypedDict, total=False):
    """The options of ``request()``; each may be left out."""

    params: Params | None
    """Added to the URL's query: a mapping, pairs, or text or bytes, encoded already."""
    data: Data | None
    """The body: bytes, text, a form as mapping, pairs or ``FormData``, a file, or pieces of
    bytes as an iterable, synchronous or not."""
    json: Any
    """The body, as JSON."""
    files: Any
    """Files of a form, which is sent as multipart: a mapping of names to files, or a list of
    ``(name, file)`` and ``(name, file, type)``."""
    headers: LooseHeaders | None
    """Fields; they replace those of the session that have the same names."""
    skip_auto_headers: Iterable[str] | None
    """Names of fields that are not to be added: such as User-Agent, or Content-Type."""
    cookies: LooseCookies | None
    """Cookies for this request alone; they replace those of the session by name."""
    auth: tuple[str, str] | tuple[str, str, str] | None
    """Login and password for Basic authentication; or ``BasicAuth``."""
    encoding: str
    """Of the text in a form (default: utf-8)."""
    timeout: Timeout
    """Seconds for the whole, or ``ClientTimeout``; None: as the session says."""
    conn_timeout: float | None
    """Seconds to open a connection."""
    allow_redirects: bool
    """Whether redirects are followed (default: True)."""
    max_redirects: int
    """How many of them (default: 10)."""
    raise_for_status: RaiseForStatus | None
    """Whether a status of 400 or more is an error; None: as the session says."""
    ssl: Ssl
    """True, False for no verification of certificates, a context, or a ``Fingerprint``."""
    verify_ssl: bool
    """False: the same as ``ssl=False``."""
    server_hostname: str | None
    """Whom the server's certificate must name, if not the URL's host."""
    version: tuple[int, int]
    """(1, 1) or (1, 0)."""
    compress: bool | str | None
    """Compress the body: True or ``"deflate"``, or ``"gzip"``."""
    chunked: bool | int | None
    """Send the body chunked; a number: in chunks of so many bytes."""
    expect100: bool
    """Hold the body back until the server asks for it."""
    replayable: bool
    """Whether the request may be sent twice where nobody knows whether the server acted on
    it; by default only where the method is idempotent (RFC 9110, section 9.2.2)."""
    read_until_eof: bool
    """Whether a response without a length has a body, to the end of the connection."""
    auto_decompress: bool | None
    """Whether to undo the response's content coding; by default as the session says."""
    max_body: int | None
    """Bytes that the response's body may have; None: as the session says."""
    read_bufsize: int | None
    """Bytes of a body that may wait to be read before the server is made to wait."""
    max_line_size: int | None
    """Bytes of a status line."""
    max_field_size: int | None
    """Bytes of a field line."""
    max_headers: int | None
    """How many field lines a response may have."""
    on_information: Callable[[ResponseHead], object] | None
    """Called with the head of each informational response, such as 103 Early Hints."""
    upload_tracker: UploadTracker | None
    """Tells how far the body has been sent."""
    request_class: type[HttpRequest] | None
    """What the request is made of; by default as the session says."""
    loop: asyncio.AbstractEventLoop | None
    """The running loop, if anything."""
