"""Runs programs one after the other: Manim is imported once, each program runs in a forked child.

This process never runs a line of a program. All programs of one process should be of one author: they share what the
caller lets this process tree write.
"""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import socket
import sys
import tempfile
import time
from pathlib import Path

import manim

from .. import protocol
from . import formulas, metadata, run
from .channel import Channel, Gone

_PR_SET_PDEATHSIG = 1  # prctl(2)


def main() -> int:
    """Serves until the caller goes or says quit; 2 when there is no socket."""
    try:
        caller = socket.socket(fileno=int(os.environ.get("CHALKREEL_STAGE_FD", "3")))
        os.set_inheritable(caller.fileno(), False)
    except (OSError, ValueError) as error:
        print(f"chalkreel-raw: no socket to serve: {error}", file=sys.stderr)
        return 2
    # What a program prints is no part of the protocol.
    os.dup2(2, 1)
    os.environ.pop("CHALKREEL_STAGE_FD", None)
    channel = Channel(caller)

    formulas.preload()
    metadata.answer_within(Path.cwd())
    # What is there is shared by all children and never looked through again.
    gc.collect()
    gc.freeze()
    ready = {"event": "ready", "protocol": protocol.PROGRAM_VERSION, "pid": os.getpid(), "manim": manim.__version__}
    try:
        channel.send({**ready, "import_s": round(time.process_time(), 3)})
        while True:
            try:
                line = channel.line()
                asked = protocol.parse_run(line or b"")
            except protocol.Refused as error:
                channel.send({"event": "refused", "message": str(error)[:500]})
                continue
            if isinstance(asked, protocol.Quit):
                return 0
            if isinstance(asked, protocol.Run):
                _fork(asked, channel)
    except (Gone, OSError):
        return 0


def _fork(asked: protocol.Run, channel: Channel) -> None:
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        _child(asked, channel, parent)
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    if code != run.TOLD:
        Path(asked.out + ".part").unlink(missing_ok=True)
        killed = -code if code < 0 else None
        name = signal.Signals(killed).name if killed else None
        channel.send(
            {
                "event": "failed",
                "id": asked.id,
                "kind": "crashed",
                "type": name or "exit",
                "message": f"the program's process ended by {name}" if name else f"the program left with code {code}",
                "remedy": "Return from construct() instead of leaving the program." if killed is None else "",
                "line": None,
                "line_text": "",
                "signal": killed,
                "exit": None if killed else code,
                "trace": "",
                "warnings": [],
                "frames": 0,
            }
        )


def _child(asked: protocol.Run, channel: Channel, parent: int) -> None:
    """Runs the program and ends this process."""
    code = 1
    try:
        # A caller that kills the server ends its programs too.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)
        # What it names is found beside it; what it leaves lies beside its clip, where the next program won't meet it.
        os.chdir(Path(asked.source).parent)
        os.environ["HOME"] = os.environ["TMPDIR"] = tempfile.tempdir = str(Path(asked.out).parent)
        channel.send({"event": "started", "id": asked.id, "pid": os.getpid()})
        run.run(asked, channel)
        code = run.TOLD
    finally:
        run.leave(code)
