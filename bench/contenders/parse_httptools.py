"""llhttp through httptools, with what a server needs of a head built from its callbacks."""
# ruff: noqa: D102 (callbacks are named by llhttp)

import httptools
from multidict import CIMultiDict, CIMultiDictProxy

from bench.contenders.parse import serve


class Head:
    """Collects one head; the parser stays, as on a kept-alive connection."""

    __slots__ = ("fields", "keep_alive", "parser", "reason", "start_line", "target")

    def on_message_begin(self):
        self.fields = CIMultiDict()

    def on_url(self, target):
        self.target = target.decode("ascii")

    def on_status(self, reason):
        self.reason = reason.decode("latin-1")

    def on_header(self, name, value):
        self.fields.add(name.decode("latin-1"), value.decode("latin-1"))

    def on_headers_complete(self):
        self.keep_alive = self.parser.should_keep_alive()


def request_parser():
    """Return a function that parses requests."""
    head = Head()
    parser = head.parser = httptools.HttpRequestParser(head)

    def parse(data):
        parser.feed_data(data)
        return (
            parser.get_method().decode("ascii"),
            head.target,
            parser.get_http_version(),
            CIMultiDictProxy(head.fields),
            head.keep_alive,
        )

    return parse


def response_parser():
    """Return a function that parses responses."""
    head = Head()
    parser = head.parser = httptools.HttpResponseParser(head)

    def parse(data):
        parser.feed_data(data)
        return (
            parser.get_status_code(),
            head.reason,
            parser.get_http_version(),
            CIMultiDictProxy(head.fields),
            head.keep_alive,
        )

    return parse


def explain(result):
    """Return what the bench compares."""
    first, second, _, headers, keep_alive = result
    return first, second, headers, keep_alive


if __name__ == "__main__":
    serve(request_parser(), response_parser(), explain_request=explain, explain_response=explain)
