"""Colours and sizes: the look, in one place."""

from __future__ import annotations

from dataclasses import dataclass

FRAME_HEIGHT = 8.0
"""Height of the frame in units, as in Manim."""

MARGIN = 0.05
"""Part of the frame's width and height that stays empty at each edge (the title-safe area of EBU R 95)."""

TEXT_FLOOR = 0.032 * FRAME_HEIGHT
"""Smallest legible font size: 3.2 % of the frame's height, 23 pixels at 720p."""

TEXT = 0.40
"""Font size of running text: 5 % of the frame's height."""

CODE = 0.35
EQUATION = 0.54
HEADING = 0.54
TITLE = 0.92
TICKS = 0.27
LABELS = 0.31

LEVELS = (1.0, 0.9, 0.8, 0.72, 0.64)
"""Scales tried, in order, to fit a page; the last brings running text to the floor."""

GAP = 0.42
"""Distance between two elements of a page at level 1."""

TEXT_FONTS = ("Inter", "Noto Sans")
CODE_FONTS = ("JetBrains Mono", "DejaVu Sans Mono", "Noto Sans")
MATH_FONTS = ("New Computer Modern Math", "Noto Sans Math", "Noto Sans")


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
        "comment": "#7f8da1",
        "function": "#f5dd90",
        "type": "#8fe0d4",
        "operator": "#c3cddb",
        "name": "#e9edf3",
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
    curves=("#1668b0", "#c25a00", "#1c7f4c", "#b02a62", "#6a3fb5", "#0d7a7a"),
    syntax={
        "keyword": "#0b57a4",
        "string": "#22713a",
        "number": "#a34b00",
        "comment": "#6b7686",
        "function": "#6a4a00",
        "type": "#0b6b63",
        "operator": "#3d4857",
        "name": "#1c2430",
    },
)


def named(name: str) -> Theme:
    """The theme of that name; anything but `light` is dark."""
    return LIGHT if name == "light" else DARK
