"""nginx as a process of its own, on sockets that were opened before it: no port is guessed."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from grp import getgrgid
from pathlib import Path
from pwd import getpwuid

__all__ = ["nginx"]

CONFIGURATION = """
daemon off;
worker_processes 1;
user {user};
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_max_body_size 200m;
    client_body_temp_path {folder};
    proxy_temp_path {folder};
    fastcgi_temp_path {folder};
    uwsgi_temp_path {folder};
    scgi_temp_path {folder};
    {upstreams}
    {servers}
}}
"""


@contextmanager
def nginx(
    folder: Path, servers: Mapping[str, str], upstreams: str = ""
) -> Generator[dict[str, int]]:
    """Run nginx as long as the block lasts, which gets the port of each server by its name.

    ``servers``: what each has between its braces, without ``listen``; ``@name@`` is the
    port of the server of that name. One that names a certificate speaks TLS.
    ``upstreams``: what stands beside them.
    """
    with ExitStack() as opened:
        sockets = {name: opened.enter_context(socket.socket()) for name in servers}
        for sock in sockets.values():
            sock.bind(("127.0.0.1", 0))
            sock.listen(128)  # who connects before nginx is there waits
        ports = {name: int(sock.getsockname()[1]) for name, sock in sockets.items()}
        blocks = [
            f"server {{ listen 127.0.0.1:{ports[name]}{' ssl' * ('ssl_certificate' in body)};"
            + re.sub(r"@(\w+)@", lambda found: str(ports[found[1]]), body)
            + "}"
            for name, body in servers.items()
        ]
        file = folder / "nginx.conf"
        file.write_text(
            CONFIGURATION.format(
                folder=folder, user=_user(), upstreams=upstreams, servers="\n".join(blocks)
            )
        )
        with _process(folder, file, [sock.fileno() for sock in sockets.values()]):
            yield ports


def _user() -> str:
    """Return who we are, so that its workers may read what is ours; only root may say so."""
    return f"{getpwuid(os.getuid()).pw_name} {getgrgid(os.getgid()).gr_name}"


@contextmanager
def _process(folder: Path, configuration: Path, sockets: list[int]) -> Generator[None]:
    # Sockets are inherited by this variable when nginx replaces itself by a newer one.
    environment = {**os.environ, "NGINX": "".join(f"{number};" for number in sockets)}
    program = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
    if program is None:
        raise FileNotFoundError("nginx is not installed: .ci/debian-packages names what is needed")
    with (folder / "nginx.log").open("wb") as log:
        process = subprocess.Popen(
            [program, "-c", configuration], env=environment, pass_fds=sockets, stderr=log
        )
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(30)
    if code:
        raise RuntimeError(f"nginx ended with {code}: {(folder / 'nginx.log').read_text()}")
