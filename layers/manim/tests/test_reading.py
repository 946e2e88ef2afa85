"""How long what is shown stands, against how long it takes to read."""

from __future__ import annotations

import pytest
from chalkreel_stage.audit import Audit
from chalkreel_stage.layout.blocks import Block, Drawn
from chalkreel_stage.scene.steps import Operation, Step, in_time, shared
from chalkreel_stage.screen.reading import Reading, seconds
from chalkreel_stage.storyboard.types import Element
from storyboards import element, rich, typed

FPS = 10


def made(kind: str, content: dict, name: str = "a") -> Element:
    return typed(Element, element(kind, content, name))


def block(name: str, height: float = 1.0) -> Block:
    return Block(name, 0, 1.0, height, 0.0, lambda: Drawn([], []))


@pytest.mark.parametrize(
    ("kind", "content", "wanted"),
    [
        ("text", rich("four words stand here"), 2.5),
        ("text", rich("直角三角形才适用"), 2.5),
        ("code", {"language": "", "text": "a\n\nb\nc", "highlighted": []}, 2.25),
        ("equation", {"formula": {"latex": "x = 1"}}, 1.75),
        ("equation", {"formula": {"latex": r"\newcommand{\R}{\mathbb{R}}x = 1"}}, 1.75),
        ("chart", {"bars": [{"label": "a", "value": 1.0}], "caption": "", "value_label": ""}, 3.5),
    ],
)
def test_what_holds_more_takes_longer_as_the_planner_has_it(kind: str, content: dict, wanted: float) -> None:
    assert seconds(made(kind, content)) == wanted


@pytest.mark.parametrize(("frames", "short"), [(25, 0), (23, 0), (20, 1), (1, 1)])
def test_what_goes_too_soon_is_told(frames: int, short: int) -> None:
    audit, here = Audit(), block("a")
    reading = Reading(audit, FPS, [made("text", rich("four words stand here"))], [here])
    reading.comes(here, 7)
    reading.comes(here, 9)
    reading.goes([here, None], 7 + frames)
    assert audit.counts()["too_short"] == short


def test_a_page_of_an_element_takes_its_share_and_the_end_of_a_scene_takes_all() -> None:
    audit, pages = Audit(), [block("a", 3.0), block("a", 1.0)]
    element_of_all = made("text", rich(" ".join(["word"] * 40)))
    reading = Reading(audit, FPS, [element_of_all], pages)
    # 1.5 s and three quarters of ten seconds, then a quarter of them.
    reading.comes(pages[0], 0)
    reading.goes([pages[0]], 90)
    reading.comes(pages[1], 90)
    reading.ends(130)
    assert audit.too_short == {}
    reading.comes(pages[0], 130)
    reading.ends(190)
    assert list(audit.too_short) == ["a"]


@pytest.mark.parametrize(
    ("latest", "turns", "slots"),
    [
        (None, False, [50, 50]),
        (60, False, [50, 50]),
        (20, False, [20, 80]),
        # What comes first may come quicker; not before it has come, and not before a page was read.
        (5, False, [5, 95]),
        (2, False, [5, 95]),
        (5, True, [50, 50]),
    ],
)
def test_what_comes_later_comes_early_enough_to_be_read(latest: int | None, turns: bool, slots: list[int]) -> None:
    comes = Operation(1.0, lambda screen, count: None)
    steps = [Step(1.0, [comes]), Step(1.0, [comes], latest=latest, turns=turns)]
    assert in_time(steps, [50, 50], FPS) == slots


def test_pages_of_a_beat_have_the_time_that_they_take_to_read() -> None:
    comes = Operation(1.0, lambda screen, count: None)
    steps = [Step(9.0, [comes], need=20), Step(9.0, [comes], need=20), Step(2.0, [comes], turns=True, need=60)]
    assert shared(steps, 100) == [20, 20, 60]
    # What is on one page has its weight's share, and what is to be read of it begins early enough.
    assert shared([Step(1.0, need=90), Step(3.0, need=10)], 100) == [25, 75]
    late = [Step(3.0, [comes]), Step(1.0, [comes], need=50), Step(4.0, [comes], turns=True)]
    assert in_time(late, [60, 20, 20], FPS) == [30, 50, 20]
