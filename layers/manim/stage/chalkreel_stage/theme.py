"""Colours and sizes: the look, in one place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import msgspec

FRAME_HEIGHT = 8.0
"""Height of a wide frame in units, as in Manim."""


def frame_height(width: int, height: int) -> float:
    """Height in units of a frame of so many pixels.

    A frame that is not wide is higher: words are smaller against its height, so that lines stay long enough. Against
    the width they are larger than in a wide one, for whoever watches it on a phone.
    """
    return FRAME_HEIGHT * (1.0 if width > height else 1.125 if width == height else 1.5)


MARGIN = 0.05
"""Part of the frame's width and height that stays empty at each edge (the title-safe area of EBU R 95)."""

MARK_MARGIN = 0.035
"""The same for highlights: no words to be read, so the action-safe area of EBU R 95 is theirs."""

TEXT_FLOOR = 0.032 * FRAME_HEIGHT
"""Smallest legible font size: 3.2 % of a wide frame's height, 2.1 % of an upright one's: 23 and 27 pixels at 720p."""

TEXT = 0.40
"""Font size of running text: 5 % of the frame's height."""

CODE = 0.35
EQUATION = 0.54
HEADING = 0.6
TITLE = 0.92
TICKS = 0.27
LABELS = 0.31

CONTRAST = 4.5
"""Least contrast ratio of words and their ground (WCAG 2.2, level AA)."""

LOGO = 0.62
"""Height of a logo in the corner of a scene; it is at most three times as wide."""

LEVELS = (1.0, 0.9, 0.8, 0.72, 0.64)
"""Scales tried, in order, to fit a page; the last brings running text to the floor."""

LARGER = (1.15, 1.3, 1.5, 1.8, 2.2, 2.6)
"""Scales tried, in order, while a page has room; each kind of element has its own bound below."""

TEXT_GROWS = 1.5
"""Largest scale of words: those of a page stay smaller than its heading."""

LONE_TEXT_GROWS = 2.2
"""Of a sentence that a page shows alone: as large as a title, if it then still has a line's letters or fits in one."""

LONE_LIST_GROWS = 1.5
"""Of a list or a table that a page shows alone."""

LONE_EQUATION_GROWS = 2.6
"""Of a formula that a page shows alone."""

CODE_GROWS = 1.5
EQUATION_GROWS = 2.4
FIGURE_GROWS = 1.3
DRAWING_GROWS = 1.8
"""Of a drawing, whose lines and dots are of no size of their own."""

LETTER = 0.48
"""Mean width of a letter of running text, in font sizes, measured on English and German."""

LEAST_LETTERS = 50
"""Letters of a line below which text that wraps is not made larger: 50 to 70 read best."""

GAP = 0.42
"""Distance between two elements of a page at level 1."""

_REST = ("Noto Sans", "Noto Sans CJK SC", "Noto Color Emoji")
TEXT_FONTS = ("Inter", *_REST)
CODE_FONTS = ("JetBrains Mono", "DejaVu Sans Mono", *_REST)


@dataclass(frozen=True)
class Theme:
    """Colours as `#rrggbb`."""

    background: str
    panel: str
    text: str
    muted: str
    grid: str
    accent: str
    code: str
    curves: tuple[str, ...]
    syntax: dict[str, str]
    names: dict[str, str]
    """Colours that authors name, in shades that belong together on this background."""


OWN = ("background", "panel", "text", "muted", "accent", "code")
"""Fields that an author may set."""

DARK = Theme(
    background="#131a24",
    panel="#1c2634",
    text="#e9edf3",
    muted="#93a1b5",
    grid="#26323f",
    accent="#5bb8f5",
    code="#f0c27b",
    curves=("#5bb8f5", "#f5b85b", "#7ddba3", "#f28fb1", "#b79cf7", "#6fd6d6"),
    syntax={
        "keyword": "#7cc4ff",
        "string": "#9fdc9b",
        "number": "#f3bd7a",
        "comment": "#a0abb9",
        "function": "#f5dd90",
        "type": "#8fe0d4",
        "operator": "#c3cddb",
        "name": "#e9edf3",
    },
    names={
        "red": "#f2727a",
        "orange": "#f5a35b",
        "yellow": "#f5d76e",
        "gold": "#e8bb4a",
        "green": "#7ddba3",
        "teal": "#4fd0bd",
        "cyan": "#6fd6e6",
        "blue": "#5bb8f5",
        "purple": "#b79cf7",
        "pink": "#f28fb1",
        "magenta": "#e585d8",
        "maroon": "#d0708a",
        "brown": "#c49a78",
        "gray": "#93a1b5",
        "grey": "#93a1b5",
        "black": "#0a0e14",
        "white": "#ffffff",
    },
)

LIGHT = Theme(
    background="#fbfaf7",
    panel="#efeee9",
    text="#1c2430",
    muted="#5c6878",
    grid="#e2e1db",
    accent="#1668b0",
    code="#9a4a00",
    curves=("#1668b0", "#b45300", "#1c7f4c", "#b02a62", "#6a3fb5", "#0d7a7a"),
    syntax={
        "keyword": "#0b57a4",
        "string": "#22713a",
        "number": "#8f4200",
        "comment": "#555d6b",
        "function": "#6a4a00",
        "type": "#0b6b63",
        "operator": "#3d4857",
        "name": "#1c2430",
    },
    names={
        "red": "#c0303c",
        "orange": "#b45300",
        "yellow": "#a37a00",
        "gold": "#946c00",
        "green": "#1c7f4c",
        "teal": "#0d7a6d",
        "cyan": "#0b7f97",
        "blue": "#1668b0",
        "purple": "#6a3fb5",
        "pink": "#b8457c",
        "magenta": "#a32a93",
        "maroon": "#8a2442",
        "brown": "#7b5132",
        "gray": "#5c6878",
        "grey": "#5c6878",
        "black": "#1c2430",
        "white": "#ffffff",
    },
)


def named(name: str) -> Theme:
    """The theme of that name; anything but `light` is dark."""
    return LIGHT if name == "light" else DARK


def of(name: str, own: Mapping[str, str]) -> Theme:
    """The theme of that name with the author's own colours, as `#rrggbb` by the names of its fields.

    What the author doesn't name stays as it is where it stands out from the ground, and becomes lighter or darker where
    it doesn't. Nothing that the author names is changed.
    """
    look = named(name)
    own = {field: shade for field in OWN if (shade := colour(own.get(field), look))}
    if not own:
        return look
    background, text = own.get("background", look.background), own.get("text", look.text)
    if "text" not in own and contrast(text, background) < CONTRAST:
        text = readable(text, background)
    panel = own.get("panel", mix(background, text, 0.06) if background != look.background else look.panel)

    def over(shade: str, ground: str, least: float = CONTRAST) -> str:
        return shade if contrast(shade, ground) >= least else readable(shade, ground, least)

    accent = own.get("accent", over(look.accent, background))
    return replace(
        look,
        background=background,
        panel=panel,
        text=text,
        muted=own.get("muted", over(look.muted, background)),
        grid=mix(background, text, 0.12) if background != look.background else look.grid,
        accent=accent,
        code=own.get("code", over(look.code, background)),
        curves=(accent, *(over(shade, background) for shade in look.curves if shade not in (look.accent, accent))),
        syntax={word: over(text if word == "name" else shade, panel) for word, shade in look.syntax.items()},
    )


def readable(shade: str, ground: str, least: float = CONTRAST) -> str:
    """The colour, moved towards white or black until it has that contrast with the ground: one of them has 4.5."""
    end = max("#ffffff", "#000000", key=lambda end: contrast(end, ground))
    mixed = (mix(shade, end, step / 20) for step in range(21))
    return next((one for one in mixed if contrast(one, ground) >= least), end)


def colour(name: str | None, look: Theme) -> str | None:
    """A colour of the storyboard as `#rrggbb`: the theme's shade of a name; none for none or an unknown one."""
    if not name:
        return None
    name = name.strip().lower()
    if re.fullmatch(r"#[0-9a-f]{6}", name):
        return name
    if re.fullmatch(r"#[0-9a-f]{3}", name):
        return "#" + "".join(2 * digit for digit in name[1:])
    return look.names.get(name)


def legible(wanted: str | None, look: Theme, least: float = 3.0) -> str | None:
    """The colour, moved towards the theme's text colour until it stands out from the background.

    `least` is a contrast ratio: WCAG 2.2 asks for 3 for large text and for what is drawn.
    """
    shade = colour(wanted, look)
    if shade is None:
        return None
    for step in range(11):
        mixed = mix(shade, look.text, step / 10)
        if contrast(mixed, look.background) >= least:
            return mixed
    return look.text


Thing = TypeVar("Thing", bound=msgspec.Struct)
"""A curve, shape or solid."""


def key(thing: msgspec.Struct) -> str:
    """What a curve, shape or solid is known by from one form of its figure to the next."""
    return msgspec.json.encode(thing).decode()


def keys(things: Sequence[msgspec.Struct]) -> list[str]:
    """For each of a form's things one of its own: its `key`, and which it is of those that are equal."""
    plain = [key(thing) for thing in things]
    return [f"{plain[:i].count(one)} {one}" for i, one in enumerate(plain)]


def shades(forms: Iterable[Sequence[Thing]], own: Callable[[Thing], str | None], look: Theme) -> dict[str, str]:
    """Colours by `key` of all things in a figure's forms, which are in order of time.

    What has a colour of its own keeps it, and no other has it; what has none has the next of the theme's, for as long
    as it stays.
    """
    taken: dict[str, str | None] = {}
    named: list[list[str]] = []
    for form in forms:
        named.append([key(thing) for thing in form])
        taken |= zip(named[-1], map(own, form), strict=True)
    free = [shade for shade in look.curves if shade not in taken.values()] or list(look.curves)
    known: dict[str, str] = {}
    for names in named:
        here = {known[name] for name in names if name in known}
        for i, name in enumerate(names):
            if name in known:
                continue
            turn = i % len(free)
            candidates = [*free[turn:], *free[:turn]]
            shade = next((shade for shade in candidates if shade not in here), candidates[0])
            known[name] = taken[name] or shade
            here.add(known[name])
    return known


def mix(a: str, b: str, part: float) -> str:
    """`a` with `part` (0 to 1) of `b` in it."""
    pairs = zip(_channels(a), _channels(b), strict=True)
    return "#" + "".join(f"{round(x + (y - x) * part):02x}" for x, y in pairs)


def contrast(a: str, b: str) -> float:
    """Contrast ratio of two colours after WCAG 2.2."""
    light, dark = sorted((_luminance(a), _luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _channels(shade: str) -> list[int]:
    return [int(shade[i : i + 2], 16) for i in (1, 3, 5)]


def _luminance(shade: str) -> float:
    parts = [c / 255 for c in _channels(shade)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
