"""WSGI (PEP 3333): applications that block, in threads, and those that are coroutines."""

from .application import WsgiApplication
from .environ import ErrorLog, base_environ, make_environ
from .threads import Inbox, ThreadPool

__all__ = [
    "ErrorLog",
    "Inbox",
    "ThreadPool",
    "WsgiApplication",
    "base_environ",
    "make_environ",
]
