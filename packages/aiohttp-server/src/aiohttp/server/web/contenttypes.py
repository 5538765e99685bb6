"""The media type of a file, by its name."""

from __future__ import annotations

from pathlib import PurePath
from typing import Final

__all__ = ["content_type_of"]

# What a web page is made of, so that it looks the same from every machine: a slim container
# knows no .woff2, and a registry may call .js text/plain. Also keeps mimetypes, which takes
# 8 ms to import and to read its files, out of servers that send nothing else.
_TYPES: Final = {
    ".avif": "image/avif",
    ".br": "application/x-brotli",
    ".bz2": "application/x-bzip2",
    ".css": "text/css",
    ".csv": "text/csv",
    ".gif": "image/gif",
    ".gz": "application/gzip",
    ".htm": "text/html",
    ".html": "text/html",
    ".ico": "image/vnd.microsoft.icon",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".js": "text/javascript",
    ".json": "application/json",
    ".map": "application/json",
    ".md": "text/markdown",
    ".mjs": "text/javascript",
    ".mp3": "audio/mpeg",
    ".mp4": "video/mp4",
    ".otf": "font/otf",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
    ".txt": "text/plain",
    ".wasm": "application/wasm",
    ".wav": "audio/wav",
    ".webm": "video/webm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".xml": "application/xml",
    ".xz": "application/x-xz",
    ".zip": "application/zip",
    ".zst": "application/zstd",
}


def content_type_of(path: str) -> str:
    """Return a media type without parameters; application/octet-stream if nothing is known.

    A compressed file is what it is: ``notes.txt.gz`` is application/gzip, and not text with
    a content coding. Other names than those of the web are looked up in ``mimetypes``, to
    which a program may add its own. Its ``guess_type`` isn't used: that takes ``data:…``,
    which can be a file's name, for a URL.
    """
    suffix = PurePath(path).suffix.lower()
    if not suffix:
        return "application/octet-stream"
    known = _TYPES.get(suffix)
    if known is not None:
        return known
    import mimetypes

    if not mimetypes.inited:
        mimetypes.init()
    return mimetypes.types_map.get(suffix, "application/octet-stream")
