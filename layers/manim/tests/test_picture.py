"""Audit, expressions and ledger, directly."""

from __future__ import annotations

import numpy as np
import pytest
from chalkreel_stage.audit import Audit, Box, Stroke
from chalkreel_stage.frames.ledger import Ledger, slots
from chalkreel_stage.geometry.expression import ExpressionError, evaluate, strokes
from chalkreel_stage.storyboard.types import Token

WIDTH = 8 * 16 / 9


def audited(*boxes: Box) -> dict[str, int]:
    audit = Audit()
    audit.inspect(boxes, WIDTH)
    return audit.counts()


def test_the_audit_finds_an_overlap() -> None:
    assert audited(Box("a", 0, 0, 2, 1), Box("b", 1, 0.5, 3, 2))["overlaps"] == 1
    assert audited(Box("a", 0, 0, 2, 1), Box("b", 2, 0, 3, 1))["overlaps"] == 0


def test_the_audit_finds_what_leaves_the_frame() -> None:
    assert audited(Box("a", -6.5, 0, 0, 1))["outside"] == 1
    assert audited(Box("a", -6.4, -3.6, 6.4, 3.6))["outside"] == 0


def test_the_audit_finds_small_text() -> None:
    assert audited(Box("a", 0, 0, 1, 1, font=0.25))["too_small"] == 1
    assert audited(Box("a", 0, 0, 1, 1, font=0.256))["too_small"] == 0


@pytest.mark.parametrize(
    ("line", "met"),
    [
        ([(-1, 0.5), (3, 0.5)], True),
        ([(-1, 3), (3, -1)], True),
        ([(0.5, 0.5), (0.6, 0.5)], True),
        ([(1, 5), (1, -5)], True),
        ([(0.5, 0.5)], True),
        ([(-1, 1.01), (3, 0.99)], False),
        ([(-1, 1), (1, 3)], False),
        ([(2, -5), (2, 5)], False),
        ([(-3, -3), (-2, 0.5), (-3, 5), (5, 5)], False),
        ([(5, 5)], False),
    ],
)
def test_the_audit_finds_words_on_a_line(line: list[tuple[float, float]], met: bool) -> None:
    audit = Audit()
    counts = audit.inspect([Box("e: label", 0, 0, 2, 1)], WIDTH, [Stroke("e: curve", np.array(line, dtype=float))])
    assert counts["overlaps"] == audit.counts()["overlaps"] == met


def test_a_line_may_lie_in_the_frame_of_its_figure_and_leave_no_other() -> None:
    line = Stroke("e: curve", np.array([[-1.0, 0.0], [1.0, 0.0]]))
    frame = Box("e: plane", -2, -2, 2, 2, holds="e")
    assert Audit().inspect([frame], WIDTH, [line]) == {"overlaps": 0, "outside": 0, "too_small": 0}
    assert Audit().inspect([Box("words", -2, -2, 2, 2)], WIDTH, [line])["overlaps"] == 1
    assert Audit().inspect([frame], WIDTH, [line.shifted(6.0, 0.0)])["outside"] == 1


def test_an_expression_is_evaluated() -> None:
    postfix = [Token(variable="x"), Token(number=2.0), Token(apply="pow"), Token(number=1.0), Token(apply="sub")]
    assert evaluate(postfix, np.array([0.0, 3.0])).tolist() == [-1.0, 8.0]


@pytest.mark.parametrize(
    "postfix", [[], [Token(apply="add")], [Token(number=1.0), Token(number=2.0)], [Token(apply="system")]]
)
def test_what_is_no_expression_is_refused(postfix: list) -> None:
    with pytest.raises(ExpressionError):
        evaluate(postfix, np.zeros(2))


def test_nothing_is_drawn_across_a_pole() -> None:
    lines = strokes(lambda x: np.divide(1, x, where=x != 0, out=np.full_like(x, np.nan)), -4, 4, -4, 4, 401)
    assert len(lines) == 2
    assert all(abs(line[:, 1]).max() <= 4 for line in lines)
    assert lines[0][-1][1] == pytest.approx(-4, abs=0.05) and lines[1][0][1] == pytest.approx(4, abs=0.05)


def test_nothing_is_drawn_across_a_jump() -> None:
    lines = strokes(np.floor, -2.5, 2.5, -4, 4, 400)
    assert len(lines) == 6
    assert all(np.ptp(line[:, 1]) < 1e-6 for line in lines)


def test_a_steep_curve_is_one_line() -> None:
    assert len(strokes(lambda x: 3 * np.tanh(200 * x), -4, 4, -4, 4, 400)) == 1


def test_slots_sum_to_the_whole() -> None:
    for total in (0, 1, 2, 7, 100):
        shares = slots(total, [1.0, 0.3, 5.0])
        assert sum(shares) == total and min(shares) >= 0


def test_the_ledger_refuses_a_wrong_count() -> None:
    ledger = Ledger([3, 2])
    ledger.finish_beat(0, 3)
    with pytest.raises(ValueError, match="not 2"):
        ledger.finish_beat(3, 6)
