"""A worker at the other end of a real socket pair, as the handler starts it."""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

LAYERS = Path(os.environ["CHALKREEL_TEST_LAYERS"])
FIXTURES = Path(__file__).parent / "fixtures"
WAIT_S = 60.0


class Stage:
    """The caller's side of the protocol."""

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch
        self.socket, theirs = socket.socketpair()
        environment = {
            "TMPDIR": str(scratch),
            "HOME": str(scratch),
            "LANG": "C.UTF-8",
            "PATH": "/usr/bin:/bin",
            "CHALKREEL_STAGE_FD": str(theirs.fileno()),
        }
        self.process = subprocess.Popen(
            [LAYERS / "bin" / "chalkreel-stage"],
            env=environment,
            pass_fds=[theirs.fileno()],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        )
        theirs.close()
        self._buffer = b""
        self.past: list[dict[str, Any]] = []

    def send(self, request: dict[str, Any] | bytes) -> None:
        data = request if isinstance(request, bytes) else json.dumps(request).encode()
        self.socket.sendall(data + b"\n")

    def event(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The next event that is wanted; the others are kept in `past`."""
        deadline = time.monotonic() + WAIT_S
        while True:
            while b"\n" in self._buffer:
                line, self._buffer = self._buffer.split(b"\n", 1)
                event = json.loads(line)
                self.past.append(event)
                if wanted(event):
                    return event
            left = deadline - time.monotonic()
            assert left > 0 and select.select([self.socket], [], [], left)[0], f"no event in time; had {self.past}"
            data = self.socket.recv(65536)
            assert data, f"the worker went away; had {self.past}"
            self._buffer += data

    def named(self, name: str, render: str | None = None) -> dict[str, Any]:
        return self.event(lambda e: e["event"] == name and render in (None, e.get("id")))

    def end(self, render: str) -> dict[str, Any]:
        """The last answer of a render."""
        return self.event(lambda e: e["event"] in ("done", "failed") and e["id"] == render)

    def render(self, name: str, fixture: str, *, frames: list[int] | None = None, **other: Any) -> Path:
        """Asks for a fixture; where the clip will be."""
        request = asked(fixture, frames)
        out = self.scratch / f"{name}.mp4"
        self.send({"op": "render", "id": name, "out": str(out), "timeout_s": 60.0, **request, **other})
        return out


def asked(fixture: str, frames: list[int] | None = None) -> dict[str, Any]:
    """The body of a small render of a fixture."""
    stored = json.loads((FIXTURES / f"{fixture}.json").read_text())
    return {
        "scene": stored["scene"],
        "film": stored["film"],
        "width": 256,
        "height": 144,
        "fps": 15,
        "beats": [{"frames": n} for n in frames or stored["frames"]],
    }


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A worker that has said it is ready."""
    caller = Stage(tmp_path)
    try:
        caller.named("ready")
        yield caller
    finally:
        caller.socket.close()
        caller.process.wait(20)
        caller.process.stdout.close()
