"""Lines of JSON over the worker's socket: what may be asked, what is answered.

Requests: `{"op": "render", "id", "scene", "film", "width", "height", "fps", "beats": [{"frames"}], "out",
"timeout_s", "memory_bytes", "assets"}`, `{"op": "cancel", "id"}`, `{"op": "quit"}`; the end of the stream means quit.
`assets` says where the images are: {source as in the storyboard: absolute path}; what is not there is shown by its
description, with a warning. `memory_bytes`, which may be missing, is what the scene's process may have of its own.
Answers: `ready`, then for a render `started`, some `frames`, and one of `done` and `failed`; `refused` for a line
that is no request. `done` holds `frames`, `beats` (`first_frame` and `frames` of each), `audit` (`overlaps`, `outside`,
`too_small` of the scene), `beat_audits` (the same at the end of each beat), `warnings` and `render_s`. A render's id is
the caller's and is repeated in every answer.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

LONGEST_LINE = 16 * 1024 * 1024
"""Bytes in a request. A scene of the largest storyboard that the handler accepts is far smaller."""


class Refused(ValueError):
    """A line that is no request; the message says why."""


@dataclass(frozen=True)
class Render:
    """Render a scene. `body` is the request as it came."""

    id: str
    timeout_s: float
    memory_bytes: int | None
    body: dict[str, Any]


@dataclass(frozen=True)
class Cancel:
    """End a render."""

    id: str


@dataclass(frozen=True)
class Quit:
    """End everything."""


def parse(line: bytes) -> Render | Cancel | Quit:
    """A request. Raises Refused."""
    try:
        body = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Refused(f"not JSON: {error}") from error
    if not isinstance(body, dict):
        raise Refused("a request is an object")
    op = body.get("op")
    if op == "quit":
        return Quit()
    name = body.get("id")
    if not isinstance(name, str) or not name:
        raise Refused("a request needs an id")
    if op == "cancel":
        return Cancel(name)
    if op != "render":
        raise Refused(f"no such operation: {op!r}")
    for field, kind in (("scene", dict), ("beats", list), ("out", str), ("width", int), ("height", int), ("fps", int)):
        if not isinstance(body.get(field), kind) or isinstance(body[field], bool):
            raise Refused(f"render {name}: {field} is missing or of the wrong type")
    timeout = body.get("timeout_s")
    if not isinstance(timeout, int | float) or isinstance(timeout, bool) or not 0 < timeout < 1e9:
        raise Refused(f"render {name}: timeout_s must be a positive number of seconds")
    memory = body.get("memory_bytes")
    if memory is not None and (not isinstance(memory, int) or isinstance(memory, bool) or memory < 1):
        raise Refused(f"render {name}: memory_bytes must be a positive number of bytes")
    return Render(name, float(timeout), memory, body)


OUT_OF_MEMORY = ("memory allocation of", "std::bad_alloc", "MemoryError")
"""What Rust, C++ and Python say when they get no more memory; the first two end the process."""


def line(event: dict[str, Any]) -> bytes:
    """An answer as it goes out."""
    return json.dumps(event, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"
