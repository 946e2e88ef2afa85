"""How the screen is used: sizes, balance, what stands alone, and how one thing becomes the next."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chalkreel_stage import theme
from chalkreel_stage.audit import Box
from chalkreel_stage.elements.bullets import Item
from chalkreel_stage.elements.chart import Chart
from chalkreel_stage.elements.code import Program
from chalkreel_stage.elements.equation import Equation
from chalkreel_stage.elements.maker import Maker
from chalkreel_stage.elements.space import SpaceView
from chalkreel_stage.elements.text import Paragraph
from chalkreel_stage.layout.blocks import Area, Block, Piece
from chalkreel_stage.layout.pagination import paginate
from chalkreel_stage.scene.balance import offsets
from chalkreel_stage.scene.plan import planned
from chalkreel_stage.screen.highlights import NEAREST, Marker
from chalkreel_stage.screen.use import Use, orphans
from chalkreel_stage.storyboard import types
from chalkreel_stage.storyboard.types import Span
from chalkreel_stage.typesetting.rich_text import FormulaCheck
from chalkreel_stage.typesetting.typesetter import Typesetter
from storyboards import SINE, SOLIDS, axes, chart, element, point, program, region, shape, show, space, table, typed

AREA = Area(-6.4, 2.5, 12.8, 5.9)


@pytest.fixture(scope="module")
def setter() -> Typesetter:
    return Typesetter(str(Path(os.environ["CHALKREEL_TEST_LAYERS"]) / "fonts"))


def pieces_of(setter: Typesetter, kind: str, content: dict[str, Any], event: int = 0) -> list[Piece]:
    made = typed(types.Element, element(kind, content, f"e{event}"))
    return Maker(setter, theme.DARK, []).pieces(made, event, False)


def formula(setter: Typesetter, latex: str, event: int = 0) -> Equation:
    return Equation(f"e{event}", event, latex, setter, theme.DARK, [])


def words(setter: Typesetter, text: str, event: int = 0) -> Paragraph:
    return Paragraph(f"t{event}", event, [Span(plain=text)], setter, theme.DARK, FormulaCheck(setter, []))


def item(setter: Typesetter, text: str, number: int) -> Item:
    bullet = typed(types.Bullet, {"level": 0, "number": number, "text": {"spans": [{"plain": text}]}})
    return Item("list", 0, bullet, number == 1, setter, theme.DARK, FormulaCheck(setter, []))


def beat(*actions: dict[str, Any]) -> types.Beat:
    body = {"id": "b", "narration": "words", "pause_ms": 0, "estimate_ms": 1000, "actions": list(actions)}
    return typed(types.Beat, body)


def equation(name: str, latex: str) -> dict[str, Any]:
    return show("equation", {"formula": {"latex": latex}}, name)


def test_a_formula_alone_is_large_and_one_that_fills_the_page_is_not(setter: Typesetter) -> None:
    usual = formula(setter, "a^2 + b^2 = c^2").measure(1.0, AREA.width, AREA.height)
    (block,) = paginate([formula(setter, "a^2 + b^2 = c^2")], AREA, 0)
    assert block.width / usual.width == pytest.approx(theme.LONE_EQUATION_GROWS, abs=0.01)
    wide = " + ".join(f"x_{{{i}}}" for i in range(14))
    (block,) = paginate([formula(setter, wide)], AREA, 0)
    assert block.width <= AREA.width and block.height < 2 * usual.height


def test_words_grow_but_no_line_breaks_for_it(setter: Typesetter) -> None:
    short = [item(setter, f"point number {i}", i) for i in range(1, 4)]
    usual = item(setter, "point number 1", 1).measure(1.0, AREA.width, AREA.height)
    blocks = paginate([*short], AREA, 0)
    assert blocks[0].width / usual.width == pytest.approx(theme.TEXT_GROWS, abs=0.03)
    text = "It measures distances on paper, on maps and in programs"
    blocks = paginate([item(setter, text, 1), item(setter, "short", 2)], AREA, 0)
    assert all(block.height < 0.8 for block in blocks), "neither wraps"
    # What wraps anyway has lines of 50 letters at least.
    (block,) = paginate([words(setter, "so many words that they need several lines " * 5)], AREA, 0)
    assert block.placed().measures[0] >= 46


def test_a_plot_alone_fills_the_page(setter: Typesetter) -> None:
    (block,) = paginate(pieces_of(setter, "axes", axes(SINE)), AREA, 0)
    assert block.height > 0.95 * AREA.height and block.width > 0.9 * AREA.width


def test_words_beside_a_figure_take_what_they_need_and_both_stand_in_the_middle(setter: Typesetter) -> None:
    blocks = paginate([formula(setter, "x = 1"), *pieces_of(setter, "axes", axes(SINE), 1)], AREA, 0)
    left, right = min(b.x for b in blocks), max(b.x + b.width for b in blocks)
    assert left + right == pytest.approx(2 * AREA.left + AREA.width, abs=0.3)
    assert blocks[1].width > 0.65 * AREA.width
    assert blocks[0].x + blocks[0].width < blocks[1].x


def test_narrow_things_that_fill_a_page_stand_in_two_columns(setter: Typesetter) -> None:
    one = [item(setter, f"item {i}", i) for i in range(1, 8)]
    other = pieces_of(setter, "table", table(["n", "square"], [[str(n), str(n * n)] for n in range(6)]), 1)
    blocks = paginate([*one, *other], AREA, 0)
    assert {block.page for block in blocks} == {0}
    first, last = blocks[0], blocks[-1]
    assert first.x + first.width < last.x and first.y - first.height > last.y - last.height
    assert max(block.x + block.width for block in blocks[:7]) < last.x, "the list stays together"
    # Long lines need the whole width.
    long = [item(setter, f"item {i}, of which there is more to be said than half of a page is wide", i) for i in (1, 2)]
    assert len({round(block.x, 3) for block in paginate([*long, words(setter, "A remark.", 1)], AREA, 0)}) == 1


def test_what_comes_first_takes_the_middle_and_moves_aside(setter: Typesetter) -> None:
    plot = show("axes", axes(SINE), "plot")
    beats = [beat(plot), beat(equation("e", "x = 1"))]
    events = planned(beats, Maker(setter, theme.DARK, []), AREA, False)
    found = offsets(beats, events, AREA)
    block = events[0][0]
    middle = block.x + block.width / 2 + found[0, 0][0]
    assert middle == pytest.approx(AREA.left + AREA.width / 2, abs=0.01)
    assert found[0, 0][0] < -0.5, "it stands at the right in the end"
    assert found[1, 0] == (0.0, 0.0)
    # Where the camera or its author says where things stand, nothing moves by itself.
    moved = beat({"move": {"target": "plot", "to": region("top")}})
    assert offsets([*beats, moved], events, AREA) == {}


def test_the_last_item_of_a_list_is_not_alone_on_its_page(setter: Typesetter) -> None:
    low = Area(-6.4, 2.5, 12.8, 2.6)
    for count in range(4, 12):
        blocks = paginate([item(setter, f"item {i} " * 6, i) for i in range(1, count + 1)], low, 0)
        assert orphans(blocks) == [], count
    alone = [Block("l", 0, 1, 1, 0, lambda: None, page=page, piece=item(setter, "x", 2)) for page in (0, 0, 1)]  # type: ignore[arg-type,return-value]
    assert orphans(alone) == ["l"]


def array(count: int) -> dict[str, Any]:
    cells = [
        shape("rectangle", {"center": point(i, 0.0), "width": 1.0, "height": 1.0}, str(10 * i)) for i in range(count)
    ]
    return {"shapes": cells}


def test_labels_of_an_array_stay_in_their_cells(setter: Typesetter) -> None:
    first, second = pieces_of(setter, "drawing", array(10)), pieces_of(setter, "drawing", array(8), 1)
    first[0].placement = types.Placement(region="center")
    for blocks in (paginate([*first, *second], AREA, 0), paginate(pieces_of(setter, "drawing", array(12)), AREA, 0)):
        assert [block.placed().strays for block in blocks] == [[]] * len(blocks)
    small = pieces_of(setter, "drawing", array(12))[0].measure(1.0, 3.0, 2.0)
    assert small.crowded and small.placed().strays


def test_a_frame_keeps_its_distance_or_is_a_band(setter: Typesetter) -> None:
    block = formula(setter, "a = b").measure(1.0, 6.0, 3.0)
    marker = Marker(setter, theme.DARK, 14.2, 8.0, [])
    ink = block.placed().boxes[0]
    (free,) = marker.marks("e0", None, None, [], [block], [])
    assert ink.left - free.boxes[0].left >= NEAREST
    use = Use(30, AREA, True, False)
    use.framed(free.boxes[0], [])
    assert use.marks == []


def test_the_name_of_an_axis_stands_outside_of_its_surface(setter: Typesetter) -> None:
    (piece,) = pieces_of(setter, "space", space(SOLIDS[0]))
    drawn = piece.measure(1.0, 8.0, 5.0).placed()
    view = next(
        item for part in drawn.parts for act in part.acts for item in [act.mobject] if isinstance(item, SpaceView)
    )
    surface = np.stack(np.meshgrid(np.linspace(-1, 1, 41), np.linspace(-1, 1, 41)), axis=-1).reshape(-1, 2)
    end, up = np.array([0.0, 0.0]), np.array([0.0, 1.0])
    _, top = view._beyond(end, up, 0.2, 0.3, surface)
    assert top - 0.3 > 1.0, "beyond the surface, which is 1 high"
    assert view._beyond(end, up, 0.2, 0.3, np.zeros((0, 2)))[1] < 0.5, "near its end where nothing is"


def drawn_chart(setter: Typesetter, *values: float) -> tuple[list[float], list[str]]:
    """Heights of the bars, and names of all boxes."""
    value = typed(types.Chart, chart(*values))
    drawn = Chart("c", 0, value, setter, theme.DARK, []).measure(1.0, 12.0, 5.0).placed()
    heights = [b.top - b.bottom for b in drawn.boxes if b.name.startswith("c: bar")]
    return heights, [b.name for b in drawn.boxes]


def test_bars_of_very_different_values_are_all_seen_on_an_axis_that_says_so(setter: Typesetter) -> None:
    heights, names = drawn_chart(setter, 1_000_000, 2_000, 20)
    assert min(heights) > 0.15 and heights == sorted(heights, reverse=True)
    assert sum("number at" in name for name in names) >= 4, "the axis has numbers"
    assert any("value label" in name for name in names), "and is called logarithmic"
    heights, names = drawn_chart(setter, 100, 50, 20)
    assert heights[1] == pytest.approx(heights[0] / 2, rel=0.05), "others stay linear"
    assert not any("number at" in name for name in names), "their values stand on the bars"


def test_an_axis_has_numbers_where_the_bars_have_none(setter: Typesetter) -> None:
    _, names = drawn_chart(setter, *[100.0 + i for i in range(60)])
    assert not any(": value " in name and "label" not in name for name in names)
    assert sum("number at" in name for name in names) >= 3


def test_equals_signs_stand_below_each_other_and_a_formula_comes_out_of_the_one_above(setter: Typesetter) -> None:
    beats = [
        beat(equation("a", "2x + 4 = 10")),
        beat(equation("b", "2x = 10 - 4")),
        beat(equation("c", r"\int f\,dx = F")),
    ]
    events = planned(beats, Maker(setter, theme.DARK, []), AREA, False)
    first, second, third = (events[i][0] for i in range(3))
    signs = [block.x + (block.anchor or 0.0) for block in (first, second, third)]
    assert np.ptp(signs) < 1e-6
    assert second.follows is first
    assert third.follows is None, "nothing of it was there"


def code(name: str, text: str) -> dict[str, Any]:
    return element("code", program(text), name)


def test_the_next_version_of_a_program_marks_its_new_lines(setter: Typesetter) -> None:
    old, new = "def f(n):\n    return f(n - 1)", "@cache\ndef f(n):\n    return f(n - 1)"
    beats = [beat({"show": code("a", old)}), beat({"transform": {"from": "a", "into": code("b", new)}})]
    events = planned(beats, Maker(setter, theme.DARK, []), AREA, False)
    piece = events[1][0].piece
    assert isinstance(piece, Program) and piece._highlighted == frozenset({1})
    lines = [act.lines for act in events[1][0].placed().parts[0].acts if act.lines]
    assert lines == [("@cache", "def f(n):", "    return f(n - 1)")]


def test_a_broken_formula_stays_in_its_column(setter: Typesetter) -> None:
    latex = r"2\,\mathrm{H_2O_2} \xrightarrow{\text{MnO}_2} 2\,\mathrm{H_2O} + \mathrm{O_2}\uparrow"
    for width in (2.4, 3.157, 4.0):
        block = formula(setter, latex).measure(1.0, width, 9.6)
        (box,) = block.placed().boxes
        assert box.left >= -1e-6 and box.right <= width + 1e-6


def test_use_is_measured(setter: Typesetter) -> None:
    use = Use(10, Area(-5, 2, 10, 4), has_heading=True, card=False)
    use.looks([Box("a", -5, -2, 0, 2)])
    use.looks([])
    (block,) = paginate([formula(setter, "x")], AREA, 0)
    use.comes(block, 30)
    use.empties(80)
    told = use.report([50, 50], [50, 40], [(0, 5), (30, 40)])
    assert told["used"] == [0.5, None]
    assert told["heading_alone_s"] == 3.0, "the first three seconds, and two at the end"
    # From frame 40 on nothing changes: 50 frames of words, and 10 of silence.
    assert told["still_s"] == 5.0 and told["still_at_s"] == 4.0
    assert told["first_s"] == 0.0
