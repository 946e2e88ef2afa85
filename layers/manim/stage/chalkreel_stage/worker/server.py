"""The warm worker: one process, one thread, one forked child per render.

It waits for three things at once: the protocol socket, the children's pipes, and the children's end (pidfd). It never
blocks on any of them; what it can't send yet waits in a bounded buffer. A child that crashes, hangs, floods or lies
is ended together with its process group and costs its own render alone.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from .. import protocol
from ..typesetting.typesetter import Typesetter
from . import scene_process

TAIL = 8 * 1024
"""Bytes of a child's output that are kept, the last ones."""

FLOOD = 64 * 1024 * 1024
"""Bytes of output after which a child is ended."""

LONGEST_ANSWER = 4 * 1024 * 1024
"""Bytes in one line from a child."""

UNREAD = 16 * 1024 * 1024
"""Bytes that may wait for a caller that doesn't read; beyond this it is taken for gone."""

CHUNK = 64 * 1024


class CallerGone(Exception):
    """The socket can no longer be read or written."""


@dataclass
class Running:
    """A render and its child."""

    request: protocol.Render
    pid: int
    pidfd: int
    results: int
    output: int
    deadline: float
    answer: dict[str, Any] | None = None
    kind: str | None = None
    """Why it was ended, when the worker ended it."""
    why: str = ""
    partial: bytes = b""
    tail: bytes = b""
    flooded: int = 0
    open: set[int] = field(default_factory=set)


class Worker:
    """Serves one caller until it says quit, goes away, or a TERM arrives."""

    def __init__(self, caller: socket.socket, setter: Typesetter, ready: dict[str, Any]) -> None:
        """`ready` is sent first."""
        self._caller, self._setter = caller, setter
        caller.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(caller, selectors.EVENT_READ, None)
        self._wake, wake_writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wake_writer, warn_on_full_buffer=False)
        self._quit = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        self._selector.register(self._wake, selectors.EVENT_READ, None)
        self._running: dict[str, Running] = {}
        self._by_fd: dict[int, Running] = {}
        self._incoming = b""
        self._outgoing = bytearray()
        self._send(ready)

    def serve(self) -> None:
        """Returns when there is no one to serve and no child is left."""
        try:
            while not self._quit:
                for key, events in self._selector.select(self._patience()):
                    if key.fileobj is self._caller:
                        if events & selectors.EVENT_READ:
                            self._read_caller()
                        self._flush()
                    # An earlier event of this round may have closed the descriptor, and a new child got its number.
                    elif key.data is not None and self._by_fd.get(key.fd) is key.data:
                        self._on_child(key.fd)
                    elif key.fd == self._wake:
                        os.read(self._wake, 64)
                self._end_late()
        except CallerGone:
            pass
        finally:
            self._end_all()

    # The caller

    def _on_signal(self, _number: int, _frame: object) -> None:
        self._quit = True

    def _read_caller(self) -> None:
        try:
            data = self._caller.recv(CHUNK)
        except BlockingIOError:
            return
        except OSError as error:
            raise CallerGone from error
        if not data:
            raise CallerGone
        self._incoming += data
        *lines, self._incoming = self._incoming.split(b"\n")
        if len(self._incoming) > protocol.LONGEST_LINE:
            self._send({"event": "refused", "message": "the line is too long"})
            self._flush()
            raise CallerGone
        for line in lines:
            if line.strip():
                self._on_request(line)

    def _on_request(self, line: bytes) -> None:
        try:
            request = protocol.parse(line)
            if isinstance(request, protocol.Quit):
                self._quit = True
            elif isinstance(request, protocol.Cancel):
                if request.id not in self._running:
                    raise protocol.Refused(f"no render {request.id} is running")
                self._kill(self._running[request.id], "cancelled", "cancelled by the caller")
            elif request.id in self._running:
                raise protocol.Refused(f"render {request.id} is running already")
            else:
                self._start(request)
        except protocol.Refused as refusal:
            self._send({"event": "refused", "message": str(refusal)[:2000]})

    def _send(self, event: dict[str, Any]) -> None:
        self._outgoing += protocol.line(event)
        if len(self._outgoing) > UNREAD:
            raise CallerGone
        self._flush()

    def _flush(self) -> None:
        try:
            while self._outgoing:
                sent = self._caller.send(self._outgoing)
                del self._outgoing[:sent]
        except BlockingIOError:
            pass
        except OSError as error:
            raise CallerGone from error
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._outgoing else 0)
        self._selector.modify(self._caller, events, None)

    # Children

    def _start(self, request: protocol.Render) -> None:
        if _threads() != 1:
            raise protocol.Refused("a thread is running, so no child can be forked")
        try:
            results, results_end = os.pipe2(os.O_CLOEXEC)
            output, output_end = os.pipe2(os.O_CLOEXEC)
            pid = os.getpid()
            forked = os.fork()
        except OSError as error:
            self._send(
                {
                    "event": "failed",
                    "id": request.id,
                    "kind": "error",
                    "signal": None,
                    "exit": None,
                    "message": f"no child could be started: {error}",
                    "trace": "",
                }
            )
            return
        if forked == 0:
            scene_process.run(request, self._setter, results_end, output_end, pid)
        os.close(results_end)
        os.close(output_end)
        with contextlib.suppress(OSError):
            os.setpgid(forked, forked)  # The child does it too; whoever comes first.
        pidfd = os.pidfd_open(forked)
        running = Running(request, forked, pidfd, results, output, time.monotonic() + request.timeout_s)
        running.open = {results, output}
        self._running[request.id] = running
        for fd in (pidfd, results, output):
            os.set_blocking(fd, False)
            self._by_fd[fd] = running
            self._selector.register(fd, selectors.EVENT_READ, running)
        self._send({"event": "started", "id": request.id, "pid": forked})

    def _on_child(self, fd: int) -> None:
        running = self._by_fd[fd]
        if fd == running.pidfd:
            self._finish(running)
        else:
            self._read_child(running, fd)

    def _read_child(self, running: Running, fd: int) -> bool:
        """Reads what is there; false when there is nothing more to come for now."""
        try:
            data = os.read(fd, CHUNK)
        except BlockingIOError:
            return False
        if not data:
            self._forget(running, fd)
            return False
        if fd == running.output:
            running.tail = (running.tail + data)[-TAIL:]
            running.flooded += len(data)
            if running.flooded > FLOOD:
                self._kill(running, "error", f"it printed more than {FLOOD} bytes")
                return False
            return True
        *lines, running.partial = (running.partial + data).split(b"\n")
        if len(running.partial) > LONGEST_ANSWER:
            self._kill(running, "error", "it sent a line that does not end")
            return False
        for line in lines:
            self._on_answer(running, line)
        return True

    def _on_answer(self, running: Running, line: bytes) -> None:
        try:
            event = json.loads(line)
            name = event["event"]
        except (ValueError, TypeError, KeyError, RecursionError):
            self._kill(running, "error", "it sent a line that is no answer")
            return
        if running.kind:
            return
        if name == "frames":
            self._send({"event": "frames", "id": running.request.id, "frames": event.get("frames")})
        else:
            running.answer = event

    def _kill(self, running: Running, kind: str, why: str) -> None:
        if running.kind is None:
            running.kind, running.why = kind, why
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)

    def _finish(self, running: Running) -> None:
        """The child has ended: its group too, then the last of its pipes is read and the answer sent."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        _, status = os.waitpid(running.pid, 0)  # The pidfd is readable, so this does not wait.
        for fd in (running.results, running.output):
            # What is in the pipe at this moment, no more: a pipe holds at most 1 MiB.
            for _ in range(16):
                if fd not in running.open or not self._read_child(running, fd):
                    break
        for fd in list(running.open):
            self._forget(running, fd)
        self._selector.unregister(running.pidfd)
        del self._by_fd[running.pidfd]
        os.close(running.pidfd)
        del self._running[running.request.id]
        if running.kind or not running.answer or running.answer["event"] != "done":
            with contextlib.suppress(OSError):
                os.unlink(running.request.body["out"] + ".part")
        self._send(_verdict(running, status))

    def _forget(self, running: Running, fd: int) -> None:
        self._selector.unregister(fd)
        running.open.discard(fd)
        del self._by_fd[fd]
        os.close(fd)

    def _patience(self) -> float | None:
        deadlines = [r.deadline for r in self._running.values() if r.kind is None]
        return max(0.0, min(deadlines) - time.monotonic()) if deadlines else None

    def _end_late(self) -> None:
        now = time.monotonic()
        for running in self._running.values():
            if running.kind is None and running.deadline <= now:
                self._kill(running, "timed_out", f"not done after {running.request.timeout_s:g} s")

    def _end_all(self) -> None:
        for running in self._running.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)
        for running in self._running.values():
            with contextlib.suppress(ChildProcessError):
                os.waitpid(running.pid, 0)  # Killed a moment ago.
            with contextlib.suppress(OSError):
                os.unlink(running.request.body["out"] + ".part")


def _verdict(running: Running, status: int) -> dict[str, Any]:
    """The last answer of a render."""
    name = running.request.id
    code = os.waitstatus_to_exitcode(status)
    answer = running.answer or {}
    if running.kind is None and code == 0 and answer.get("event") == "done":
        return {**answer, "id": name}
    kind, message = running.kind, running.why
    tail = running.tail.decode("utf-8", "replace")
    if kind is None and not answer and any(sign in tail for sign in protocol.OUT_OF_MEMORY):
        kind, message = "memory", _last_line(tail)
    elif kind is None and code < 0:
        kind, message = "crashed", f"ended by {_signal_name(-code)}"
    elif kind is None:
        kind = "memory" if answer.get("kind") == "memory" else "error"
        message = str(answer.get("message") or f"exit code {code} and no result")
    return {
        "event": "failed",
        "id": name,
        "kind": kind,
        "signal": -code if code < 0 else None,
        "exit": code if code >= 0 else None,
        "message": message,
        "trace": tail[-4000:],
    }


def _last_line(tail: str) -> str:
    """The last line that says that memory ran out."""
    said = (line for line in reversed(tail.splitlines()) if any(sign in line for sign in protocol.OUT_OF_MEMORY))
    return next(said, "no memory is left")


def _threads() -> int:
    """Threads of this process, those of libraries included where /proc can be read."""
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return threading.active_count()


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
