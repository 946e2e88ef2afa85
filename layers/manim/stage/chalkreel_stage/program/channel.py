"""The socket to the caller: answers go out as they come, a question about speech waits for its answer."""

from __future__ import annotations

import select
import socket
import time
from typing import Any

from .. import protocol


class Gone(Exception):
    """The caller has closed the socket."""


class Channel:
    """Lines of JSON over a connected stream socket."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._buffer = b""

    def send(self, event: dict[str, Any]) -> None:
        """Sends an event. Raises OSError when the caller has gone.

        It begins a line of its own: the program has this socket too, and may have left half a line in it.
        """
        self._socket.sendall(b"\n" + protocol.line(event))

    def line(self, seconds: float | None = None) -> bytes | None:
        """The next line without its newline; None after `seconds`. Raises Gone, and Refused for a line without end."""
        deadline = None if seconds is None else time.monotonic() + seconds
        while b"\n" not in self._buffer:
            if len(self._buffer) > protocol.LONGEST_LINE:
                self._buffer = b""
                raise protocol.Refused("a line is too long")
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and (left <= 0 or not select.select([self._socket], [], [], left)[0]):
                return None
            data = self._socket.recv(65536)
            if not data:
                raise Gone
            self._buffer += data
        line, self._buffer = self._buffer.split(b"\n", 1)
        return line

    def said(self, run: str, ask: int, seconds: float) -> protocol.Said | None:
        """The answer to a question; None when none comes within `seconds`, or the caller has gone.

        Whatever else comes meanwhile belongs to no question that is open, and is dropped.
        """
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            try:
                line = self.line(left)
                answer = protocol.parse_run(line) if line is not None else None
            except protocol.Refused:
                continue
            except (Gone, OSError):
                return None
            if isinstance(answer, protocol.Said) and (answer.id, answer.ask) == (run, ask):
                return answer
        return None
