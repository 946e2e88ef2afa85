"""Formulas of programs beside those of a TeX: as many pieces, in the same order, at the same places."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from programs import Runner

REFERENCE = Path(__file__).parent / "fixtures" / "tex.jsonl"
"""399 formulas and texts, measured by `tex_boxes.py`: TeX Live 2022 and dvisvgm 3.0.3 set them in one document with the
preamble of Manim 0.22, a page each, and Manim read the pictures."""

SAME = 12
"""Thousandths of Manim's units that a length may differ: KaTeX's outlines are a bit bolder. A pixel is 7.4 at 1080."""

SCRIPTS = (
    *("^", "_", "'", r"\frac", r"\tfrac", "binom", r"\substack", r"\script", r"\sqrt[", "smallmatrix", "arrow"),
    *(r"\stackrel", r"\overset", r"\LaTeX", r"\footnotesize", r"\tiny", r"\textsc", "script{"),
)
"""What may hold letters of another size: TeX has them in fonts of 5, 7 or 25 pt, of which the small ones are up to 16 %
wider than that of 10 pt. KaTeX has one font for all sizes."""

SCRIPT_SHARE = 0.12
"""Share of the whole's width that scripts may make up for."""

COUNTS = {
    r"\xrightarrow{x^6y^8}": "an arrow that grows with its label: the label is narrower here, and so is the arrow",
    r"\mathbf{x} + \boldsymbol{\alpha} + \mathit{diff} + \mathsf{A} + \mathtt{x}": r"\mathit has no ligatures here",
    r"\copyright\ 2024 \textregistered \S 5 \P": "signs of another font, of which some are composed here",
    "Words in a column that is so narrow that lines break early": "words are not hyphenated here",
}
"""Formulas whose number of pieces differs, and why."""

PLACES = {
    r"\pm \mp \times \div \cdot \ast \star \circ \bullet": "signs of operations without anything between them",
    r"\cap \cup \uplus \sqcap \sqcup \vee \wedge \setminus \wr": "signs of operations without anything between them",
    r"\diamond \bigtriangleup \triangleleft \triangleright \oplus \ominus \otimes \oslash \odot": (
        "signs of operations without anything between them"
    ),
    "a &= b & c &= d \\\\ e &= f & g &= h": "TeX spreads several columns of equations over the whole line",
    r"a + b \\ + c + d": "multline puts its lines to the left and right ends of the line",
    r"one \newline two": r"\newline fills the line, also in a centred text",
    r"a\hfill b": r"\hfill is a space of 1 em here",
    r"A \underset{a}{\overset{b}{\longrightarrow}} B": r"\underset around \overset is no relation here",
    r"a \ne b, a \not= b, x \notin A, \not\subset": "a relation after a comma has its own space here",
    r"\begin{array}{|c|c|} \hline 1 & 2 \\ \hline 3 & 4 \\ \hline \end{array}": "lines take no room here",
    r"\begin{tabular}{|l|r|} \hline Name & Value \\ \hline speed & 12 \\ \hline \end{tabular}": (
        "lines take no room here"
    ),
    r"caf\'e na\"ive \~n \c{c} \o \ss \ae": "TeX writes a cedilla before its letter",
    r"\widehat{ABC} = \widetilde{xyz}": "wide accents are flatter in KaTeX",
}
"""Formulas of which places or sizes differ by more than a script does, and why."""


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Size and boxes of each formula here, by the beginning of its line; None for one that stops with an error."""
    folder = tmp_path_factory.mktemp("tex")
    runner = Runner(folder)
    runner.event()
    program = f"""
import json, sys
from pathlib import Path
from manim import *
sys.path.insert(0, {str(Path(__file__).parent)!r})
from tex_boxes import boxes
class A(Scene):
    def construct(self):
        found = []
        for line in Path({str(REFERENCE)!r}).read_text("utf-8").splitlines():
            kind, strings, arguments = json.loads(line)[:3]
            try:
                found.append([json.dumps([kind, strings, arguments]), boxes(kind, strings, arguments)])
            except Exception as error:
                found.append([json.dumps([kind, strings, arguments]), None])
        Path("measured.json").write_text(json.dumps(found))
        self.add(Dot())
"""
    done = runner.run(program, "A", still_s=0.1)
    assert done["event"] == "done", done
    yield dict(json.loads((folder / "measured.json").read_text()))
    assert runner.close() == 0


def reference() -> list[Any]:
    return [json.loads(line) for line in REFERENCE.read_text("utf-8").splitlines()]


def known() -> list[Any]:
    """What TeX sets."""
    return [row for row in reference() if row[3] is not None]


def name(row: list[Any]) -> str:
    return " ".join(row[1])


def flat(parts: list[list[list[int]]]) -> list[list[int]]:
    return [box for part in parts for box in part]


def test_nothing_stops_a_program(measured: dict[str, Any]) -> None:
    assert len(reference()) >= 350 and len(known()) >= 330
    assert [key for key, found in measured.items() if found is None] == []


def test_submobjects_are_as_many(measured: dict[str, Any]) -> None:
    other = {}
    for row in known():
        counts = [len(part) for part in row[4]]
        here = [len(part) for part in measured[json.dumps(row[:3])][1]]
        if counts != here:
            other[name(row)] = (counts, here)
    assert {key: found for key, found in other.items() if key not in COUNTS} == {}
    assert {key for key in COUNTS if key not in other} == set(), "these are as many by now: take them from the list"


def far(row: list[Any], found: list[Any]) -> str | None:
    """What of a formula is elsewhere, or of another size, than in TeX."""
    (width, height), parts = row[3], row[4]
    (here_wide, here_high), here = found
    theirs, ours = flat(parts), flat(here)
    has_scripts = any(sign in name(row) for sign in SCRIPTS)
    loose = SAME + 0.01 * width + (SCRIPT_SHARE * width if has_scripts else 0)
    if abs(width - here_wide) > loose:
        return f"width {here_wide} and not {width}"
    if abs(height - here_high) > SAME + (0.14 if has_scripts else 0.01) * height + 8:
        return f"height {here_high} and not {height}"
    across = width / here_wide if here_wide else 1.0
    for index, (box, own) in enumerate(zip(theirs, ours, strict=True)):
        if abs(box[0] - across * own[0]) > loose / 2 + 4 * SAME or abs(box[1] - own[1]) > 0.08 * height + 2 * SAME:
            return f"piece {index} at {own} and not {box}"
        # A sign that stands nearer to the place of another one has changed places with it.
        if distance(box, own, across) > min(distance(box, other, across) for other in ours) + 4 * SAME:
            return f"piece {index} is out of order: {own} and not {box}"
    return None


def distance(box: list[int], own: list[int], across: float) -> float:
    return abs(box[0] - across * own[0]) + abs(box[1] - own[1]) + abs(box[2] - across * own[2]) + abs(box[3] - own[3])


def test_submobjects_stand_where_they_do_in_tex(measured: dict[str, Any]) -> None:
    other = {}
    for row in known():
        if name(row) not in COUNTS:
            why = far(row, measured[json.dumps(row[:3])])
            if why is not None:
                other[name(row)] = why
    assert {key: why for key, why in other.items() if key not in PLACES} == {}
    assert {key for key in PLACES if key not in other} == set(), "these are in place by now: take them from the list"
