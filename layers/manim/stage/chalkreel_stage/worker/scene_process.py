"""What runs in the forked child: one scene, its answers on one pipe, everything it prints on another."""

from __future__ import annotations

import ctypes
import gc
import os
import resource
import signal
import sys
import time
import traceback
from typing import NoReturn

from .. import protocol
from ..scene.scene import Scene
from ..typesetting.typesetter import Typesetter

FRAMES_EVERY_S = 0.25
"""Least time between two `frames` answers."""

_PR_SET_PDEATHSIG = 1  # prctl(2)
_LIBC = ctypes.CDLL(None)


def run(request: protocol.Render, setter: Typesetter, results: int, output: int, parent: int) -> NoReturn:
    """Renders and exits; never returns. `results` and `output` are the descriptors of the two pipes.

    Called right after the fork. Closes every other descriptor, so a child can neither hold the protocol socket open
    nor speak for another child.
    """
    code = 1
    try:
        os.setpgid(0, 0)
        # A worker that was killed takes its children with it.
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        results, output = _keep_only(results, output)
        code = _render(request, setter, results)
    except BaseException:  # Nothing may unwind into the worker's own loop.
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _keep_only(results: int, output: int) -> tuple[int, int]:
    """Standard output and error become `output`, descriptor 3 becomes `results`, all others are closed."""
    results = os.dup(results) if results < 4 else results
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.dup2(results, 3)
    os.set_inheritable(3, False)
    # Descriptors are given out lowest first, and a worker has but a few dozen.
    os.closerange(4, 4096)
    return 3, 2


def _render(request: protocol.Render, setter: Typesetter, results: int) -> int:
    if request.memory_bytes is not None:
        _limit_memory(request.memory_bytes)
    gc.enable()
    last = 0.0

    def send(event: dict) -> None:
        data = protocol.line(event)
        while data:
            data = data[os.write(results, data) :]

    def wrote(frames: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= FRAMES_EVERY_S:
            last = now
            send({"event": "frames", "frames": frames})

    try:
        done = Scene(request.body, setter, wrote).render()
    except MemoryError as error:
        traceback.print_exc()
        send({"event": "error", "kind": "memory", "message": f"{type(error).__name__}: {error}"[:2000]})
        return 1
    except Exception as error:  # Whatever it is, it becomes an answer.
        traceback.print_exc()
        send({"event": "error", "message": f"{type(error).__name__}: {error}"[:2000]})
        return 1
    send({"event": "done", **done})
    return 0


def _limit_memory(limit: int) -> None:
    """This process gets no more than `limit` bytes of its own. A limit that is lower already stays."""
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    if most == resource.RLIM_INFINITY or limit < most:
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
