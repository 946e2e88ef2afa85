"""Places, times, colours and the matching of glyphs, directly."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chalkreel_stage import theme
from chalkreel_stage.audit import Audit, Box, Stroke
from chalkreel_stage.elements.code import Program
from chalkreel_stage.elements.drawing import Drawing
from chalkreel_stage.elements.equation import Equation
from chalkreel_stage.elements.graph import Graph
from chalkreel_stage.elements.maker import Maker
from chalkreel_stage.elements.panels import Placeholder
from chalkreel_stage.elements.text import Paragraph
from chalkreel_stage.frames.canvas import View
from chalkreel_stage.frames.painting import Picture
from chalkreel_stage.geometry.axis import Axis
from chalkreel_stage.geometry.curves import Plane, follow
from chalkreel_stage.geometry.expression import ExpressionError, evaluate
from chalkreel_stage.geometry.graph_layout import arrange
from chalkreel_stage.layout.blocks import Area, Drawn, Piece, shares
from chalkreel_stage.layout.pagination import paginate
from chalkreel_stage.layout.placement import GAP, Rect, arranged, free_areas, nearest, wanted
from chalkreel_stage.scene.steps import Timing
from chalkreel_stage.screen.morph import pairs
from chalkreel_stage.storyboard import types
from chalkreel_stage.storyboard.types import CurveKind, Formula, Placement, Span
from chalkreel_stage.typesetting import native
from chalkreel_stage.typesetting.formulas import latex_lines
from chalkreel_stage.typesetting.outlines import find, mobject
from chalkreel_stage.typesetting.rich_text import FormulaCheck, inline, leftwards, reach, words
from chalkreel_stage.typesetting.typesetter import Sheet, Typesetter, literal
from storyboards import (
    COSINE,
    SINE,
    SOLIDS,
    WIDE_CELL,
    axes,
    axis,
    chart,
    curve,
    element,
    expression,
    graph,
    point,
    shape,
    space,
    table,
    typed,
    way,
)


def read(*arguments: Any) -> types.Element:
    """An element as the stage reads it."""
    return typed(types.Element, element(*arguments))


AREA = Area(-6.4, 2.5, 12.8, 6.0)


@pytest.fixture(scope="module")
def setter() -> Typesetter:
    return Typesetter(str(Path(os.environ["CHALKREEL_TEST_LAYERS"]) / "fonts"))


@pytest.mark.parametrize(
    ("placement", "place"),
    [
        ({"region": "top-left"}, (-6.4, 2.5)),
        ({"region": "bottom-right"}, (4.4, -2.5)),
        ({"region": "center"}, (-1.0, 0.0)),
        ({"at": {"x": 0.0, "y": 0.0, "z": 0.0}}, (-1.0, 0.5)),
        ({"at": {"x": 99.0, "y": -99.0, "z": 0.0}}, (4.4, -2.5)),
        ({"at": {"x": float("nan"), "y": 0.0, "z": 0.0}}, (0.0, 0.0)),
    ],
)
def test_where_a_block_is_wanted(placement: dict, place: tuple[float, float]) -> None:
    assert wanted(typed(Placement, placement), 2.0, 1.0, AREA, 14.22) == pytest.approx(place)


def test_the_nearest_free_place_touches_nothing() -> None:
    taken = [Rect(-1, 0.5, 2, 1)]
    spot = nearest(Rect(-1, 0.5, 2, 1), taken, AREA)
    assert spot is not None and not Rect(*spot, 2, 1).meets(taken[0])
    assert abs(spot[1] - 0.5) == pytest.approx(1 + GAP)


def test_what_is_there_at_another_time_is_in_nobodys_way() -> None:
    here = Rect(0, 0, 1, 1, since=5, until=9)
    assert nearest(here, [Rect(0, 0, 1, 1, since=0, until=5)], AREA) == (0, 0)
    assert nearest(here, [Rect(0, 0, 1, 1, since=0, until=6)], AREA) != (0, 0)


def test_there_may_be_no_place() -> None:
    assert nearest(Rect(0, 0, 3, 3), [Rect(-6.4, 2.5, 12.8, 6.0)], AREA) is None


def test_rooms_are_free_and_the_largest_comes_first() -> None:
    taken = [Rect(-6.4, 2.5, 4.0, 6.0)]
    found = free_areas(AREA, taken)
    assert found[0] == Area(pytest.approx(-2.4 + GAP), 2.5, pytest.approx(8.8 - GAP), 6.0)


def test_shares_are_even_and_whole() -> None:
    assert [list(part) for part in shares("abcdefg", 3)] == [["a", "b"], ["c", "d", "e"], ["f", "g"]]
    assert [list(part) for part in shares("ab", 5)] == [["a"], ["b"]]


def test_a_timing_knows_what_it_was_not_told() -> None:
    timing = Timing.of(types.Timing(start_ms=500, exit="slide"))
    assert (timing.start, timing.seconds, timing.easing, timing.entrance, timing.exit) == (
        0.5,
        None,
        None,
        None,
        "slide",
    )
    back = Timing.of(types.Timing(easing="there-and-back"))
    assert back.rate(1.0) == pytest.approx(0.0) and back.rate_of_entering(1.0) == pytest.approx(1.0)


@pytest.mark.parametrize("look", [theme.DARK, theme.LIGHT])
def test_every_named_colour_can_be_read(look: theme.Theme) -> None:
    for name in look.names:
        assert theme.contrast(theme.legible(name, look), look.background) >= 3.0, name
    assert theme.contrast(look.text, look.background) >= 7.0
    assert all(theme.contrast(shade, look.background) >= 3.0 for shade in (*look.curves, look.muted, look.accent))


def test_colours_of_the_storyboard() -> None:
    assert theme.colour("#AbC", theme.DARK) == "#aabbcc"
    assert theme.colour(" RED ", theme.DARK) == theme.DARK.names["red"]
    assert theme.colour("mauve-ish", theme.DARK) is None and theme.colour(None, theme.DARK) is None


def test_a_highlight_may_touch_what_it_is_about() -> None:
    audit = Audit()
    mark = Box("highlight of a", -1, -1, 1, 1, about="a")
    counts = audit.inspect([mark, Box("a", 0, 0, 1, 1), Box("a: part", -1, -1, 0, 0)], 14.22)
    assert counts["overlaps"] == 0
    assert audit.inspect([mark, Box("ab", 0, 0, 1, 1)], 14.22)["overlaps"] == 1


def test_words_are_found_in_a_text(setter: Typesetter) -> None:
    sheet = setter.sheet(f"#{literal('the limit of quotients')}", 0.4, "#ffffff")
    (left, _, right, _), *more = find(sheet, setter.sheet(f"#{literal('limit')}", 0.9, "#ff0000"))
    before = setter.sheet(f"#{literal('the ')}", 0.4, "#ffffff").width
    assert not more and left == pytest.approx(before, abs=0.08) and 0.5 < right - left < 1.2
    assert find(sheet, setter.sheet(f"#{literal('integral')}", 0.4, "#ffffff")) == []


def test_glyphs_that_both_formulas_have_are_matched(setter: Typesetter) -> None:
    before = mobject(setter.formula("a + b = c", 0.5, "#ffffff"), each_glyph=True)
    after = mobject(setter.formula("c - b = a", 0.5, "#ffffff"), each_glyph=True)
    matched = pairs(before, after)
    assert len(matched) == 4 and len({i for i, _ in matched}) == len({j for _, j in matched}) == 4


def test_a_long_word_may_break_but_not_inside_of_arabic() -> None:
    assert "\u200b" in literal("x" * 40) and "\u200b" not in literal("word " * 20)
    assert "\u200b" not in literal("العربية" * 5) and "\u200b" not in literal("日本語" * 9)


def test_the_direction_of_a_text() -> None:
    assert leftwards([Span(plain="12 עברית")]) and not leftwards([Span(plain="a עברית")])
    assert not leftwards([Span(code="עברית"), Span(plain="x")])


@pytest.mark.parametrize("layout", ["circular", "layered", "tree", "grid", "spring", None, "unknown"])
@pytest.mark.parametrize("count", [1, 2, 9])
def test_nodes_are_arranged_apart(layout: str | None, count: int) -> None:
    edges = [(i, (i + 1) % count) for i in range(count)]
    places = arrange(layout, count, edges, directed=True)
    assert places.shape == (count, 2) and places.min() >= 0 and places.max() <= 1
    assert len({tuple(np.round(place, 6)) for place in places}) == count
    assert (places == arrange(layout, count, edges, directed=True)).all(), "the same graph is always drawn the same"


def test_a_field_needs_its_variables() -> None:
    values = {"x": np.array([1.0, 2.0]), "y": np.array([3.0, 5.0])}
    assert evaluate(typed(types.Expression, expression("x", "y", "add")).postfix, values).tolist() == [4.0, 7.0]
    with pytest.raises(ExpressionError):
        evaluate(typed(types.Expression, expression("t")).postfix, values)


def test_an_area_is_cut_to_the_plane() -> None:
    area = {"area": {"function": expression("x", "x", "mul"), "from": -9, "to": 9}}
    drawn = follow(typed(CurveKind, area), Plane(-3, 3, -1, 4))
    corners = np.concatenate(drawn.areas)
    assert corners[:, 0].min() == -3 and corners[:, 1].max() == 4 and corners[:, 1].min() == 0


def test_stream_lines_follow_their_field() -> None:
    drawn = follow(typed(CurveKind, {"streamlines": {"x": expression(1), "y": expression(0)}}), Plane(0, 4, 0, 2))
    assert len(drawn.lines) > 5
    assert all(np.ptp(line[:, 1]) < 1e-9 and (np.diff(line[:, 0]) > 0).all() for line in drawn.lines)


def test_a_camera_arrives() -> None:
    start, end = View(), View(3.0, -1.0, 2.5)
    assert start.towards(end, 0.0) == start
    there = start.towards(end, 1.0)
    assert (there.x, there.y, there.zoom) == pytest.approx((3.0, -1.0, 2.5))


def test_a_formula_in_words_stands_on_their_baseline_in_their_colour_and_size(setter: Typesetter) -> None:
    spans = [Span(plain="x"), Span(math=Formula(latex="x")), Span(plain=" x")]
    body = inline(spans, theme.DARK, FormulaCheck(setter, []))
    glyphs = [item for item in mobject(setter.sheet(body, 1.0, "#12ab34"), each_glyph=True) if len(item.points)]
    assert len(glyphs) == 3 and {glyph.get_fill_color().to_hex().lower() for glyph in glyphs} == {"#12ab34"}
    # A curve reaches a little below the baseline. Half a pixel at 1080p is 0.0037 frame units, for text of size 0.2.
    assert glyphs[1].points[:, 1].min() == pytest.approx(glyphs[0].points[:, 1].min(), abs=0.0185)
    alone = mobject(setter.formula(r"\textstyle x", 1.0, "#ffffff"), each_glyph=True)[0]
    assert np.ptp(glyphs[1].points[:, 1]) == pytest.approx(np.ptp(alone.points[:, 1]), abs=1e-3)


HALF_A_PIXEL = 8.0 / 1080 / 2
"""In frame units, at 1080 lines."""


@pytest.mark.parametrize("size", [theme.TEXT_FLOOR, theme.TEXT, theme.EQUATION, 1.0])
@pytest.mark.parametrize("beside", ["", r"\frac{a}{b}", r"\sum_{i=1}^n", r"\sqrt{x_j}", r"y^{2^2}"])
def test_the_baselines_of_words_and_formulas_are_one_to_half_a_pixel(
    setter: Typesetter, size: float, beside: str
) -> None:
    # Both letters stand flat on their baselines.
    spans = [Span(plain="H"), Span(math=Formula(latex=rf"\mathrm{{H}}{beside}"))]
    body = inline(spans, theme.DARK, FormulaCheck(setter, []))
    glyphs = [item for item in mobject(setter.sheet(body, size, "#ffffff"), each_glyph=True) if len(item.points)]
    word, sign = (float(glyph.points[:, 1].min()) for glyph in glyphs[:2])
    assert sign == pytest.approx(word, abs=HALF_A_PIXEL)


@pytest.mark.parametrize("size", [theme.TEXT_FLOOR, theme.TEXT])
def test_a_letter_is_as_tall_in_words_as_in_a_formula_of_its_own(setter: Typesetter, size: float) -> None:
    words = setter.sheet(inline([Span(math=Formula(latex="x"))], theme.DARK, FormulaCheck(setter, [])), size, "#ffffff")
    alone = setter.formula(r"\textstyle x", size, "#ffffff")
    heights = [np.ptp(mobject(sheet, each_glyph=True)[0].points[:, 1]) for sheet in (words, alone)]
    assert heights[0] == pytest.approx(heights[1], rel=1e-3)


def test_a_hundred_formulas_are_set_within_a_tenth_of_a_second(setter: Typesetter) -> None:
    source = (Path(__file__).parents[3] / "tests" / "fixtures" / "formulas.txt").read_text(encoding="utf-8")
    formulas = [line for line in source.splitlines() if line.strip()]
    assert len(formulas) == 50

    def seconds() -> float:
        """CPU of this thread for each of them, displayed and within words; nothing is remembered of the last time."""
        native.typeset.cache_clear()
        began = time.thread_time()
        for latex in formulas:
            for display in (True, False):
                native.typeset(latex, display)
        return time.thread_time() - began

    # The best of several: others run beside it.
    assert min(seconds() for _ in range(5)) < 0.1


def test_a_formula_in_words_ends_a_line_after_its_operators_alone(setter: Typesetter) -> None:
    checked = FormulaCheck(setter, [])
    long = inline([Span(math=Formula(latex="+".join(f"x_{{{i}}}" for i in range(20))))], theme.DARK, checked)
    short = setter.sheet(long, 0.5, "#ffffff", 3.0)
    assert short.height > 3 * setter.sheet(long, 0.5, "#ffffff").height
    assert max(float(item.points[:, 0].max()) for item in mobject(short, each_glyph=True)) <= 3.02
    # Room for one of the two alone.
    close = inline([Span(math=Formula(latex="n")), Span(plain="th")], theme.DARK, checked)
    assert setter.sheet(close, 0.5, "#ffffff", 0.4).height == setter.sheet(close, 0.5, "#ffffff").height
    apart = inline([Span(math=Formula(latex="n")), Span(plain=" th")], theme.DARK, checked)
    assert setter.sheet(apart, 0.5, "#ffffff", 0.4).height > setter.sheet(close, 0.5, "#ffffff").height


def test_what_is_not_known_in_a_formula_is_drawn_as_its_name(setter: Typesetter) -> None:
    formula = native.typeset(r"x = \nosuch{y} + \frac{1}{2}", True)
    assert [fault.about for fault in formula.faults] == [r"\nosuch"]
    drawn = [chr(item.code) for item in formula.items if item.curves is None]
    assert "".join(drawn) == "x=\\nosuchy+12"
    assert {item.colour for item in formula.items if formula.parts[item.part].kind == "unknown"} == {"#8a8f9a"}


def test_parts_of_a_formula_have_names(setter: Typesetter) -> None:
    warnings: list[str] = []
    latex = r"\htmlId{area}{A} = \frac{a+b}{2} h"
    block = Equation("q", 0, latex, setter, theme.DARK, warnings).measure(1.0, 12.0, 6.0)
    regions = block.placed().regions
    assert {"area", "side 1", "side 2", "fraction 1", "numerator 1", "denominator 1", "term 1"} <= set(regions)
    whole, above, below = (regions[name][0] for name in ("fraction 1", "numerator 1", "denominator 1"))
    assert below.top < above.bottom and whole.bottom <= below.bottom and whole.top >= above.top
    assert regions["area"][0].right < whole.left


def test_the_native_library_answers_to_anything() -> None:
    endless = r"\def\a{\a\a}\a"
    deep = ["{" * 5000, "\\frac" * 500, "&" * 300, "\\begin{" * 40, "x^" * 200]
    for latex in ["", "}", endless, "\x00", "\U000f0001 x", *deep]:
        try:
            formula = native.typeset(latex, True)
        except native.FormulaError as error:
            assert str(error)
        else:
            assert formula.width >= 0.0 and len(formula.parts) >= 1
    with pytest.raises(native.FormulaError, match="never end"):
        native.typeset(endless)


def test_numbers_are_written_as_people_write_them() -> None:
    shown = [Axis.number(value) for value in (0.1 + 0.2, -3.0, 1e6, 20.0, 1e-15, 1e15)]
    assert shown == ["0.3", "\u22123", "1,000,000", "20", "0", "1e+15"]


def test_a_placeholder_takes_no_sliver_of_a_page(setter: Typesetter) -> None:
    box = Placeholder("p", 0, "graph", "y = x*tan(45) - 9.8*x**2/(2*20**2)", setter, theme.DARK)
    assert box.measure(1.0, 2.0, 6.0).width > 3.0 and box.measure(1.0, 5.0, 6.0).width <= 5.0


def test_what_flows_keeps_to_the_width_of_the_page(setter: Typesetter) -> None:
    warnings: list[str] = []
    latex = r"\int_a^b f(x)\,dx"
    pieces: list[Piece] = [Equation(f"e{i}", i, latex, setter, theme.DARK, warnings) for i in range(3)]
    note = Paragraph("note", 3, [Span(plain="a note")], setter, theme.DARK, FormulaCheck(setter, warnings))
    note.placement = Placement(region="bottom")
    blocks = arranged([*pieces, note], AREA)
    assert [abs(block.x + block.width / 2) < 0.01 for block in blocks if block.element != "note"] == [True] * 3


def test_what_a_page_has_for_itself_stands_in_its_middle(setter: Typesetter) -> None:
    alone = Paragraph("p", 0, [Span(plain="a few words")], setter, theme.DARK, FormulaCheck(setter, []))
    (block,) = paginate([alone], AREA, 0)
    assert abs(block.x + block.width / 2) < 0.01
    program = Program("c", 0, [[("x = 1", theme.DARK.text)]] * 60, setter, theme.DARK)
    pages = paginate([program], AREA, 0)
    assert len(pages) > 2 and all(abs(page.x + page.width / 2) < 0.01 for page in pages)
    other = Paragraph("q", 1, [Span(plain="more")], setter, theme.DARK, FormulaCheck(setter, []))
    both = paginate([alone, other], AREA, 0)
    assert len({round(one.x, 6) for one in both}) == 1, "they have one edge"
    assert abs(both[0].x + max(one.width for one in both) / 2) < 0.01, "and together stand in the middle"


def test_labels_stand_where_they_belong(setter: Typesetter) -> None:
    """A ring's in its hole, a side's outside of its polygon, whatever lies on a chord of either."""
    shapes = [
        shape("polygon", [point(0, 0), point(6, 0), point(0, 6)]),
        shape("line", way((0, 0), (6, 0)), "6"),
        shape("annulus", {"center": point(10, 3), "inner": 2.0, "outer": 3.0}, "ring"),
    ]
    drawing = Drawing("d", 0, typed(types.Drawing, {"shapes": shapes}), setter, theme.DARK, [], [])
    drawn = drawing.measure(1.0, 12.0, 6.0).placed()
    named = {box.name: box for box in drawn.boxes}
    whole = next(box for name, box in named.items() if name.endswith("shapes"))
    side, ring = named["d: 6"], named["d: ring"]
    assert side.top <= whole.bottom + 0.1
    unit = (whole.right - whole.left) / 13
    assert abs((ring.left + ring.right) / 2 - (whole.left + 10 * unit)) < 0.1


def overlaps(drawn: Drawn, *more: Box) -> int:
    """How much covers something in a figure, with boxes besides."""
    return Audit().inspect([*drawn.boxes, *more], 14.22, drawn.strokes)["overlaps"]


@pytest.mark.parametrize("layout", ["layered", "tree", "grid"])
def test_an_edge_passes_by_the_nodes_that_it_does_not_join(setter: Typesetter, layout: str) -> None:
    value = graph("ABC", ["AB", "BC", "ACover", "BB"], True, layout)
    drawn = Graph("g", 0, typed(types.Graph, value), setter, theme.DARK, []).measure(1.0, 10.0, 5.0).placed()
    nodes = [box for box in drawn.boxes if box.name.startswith("g: node")]
    tops, lefts = {round(box.top, 1) for box in nodes}, {round(box.left, 1) for box in nodes}
    assert len(nodes) == 3 and 1 in (len(tops), len(lefts)), "all stand in one line"
    assert [stroke.name for stroke in drawn.strokes if any(stroke.meets(node) for node in nodes)] == []
    assert overlaps(drawn) == 0
    straight = Stroke("g: straight", np.array([[(b.left + b.right) / 2, (b.bottom + b.top) / 2] for b in nodes]))
    assert straight.meets(nodes[1])
    assert all(-5.0 <= y <= 0.0 and 0.0 <= x <= 10.0 for stroke in drawn.strokes for x, y in stroke.points)


FIGURES = {
    "axes": axes(SINE, COSINE),
    "number_line": {"axis": axis(-3, 3, 1, "x"), "marks": [{"at": 1.0, "label": "one"}]},
    "chart": chart(1, 5, 2),
    "graph": graph("ABCD", ["AB", "CD"], False, "grid"),
    "space": space(*SOLIDS),
    "table": table(["a", "b"], [["", "1"], ["2", ""]]),
    "drawing": {"shapes": [shape("circle", {"center": point(0, 0), "radius": 2.0})]},
}


@pytest.mark.parametrize("kind", FIGURES)
def test_nothing_else_may_stand_on_a_figure(setter: Typesetter, kind: str) -> None:
    """Not on any spot of it, be it only a grid or the room between two nodes; its own parts may."""
    (piece,) = Maker(setter, theme.DARK, []).pieces(read(kind, FIGURES[kind], "e"), 0, False)
    block = piece.measure(1.0, 10.0, 5.0)
    drawn = block.placed()
    assert overlaps(drawn) == 0
    for x, y in ((0.5, 0.5), (0.3, 0.6), (0.6, 0.4)):
        left, bottom = block.width * x, -block.height * y
        words = Box("words", left, bottom, left + 0.2, bottom + 0.2, font=0.3)
        assert overlaps(drawn, words) >= 1, (x, y)


@pytest.mark.parametrize("kind", [SINE, curve("dots", [point(-3, 1)]), curve("points", [point(-4, -1), point(4, 0)])])
def test_a_label_on_what_a_plot_shows_is_counted(setter: Typesetter, kind: dict) -> None:
    (piece,) = Maker(setter, theme.DARK, []).pieces(read("axes", axes(kind), "e"), 0, False)
    drawn = piece.measure(1.0, 10.0, 5.0).placed()
    ink = next(stroke for stroke in drawn.strokes if stroke.name.startswith("e: curve"))
    x, y = map(float, ink.points[len(ink.points) // 2])
    assert overlaps(drawn) == 0
    assert overlaps(drawn, Box("e: label", x - 0.1, y - 0.1, x + 0.1, y + 0.1, font=0.3)) >= 1


def test_labels_keep_off_the_axes(setter: Typesetter) -> None:
    near = curve("dots", [point(-0.4, 1)], "a label")
    (piece,) = Maker(setter, theme.DARK, []).pieces(read("axes", axes(near), "e"), 0, False)
    drawn = piece.measure(1.0, 10.0, 5.0).placed()
    assert sum(stroke.name == "e: axis" for stroke in drawn.strokes) == 2 and overlaps(drawn) == 0


def test_a_formula_is_cut_between_its_lines_alone() -> None:
    written = r"\begin{aligned} a &= \begin{cases} 1 \\ 2 \end{cases} \\[4pt] &= {b \\ c} \\ \end{aligned}"
    assert latex_lines(written) == [r"a &= \begin{cases} 1 \\ 2 \end{cases}", r"&= {b \\ c}"]
    assert latex_lines("x") == ["x"]
    matrix = r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}"
    assert latex_lines(matrix) == [matrix]


def formulas(setter: Typesetter, latex: str) -> tuple[list, list[str]]:
    """The pages of a formula, and what was told."""
    warnings: list[str] = []
    blocks = paginate([Equation("q", 0, latex, setter, theme.DARK, warnings)], AREA, 0)
    return blocks, warnings


def test_a_long_formula_goes_over_pages(setter: Typesetter) -> None:
    blocks, warnings = formulas(setter, r" \\ ".join(rf"a_{{{i}}} &= \int_0^{{{i}}} x\,dx" for i in range(24)))
    assert len({block.page for block in blocks}) > 2 and warnings == []
    boxes = [box for block in blocks for box in block.placed().boxes]
    assert all(box.font >= theme.TEXT_FLOOR and box.bottom >= AREA.top - AREA.height for box in boxes)
    assert sum(len(block.piece._lines) for block in blocks) == 24


LONG = " + ".join(f"x_{{{i}}}" for i in range(60))


@pytest.mark.parametrize("latex", [LONG, rf"a &= b \\ &= {LONG} \\ &= c"])
def test_a_wide_formula_is_broken_and_never_too_small(setter: Typesetter, latex: str) -> None:
    blocks, warnings = formulas(setter, latex)
    boxes = [box for block in blocks for box in block.placed().boxes]
    assert warnings == [] and all(box.font >= theme.TEXT_FLOOR for box in boxes)
    assert all(box.left >= AREA.left - 0.01 and box.right <= AREA.left + AREA.width + 0.01 for box in boxes)


def test_what_can_not_be_broken_is_shown_as_written(setter: Typesetter) -> None:
    wide = rf"&= \frac{{{LONG}}}{{2}}"
    blocks, warnings = formulas(setter, rf"\begin{{aligned}} a &= b \\ {wide} \end{{aligned}}")
    assert len(warnings) == 1 and "shown as written" in warnings[0]
    boxes = [box for block in blocks for box in block.placed().boxes]
    assert len(boxes) >= 2 and all(box.font >= theme.TEXT_FLOOR for box in boxes)
    assert all(box.left >= AREA.left - 0.01 and box.right <= AREA.left + AREA.width + 0.01 for box in boxes)
    # Its own line alone, as its author wrote it.
    assert "".join(span.code for block in blocks[1:] for span in block.piece._spans) == wide.replace("&", "")


@pytest.mark.parametrize("columns", [1, 2, 3])
def test_no_cell_is_lost(setter: Typesetter, columns: int) -> None:
    warnings: list[str] = []
    rows = [{"cells": [WIDE_CELL] * columns}]
    content = {"header": [], "rows": rows, "align": []}
    blocks = paginate(Maker(setter, theme.DARK, warnings).pieces(read("table", content, "t"), 0, False), AREA, 0)
    boxes = [box for block in blocks for box in block.placed().boxes if not box.holds]
    assert len(boxes) >= columns and len(warnings) == 1 and "shown as written" in warnings[0]
    assert all(box.left >= AREA.left - 0.01 and box.right <= AREA.left + AREA.width + 0.01 for box in boxes)
    assert all(box.font >= theme.TEXT_FLOOR for box in boxes)


def test_a_row_that_is_higher_than_a_page_goes_on_on_the_next(setter: Typesetter) -> None:
    text = " ".join(f"word{i}" for i in range(400))
    content = table(["one", "two"], [[text, "short"]])
    blocks = paginate(Maker(setter, theme.DARK, []).pieces(read("table", content, "t"), 0, False), AREA, 0)
    boxes = [box for block in blocks for box in block.placed().boxes]
    assert len({block.page for block in blocks}) > 1
    assert all(box.bottom >= AREA.top - AREA.height - 0.01 and box.top <= AREA.top + 0.01 for box in boxes)
    cells = [cell for block in blocks for row in block.piece._rows for cell in row]
    assert "".join(span.plain for cell in cells for span in cell).replace("short", "") == text


SCRIPTS = "日本語漢字ほゆネ한국어ΩψξЖщюضفغשלםअதไქՀ∮≠ℵ→✅🚀🎉🤖"


def outline(setter: Typesetter, letter: str) -> bytes:
    """What a letter looks like; two of which no font has a picture look the same."""
    group = mobject(setter.sheet(f"#{literal(letter)}", 1.0, "#ffffff"))
    items = [item for item in group.get_family() if len(item.points)]
    pictures = b"".join(item._pixels.tobytes() for item in items if isinstance(item, Picture))
    return pictures or b"".join((item.points - items[0].points[0]).round(4).tobytes() for item in items)


def test_every_letter_has_a_picture_of_its_own(setter: Typesetter, tmp_path: Path) -> None:
    """A letter that no font has is the box that the first font keeps for that, or nothing."""
    nobodys = "\u0378"
    seen = {letter: outline(setter, letter) for letter in SCRIPTS}
    assert [letter for letter, look in seen.items() if look in (b"", outline(setter, nobodys))] == []
    assert len(set(seen.values())) == len(SCRIPTS)
    # With one font alone, and those within Typst, the same measure finds what is missing.
    for font in (Path(os.environ["CHALKREEL_TEST_LAYERS"]) / "fonts").glob("Inter*"):
        (tmp_path / font.name).symlink_to(font)
    poor = Typesetter(str(tmp_path))
    missing = [letter for letter in SCRIPTS if outline(poor, letter) in (b"", outline(poor, nobodys))]
    assert set("日ほ한தไ🚀") <= set(missing) and not set("Ωщ") & set(missing)


def test_the_language_decides_which_forms_are_set(setter: Typesetter) -> None:
    def forms(language: str, body: str) -> bytes:
        setter.set_language(language)
        try:
            return mobject(setter.sheet(body, 1.0, "#ffffff")).get_family()[-1].points.tobytes()
        finally:
            setter.set_language("en")

    for body in ("#[骨]", "#emph[骨]", "#strong[令]"):
        chinese, taiwan, japanese = (forms(language, body) for language in ("zh", "zh-TW", "ja-JP"))
        assert len({chinese, taiwan, japanese}) >= 2 and chinese != japanese and chinese != taiwan, body
        assert forms("zh-Hant", body) == taiwan and forms("zh-Hans-CN", body) == chinese == forms("de", body)
    assert forms("ko", "#[令]") != forms("zh", "#[令]")
    assert forms("no tag at all", "#[x]") == forms("en", "#[x]")


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "alle Symbole einer Programmiersprache, z. B."),
        ("ru", "высококвалифицированные работники"),
        ("en", "a word (incomprehensibilities)"),
    ],
)
def test_a_long_word_breaks_with_a_hyphen_where_its_language_allows(
    setter: Typesetter, language: str, text: str
) -> None:
    assert "\u200b" not in literal(text)

    def letters(sheet: Sheet) -> list[object]:
        return [item for item in mobject(sheet).get_family() if len(item.points)]

    setter.set_language(language)
    sheet = setter.sheet(f"#{literal(text)}", 0.4, "#ffffff", 3.3)
    assert reach(sheet) <= 3.32
    whole = setter.sheet(f"#{literal(text)}", 0.4, "#ffffff")
    whole_lines = len(letters(whole))
    assert len(letters(sheet)) > whole_lines, "no hyphen"


def test_a_line_may_end_where_a_word_was_cut(setter: Typesetter) -> None:
    cut = words([Span(plain="x" * 500 + " end")])
    assert "".join(span.value.replace("\u200b", "") for span in cut) == "x" * 500 + " end"
    body = inline(cut[: len(cut) // 2], theme.DARK, FormulaCheck(setter, []))
    assert reach(setter.sheet(body, 0.4, "#ffffff", 4.0)) <= 4.02


def test_what_is_no_word_may_break_anywhere() -> None:
    for text in ("https://example.org/abcdefgh/ijkl", "a" * 40, "snake_case_name_of_a_thing"):
        assert "\u200b" in literal(text)
