"""Files below a directory: what a path of a request may lead to, and what it never reaches.

A path is taken apart before the file system hears of it. Each name between its slashes has
to be one that a file can have in a directory: not empty, not ``..``, nothing that a system
takes for a drive, a host or a device. Then the names are looked up one by one, and the walk
ends at the first that is missing, or that is a link which leads out of the directory. All of
that is the same 404 to the client, and happens after the same steps.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import quote, unquote_to_bytes

from .exceptions import HTTPNotFound
from .fileresponse import FileResponse
from .matchinfo import UrlMappingMatchInfo
from .opening import ABSENT, in_thread, promptly
from .paths import routing_path, value_of
from .resources import Outcome, PrefixResource
from .response import Response
from .routes import AbstractRoute, ExpectHandler, ResourceRoute

if TYPE_CHECKING:
    from yarl import URL

    from .listing import Entry
    from .request import BaseRequest, Request
    from .stream_response import StreamResponse

__all__ = ["StaticResource", "file_names"]

Place: TypeAlias = tuple[Path, os.stat_result]
"""A path without symbolic links, and what is there."""

# What Windows takes for more than a name: separators, drives and streams, wildcards; devices,
# with or without a suffix; and what it drops from the end.
_NO_NAME_ON_WINDOWS: Final = re.compile(
    r'.*[\x00-\x1f<>:"/\\|?*].*|.*[ .]'
    r"|(?:con|prn|aux|nul|(?:com|lpt)[0-9¹²³]|conin\$|conout\$)(?:\..*)?",
    re.IGNORECASE | re.DOTALL,
)


def file_names(rest: str, *, is_windows: bool = os.name == "nt") -> list[str] | None:
    """Return the names that lead from a directory to a file; None if they can't be names.

    ``rest`` is what a routing path (see ``paths``) has behind a prefix: empty, or with a
    slash first; one at its end is dropped. An escaped slash is no part of any name.
    """
    if not rest.strip("/"):
        return [] if len(rest) < 2 else None
    # What is still escaped is no UTF-8: a name may have it, but on Windows.
    names = [os.fsdecode(unquote_to_bytes(text)) for text in rest.removesuffix("/").split("/")[1:]]
    for name in names:
        if name in {"", ".", ".."} or "/" in name or "\0" in name:
            return None
        if is_windows and _NO_NAME_ON_WINDOWS.fullmatch(name):
            return None
    return names


class StaticResource(PrefixResource):
    """Files below a directory, for GET and HEAD.

    What can't be sent is 404, whether it is missing, forbidden, no regular file, or outside.
    Symbolic links are followed as long as they stay inside the directory.

    Args:
        prefix: of the paths, such as ``/static``.
        directory: where the files are. It has to exist; links in it are resolved once, now.
        name: of the resource, for ``router["name"].url_for(filename="app.js")``.
        expect_handler: see ``AbstractRoute``.
        chunk_size: see ``FileResponse``.
        show_index: whether a directory is answered by a page that lists it.
        follow_symlinks: whether links may lead out of the directory. Whoever may write in
            it can then publish whatever the server can read.
        append_version: whether ``url_for`` names the version of a file by default. A file
            that is asked for by the version that was named last, and has not changed since,
            may be kept by caches for a year.

    Raises:
        ValueError: if there is no such directory, or the prefix is none.
    """

    VERSION_KEY: Final = "v"

    def __init__(
        self,
        prefix: str,
        directory: str | os.PathLike[str],
        *,
        name: str | None = None,
        expect_handler: ExpectHandler | None = None,
        chunk_size: int = 256 * 1024,
        show_index: bool = False,
        follow_symlinks: bool = False,
        append_version: bool = False,
    ) -> None:
        super().__init__(prefix, name=name)
        self._directory = _existing(directory)
        self._chunk_size = chunk_size
        self._show_index = show_index
        self._follow_symlinks = follow_symlinks
        self._append_version = append_version
        self._versions: dict[Path, tuple[tuple[int, int], str]] = {}
        self._routes = {
            method: ResourceRoute(method, self._handle, self, expect_handler=expect_handler)
            for method in ("GET", "HEAD")
        }

    def __repr__(self) -> str:
        name = "" if self.name is None else f"{self.name!r} "
        return f"<StaticResource {name}{self.canonical} -> {str(self._directory)!r}>"

    def __len__(self) -> int:
        return len(self._routes)

    def __iter__(self) -> Iterator[AbstractRoute]:
        return iter(self._routes.values())

    def get_info(self) -> Mapping[str, Any]:
        """Return directory, prefix and routes."""
        return {
            "directory": self._directory,
            "prefix": self.canonical,
            "routes": self._routes,
        }

    def match(self, request: BaseRequest, path: str) -> Outcome:
        """Return who answers, and the methods that the path has."""
        rest = self.rest_of(path)
        if rest is None:
            return None, frozenset()
        route = self._routes.get(request.method)
        if route is None:
            return None, self._routes.keys()
        return UrlMappingMatchInfo({"filename": value_of(rest[1:])}, route), self._routes.keys()

    # URLs.

    def url_for(self, filename: str | os.PathLike[str], append_version: bool | None = None) -> URL:
        """Return the URL of a file, relative to the host.

        Args:
            filename: below the directory, with or without a slash first.
            append_version: whether the URL changes when the file does: ``?v=`` and a hash
                of its content, which is read if it has changed. A file that isn't there has
                none. None: as the resource was told.

        Raises:
            ValueError: if no file can have that name.
        """
        from yarl import URL

        text = Path(filename).as_posix() if isinstance(filename, os.PathLike) else filename
        path = "/" + quote(os.fsencode(text.lstrip("/")), safe="/!$&'()*+,;=:@")
        names = file_names(path)
        if names is None:
            raise ValueError(f"expected the path of a file below the directory, got {text!r}")
        url = URL(self._encoded_prefix + path, encoded=True)
        if self._append_version if append_version is None else append_version:
            place = self._find(names)
            if place is not None and (version := self._version_of(*place)):
                return url.with_query({self.VERSION_KEY: version})
        return url

    @staticmethod
    def get_file_hash(byte_array: bytes) -> str:
        """Return the version of a file with this content."""
        from base64 import urlsafe_b64encode
        from hashlib import sha256

        return urlsafe_b64encode(sha256(byte_array).digest()).decode("ascii").rstrip("=")

    def _version_of(self, path: Path, status: os.stat_result) -> str | None:
        """Return a file's version; it is read when its time or size is another."""
        state = _state_of(status)
        known = self._versions.get(path)
        if known is not None and known[0] == state:
            return known[1]
        try:
            content = path.read_bytes() if stat.S_ISREG(status.st_mode) else None
        except OSError as exc:
            if exc.errno not in ABSENT:
                raise
            content = None
        if content is None:
            return None
        self._versions[path] = state, self.get_file_hash(content)
        return self._versions[path][1]

    @property
    def _encoded_prefix(self) -> str:
        return quote(self.canonical, safe="/%!$&'()*+,;=:@")

    # Answering.

    async def _handle(self, request: Request) -> StreamResponse:
        rest = self.rest_of(routing_path(request.raw_path))
        names = None if rest is None else file_names(rest)
        if rest is None or names is None:
            raise HTTPNotFound
        place = await promptly(f"{self._directory}{rest}", lambda: self._find(names))
        if place is None:
            raise HTTPNotFound
        path, status = place
        if stat.S_ISDIR(status.st_mode):
            if not self._show_index:
                raise HTTPNotFound
            return await self._list(request, path, names)
        if not stat.S_ISREG(status.st_mode) or rest.endswith("/"):
            raise HTTPNotFound
        response = (
            FileResponse(path, self._chunk_size)
            if self._follow_symlinks
            else _FileInside(path, self._chunk_size, self._directory)
        )
        if self._is_current(request, path, status):
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response

    def _is_current(self, request: Request, path: Path, status: os.stat_result) -> bool:
        """Tell whether a file is asked for by its version; nothing is read to find out."""
        known = self._versions.get(path)
        if known is None or known[0] != _state_of(status):
            return False
        return request.query_string == f"{self.VERSION_KEY}={known[1]}"

    def _find(self, names: list[str]) -> Place | None:
        """Return where names lead, and what is there; None if nowhere that may be seen."""
        place = self._look(self._directory)
        for name in names:
            if place is None:
                return None
            place = self._look(place[0] / name)
        return place

    def _look(self, path: Path) -> Place | None:
        """Return a path with its last link resolved, and what is there."""
        try:
            status = path.lstat()
            if stat.S_ISLNK(status.st_mode):
                path = Path(os.path.realpath(path))  # Path.resolve() raises at a ring of links
                if not (self._follow_symlinks or path.is_relative_to(self._directory)):
                    return None
                status = path.lstat()
        except OSError as exc:
            if exc.errno in ABSENT:
                return None
            raise
        # Found out here, so that a page of the program's own for 404 is the answer to both.
        if stat.S_ISREG(status.st_mode) and not os.access(path, os.R_OK):
            return None
        return path, status

    async def _list(self, request: Request, path: Path, names: list[str]) -> StreamResponse:
        from .listing import content_security_policy, listing_page

        order = request.query.get("sort", "name")

        def page() -> str | None:
            entries = self._entries(path)
            if entries is None:
                return None
            return listing_page(self._encoded_prefix, names, entries, order=order)

        text = await in_thread(page)
        if text is None:
            raise HTTPNotFound
        return Response(
            text=text,
            content_type="text/html",
            headers={
                "Content-Security-Policy": content_security_policy(),
                "X-Content-Type-Options": "nosniff",
            },
        )

    def _entries(self, directory: Path) -> list[Entry] | None:
        """Return what may be seen in a directory; None if it can't be read."""
        from .listing import Entry

        try:
            paths = list(directory.iterdir())
        except OSError as exc:
            if exc.errno in ABSENT:
                return None
            raise
        entries: list[Entry] = []
        for path in paths:
            place = self._look(path)
            if place is None:
                continue
            status = place[1]
            if stat.S_ISDIR(status.st_mode):
                entries.append(Entry(path.name, None, status.st_mtime))
            elif stat.S_ISREG(status.st_mode):
                entries.append(Entry(path.name, status.st_size, status.st_mtime))
        return entries


class _FileInside(FileResponse):
    """A file below a directory; a link that somebody puts in its way now is not followed."""

    def __init__(self, path: Path, chunk_size: int, below: Path) -> None:
        super().__init__(path, chunk_size)
        self._below = str(below)


def _state_of(status: os.stat_result) -> tuple[int, int]:
    return status.st_mtime_ns, status.st_size


def _existing(directory: str | os.PathLike[str]) -> Path:
    """Return a directory's path without links.

    Raises:
        ValueError: if there is none.
    """
    path = Path(os.path.realpath(Path(directory).expanduser()))
    if not path.is_dir():
        what = "something else" if path.exists() else "nothing"
        raise ValueError(f"expected a directory of static files at {str(path)!r}, found {what}")
    return path
