"""Lines of JSON over the worker's socket: what may be asked, what is answered.

Requests: `{"op": "render", "id", "scene", "film", "width", "height", "fps", "beats": [{"frames"}], "out",
"timeout_s", "memory_bytes", "assets"}`, `{"op": "cancel", "id"}`, `{"op": "quit"}`; the end of the stream means quit.
`assets` says where the images are: {source as in the storyboard: absolute path}; what is not there is shown by its
description, with a warning. `memory_bytes`, which may be missing, is what the scene's process may have of its own.
`film` holds `title`, `theme`, `language`, and where the author has them `colours` ({field of the theme: #rrggbb}) and
`logo` (a source of `assets`). With `stills`, a list of frames, there is no clip: these frames are left as PNG files,
`<out>-<number>.png`. Answers: `ready`, then for a render `started`, some `frames`, and one of `done` and `failed`;
`refused` for a line that is no request. `done` holds `frames`, `beats` (`first_frame` and `frames` of each), `audit`
(`overlaps`, `outside`, `too_small`, `too_short` and `low_contrast` of the scene), `beat_audits` (the first three at
the end of each beat), `still` (`frame` and `share`: the fullest picture in which nothing moves, and the share of it
that has ink; or null), `findings` (with `stills`: what the audit counts, one by one), `use`, `warnings` and
`render_s`. `use` says how the screen was used: `used` (at the end of each beat, the part of the area below the
heading that the box around all that is shown takes, or null), `still_s` and `still_at_s` (longest time without a
change while words are heard, and when it begins), `first_s` (until the first change), `heading_alone_s` (longest time
with nothing but the heading), `mark_distance` (least distance of a highlight's frame from the ink in it, in frame
units, or null), `strays` (labels outside of the cells they belong in), `orphans` (lists whose last item is alone on a
page) and `letters` (least and most in the longest lines of texts, or null). A render's id is the caller's and is
repeated in every answer.

Somebody's own programs are run by another process, whose protocol PROTOCOL.md describes: `Run` and `Said` come in.
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
    body = _object(line)
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
    stills = body.get("stills")
    if stills is not None and not (
        isinstance(stills, list)
        and all(isinstance(number, int) and not isinstance(number, bool) and number >= 0 for number in stills)
    ):
        raise Refused(f"render {name}: stills must be a list of frames")
    memory = body.get("memory_bytes")
    if memory is not None and (not isinstance(memory, int) or isinstance(memory, bool) or memory < 1):
        raise Refused(f"render {name}: memory_bytes must be a positive number of bytes")
    return Render(name, float(timeout), memory, body)


PROGRAM_VERSION = 2
"""Version of what is said to the runner of somebody's own programs; PROTOCOL.md describes it."""


@dataclass(frozen=True)
class Limits:
    """What a program may use up. Seconds; 0 stands for no limit."""

    film_s: float = 1800.0
    """Of film."""
    cpu_s: float = 0.0
    """Of its own processor time, as a soft limit: it keeps what was drawn."""
    wall_s: float = 0.0
    """From the request to the end of its drawing; the caller's own deadline should lie a few seconds later."""
    stall_s: float = 0.0
    """Without a new frame, but for answers about speech; below the caller's own limit, so that what was drawn stays."""
    say_s: float = 120.0
    """For one answer about speech."""


@dataclass(frozen=True)
class Run:
    """Run a scene class of a program to its end. Sizes in pixels, both even; `fps` whole frames per second."""

    id: str
    source: str
    scene: str
    out: str
    width: int
    height: int
    fps: int
    theme: str = "dark"
    background: str | None = None
    """The author's own, as `#rrggbb`."""
    language: str | None = None
    docstring: str | None = None
    """Words for the beginning, instead of the class's docstring."""
    sections: tuple[tuple[str | None, str], ...] = ()
    """Narration beside the program: name of the section, or none, and the words."""
    narration_file: str | None = None
    """The same, as a file of Markdown or JSON."""
    draw: bool = True
    """Whether there is a clip; otherwise the program is run dry: its length is counted, one picture for each play."""
    formulas: str = "native"
    """`native`: formulas are set here; `latex`: by the TeX that is installed, where there is one."""
    speak: bool = True
    """Whether the caller answers about speech; otherwise lengths are estimated."""
    still_s: float = 5.0
    """How long a scene without any animation stands."""
    limits: Limits = Limits()


def parse_run(line: bytes) -> Run | Said | Quit:
    """A line to the runner of programs. Raises Refused."""
    body = _object(line)
    op = body.get("op")
    if op == "quit":
        return Quit()
    name = _text(body, "id")
    if op == "said":
        return _said(name, body)
    if op != "run":
        raise Refused(f"no such operation: {op!r}")
    sizes = {field: _positive(body, field) for field in ("width", "height", "fps")}
    if sizes["width"] % 2 or sizes["height"] % 2:
        raise Refused(f"run {name}: width and height must be even")
    theme = body.get("theme", "dark")
    formulas = body.get("formulas", "native")
    if theme not in ("dark", "light") or formulas not in ("native", "latex"):
        raise Refused(f"run {name}: theme is dark or light, formulas is native or latex")
    still = _seconds(body, "still_s", 5.0)
    limits = body.get("limits", {})
    if not isinstance(limits, dict):
        raise Refused(f"run {name}: limits must be an object")
    bounds = Limits(**{field: _seconds(limits, field, getattr(Limits, field)) for field in Limits.__annotations__})
    return Run(
        id=name,
        source=_text(body, "source"),
        scene=_text(body, "class"),
        out=_text(body, "out"),
        **sizes,
        theme=theme,
        background=_words(body, "background"),
        language=_words(body, "language"),
        docstring=_words(body, "docstring"),
        sections=_sections(name, body.get("sections", [])),
        narration_file=_words(body, "narration_file"),
        draw=body.get("draw", True) is True,
        formulas=formulas,
        speak=body.get("speak", True) is True,
        still_s=still or 5.0,
        limits=bounds,
    )


@dataclass(frozen=True)
class Said:
    """An answer about speech: how long it takes, and when its words come."""

    id: str
    ask: int
    seconds: float | None
    """None when it can't be spoken; `error` says why."""
    words: tuple[tuple[int, float], ...] = ()
    """Where words begin: index of the first character in the text that was asked about, and seconds from its start."""
    error: str = ""


def _said(name: str, body: dict[str, Any]) -> Said:
    ask = body.get("ask")
    if not isinstance(ask, int) or isinstance(ask, bool):
        raise Refused("said: ask must be the number of a question")
    if body.get("seconds") is None:
        return Said(name, ask, None, error=str(body.get("error", ""))[:500])
    seconds = _seconds(body, "seconds", 0.0)
    words = []
    given = body.get("words", [])
    for word in given if isinstance(given, list) else []:
        if isinstance(word, list) and len(word) == 2 and all(_is_number(part) and part >= 0 for part in word):
            words.append((int(word[0]), float(word[1])))
    return Said(name, ask, seconds, tuple(sorted(words)))


def _sections(name: str, given: Any) -> tuple[tuple[str | None, str], ...]:
    if not isinstance(given, list):
        raise Refused(f"run {name}: sections must be a list")
    sections = []
    for section in given:
        if not isinstance(section, dict) or not isinstance(section.get("text"), str):
            raise Refused(f"run {name}: a section has a name and a text")
        title = section.get("name")
        sections.append((title if isinstance(title, str) and title else None, section["text"]))
    return tuple(sections)


def _object(line: bytes) -> dict[str, Any]:
    try:
        body = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Refused(f"not JSON: {error}") from error
    if not isinstance(body, dict):
        raise Refused("a request is an object")
    return body


def _text(body: dict[str, Any], field: str) -> str:
    value = body.get(field)
    if not isinstance(value, str) or not value:
        raise Refused(f"{field} is missing or no text")
    return value


def _words(body: dict[str, Any], field: str) -> str | None:
    value = body.get(field)
    if value is not None and not isinstance(value, str):
        raise Refused(f"{field} must be a text")
    return value


def _positive(body: dict[str, Any], field: str) -> int:
    value = body.get(field)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise Refused(f"{field} must be a whole number of at least 1")
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9


def _seconds(body: dict[str, Any], field: str, otherwise: float) -> float:
    value = body.get(field, otherwise)
    if not _is_number(value) or value < 0:
        raise Refused(f"{field} must be a number of seconds")
    return float(value)


OUT_OF_MEMORY = ("memory allocation of", "std::bad_alloc", "MemoryError")
"""What Rust, C++ and Python say when they get no more memory; the first two end the process."""


def line(event: dict[str, Any]) -> bytes:
    """An answer as it goes out."""
    return json.dumps(event, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"
