"""``aiohttp.web``: the names with which servers are written.

Each is imported when it is first used. ``_HOMES`` says where it lives, and is the
list of what is public.
"""

from __future__ import annotations

_HOMES = {
    "application": ("Application",),
    "keys": (
        "AppKey",
        "ChainMapProxy",
        "NotAppKeyWarning",
        "RequestKey",
        "ResponseKey",
    ),
    "signals": (
        "CleanupContext",
        "CleanupError",
        "FrozenList",
        "Signal",
    ),
    "middlewares": (
        "Handler",
        "Middleware",
        "middleware",
    ),
    "normalize": ("normalize_path_middleware",),
    "forwarding": ("forwarded_middleware",),
    "request": (
        "BaseRequest",
        "Request",
    ),
    "forms": ("FileField",),
    "limits": ("RequestLimits",),
    "bodies": ("InvalidJson",),
    "stream_response": ("StreamResponse",),
    "response": (
        "Response",
        "json_bytes_response",
        "json_response",
    ),
    "compression": ("ContentCoding",),
    "eventsource": ("EventSourceResponse",),
    "fileresponse": ("FileResponse",),
    "exceptions": (
        "HTTPAccepted",
        "HTTPBadGateway",
        "HTTPBadRequest",
        "HTTPClientError",
        "HTTPConflict",
        "HTTPCreated",
        "HTTPError",
        "HTTPException",
        "HTTPExpectationFailed",
        "HTTPFailedDependency",
        "HTTPForbidden",
        "HTTPFound",
        "HTTPGatewayTimeout",
        "HTTPGone",
        "HTTPInsufficientStorage",
        "HTTPInternalServerError",
        "HTTPLengthRequired",
        "HTTPMethodNotAllowed",
        "HTTPMisdirectedRequest",
        "HTTPMove",
        "HTTPMovedPermanently",
        "HTTPMultipleChoices",
        "HTTPNetworkAuthenticationRequired",
        "HTTPNoContent",
        "HTTPNonAuthoritativeInformation",
        "HTTPNotAcceptable",
        "HTTPNotExtended",
        "HTTPNotFound",
        "HTTPNotImplemented",
        "HTTPNotModified",
        "HTTPOk",
        "HTTPPartialContent",
        "HTTPPaymentRequired",
        "HTTPPermanentRedirect",
        "HTTPPreconditionFailed",
        "HTTPPreconditionRequired",
        "HTTPProxyAuthenticationRequired",
        "HTTPRedirection",
        "HTTPRequestEntityTooLarge",
        "HTTPRequestHeaderFieldsTooLarge",
        "HTTPRequestRangeNotSatisfiable",
        "HTTPRequestTimeout",
        "HTTPRequestURITooLong",
        "HTTPResetContent",
        "HTTPSeeOther",
        "HTTPServerError",
        "HTTPServiceUnavailable",
        "HTTPSuccessful",
        "HTTPTemporaryRedirect",
        "HTTPTooManyRequests",
        "HTTPUnauthorized",
        "HTTPUnavailableForLegalReasons",
        "HTTPUnprocessableEntity",
        "HTTPUnsupportedMediaType",
        "HTTPUpgradeRequired",
        "HTTPUseProxy",
        "HTTPVariantAlsoNegotiates",
        "HTTPVersionNotSupported",
    ),
    "dispatcher": ("UrlDispatcher",),
    "matchinfo": ("UrlMappingMatchInfo",),
    "resources": (
        "AbstractResource",
        "DynamicResource",
        "PlainResource",
        "Resource",
    ),
    "subapps": (
        "Domain",
        "MaskDomain",
        "MatchedSubAppResource",
        "PrefixedSubAppResource",
    ),
    "static_resource": ("StaticResource",),
    "routes": (
        "AbstractRoute",
        "ResourceRoute",
        "SystemRoute",
    ),
    "routedef": (
        "AbstractRouteDef",
        "RouteDef",
        "RouteTableDef",
        "StaticDef",
        "delete",
        "get",
        "head",
        "options",
        "patch",
        "post",
        "put",
        "route",
        "static",
        "view",
    ),
    "views": ("View",),
    "..serving": (
        "run_app",
        "serve",
    ),
    "..runner": (
        "AppRunner",
        "BaseRunner",
        "GracefulExit",
        "ServerRunner",
    ),
    "..sites": (
        "BaseSite",
        "NamedPipeSite",
        "SockSite",
        "TCPSite",
        "UnixSite",
    ),
    "..server": ("Server",),
    "..certificates": (
        "BadCertificate",
        "Certificates",
    ),
    "..accesslog": (
        "AccessLogger",
        "JsonAccessLogger",
    ),
    "..health": (
        "livez",
        "readyz",
    ),
    "..metrics": ("Metrics",),
}
"""Module: the names of it that are public here."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..accesslog import AccessLogger as AccessLogger
    from ..accesslog import JsonAccessLogger as JsonAccessLogger
    from ..certificates import BadCertificate as BadCertificate
    from ..certificates import Certificates as Certificates
    from ..health import livez as livez
    from ..health import readyz as readyz
    from ..metrics import Metrics as Metrics
    from ..runner import AppRunner as AppRunner
    from ..runner import BaseRunner as BaseRunner
    from ..runner import GracefulExit as GracefulExit
    from ..runner import ServerRunner as ServerRunner
    from ..server import Server as Server
    from ..serving import run_app as run_app
    from ..serving import serve as serve
    from ..sites import BaseSite as BaseSite
    from ..sites import NamedPipeSite as NamedPipeSite
    from ..sites import SockSite as SockSite
    from ..sites import TCPSite as TCPSite
    from ..sites import UnixSite as UnixSite
    from .application import Application as Application
    from .bodies import InvalidJson as InvalidJson
    from .compression import ContentCoding as ContentCoding
    from .dispatcher import UrlDispatcher as UrlDispatcher
    from .eventsource import EventSourceResponse as EventSourceResponse
    from .exceptions import HTTPAccepted as HTTPAccepted
    from .exceptions import HTTPBadGateway as HTTPBadGateway
    from .exceptions import HTTPBadRequest as HTTPBadRequest
    from .exceptions import HTTPClientError as HTTPClientError
    from .exceptions import HTTPConflict as HTTPConflict
    from .exceptions import HTTPCreated as HTTPCreated
    from .exceptions import HTTPError as HTTPError
    from .exceptions import HTTPException as HTTPException
    from .exceptions import HTTPExpectationFailed as HTTPExpectationFailed
    from .exceptions import HTTPFailedDependency as HTTPFailedDependency
    from .exceptions import HTTPForbidden as HTTPForbidden
    from .exceptions import HTTPFound as HTTPFound
    from .exceptions import HTTPGatewayTimeout as HTTPGatewayTimeout
    from .exceptions import HTTPGone as HTTPGone
    from .exceptions import HTTPInsufficientStorage as HTTPInsufficientStorage
    from .exceptions import HTTPInternalServerError as HTTPInternalServerError
    from .exceptions import HTTPLengthRequired as HTTPLengthRequired
    from .exceptions import HTTPMethodNotAllowed as HTTPMethodNotAllowed
    from .exceptions import HTTPMisdirectedRequest as HTTPMisdirectedRequest
    from .exceptions import HTTPMove as HTTPMove
    from .exceptions import HTTPMovedPermanently as HTTPMovedPermanently
    from .exceptions import HTTPMultipleChoices as HTTPMultipleChoices
    from .exceptions import HTTPNetworkAuthenticationRequired as HTTPNetworkAuthenticationRequired
    from .exceptions import HTTPNoContent as HTTPNoContent
    from .exceptions import HTTPNonAuthoritativeInformation as HTTPNonAuthoritativeInformation
    from .exceptions import HTTPNotAcceptable as HTTPNotAcceptable
    from .exceptions import HTTPNotExtended as HTTPNotExtended
    from .exceptions import HTTPNotFound as HTTPNotFound
    from .exceptions import HTTPNotImplemented as HTTPNotImplemented
    from .exceptions import HTTPNotModified as HTTPNotModified
    from .exceptions import HTTPOk as HTTPOk
    from .exceptions import HTTPPartialContent as HTTPPartialContent
    from .exceptions import HTTPPaymentRequired as HTTPPaymentRequired
    from .exceptions import HTTPPermanentRedirect as HTTPPermanentRedirect
    from .exceptions import HTTPPreconditionFailed as HTTPPreconditionFailed
    from .exceptions import HTTPPreconditionRequired as HTTPPreconditionRequired
    from .exceptions import HTTPProxyAuthenticationRequired as HTTPProxyAuthenticationRequired
    from .exceptions import HTTPRedirection as HTTPRedirection
    from .exceptions import HTTPRequestEntityTooLarge as HTTPRequestEntityTooLarge
    from .exceptions import HTTPRequestHeaderFieldsTooLarge as HTTPRequestHeaderFieldsTooLarge
    from .exceptions import HTTPRequestRangeNotSatisfiable as HTTPRequestRangeNotSatisfiable
    from .exceptions import HTTPRequestTimeout as HTTPRequestTimeout
    from .exceptions import HTTPRequestURITooLong as HTTPRequestURITooLong
    from .exceptions import HTTPResetContent as HTTPResetContent
    from .exceptions import HTTPSeeOther as HTTPSeeOther
    from .exceptions import HTTPServerError as HTTPServerError
    from .exceptions import HTTPServiceUnavailable as HTTPServiceUnavailable
    from .exceptions import HTTPSuccessful as HTTPSuccessful
    from .exceptions import HTTPTemporaryRedirect as HTTPTemporaryRedirect
    from .exceptions import HTTPTooManyRequests as HTTPTooManyRequests
    from .exceptions import HTTPUnauthorized as HTTPUnauthorized
    from .exceptions import HTTPUnavailableForLegalReasons as HTTPUnavailableForLegalReasons
    from .exceptions import HTTPUnprocessableEntity as HTTPUnprocessableEntity
    from .exceptions import HTTPUnsupportedMediaType as HTTPUnsupportedMediaType
    from .exceptions import HTTPUpgradeRequired as HTTPUpgradeRequired
    from .exceptions import HTTPUseProxy as HTTPUseProxy
    from .exceptions import HTTPVariantAlsoNegotiates as HTTPVariantAlsoNegotiates
    from .exceptions import HTTPVersionNotSupported as HTTPVersionNotSupported
    from .fileresponse import FileResponse as FileResponse
    from .forms import FileField as FileField
    from .forwarding import forwarded_middleware as forwarded_middleware
    from .keys import AppKey as AppKey
    from .keys import ChainMapProxy as ChainMapProxy
    from .keys import NotAppKeyWarning as NotAppKeyWarning
    from .keys import RequestKey as RequestKey
    from .keys import ResponseKey as ResponseKey
    from .limits import RequestLimits as RequestLimits
    from .matchinfo import UrlMappingMatchInfo as UrlMappingMatchInfo
    from .middlewares import Handler as Handler
    from .middlewares import Middleware as Middleware
    from .middlewares import middleware as middleware
    from .normalize import normalize_path_middleware as normalize_path_middleware
    from .request import BaseRequest as BaseRequest
    from .request import Request as Request
    from .resources import AbstractResource as AbstractResource
    from .resources import DynamicResource as DynamicResource
    from .resources import PlainResource as PlainResource
    from .resources import Resource as Resource
    from .response import Response as Response
    from .response import json_bytes_response as json_bytes_response
    from .response import json_response as json_response
    from .routedef import AbstractRouteDef as AbstractRouteDef
    from .routedef import RouteDef as RouteDef
    from .routedef import RouteTableDef as RouteTableDef
    from .routedef import StaticDef as StaticDef
    from .routedef import delete as delete
    from .routedef import get as get
    from .routedef import head as head
    from .routedef import options as options
    from .routedef import patch as patch
    from .routedef import post as post
    from .routedef import put as put
    from .routedef import route as route
    from .routedef import static as static
    from .routedef import view as view
    from .routes import AbstractRoute as AbstractRoute
    from .routes import ResourceRoute as ResourceRoute
    from .routes import SystemRoute as SystemRoute
    from .signals import CleanupContext as CleanupContext
    from .signals import CleanupError as CleanupError
    from .signals import FrozenList as FrozenList
    from .signals import Signal as Signal
    from .static_resource import StaticResource as StaticResource
    from .stream_response import StreamResponse as StreamResponse
    from .subapps import Domain as Domain
    from .subapps import MaskDomain as MaskDomain
    from .subapps import MatchedSubAppResource as MatchedSubAppResource
    from .subapps import PrefixedSubAppResource as PrefixedSubAppResource
    from .views import View as View


_LATER = ("WSCloseCode", "WSMsgType", "WebSocketReady", "WebSocketResponse")
_home_of = {name: module for module, names in _HOMES.items() for name in names}

# Type checkers would take it for an empty list, and the door for an empty module.
if not TYPE_CHECKING:
    __all__ = sorted(_home_of)  # noqa: PLE0605


def _resolve(name: str) -> object:
    """Return what ``aiohttp.web.<name>`` is, and remember it: the second use is free."""
    from importlib import import_module

    home = _home_of.get(name)
    if home is None:
        later = ": websockets are not here yet" if name in _LATER else ""
        raise AttributeError(f"module 'aiohttp.web' has no attribute {name!r}{later}")
    module = import_module(home if home.startswith("..") else f".{home}", __name__)
    value: object = getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_home_of})


# Hidden from type checkers, who would take every misspelled name for an object.
if not TYPE_CHECKING:
    __getattr__ = _resolve
