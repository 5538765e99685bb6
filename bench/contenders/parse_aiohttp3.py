"""aiohttp 3's parser, written in C around llhttp."""

import asyncio

from aiohttp.base_protocol import BaseProtocol

from aiohttp import http_parser
from bench.contenders.parse import serve


def parser_of(kind):
    """Return a function that parses the heads of one direction."""
    if "Py" in kind.__name__:
        raise RuntimeError("expected aiohttp's C parser, not the one in plain Python")
    loop = asyncio.new_event_loop()
    parser = kind(BaseProtocol(loop), loop, 2**16, max_line_size=8190, max_field_size=8190)

    def parse(data):
        messages, _, _ = parser.feed_data(data)
        return messages[0][0]

    return parse


def explain_request(message):
    """Return what the bench compares."""
    return message.method, message.path, message.headers, not message.should_close


def explain_response(message):
    """Return what the bench compares."""
    return message.code, message.reason, message.headers, not message.should_close


if __name__ == "__main__":
    serve(
        parser_of(http_parser.HttpRequestParser),
        parser_of(http_parser.HttpResponseParser),
        explain_request=explain_request,
        explain_response=explain_response,
    )
