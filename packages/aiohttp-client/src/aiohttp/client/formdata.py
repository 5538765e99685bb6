"""Forms: fields and files, urlencoded or as multipart (RFC 7578; HTML, "form submission")."""

from __future__ import annotations

import re
from collections.abc import AsyncIterable, Iterable, Mapping, Sequence
from copy import copy
from typing import Any, Final, NamedTuple, Self, TypeGuard
from urllib.parse import urlencode

from aiohttp.protocol.headers import shown
from aiohttp.protocol.payload import BytesPayload, Payload, StringPayload, get_payload

__all__ = ["FormData"]

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


class _Field(NamedTuple):
    name: str
    value: str | bytes | Payload
    content_type: str | None
    filename: str | None


class FormData:
    r"""A form. Call it for the body that it makes; again, if its files can be read again.

    It is ``multipart/form-data`` as soon as there is a file, a filename or a content type,
    else ``application/x-www-form-urlencoded``. A file is something with ``read``, an
    iterable or async iterable of bytes, or a payload; it stays open. Bytes and text are
    files if they have a filename.

    Args:
        fields: a mapping, pairs, or files; see ``add_fields``.
        quote_fields: whether ``"`` in names is sent as browsers do, as ``%22``; else as a
            quoted string has it, ``\"``. All else is sent as it is, in UTF-8.
        charset: of text; UTF-8 if None.
        default_to_multipart: whether it is multipart in any case.
    """

    def __init__(
        self,
        fields: Mapping[str, object] | Iterable[object] = (),
        quote_fields: bool = True,
        charset: str | None = None,
        *,
        default_to_multipart: bool = False,
    ) -> None:
        self._fields: list[_Field] = []
        self._quote_fields = quote_fields
        self._charset = charset or "utf-8"
        self._is_multipart = default_to_multipart
        if _is_list(fields):
            self.add_fields(*fields)
        else:
            self.add_fields(fields)

    def __repr__(self) -> str:
        kind = "multipart" if self._is_multipart else "urlencoded"
        return f"<FormData {kind}, {len(self._fields)} fields>"

    @property
    def is_multipart(self) -> bool:
        """Whether it will be ``multipart/form-data``."""
        return self._is_multipart

    def add_field(
        self,
        name: str,
        value: Any,
        content_type: str | None = None,
        filename: str | None = None,
        content_transfer_encoding: str | None = None,
    ) -> None:
        """Add a field; several of one name for a list or tuple.

        A file's own name is told if ``filename`` is None. What is neither text, bytes nor
        file is sent as ``str(value)``. ``content_transfer_encoding`` is of no use (RFC
        7578, section 4.7): it only makes the form multipart, and nothing is encoded.

        Raises:
            TypeError: if the value is None or a mapping.
            ValueError: if a name, filename or type has a control character.
        """
        for what, text in (("name", name), ("filename", filename), ("content_type", content_type)):
            if text is not None or what == "name":
                _check_text(what, text)
        if _is_list(value):
            for each in value:
                self.add_field(name, each, content_type, filename, content_transfer_encoding)
            return
        sendable = self._sendable(name, value, content_type, filename)
        if isinstance(sendable, Payload) and sendable.filename and not filename:
            filename = sendable.filename
            _check_text("filename", filename)
        told = (filename, content_type, content_transfer_encoding)
        if isinstance(sendable, Payload) or any(text is not None for text in told):
            self._is_multipart = True
        self._fields.append(_Field(name, sendable, content_type, filename))

    def add_fields(self, *fields: Any) -> None:
        """Add fields: mappings, ``(name, value)`` pairs, files under their own name.

        Raises:
            TypeError: for anything else; and as ``add_field``.
        """
        for each in fields:
            if _is_mapping(each):
                for name, value in each.items():
                    self.add_field(name, value)
            elif _is_list(each) and len(each) == 2:
                self.add_field(*each)
            elif _is_file(each):
                file = get_payload(each)
                self.add_field(file.filename or "unknown", file)
            else:
                raise TypeError(
                    "a form is made of mappings, (name, value) pairs and files, "
                    f"not {type(each).__name__}"
                )

    def with_files(self, files: Mapping[str, Any] | Iterable[Any]) -> Self:
        """Return a form with files beside the fields of this one, as ``files=`` has them.

        ``files`` is a mapping of names to files, or files, ``(name, file)`` and
        ``(name, file, content_type)``. Bytes and text have the name as filename.

        Raises:
            TypeError: for anything else; and as ``add_field``.
        """
        form = copy(self)
        form._fields = [*self._fields]
        for each in files.items() if _is_mapping(files) else files:
            if _is_list(each) and len(each) in (2, 3):
                name, file = each[:2]
                _check_file(file)
                content_type = each[2] if len(each) == 3 else None
                form.add_field(name, file, content_type, None if _is_file(file) else name)
            else:
                form.add_fields(each)
        return form

    def __call__(self) -> Payload:
        """Return the body; its ``content_type`` has the boundary."""
        return self._multipart() if self._is_multipart else self._urlencoded()

    def _sendable(
        self, name: str, value: Any, content_type: str | None, filename: str | None
    ) -> str | bytes | Payload:
        if isinstance(value, str | bytes | Payload):
            return value
        if isinstance(value, bytearray):
            return bytes(value)
        if isinstance(value, memoryview):
            return value.tobytes()
        if _is_file(value):
            encoding = self._charset if content_type is None else None
            file = get_payload(
                value, content_type=content_type, filename=filename, encoding=encoding
            )
            if file.filename is None and hasattr(value, "read"):
                file.filename = name
            return file
        if value is None or _is_mapping(value):
            raise TypeError(
                f"field {shown(name)} must be text, bytes or a file, not {type(value).__name__}"
            )
        return str(value)

    def _urlencoded(self) -> Payload:
        pairs = [(field.name, field.value) for field in self._fields]
        content_type = "application/x-www-form-urlencoded"
        if self._charset.lower() != "utf-8":
            content_type += f"; charset={self._charset}"
        encoded = urlencode(pairs, encoding=self._charset)
        return BytesPayload(encoded.encode("ascii"), content_type=content_type)

    def _multipart(self) -> Payload:
        from aiohttp.protocol.multipart_writer import MultipartWriter

        writer = MultipartWriter("form-data")
        for field in self._fields:
            part = self._part(field)
            names = {"name": field.name}
            if field.filename is not None:
                names["filename"] = field.filename
            part.set_content_disposition("form-data", self._quote_fields, **names)
            writer.append_payload(part)
        return writer

    def _part(self, field: _Field) -> Payload:
        value, content_type, filename = field.value, field.content_type, field.filename
        if isinstance(value, Payload):
            return _Part(value, content_type)
        if isinstance(value, bytes):
            return BytesPayload(value, content_type=content_type, filename=filename)
        if filename is not None and content_type is None:
            return BytesPayload(value.encode(self._charset), filename=filename)
        if content_type is None and self._charset.lower() == "utf-8":
            content_type = ""  # as browsers send text
            return BytesPayload(value.encode(), content_type=content_type)
        encoding = self._charset if content_type is None else None
        return StringPayload(value, content_type=content_type, encoding=encoding)


class _Part(Payload):
    """A payload as the part of one form: it may be in others, too, under other names."""

    __slots__ = ("_source",)

    def __init__(self, source: Payload, content_type: str | None) -> None:
        super().__init__(source, source.headers, source.content_type)
        self._source = source
        if content_type is not None:
            self.headers["Content-Type"] = content_type

    @property
    def content(self) -> bytes | AsyncIterable[bytes]:
        return self._source.content

    @property
    def size(self) -> int | None:
        return self._source.size

    @property
    def can_be_replayed(self) -> bool:
        return self._source.can_be_replayed

    @property
    def is_in_memory(self) -> bool:
        return self._source.is_in_memory


def _is_list(value: object) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, list | tuple)


def _is_mapping(value: object) -> TypeGuard[Mapping[Any, Any]]:
    return isinstance(value, Mapping)


def _is_file(value: object) -> bool:
    """Whether a value is sent as a file: it has ``read``, or gives bytes piece by piece."""
    if isinstance(value, str | bytes | bytearray | memoryview | list | tuple | Mapping):
        return False
    return isinstance(value, Payload | Iterable | AsyncIterable) or callable(
        getattr(value, "read", None)
    )


def _check_file(file: object) -> None:
    """Refuse what other clients take: each member of the tuple would be a file of its own."""
    if isinstance(file, tuple) and file and isinstance(file[0], str):
        raise TypeError(
            "files takes name: file, or (name, file, content_type), but no tuple as the file; "
            "a filename is given by FormData.add_field(name, file, content_type, filename)"
        )


def _check_text(what: str, text: object) -> None:
    if not isinstance(text, str):
        raise TypeError(f"the {what} of a form's field must be str, not {type(text).__name__}")
    if found := _CONTROL.search(text):
        raise ValueError(f"control character {found[0]!r} in the {what} {shown(text)} of a form")
