"""Places, times, colours and the matching of glyphs, directly."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from chalkreel_stage import theme
from chalkreel_stage.arrangement import arrange
from chalkreel_stage.audit import Audit, Box
from chalkreel_stage.canvas import View
from chalkreel_stage.code import Program
from chalkreel_stage.curves import Plane, follow
from chalkreel_stage.drawing import Drawing
from chalkreel_stage.equation import Equation
from chalkreel_stage.expression import ExpressionError, evaluate
from chalkreel_stage.layout import Area, Piece, paginate, shares
from chalkreel_stage.morph import pairs
from chalkreel_stage.panels import Placeholder
from chalkreel_stage.placement import GAP, Rect, arranged, nearest, rooms, wanted
from chalkreel_stage.plot import Axis
from chalkreel_stage.steps import Timing
from chalkreel_stage.text import Checked, Paragraph, formula, leftwards
from chalkreel_stage.typeset import Typesetter, find, literal, mobject
from storyboards import expression, point, shape, way

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
    assert wanted(placement, 2.0, 1.0, AREA, 14.22) == pytest.approx(place)


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
    found = rooms(AREA, taken)
    assert found[0] == Area(pytest.approx(-2.4 + GAP), 2.5, pytest.approx(8.8 - GAP), 6.0)


def test_shares_are_even_and_whole() -> None:
    assert [list(part) for part in shares("abcdefg", 3)] == [["a", "b"], ["c", "d", "e"], ["f", "g"]]
    assert [list(part) for part in shares("ab", 5)] == [["a"], ["b"]]


def test_a_timing_knows_what_it_was_not_told() -> None:
    timing = Timing.of(
        {"start_ms": 500, "duration_ms": None, "easing": "bounce", "entrance": "explode", "exit": "slide"}
    )
    assert (timing.start, timing.seconds, timing.easing, timing.entrance, timing.exit) == (
        0.5,
        None,
        None,
        None,
        "slide",
    )
    back = Timing.of({"easing": "there-and-back"})
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
    before = mobject(setter.sheet(formula("a + b = c"), 0.5, "#ffffff"), each_glyph=True)
    after = mobject(setter.sheet(formula("c - b = a"), 0.5, "#ffffff"), each_glyph=True)
    matched = pairs(before, after)
    assert len(matched) == 4 and len({i for i, _ in matched}) == len({j for _, j in matched}) == 4


def test_a_long_word_may_break_but_not_inside_of_arabic() -> None:
    assert "\u200b" in literal("x" * 40) and "\u200b" not in literal("word " * 20)
    assert "\u200b" not in literal("العربية" * 5) and "\u200b" not in literal("日本語" * 9)


def test_the_direction_of_a_text() -> None:
    assert leftwards([{"plain": "12 עברית"}]) and not leftwards([{"plain": "a עברית"}])
    assert not leftwards([{"code": "עברית"}, {"plain": "x"}])


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
    assert evaluate(expression("x", "y", "add")["postfix"], values).tolist() == [4.0, 7.0]
    with pytest.raises(ExpressionError):
        evaluate(expression("t")["postfix"], values)


def test_an_area_is_cut_to_the_plane() -> None:
    area = {"area": {"function": expression("x", "x", "mul"), "from": -9, "to": 9}}
    drawn = follow(area, Plane(-3, 3, -1, 4))
    corners = np.concatenate(drawn.areas)
    assert corners[:, 0].min() == -3 and corners[:, 1].max() == 4 and corners[:, 1].min() == 0


def test_stream_lines_follow_their_field() -> None:
    drawn = follow({"streamlines": {"x": expression(1), "y": expression(0)}}, Plane(0, 4, 0, 2))
    assert len(drawn.lines) > 5
    assert all(np.ptp(line[:, 1]) < 1e-9 and (np.diff(line[:, 0]) > 0).all() for line in drawn.lines)


def test_a_camera_arrives() -> None:
    start, end = View(), View(3.0, -1.0, 2.5)
    assert start.towards(end, 0.0) == start
    there = start.towards(end, 1.0)
    assert (there.x, there.y, there.zoom) == pytest.approx((3.0, -1.0, 2.5))


@pytest.mark.parametrize("close", ["A limits(stretch(→))^(f) B", "sqrt(frac(x+1,y+2))"])
def test_a_formula_is_never_broken_like_a_word(setter: Typesetter, close: str) -> None:
    apart = close.replace("(", "( ").replace(")", " )").replace("^( ", "^(")
    assert setter.sheet(formula(close), 1.0, "#ffffff").width == setter.sheet(formula(apart), 1.0, "#ffffff").width


def test_numbers_are_written_as_people_write_them() -> None:
    shown = [Axis.number(value) for value in (0.1 + 0.2, -3.0, 1e6, 20.0, 1e-15, 1e15)]
    assert shown == ["0.3", "\u22123", "1,000,000", "20", "0", "1e+15"]


def test_a_placeholder_takes_no_sliver_of_a_page(setter: Typesetter) -> None:
    box = Placeholder("p", 0, "graph", "y = x*tan(45) - 9.8*x**2/(2*20**2)", setter, theme.DARK)
    assert box.measure(1.0, 2.0, 6.0).width > 3.0 and box.measure(1.0, 5.0, 6.0).width <= 5.0


def test_what_flows_keeps_to_the_width_of_the_page(setter: Typesetter) -> None:
    warnings: list[str] = []
    typst = "integral_a^b f(x) dif x"
    pieces: list[Piece] = [Equation(f"e{i}", i, typst, setter, theme.DARK, warnings) for i in range(3)]
    note = Paragraph("note", 3, [{"plain": "a note"}], setter, theme.DARK, Checked(setter, warnings))
    note.placement = {"region": "bottom"}
    blocks = arranged([*pieces, note], AREA)
    assert [abs(block.x + block.width / 2) < 0.01 for block in blocks if block.element != "note"] == [True] * 3


def test_what_a_page_has_for_itself_stands_in_its_middle(setter: Typesetter) -> None:
    alone = Paragraph("p", 0, [{"plain": "a few words"}], setter, theme.DARK, Checked(setter, []))
    (block,) = paginate([alone], AREA, 0)
    assert abs(block.x + block.width / 2) < 0.01
    program = Program("c", 0, [[("x = 1", theme.DARK.text)]] * 60, setter, theme.DARK)
    pages = paginate([program], AREA, 0)
    assert len(pages) > 2 and all(abs(page.x + page.width / 2) < 0.01 for page in pages)
    both = paginate([alone, Paragraph("q", 1, [{"plain": "more"}], setter, theme.DARK, Checked(setter, []))], AREA, 0)
    assert {round(one.x, 6) for one in both} == {AREA.left}


def test_labels_stand_where_they_belong(setter: Typesetter) -> None:
    """A ring's in its hole, a side's outside of its polygon, whatever lies on a chord of either."""
    shapes = [
        shape("polygon", [point(0, 0), point(6, 0), point(0, 6)]),
        shape("line", way((0, 0), (6, 0)), "6"),
        shape("annulus", {"center": point(10, 3), "inner": 2.0, "outer": 3.0}, "ring"),
    ]
    drawing = Drawing("d", 0, {"shapes": shapes}, setter, theme.DARK, [], [])
    drawn = drawing.measure(1.0, 12.0, 6.0).placed()
    named = {box.name: box for box in drawn.boxes}
    whole = next(box for name, box in named.items() if name.endswith("shapes"))
    side, ring = named["d: 6"], named["d: ring"]
    assert side.top <= whole.bottom + 0.1
    unit = (whole.right - whole.left) / 13
    assert abs((ring.left + ring.right) / 2 - (whole.left + 10 * unit)) < 0.1
