"""HTTP for asyncio: what the client, the server and the gunicorn worker share.

Names are imported when they are first used: a client never loads the server,
nor the other way round. ``_HOMES`` says where each lives, and is the list of
what the packages above may use.
"""

import sys

if not hasattr(sys.modules["aiohttp"], "__facade__"):
    raise ImportError(
        "aiohttp.protocol needs the package 'aiohttp' of aiohttp-protocol, but found another one, "
        "or what uninstalling it left; they can't share an environment. To keep aiohttp-protocol: "
        "pip uninstall -y aiohttp && pip install --force-reinstall aiohttp-protocol"
    )

_HOMES = {
    "errors": (
        "BadHost",
        "BadHttpMessage",
        "BadRequestLine",
        "BadStatusLine",
        "BodyTooLarge",
        "ChunkError",
        "ContentCodingError",
        "DecompressionBomb",
        "FramingError",
        "HeadTooLarge",
        "HttpException",
        "IncompleteRead",
        "InvalidHeader",
        "InvalidUse",
        "LimitExceeded",
        "LineTooLong",
        "LocalProtocolError",
        "MethodNotAllowed",
        "MethodNotImplemented",
        "MultipartError",
        "PeerDisconnected",
        "PeerTooSlow",
        "RemoteProtocolError",
        "TargetTooLong",
        "UnknownContentCoding",
        "UnknownExpectation",
        "UnknownTransferCoding",
        "UnsupportedVersion",
    ),
    "limits": (
        "DEFAULT_LIMITS",
        "GIB",
        "KIB",
        "Limits",
        "MIB",
        "check_bounds",
    ),
    "headers": (
        "Headers",
        "headers_of",
        "is_token",
        "list_members",
        "may_be_secret",
        "parse_field_line",
        "require_str",
        "shown",
        "split_authority",
        "validate_field_name",
        "validate_field_value",
    ),
    "etag": (
        "ANY_ETAG",
        "ETag",
        "parse_etag",
        "parse_etags",
    ),
    "cookies": (
        "cookie_text",
        "parse_cookie_field",
    ),
    "decoded": ("DecodedStream",),
    "dates": (
        "http_date",
        "parse_http_date",
    ),
    "auth": (
        "BasicAuth",
        "encode_basic_auth",
    ),
    "timers": (
        "Deadline",
        "Deadlines",
        "deadlines_of",
    ),
    "streams": (
        "EMPTY_STREAM",
        "IncompleteReadError",
        "StreamReader",
        "WriteGate",
    ),
    "coding": (
        "ContentDecoder",
        "ContentEncoder",
        "accept_encoding",
        "available_codings",
        "choose_coding",
        "content_decoder",
        "content_encoder",
    ),
    "exchange": (
        "Application",
        "Exchange",
        "Fields",
        "HasCleanup",
        "HasShutdown",
        "HasStartup",
        "TakenExchange",
        "TakesExchanges",
    ),
    "forwarded": (
        "Origin",
        "Trust",
        "TrustedProxies",
        "parse_forwarded",
    ),
    "proxy_protocol": (
        "Proxied",
        "ProxyHeader",
    ),
    "log": (
        "access_logger",
        "client_logger",
        "internal_logger",
        "server_logger",
        "web_logger",
        "ws_logger",
    ),
    "service": (
        "Books",
        "Service",
    ),
    "doors": ("Tls", "open_unix"),
    "listener": ("Listener",),
    "http1.head": (
        "HeadCollector",
        "HttpVersion",
        "HttpVersion10",
        "HttpVersion11",
        "RequestHead",
        "ResponseHead",
        "parse_request_head",
        "parse_response_head",
        "refused_request_head",
        "take_request_head",
    ),
    "http1.encode": (
        "EncodedFields",
        "encode_field",
        "encode_fields",
        "encode_request_line",
        "encode_status_line",
        "reason_of",
    ),
    "http1.body": (
        "body_decoder",
        "body_framing",
        "body_writer",
    ),
    "http1.server": ("ServerHttpProtocol",),
    "http1.client": ("ClientHttpProtocol",),
    "http1.client_exchange": (
        "ClientExchange",
        "PIECE",
        "RequestBody",
    ),
    "multipart": (
        "Content",
        "DEFAULT_MULTIPART_LIMITS",
        "MultipartDecoder",
        "MultipartEncoder",
        "MultipartEnded",
        "MultipartEvent",
        "MultipartLimits",
        "PartBegan",
        "PartData",
        "PartEnded",
        "multipart_decoder",
    ),
    "payload": (
        "PAYLOAD_REGISTRY",
        "AsyncIterablePayload",
        "AsyncReadable",
        "AsyncReaderPayload",
        "AsyncWriter",
        "BufferedReaderPayload",
        "BytesIOPayload",
        "BytesPayload",
        "IOBasePayload",
        "IterablePayload",
        "JsonPayload",
        "Order",
        "Payload",
        "StringIOPayload",
        "StringPayload",
        "TextIOPayload",
        "get_payload",
        "payload_type",
        "pieces_of",
    ),
    "coded_payload": ("CodedPayload",),
    "disposition": (
        "ContentDisposition",
        "content_disposition_filename",
        "encode_content_disposition",
        "parse_content_disposition",
    ),
    "multipart_reader": (
        "BodyPartReader",
        "MultipartReader",
        "MultipartResponseWrapper",
    ),
    "multipart_writer": ("MultipartWriter",),
    "parameters": (
        "charset_of",
        "codec_of",
        "decode_extended",
        "parse_parameters",
    ),
    "http1.request": (
        "encode_request_head",
        "request_framing",
    ),
    "http1.state": (
        "Event",
        "State",
        "advance",
    ),
}
"""Module: the public names whose home it is."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .auth import BasicAuth as BasicAuth
    from .auth import encode_basic_auth as encode_basic_auth
    from .coded_payload import CodedPayload as CodedPayload
    from .coding import ContentDecoder as ContentDecoder
    from .coding import ContentEncoder as ContentEncoder
    from .coding import accept_encoding as accept_encoding
    from .coding import available_codings as available_codings
    from .coding import choose_coding as choose_coding
    from .coding import content_decoder as content_decoder
    from .coding import content_encoder as content_encoder
    from .cookies import cookie_text as cookie_text
    from .cookies import parse_cookie_field as parse_cookie_field
    from .dates import http_date as http_date
    from .dates import parse_http_date as parse_http_date
    from .decoded import DecodedStream as DecodedStream
    from .disposition import ContentDisposition as ContentDisposition
    from .disposition import content_disposition_filename as content_disposition_filename
    from .disposition import encode_content_disposition as encode_content_disposition
    from .disposition import parse_content_disposition as parse_content_disposition
    from .doors import Tls as Tls
    from .doors import open_unix as open_unix
    from .errors import BadHost as BadHost
    from .errors import BadHttpMessage as BadHttpMessage
    from .errors import BadRequestLine as BadRequestLine
    from .errors import BadStatusLine as BadStatusLine
    from .errors import BodyTooLarge as BodyTooLarge
    from .errors import ChunkError as ChunkError
    from .errors import ContentCodingError as ContentCodingError
    from .errors import DecompressionBomb as DecompressionBomb
    from .errors import FramingError as FramingError
    from .errors import HeadTooLarge as HeadTooLarge
    from .errors import HttpException as HttpException
    from .errors import IncompleteRead as IncompleteRead
    from .errors import InvalidHeader as InvalidHeader
    from .errors import InvalidUse as InvalidUse
    from .errors import LimitExceeded as LimitExceeded
    from .errors import LineTooLong as LineTooLong
    from .errors import LocalProtocolError as LocalProtocolError
    from .errors import MethodNotAllowed as MethodNotAllowed
    from .errors import MethodNotImplemented as MethodNotImplemented
    from .errors import MultipartError as MultipartError
    from .errors import PeerDisconnected as PeerDisconnected
    from .errors import PeerTooSlow as PeerTooSlow
    from .errors import RemoteProtocolError as RemoteProtocolError
    from .errors import TargetTooLong as TargetTooLong
    from .errors import UnknownContentCoding as UnknownContentCoding
    from .errors import UnknownExpectation as UnknownExpectation
    from .errors import UnknownTransferCoding as UnknownTransferCoding
    from .errors import UnsupportedVersion as UnsupportedVersion
    from .etag import ANY_ETAG as ANY_ETAG
    from .etag import ETag as ETag
    from .etag import parse_etag as parse_etag
    from .etag import parse_etags as parse_etags
    from .exchange import Application as Application
    from .exchange import Exchange as Exchange
    from .exchange import Fields as Fields
    from .exchange import HasCleanup as HasCleanup
    from .exchange import HasShutdown as HasShutdown
    from .exchange import HasStartup as HasStartup
    from .exchange import TakenExchange as TakenExchange
    from .exchange import TakesExchanges as TakesExchanges
    from .forwarded import Origin as Origin
    from .forwarded import Trust as Trust
    from .forwarded import TrustedProxies as TrustedProxies
    from .forwarded import parse_forwarded as parse_forwarded
    from .headers import Headers as Headers
    from .headers import headers_of as headers_of
    from .headers import is_token as is_token
    from .headers import list_members as list_members
    from .headers import may_be_secret as may_be_secret
    from .headers import parse_field_line as parse_field_line
    from .headers import require_str as require_str
    from .headers import shown as shown
    from .headers import split_authority as split_authority
    from .headers import validate_field_name as validate_field_name
    from .headers import validate_field_value as validate_field_value
    from .http1.body import body_decoder as body_decoder
    from .http1.body import body_framing as body_framing
    from .http1.body import body_writer as body_writer
    from .http1.client import ClientHttpProtocol as ClientHttpProtocol
    from .http1.client_exchange import PIECE as PIECE
    from .http1.client_exchange import ClientExchange as ClientExchange
    from .http1.client_exchange import RequestBody as RequestBody
    from .http1.encode import EncodedFields as EncodedFields
    from .http1.encode import encode_field as encode_field
    from .http1.encode import encode_fields as encode_fields
    from .http1.encode import encode_request_line as encode_request_line
    from .http1.encode import encode_status_line as encode_status_line
    from .http1.encode import reason_of as reason_of
    from .http1.head import HeadCollector as HeadCollector
    from .http1.head import HttpVersion as HttpVersion
    from .http1.head import HttpVersion10 as HttpVersion10
    from .http1.head import HttpVersion11 as HttpVersion11
    from .http1.head import RequestHead as RequestHead
    from .http1.head import ResponseHead as ResponseHead
    from .http1.head import parse_request_head as parse_request_head
    from .http1.head import parse_response_head as parse_response_head
    from .http1.head import refused_request_head as refused_request_head
    from .http1.head import take_request_head as take_request_head
    from .http1.request import encode_request_head as encode_request_head
    from .http1.request import request_framing as request_framing
    from .http1.server import ServerHttpProtocol as ServerHttpProtocol
    from .http1.state import Event as Event
    from .http1.state import State as State
    from .http1.state import advance as advance
    from .limits import DEFAULT_LIMITS as DEFAULT_LIMITS
    from .limits import GIB as GIB
    from .limits import KIB as KIB
    from .limits import MIB as MIB
    from .limits import Limits as Limits
    from .limits import check_bounds as check_bounds
    from .listener import Listener as Listener
    from .log import access_logger as access_logger
    from .log import client_logger as client_logger
    from .log import internal_logger as internal_logger
    from .log import server_logger as server_logger
    from .log import web_logger as web_logger
    from .log import ws_logger as ws_logger
    from .multipart import DEFAULT_MULTIPART_LIMITS as DEFAULT_MULTIPART_LIMITS
    from .multipart import Content as Content
    from .multipart import MultipartDecoder as MultipartDecoder
    from .multipart import MultipartEncoder as MultipartEncoder
    from .multipart import MultipartEnded as MultipartEnded
    from .multipart import MultipartEvent as MultipartEvent
    from .multipart import MultipartLimits as MultipartLimits
    from .multipart import PartBegan as PartBegan
    from .multipart import PartData as PartData
    from .multipart import PartEnded as PartEnded
    from .multipart import multipart_decoder as multipart_decoder
    from .multipart_reader import BodyPartReader as BodyPartReader
    from .multipart_reader import MultipartReader as MultipartReader
    from .multipart_reader import MultipartResponseWrapper as MultipartResponseWrapper
    from .multipart_writer import MultipartWriter as MultipartWriter
    from .parameters import charset_of as charset_of
    from .parameters import codec_of as codec_of
    from .parameters import decode_extended as decode_extended
    from .parameters import parse_parameters as parse_parameters
    from .payload import PAYLOAD_REGISTRY as PAYLOAD_REGISTRY
    from .payload import AsyncIterablePayload as AsyncIterablePayload
    from .payload import AsyncReadable as AsyncReadable
    from .payload import AsyncReaderPayload as AsyncReaderPayload
    from .payload import AsyncWriter as AsyncWriter
    from .payload import BufferedReaderPayload as BufferedReaderPayload
    from .payload import BytesIOPayload as BytesIOPayload
    from .payload import BytesPayload as BytesPayload
    from .payload import IOBasePayload as IOBasePayload
    from .payload import IterablePayload as IterablePayload
    from .payload import JsonPayload as JsonPayload
    from .payload import Order as Order
    from .payload import Payload as Payload
    from .payload import StringIOPayload as StringIOPayload
    from .payload import StringPayload as StringPayload
    from .payload import TextIOPayload as TextIOPayload
    from .payload import get_payload as get_payload
    from .payload import payload_type as payload_type
    from .payload import pieces_of as pieces_of
    from .proxy_protocol import Proxied as Proxied
    from .proxy_protocol import ProxyHeader as ProxyHeader
    from .service import Books as Books
    from .service import Service as Service
    from .streams import EMPTY_STREAM as EMPTY_STREAM
    from .streams import IncompleteReadError as IncompleteReadError
    from .streams import StreamReader as StreamReader
    from .streams import WriteGate as WriteGate
    from .timers import Deadline as Deadline
    from .timers import Deadlines as Deadlines
    from .timers import deadlines_of as deadlines_of


_home_of = {name: module for module, names in _HOMES.items() for name in names}

__all__ = sorted(_home_of)  # pyright: ignore[reportUnsupportedDunderAll]  # noqa: PLE0605


def _resolve(name: str) -> object:
    """Return what ``aiohttp.protocol.<name>`` is, and remember it: the second use is free."""
    from importlib import import_module

    if name not in _home_of:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_home_of[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


# Hidden from type checkers, who would take every misspelled name for an object.
if not TYPE_CHECKING:
    __getattr__ = _resolve
