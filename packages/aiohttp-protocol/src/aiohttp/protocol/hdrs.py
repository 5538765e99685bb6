"""Names of header fields and methods, as constants.

The field names are :class:`multidict.istr`: equal whatever the case, and already
folded for a lookup in a ``CIMultiDict``, which makes it cheaper than with a str.
``aiohttp.hdrs`` is this module.
"""

from typing import Final

from multidict import istr

__all__ = [
    # methods
    "METH_ALL",
    "METH_ANY",
    "METH_CONNECT",
    "METH_DELETE",
    "METH_GET",
    "METH_HEAD",
    "METH_OPTIONS",
    "METH_PATCH",
    "METH_POST",
    "METH_PUT",
    "METH_TRACE",
    # Framing and connection (RFC 9112; RFC 9110, section 7)
    "CONNECTION",
    "CONTENT_LENGTH",
    "HOST",
    "KEEP_ALIVE",
    "MAX_FORWARDS",
    "TE",
    "TRAILER",
    "TRANSFER_ENCODING",
    "UPGRADE",
    "VIA",
    # Content (RFC 9110, section 8; RFC 2045; RFC 6266; RFC 9530)
    "CONTENT_DIGEST",
    "CONTENT_DISPOSITION",
    "CONTENT_ENCODING",
    "CONTENT_ID",
    "CONTENT_LANGUAGE",
    "CONTENT_LOCATION",
    "CONTENT_MD5",
    "CONTENT_RANGE",
    "CONTENT_TRANSFER_ENCODING",
    "CONTENT_TYPE",
    "DIGEST",
    "ETAG",
    "LAST_MODIFIED",
    "REPR_DIGEST",
    "WANT_CONTENT_DIGEST",
    "WANT_DIGEST",
    "WANT_REPR_DIGEST",
    # Message context and negotiation (RFC 9110, sections 10 and 12)
    "ACCEPT",
    "ACCEPT_CH",
    "ACCEPT_CHARSET",
    "ACCEPT_ENCODING",
    "ACCEPT_LANGUAGE",
    "ACCEPT_RANGES",
    "AGE",
    "ALLOW",
    "ALT_SVC",
    "ALT_USED",
    "CACHE_CONTROL",
    "CACHE_STATUS",
    "CDN_CACHE_CONTROL",
    "CDN_LOOP",
    "DATE",
    "DESTINATION",
    "EARLY_DATA",
    "EXPECT",
    "EXPIRES",
    "FORWARDED",
    "FROM",
    "LINK",
    "LOCATION",
    "PRAGMA",
    "PRIORITY",
    "REFERER",
    "RETRY_AFTER",
    "SERVER",
    "URI",
    "USER_AGENT",
    "VARY",
    "WARNING",
    # Conditions and ranges (RFC 9110, sections 13 and 14)
    "IF_MATCH",
    "IF_MODIFIED_SINCE",
    "IF_NONE_MATCH",
    "IF_RANGE",
    "IF_UNMODIFIED_SINCE",
    "RANGE",
    # Credentials and cookies (RFC 9110, section 11; RFC 6265)
    "AUTHENTICATION_INFO",
    "AUTHORIZATION",
    "COOKIE",
    "PROXY_AUTHENTICATE",
    "PROXY_AUTHENTICATION_INFO",
    "PROXY_AUTHORIZATION",
    "SET_COOKIE",
    "WWW_AUTHENTICATE",
    # Origins and browsers (Fetch, CSP, RFC 6797 …)
    "ACCESS_CONTROL_ALLOW_CREDENTIALS",
    "ACCESS_CONTROL_ALLOW_HEADERS",
    "ACCESS_CONTROL_ALLOW_METHODS",
    "ACCESS_CONTROL_ALLOW_ORIGIN",
    "ACCESS_CONTROL_EXPOSE_HEADERS",
    "ACCESS_CONTROL_MAX_AGE",
    "ACCESS_CONTROL_REQUEST_HEADERS",
    "ACCESS_CONTROL_REQUEST_METHOD",
    "CLEAR_SITE_DATA",
    "CONTENT_SECURITY_POLICY",
    "CONTENT_SECURITY_POLICY_REPORT_ONLY",
    "CROSS_ORIGIN_EMBEDDER_POLICY",
    "CROSS_ORIGIN_OPENER_POLICY",
    "CROSS_ORIGIN_RESOURCE_POLICY",
    "LAST_EVENT_ID",
    "NEL",
    "ORIGIN",
    "ORIGIN_AGENT_CLUSTER",
    "PERMISSIONS_POLICY",
    "REFERRER_POLICY",
    "REPORT_TO",
    "REPORTING_ENDPOINTS",
    "SEC_CH_UA",
    "SEC_CH_UA_MOBILE",
    "SEC_CH_UA_PLATFORM",
    "SEC_FETCH_DEST",
    "SEC_FETCH_MODE",
    "SEC_FETCH_SITE",
    "SEC_FETCH_USER",
    "SEC_GPC",
    "SEC_PURPOSE",
    "SERVER_TIMING",
    "STRICT_TRANSPORT_SECURITY",
    "TIMING_ALLOW_ORIGIN",
    "UPGRADE_INSECURE_REQUESTS",
    "X_CONTENT_TYPE_OPTIONS",
    "X_FRAME_OPTIONS",
    "X_REQUESTED_WITH",
    "X_XSS_PROTECTION",
    # WebSocket (RFC 6455)
    "SEC_WEBSOCKET_ACCEPT",
    "SEC_WEBSOCKET_EXTENSIONS",
    "SEC_WEBSOCKET_KEY",
    "SEC_WEBSOCKET_PROTOCOL",
    "SEC_WEBSOCKET_VERSION",
    # Proxies and tracing
    "BAGGAGE",
    "TRACEPARENT",
    "TRACESTATE",
    "X_CORRELATION_ID",
    "X_FORWARDED_FOR",
    "X_FORWARDED_HOST",
    "X_FORWARDED_PORT",
    "X_FORWARDED_PROTO",
    "X_POWERED_BY",
    "X_RATELIMIT_LIMIT",
    "X_RATELIMIT_REMAINING",
    "X_RATELIMIT_RESET",
    "X_REAL_IP",
    "X_REQUEST_ID",
]

# Methods: RFC 9110, section 9, and RFC 5789 (PATCH)

METH_CONNECT: Final = "CONNECT"
METH_DELETE: Final = "DELETE"
METH_GET: Final = "GET"
METH_HEAD: Final = "HEAD"
METH_OPTIONS: Final = "OPTIONS"
METH_PATCH: Final = "PATCH"
METH_POST: Final = "POST"
METH_PUT: Final = "PUT"
METH_TRACE: Final = "TRACE"

METH_ANY: Final = "*"
"""Stands for every method where a route is declared; never sent."""

METH_ALL: Final = frozenset(
    {
        METH_CONNECT,
        METH_DELETE,
        METH_GET,
        METH_HEAD,
        METH_OPTIONS,
        METH_PATCH,
        METH_POST,
        METH_PUT,
        METH_TRACE,
    }
)
"""Every method above."""

# Framing and connection (RFC 9112; RFC 9110, section 7)
CONNECTION: Final = istr("Connection")
CONTENT_LENGTH: Final = istr("Content-Length")
HOST: Final = istr("Host")
KEEP_ALIVE: Final = istr("Keep-Alive")
MAX_FORWARDS: Final = istr("Max-Forwards")
TE: Final = istr("TE")
TRAILER: Final = istr("Trailer")
TRANSFER_ENCODING: Final = istr("Transfer-Encoding")
UPGRADE: Final = istr("Upgrade")
VIA: Final = istr("Via")

# Content (RFC 9110, section 8; RFC 2045; RFC 6266; RFC 9530)
CONTENT_DIGEST: Final = istr("Content-Digest")
CONTENT_DISPOSITION: Final = istr("Content-Disposition")
CONTENT_ENCODING: Final = istr("Content-Encoding")
CONTENT_ID: Final = istr("Content-ID")
CONTENT_LANGUAGE: Final = istr("Content-Language")
CONTENT_LOCATION: Final = istr("Content-Location")
CONTENT_MD5: Final = istr("Content-MD5")
CONTENT_RANGE: Final = istr("Content-Range")
CONTENT_TRANSFER_ENCODING: Final = istr("Content-Transfer-Encoding")
CONTENT_TYPE: Final = istr("Content-Type")
DIGEST: Final = istr("Digest")
ETAG: Final = istr("ETag")
LAST_MODIFIED: Final = istr("Last-Modified")
REPR_DIGEST: Final = istr("Repr-Digest")
WANT_CONTENT_DIGEST: Final = istr("Want-Content-Digest")
WANT_DIGEST: Final = istr("Want-Digest")
WANT_REPR_DIGEST: Final = istr("Want-Repr-Digest")

# Message context and negotiation (RFC 9110, sections 10 and 12)
ACCEPT: Final = istr("Accept")
ACCEPT_CH: Final = istr("Accept-CH")
ACCEPT_CHARSET: Final = istr("Accept-Charset")
ACCEPT_ENCODING: Final = istr("Accept-Encoding")
ACCEPT_LANGUAGE: Final = istr("Accept-Language")
ACCEPT_RANGES: Final = istr("Accept-Ranges")
AGE: Final = istr("Age")
ALLOW: Final = istr("Allow")
ALT_SVC: Final = istr("Alt-Svc")
ALT_USED: Final = istr("Alt-Used")
CACHE_CONTROL: Final = istr("Cache-Control")
CACHE_STATUS: Final = istr("Cache-Status")
CDN_CACHE_CONTROL: Final = istr("CDN-Cache-Control")
CDN_LOOP: Final = istr("CDN-Loop")
DATE: Final = istr("Date")
DESTINATION: Final = istr("Destination")
EARLY_DATA: Final = istr("Early-Data")
EXPECT: Final = istr("Expect")
EXPIRES: Final = istr("Expires")
FORWARDED: Final = istr("Forwarded")
FROM: Final = istr("From")
LINK: Final = istr("Link")
LOCATION: Final = istr("Location")
PRAGMA: Final = istr("Pragma")
PRIORITY: Final = istr("Priority")
REFERER: Final = istr("Referer")
RETRY_AFTER: Final = istr("Retry-After")
SERVER: Final = istr("Server")
URI: Final = istr("URI")
USER_AGENT: Final = istr("User-Agent")
VARY: Final = istr("Vary")
WARNING: Final = istr("Warning")

# Conditions and ranges (RFC 9110, sections 13 and 14)
IF_MATCH: Final = istr("If-Match")
IF_MODIFIED_SINCE: Final = istr("If-Modified-Since")
IF_NONE_MATCH: Final = istr("If-None-Match")
IF_RANGE: Final = istr("If-Range")
IF_UNMODIFIED_SINCE: Final = istr("If-Unmodified-Since")
RANGE: Final = istr("Range")

# Credentials and cookies (RFC 9110, section 11; RFC 6265)
AUTHENTICATION_INFO: Final = istr("Authentication-Info")
AUTHORIZATION: Final = istr("Authorization")
COOKIE: Final = istr("Cookie")
PROXY_AUTHENTICATE: Final = istr("Proxy-Authenticate")
PROXY_AUTHENTICATION_INFO: Final = istr("Proxy-Authentication-Info")
PROXY_AUTHORIZATION: Final = istr("Proxy-Authorization")
SET_COOKIE: Final = istr("Set-Cookie")
WWW_AUTHENTICATE: Final = istr("WWW-Authenticate")

# Origins and browsers (Fetch, CSP, RFC 6797 …)
ACCESS_CONTROL_ALLOW_CREDENTIALS: Final = istr("Access-Control-Allow-Credentials")
ACCESS_CONTROL_ALLOW_HEADERS: Final = istr("Access-Control-Allow-Headers")
ACCESS_CONTROL_ALLOW_METHODS: Final = istr("Access-Control-Allow-Methods")
ACCESS_CONTROL_ALLOW_ORIGIN: Final = istr("Access-Control-Allow-Origin")
ACCESS_CONTROL_EXPOSE_HEADERS: Final = istr("Access-Control-Expose-Headers")
ACCESS_CONTROL_MAX_AGE: Final = istr("Access-Control-Max-Age")
ACCESS_CONTROL_REQUEST_HEADERS: Final = istr("Access-Control-Request-Headers")
ACCESS_CONTROL_REQUEST_METHOD: Final = istr("Access-Control-Request-Method")
CLEAR_SITE_DATA: Final = istr("Clear-Site-Data")
CONTENT_SECURITY_POLICY: Final = istr("Content-Security-Policy")
CONTENT_SECURITY_POLICY_REPORT_ONLY: Final = istr("Content-Security-Policy-Report-Only")
CROSS_ORIGIN_EMBEDDER_POLICY: Final = istr("Cross-Origin-Embedder-Policy")
CROSS_ORIGIN_OPENER_POLICY: Final = istr("Cross-Origin-Opener-Policy")
CROSS_ORIGIN_RESOURCE_POLICY: Final = istr("Cross-Origin-Resource-Policy")
LAST_EVENT_ID: Final = istr("Last-Event-ID")
NEL: Final = istr("NEL")
ORIGIN: Final = istr("Origin")
ORIGIN_AGENT_CLUSTER: Final = istr("Origin-Agent-Cluster")
PERMISSIONS_POLICY: Final = istr("Permissions-Policy")
REFERRER_POLICY: Final = istr("Referrer-Policy")
REPORT_TO: Final = istr("Report-To")
REPORTING_ENDPOINTS: Final = istr("Reporting-Endpoints")
SEC_CH_UA: Final = istr("Sec-CH-UA")
SEC_CH_UA_MOBILE: Final = istr("Sec-CH-UA-Mobile")
SEC_CH_UA_PLATFORM: Final = istr("Sec-CH-UA-Platform")
SEC_FETCH_DEST: Final = istr("Sec-Fetch-Dest")
SEC_FETCH_MODE: Final = istr("Sec-Fetch-Mode")
SEC_FETCH_SITE: Final = istr("Sec-Fetch-Site")
SEC_FETCH_USER: Final = istr("Sec-Fetch-User")
SEC_GPC: Final = istr("Sec-GPC")
SEC_PURPOSE: Final = istr("Sec-Purpose")
SERVER_TIMING: Final = istr("Server-Timing")
STRICT_TRANSPORT_SECURITY: Final = istr("Strict-Transport-Security")
TIMING_ALLOW_ORIGIN: Final = istr("Timing-Allow-Origin")
UPGRADE_INSECURE_REQUESTS: Final = istr("Upgrade-Insecure-Requests")
X_CONTENT_TYPE_OPTIONS: Final = istr("X-Content-Type-Options")
X_FRAME_OPTIONS: Final = istr("X-Frame-Options")
X_REQUESTED_WITH: Final = istr("X-Requested-With")
X_XSS_PROTECTION: Final = istr("X-XSS-Protection")

# WebSocket (RFC 6455)
SEC_WEBSOCKET_ACCEPT: Final = istr("Sec-WebSocket-Accept")
SEC_WEBSOCKET_EXTENSIONS: Final = istr("Sec-WebSocket-Extensions")
SEC_WEBSOCKET_KEY: Final = istr("Sec-WebSocket-Key")
SEC_WEBSOCKET_PROTOCOL: Final = istr("Sec-WebSocket-Protocol")
SEC_WEBSOCKET_VERSION: Final = istr("Sec-WebSocket-Version")

# Proxies and tracing
BAGGAGE: Final = istr("baggage")
TRACEPARENT: Final = istr("traceparent")
TRACESTATE: Final = istr("tracestate")
X_CORRELATION_ID: Final = istr("X-Correlation-ID")
X_FORWARDED_FOR: Final = istr("X-Forwarded-For")
X_FORWARDED_HOST: Final = istr("X-Forwarded-Host")
X_FORWARDED_PORT: Final = istr("X-Forwarded-Port")
X_FORWARDED_PROTO: Final = istr("X-Forwarded-Proto")
X_POWERED_BY: Final = istr("X-Powered-By")
X_RATELIMIT_LIMIT: Final = istr("X-RateLimit-Limit")
X_RATELIMIT_REMAINING: Final = istr("X-RateLimit-Remaining")
X_RATELIMIT_RESET: Final = istr("X-RateLimit-Reset")
X_REAL_IP: Final = istr("X-Real-IP")
X_REQUEST_ID: Final = istr("X-Request-ID")
