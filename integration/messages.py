"""Messages of HTTP/1 by chance: what usually comes, what seldom comes, and noise."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from parsers import Case

__all__ = ["PARTS", "Messages"]

METHODS = ["GET", "POST", "PUT", "HEAD", "DELETE", "OPTIONS", "PATCH"]
ODD_METHODS = ["CONNECT", "get", "M-SEARCH", "BREW", "G@T", "GE T", ""]
TARGETS = ["/", "/a/b?c=d", "/%41;x=1", "http://a.example/x", "https://a.example:8443"]
ODD_TARGETS = [
    "*", "a.example:443", "a", "//a/b", "/a#b", "/\xe9", "/a|b", "http:///x", "[::1]:80",
    "ftp://a/", '/"<>{}', "",
]  # fmt: skip
VERSIONS = ["HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0"]
ODD_VERSIONS = [
    "HTTP/1.2", "HTTP/2.0", "HTTP/0.9", "HTTP/1.10", "http/1.1", "HTTP/11", "HTTP/1,1", "",
]  # fmt: skip
STATUSES = [
    "200 OK", "200 OK", "404 Not Found", "204 No Content", "304 Not Modified", "100 Continue",
]  # fmt: skip
ODD_STATUSES = [
    "103 Early Hints", "500 ", "200", "999 ", "099 x", "20 x", "2000 x", "2x0 y", "200 \xe9",
    "200 \x01", "200  two", "+20 x", "200\tOK",
]  # fmt: skip
HOSTS = ["Host: a.example", "HOST: a:80", "Host: [::1]:8080"]
ODD_HOSTS = [
    "Host:", "Host: a/b", "Host: a b", "Host: a:x", "Host: a:99999", "Host: a\r\nHost: a", "X: y",
]  # fmt: skip
FRAMINGS = [
    "X: y", "Content-Length: 5", "Content-Length: 5", "content-length:0",
    "Transfer-Encoding: chunked",
]  # fmt: skip
ODD_FRAMINGS = [
    "Content-Length: +5", "Content-Length: 5,5", "Content-Length: 5\r\nContent-Length: 5",
    "Content-Length: 5\r\nContent-Length: 9", "Content-Length: 05", "Content-Length: 5a",
    "Content-Length:", "Content-Length: -1", "Content-Length: 99999999999999999999",
    "Content-Length: 5 5", "Content-Length: 0x5", "Content-Length: 1_0", "Content-Length: \xb2",
    "Transfer-Encoding: chunked\r\nContent-Length: 5", "Transfer-Encoding: Chunked",
    "Transfer-Encoding: gzip, chunked", "Transfer-Encoding: chunked, chunked",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "Transfer-Encoding: identity",
    "Transfer-Encoding: chunked, identity", "Transfer-Encoding:", "Transfer-Encoding: xchunked",
    'Transfer-Encoding: "chunked"', "Transfer-Encoding: chunked;q=1", "Transfer-Encoding: ,chunked",
    "Transfer-Encoding:\tchunked\t", "Transfer-Encoding : chunked",
    "Transfer-Encoding: \x0bchunked",
]  # fmt: skip
FIELDS = [
    "Accept: */*", "X: y", "x-empty:", "X-Tab: a\tb", "X-Latin: \xe9\xff", "X-Pad: \t a \t",
    "Cookie: a=b; c=d", "A!#$%&'*+-.^_`|~9: b", "Connection: keep-alive", "Connection: close",
    "Connection: Close, X", "Connection: upgrade\r\nUpgrade: websocket", "Upgrade: h2c",
    "Expect: 100-continue", "Trailer: X", "TE: trailers", "X:: y",
]  # fmt: skip
ODD_FIELDS = [
    "Expect: 200-ok", "X y: z", "X : y", ": y", "X", " X: y", "\tX: y", "X: a\r\n b", "X: a\r\n\tb",
    "X: \0", "X: \x01", "X: \x7f", "X\x80: y", "X(: y", "X: a\rb", "X: a\nY: b", '"X": y',
    "X: \x0b", "X: a\r\n \r\n b",
]  # fmt: skip
CHUNKS = ["5\r\nhello\r\n", "1\r\nx\r\n", "A\r\n0123456789\r\n", "a;n=v\r\n0123456789\r\n"]
ODD_CHUNKS = [
    "5 ;n\r\nhello\r\n", '5;n="q;"\r\nhello\r\n', "5; n = v \r\nhello\r\n", "5;\r\nhello\r\n",
    "5;n=\r\nhello\r\n", "05\r\nhello\r\n", "5\nhello\r\n", "5\r\nhello\n", "5\r\nhelloX\r\n",
    "+5\r\nhello\r\n", "0x5\r\nhello\r\n", "5 \r\nhello\r\n", "5;a\rb\r\nhello\r\n",
    "5;a\nb\r\nhello\r\n", "5;\xe9\r\nhello\r\n", "g\r\n", "\r\n", "00000000000000005\r\nhello\r\n",
    "FFFFFFFFFFFFFFFFF\r\n", "5;n=v;m\r\nhello\r\n", "5\r\r\nhello\r\n", "_5\r\nhello\r\n",
    '5;"n"=v\r\nhello\r\n', "5;a b\r\nhello\r\n", '5;a="b\r\nhello\r\n', "2\r\n\r\n\r\n",
]  # fmt: skip
LASTS = ["0\r\n", "0\r\n", "00\r\n", "0;x=y\r\n"]
ODD_LASTS = ["0;x\r\n", "0\n", "", "000000000000000000\r\n"]
TRAILERS = ["", "", "X: y\r\n", "X: y\r\nZ: a\r\n"]
ODD_TRAILERS = [
    "Content-Length: 5\r\n", "Host: a\r\n", "X\r\n", "X : y\r\n", "X: y\n", "X: \0\r\n",
    "Set-Cookie: a\r\n", "X: a\r\n b\r\n", "\xff: y\r\n",
]  # fmt: skip
ENDS = ["\r\n"]
ODD_ENDS = ["", "\n", "\r", "\r\r\n"]
NOISE = [*'\r\n \t\0:;,\x7f\x80\xff0A/#\x0b\x1f="-+', "\r\n"]


class Messages:
    """Messages by chance: the same ones for the same seed."""

    def __init__(self, seed: int, *, requests: bool) -> None:
        self._random = Random(seed)
        self._requests = requests

    def __iter__(self) -> Iterator[Case]:
        while True:
            text = self._message()
            if self._random.random() < 0.4:
                text = self._mutated(text)
            method = "GET"
            if not self._requests and self._random.random() < 0.1:
                method = self._random.choice(["HEAD", "CONNECT", "POST"])
            yield Case(text.encode("latin-1"), self._requests, method)

    def _pick(self, usual: list[str], odd: list[str]) -> str:
        return self._random.choice(odd if self._random.random() < 0.08 else usual)

    def _message(self) -> str:
        version = self._pick(VERSIONS, ODD_VERSIONS)
        if self._requests:
            target = self._pick(TARGETS, ODD_TARGETS)
            start = f"{self._pick(METHODS, ODD_METHODS)} {target} {version}"
            behind = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n"
        else:
            start = f"{version} {self._pick(STATUSES, ODD_STATUSES)}"
            behind = "HTTP/1.1 200 OK\r\n\r\n"
        lines = [self._pick(FIELDS, ODD_FIELDS) for _ in range(self._random.randrange(4))]
        lines.append(self._pick(FRAMINGS, ODD_FRAMINGS))
        if self._requests:
            lines.append(self._pick(HOSTS, ODD_HOSTS))
        self._random.shuffle(lines)
        body = self._chunked_body() if "hunked" in "".join(lines) else "hello"
        line_end = self._pick(["\r\n"] * 2, ["\r\n", "\n"])
        before = self._pick([""], ["", "\r\n"])
        return before + line_end.join([start, *lines, "", ""]) + body + behind

    def _chunked_body(self) -> str:
        chunks = [self._pick(CHUNKS, ODD_CHUNKS) for _ in range(self._random.randrange(4))]
        last = self._pick(LASTS, ODD_LASTS)
        return (
            "".join(chunks) + last + self._pick(TRAILERS, ODD_TRAILERS) + self._pick(ENDS, ODD_ENDS)
        )

    def _mutated(self, text: str) -> str:
        for _ in range(self._random.choice([1, 1, 1, 2, 3])):
            place = self._random.randrange(len(text))
            behind = place + self._random.randrange(1, 30)
            text = self._random.choice([
                text[:place] + self._random.choice(NOISE) + text[place:],
                text[:place] + self._random.choice(NOISE) + text[place + 1 :],
                text[:place] + text[place + 1 :],
                text[:behind] + text[place:],
            ])  # fmt: skip
        return text


PARTS = [
    *[*METHODS, *TARGETS, *VERSIONS, *STATUSES, *HOSTS, *FRAMINGS, *FIELDS, *CHUNKS, *NOISE],
    *["GET / HTTP/1.1\r\nHost: a.example\r\n", "HTTP/1.1 200 OK\r\n", "0\r\n\r\n"],
]
