"""nginx: one process, which sends the files of a directory with ``sendfile``; no access log."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NoReturn

from bench.worker import announce, listen

CONFIGURATION = """
daemon off; master_process off; pid nginx.pid; error_log stderr;
events {{ worker_connections 64; }}
http {{
    access_log off; sendfile on; tcp_nopush on;
    client_body_temp_path b; proxy_temp_path p; fastcgi_temp_path f;
    uwsgi_temp_path u; scgi_temp_path s;
    server {{ listen 127.0.0.1:{port}; root {directory}; }}
}}
"""


def main(directory: str) -> None:
    """Serve until the bench ends, or ends us."""
    nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if nginx is None:
        sys.exit("this figure needs nginx: apt-get install nginx-light")
    with listen() as listener:
        port = listener.getsockname()[1]
    with tempfile.TemporaryDirectory() as home:
        configuration = Path(home, "nginx.conf")
        configuration.write_text(CONFIGURATION.format(port=port, directory=directory))
        command = [nginx, "-p", home, "-c", configuration]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        try:
            wait_for(port)
            announce(port)
            sys.stdin.read()
        finally:
            process.terminate()
            process.wait()


def wait_for(port: int) -> None:
    """Return when somebody answers there."""
    for _ in range(500):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except ConnectionRefusedError:
            time.sleep(0.01)
        else:
            return
    sys.exit("nginx doesn't listen")


def leave(_number: int, _frame: object) -> NoReturn:
    """Leave on SIGTERM as otherwise: nginx goes with us."""
    raise SystemExit


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, leave)
    main(sys.argv[1])
