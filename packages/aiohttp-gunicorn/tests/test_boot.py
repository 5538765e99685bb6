"""How workers that can't start agree on who says why."""

from __future__ import annotations

import os

from aiohttp.worker.boot import BootError, SharedFlag


def test_code_tells_gunicorn_to_end() -> None:
    """3 is "Worker failed to boot", 4 is "App failed to load"."""
    assert BootError("why").code == 3
    assert BootError("why", 4).code == 4
    assert str(BootError("why")) == "why"


def test_flag_is_taken_once_by_all_processes() -> None:
    """What a forked process has taken its parent doesn't get any more."""
    flag, untouched = SharedFlag(), SharedFlag()
    pid = os.fork()
    if pid == 0:
        os._exit(0 if flag.take() and not flag.take() else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert not flag.take()
    assert untouched.take()
    flag.lower()
    assert flag.take()


def test_flag_that_is_lowered_twice_is_taken_once() -> None:
    """As by two workers that have waited in vain for a third one."""
    flag = SharedFlag()
    flag.lower()
    flag.lower()
    assert flag.take()
    assert not flag.take()


def test_flag_is_taken_by_one_of_many_at_the_same_moment() -> None:
    """Of four processes that wait for the same start one gets it."""
    for _ in range(20):
        flag, (start, go) = SharedFlag(), os.pipe()
        pids: list[int] = []
        for _ in range(4):
            pid = os.fork()
            if pid == 0:
                os.read(start, 1)
                os._exit(int(flag.take()))
            pids.append(pid)
        os.write(go, b"....")
        codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
        os.close(start)
        os.close(go)
        assert sorted(codes) == [0, 0, 0, 1]
