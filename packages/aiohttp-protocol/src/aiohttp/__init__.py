"""http client/server for asyncio: one front door, four rooms.

``aiohttp-protocol`` brings this module and ``aiohttp.protocol``. The client, the
server and the gunicorn worker are wheels of their own, which add
``aiohttp.client``, ``aiohttp.server`` and ``aiohttp.worker`` to the same folder.

Nothing is imported before it is used: ``aiohttp.request`` imports the client
when it is first looked at (PEP 562). A name whose wheel is not installed raises
ImportError, which says what to install.
"""

import os
from pkgutil import extend_path

__facade__ = "aiohttp-protocol"
"""Rooms look for this name, to know that the package around them is this one."""

_ROOMS = {
    "protocol": ("protocol", "aiohttp-protocol"),
    "client": ("client", "aiohttp-client"),
    "server": ("server", "aiohttp-server"),
    "worker": ("gunicorn worker", "aiohttp-gunicorn"),
}
"""Room: what a person calls it, and the distribution that brings it."""

_DOORS = {
    "abc": "protocol.abc",
    "hdrs": "protocol.hdrs",
    "log": "protocol.log",
    "test_utils": "server.testing",
    "web": "server.web",
    "web_log": "server.accesslog",
}
"""Module paths that aiohttp's users know, and the modules that they are."""

_NAMES = {
    "protocol": (
        "AsyncIterablePayload",
        "BadStatusLine",
        "BasicAuth",
        "BodyPartReader",
        "BufferedReaderPayload",
        "BytesIOPayload",
        "BytesPayload",
        "ContentDisposition",
        "ETag",
        "HttpException",
        "HttpVersion",
        "HttpVersion10",
        "HttpVersion11",
        "IOBasePayload",
        "IncompleteRead",
        "InvalidHeader",
        "JsonPayload",
        "LineTooLong",
        "MultipartReader",
        "MultipartResponseWrapper",
        "MultipartWriter",
        "PAYLOAD_REGISTRY",
        "Payload",
        "StreamReader",
        "StringIOPayload",
        "StringPayload",
        "TextIOPayload",
        "content_disposition_filename",
        "encode_basic_auth",
        "get_payload",
        "parse_content_disposition",
        "payload_type",
    ),
    "client": (
        "AddrInfoType",
        "AllHostsFailed",
        "AsyncResolver",
        "BaseConnector",
        "ClientConnectionError",
        "ClientConnectionResetError",
        "ClientConnectorCertificateError",
        "ClientConnectorDNSError",
        "ClientConnectorError",
        "ClientConnectorSSLError",
        "ClientError",
        "ClientOSError",
        "ClientPayloadError",
        "ClientRequest",
        "ClientResponse",
        "ClientResponseError",
        "ClientSSLError",
        "ClientSession",
        "ClientTimeout",
        "Connection",
        "ConnectionError",
        "ConnectionTimeoutError",
        "ContentTypeError",
        "CookieJar",
        "DefaultResolver",
        "DummyCookieJar",
        "Fingerprint",
        "FormData",
        "HttpClient",
        "HttpRequest",
        "HttpResponse",
        "InvalidURL",
        "InvalidUrlClientError",
        "InvalidUrlRedirectClientError",
        "MalformedResponseError",
        "NamedPipeConnector",
        "NonHttpUrlClientError",
        "NonHttpUrlRedirectClientError",
        "OsConnectionError",
        "RedirectClientError",
        "RequestInfo",
        "ServerConnectionError",
        "ServerDisconnectedError",
        "ServerFingerprintMismatch",
        "ServerTimeoutError",
        "Session",
        "SocketFactoryType",
        "SocketTimeoutError",
        "TCPConnector",
        "ThreadedResolver",
        "TimeoutError",
        "TooManyRedirects",
        "UnixClientConnectorError",
        "UnixConnector",
        "UploadAbortedError",
        "UploadTracker",
        "request",
    ),
    "server": (
        "ChainMapProxy",
        "ServerHttpProtocol",
    ),
    "worker": (
        "GunicornUVLoopWebWorker",
        "GunicornWebWorker",
    ),
}
"""Room: the names that are spelled ``aiohttp.<name>``."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from aiohttp import abc as abc
    from aiohttp import client as client
    from aiohttp import hdrs as hdrs
    from aiohttp import log as log
    from aiohttp import protocol as protocol
    from aiohttp import server as server
    from aiohttp import test_utils as test_utils
    from aiohttp import web as web
    from aiohttp import web_log as web_log
    from aiohttp import worker as worker
    from aiohttp.client import AddrInfoType as AddrInfoType
    from aiohttp.client import AllHostsFailed as AllHostsFailed
    from aiohttp.client import AsyncResolver as AsyncResolver
    from aiohttp.client import BaseConnector as BaseConnector
    from aiohttp.client import ClientConnectionError as ClientConnectionError
    from aiohttp.client import ClientConnectionResetError as ClientConnectionResetError
    from aiohttp.client import ClientConnectorCertificateError as ClientConnectorCertificateError
    from aiohttp.client import ClientConnectorDNSError as ClientConnectorDNSError
    from aiohttp.client import ClientConnectorError as ClientConnectorError
    from aiohttp.client import ClientConnectorSSLError as ClientConnectorSSLError
    from aiohttp.client import ClientError as ClientError
    from aiohttp.client import ClientOSError as ClientOSError
    from aiohttp.client import ClientPayloadError as ClientPayloadError
    from aiohttp.client import ClientRequest as ClientRequest
    from aiohttp.client import ClientResponse as ClientResponse
    from aiohttp.client import ClientResponseError as ClientResponseError
    from aiohttp.client import ClientSession as ClientSession
    from aiohttp.client import ClientSSLError as ClientSSLError
    from aiohttp.client import ClientTimeout as ClientTimeout
    from aiohttp.client import Connection as Connection
    from aiohttp.client import ConnectionError as ConnectionError
    from aiohttp.client import ConnectionTimeoutError as ConnectionTimeoutError
    from aiohttp.client import ContentTypeError as ContentTypeError
    from aiohttp.client import CookieJar as CookieJar
    from aiohttp.client import DefaultResolver as DefaultResolver
    from aiohttp.client import DummyCookieJar as DummyCookieJar
    from aiohttp.client import Fingerprint as Fingerprint
    from aiohttp.client import FormData as FormData
    from aiohttp.client import HttpClient as HttpClient
    from aiohttp.client import HttpRequest as HttpRequest
    from aiohttp.client import HttpResponse as HttpResponse
    from aiohttp.client import InvalidURL as InvalidURL
    from aiohttp.client import InvalidUrlClientError as InvalidUrlClientError
    from aiohttp.client import InvalidUrlRedirectClientError as InvalidUrlRedirectClientError
    from aiohttp.client import MalformedResponseError as MalformedResponseError
    from aiohttp.client import NamedPipeConnector as NamedPipeConnector
    from aiohttp.client import NonHttpUrlClientError as NonHttpUrlClientError
    from aiohttp.client import NonHttpUrlRedirectClientError as NonHttpUrlRedirectClientError
    from aiohttp.client import OsConnectionError as OsConnectionError
    from aiohttp.client import RedirectClientError as RedirectClientError
    from aiohttp.client import RequestInfo as RequestInfo
    from aiohttp.client import ServerConnectionError as ServerConnectionError
    from aiohttp.client import ServerDisconnectedError as ServerDisconnectedError
    from aiohttp.client import ServerFingerprintMismatch as ServerFingerprintMismatch
    from aiohttp.client import ServerTimeoutError as ServerTimeoutError
    from aiohttp.client import Session as Session
    from aiohttp.client import SocketFactoryType as SocketFactoryType
    from aiohttp.client import SocketTimeoutError as SocketTimeoutError
    from aiohttp.client import TCPConnector as TCPConnector
    from aiohttp.client import ThreadedResolver as ThreadedResolver
    from aiohttp.client import TimeoutError as TimeoutError
    from aiohttp.client import TooManyRedirects as TooManyRedirects
    from aiohttp.client import UnixClientConnectorError as UnixClientConnectorError
    from aiohttp.client import UnixConnector as UnixConnector
    from aiohttp.client import UploadAbortedError as UploadAbortedError
    from aiohttp.client import UploadTracker as UploadTracker
    from aiohttp.client import request as request
    from aiohttp.protocol import PAYLOAD_REGISTRY as PAYLOAD_REGISTRY
    from aiohttp.protocol import AsyncIterablePayload as AsyncIterablePayload
    from aiohttp.protocol import BadStatusLine as BadStatusLine
    from aiohttp.protocol import BasicAuth as BasicAuth
    from aiohttp.protocol import BodyPartReader as BodyPartReader
    from aiohttp.protocol import BufferedReaderPayload as BufferedReaderPayload
    from aiohttp.protocol import BytesIOPayload as BytesIOPayload
    from aiohttp.protocol import BytesPayload as BytesPayload
    from aiohttp.protocol import ContentDisposition as ContentDisposition
    from aiohttp.protocol import ETag as ETag
    from aiohttp.protocol import HttpException as HttpException
    from aiohttp.protocol import HttpVersion as HttpVersion
    from aiohttp.protocol import HttpVersion10 as HttpVersion10
    from aiohttp.protocol import HttpVersion11 as HttpVersion11
    from aiohttp.protocol import IncompleteRead as IncompleteRead
    from aiohttp.protocol import InvalidHeader as InvalidHeader
    from aiohttp.protocol import IOBasePayload as IOBasePayload
    from aiohttp.protocol import JsonPayload as JsonPayload
    from aiohttp.protocol import LineTooLong as LineTooLong
    from aiohttp.protocol import MultipartReader as MultipartReader
    from aiohttp.protocol import MultipartResponseWrapper as MultipartResponseWrapper
    from aiohttp.protocol import MultipartWriter as MultipartWriter
    from aiohttp.protocol import Payload as Payload
    from aiohttp.protocol import StreamReader as StreamReader
    from aiohttp.protocol import StringIOPayload as StringIOPayload
    from aiohttp.protocol import StringPayload as StringPayload
    from aiohttp.protocol import TextIOPayload as TextIOPayload
    from aiohttp.protocol import content_disposition_filename as content_disposition_filename
    from aiohttp.protocol import encode_basic_auth as encode_basic_auth
    from aiohttp.protocol import get_payload as get_payload
    from aiohttp.protocol import parse_content_disposition as parse_content_disposition
    from aiohttp.protocol import payload_type as payload_type
    from aiohttp.server import ChainMapProxy as ChainMapProxy
    from aiohttp.server import ServerHttpProtocol as ServerHttpProtocol
    from aiohttp.worker import GunicornUVLoopWebWorker as GunicornUVLoopWebWorker
    from aiohttp.worker import GunicornWebWorker as GunicornWebWorker

    __version__: str


def _is_foreign(folder: str) -> bool:
    """Tell whether the distribution ``aiohttp`` is installed in this folder.

    All its versions since 0.9 have this file, and none of our wheels has it.
    """
    return os.path.exists(os.path.join(folder, "client_reqrep.py"))  # noqa: PTH110, PTH118


if _is_foreign(__path__[0]):
    raise ImportError(
        f"the folder {__path__[0]} belongs to two distributions, aiohttp and aiohttp-protocol, "
        "which can't share an environment. To keep aiohttp-protocol: "
        "pip uninstall -y aiohttp && pip install --force-reinstall aiohttp-protocol",
        name=__name__,
    )

# Editable rooms lie in other folders. One that holds another distribution's
# aiohttp (the system's, below a virtual environment that can see it) is not ours.
__path__ = [folder for folder in extend_path(__path__, __name__) if not _is_foreign(folder)]


def _load(path: str, name: str) -> object:
    """Import ``aiohttp.<path>``, on behalf of ``aiohttp.<name>``."""
    from importlib import import_module

    room = path.partition(".")[0]
    try:
        module = import_module(f"{__name__}.{path}")
    except ModuleNotFoundError as exc:
        if exc.name != f"{__name__}.{room}":
            raise  # something is missing inside the room: that is not ours to explain
    else:
        if module.__file__ is not None:
            return module
        # A folder without code is what an unclean uninstallation leaves.
    title, distribution = _ROOMS[room]
    raise ImportError(
        f"{__name__}.{name} needs the {title}: pip install {distribution}",
        name=f"{__name__}.{room}",
    )


def _resolve(name: str) -> object:
    """Return what ``aiohttp.<name>`` is, and remember it: the second use is free."""
    if name in _ROOMS or name in _DOORS:
        value = _load(_DOORS.get(name, name), name)
    elif room := next((room for room, names in _NAMES.items() if name in names), ""):
        value = getattr(_load(room, name), name)
    elif name == "__version__":
        from importlib.metadata import version

        value = version("aiohttp-protocol")
    elif name == "__all__":
        return _public_names()  # not remembered: a room may be installed later
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def _installed_rooms() -> list[str]:
    """Return the rooms that can be imported, without importing them."""
    from importlib.util import find_spec

    specs = {room: find_spec(f"{__name__}.{room}") for room in _ROOMS}
    return [room for room, spec in specs.items() if spec is not None and spec.origin]


def _public_names() -> list[str]:
    """Return the names of the installed rooms, but for those that would shadow a builtin."""
    import builtins

    names = [name for room in _installed_rooms() for name in _NAMES[room]]
    return sorted(name for name in ("hdrs", *names) if not hasattr(builtins, name))


def __dir__() -> list[str]:
    rooms = _installed_rooms()
    doors = [door for door, path in _DOORS.items() if path.partition(".")[0] in rooms]
    dunders = [name for name in globals() if name.startswith("__")]
    return sorted({*_public_names(), *rooms, *doors, *dunders, "__all__", "__version__"})


# Hidden from type checkers, who would take every misspelled name for an object.
if not TYPE_CHECKING:
    __getattr__ = _resolve
