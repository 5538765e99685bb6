"""ASGI 3: HTTP with its extensions, and lifespan."""

from .application import AsgiApplication

__all__ = ["AsgiApplication"]
