"""What the words speak of is pointed at: where, when, and never what is not there."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chalkreel_stage.scene import scene as module
from chalkreel_stage.scene.scene import Scene
from chalkreel_stage.typesetting.typesetter import Typesetter
from storyboards import COSINE, SHAPES, SINE, axes, axis, camera, formula, rich, show, table, words

WIDTH, HEIGHT = 256, 144


class Recorder:
    """Keeps the frames that a clip would have."""

    last: Recorder

    def __init__(self, out: Path, width: int, height: int, fps: int) -> None:
        self.pictures: list[np.ndarray] = []
        Recorder.last = self

    @property
    def frames(self) -> int:
        return len(self.pictures)

    def write(self, pixels: np.ndarray, count: int = 1) -> None:
        self.pictures += [pixels.copy()] * count

    def close(self) -> int:
        return self.frames


@pytest.fixture(scope="module")
def setter() -> Typesetter:
    return Typesetter(str(Path(os.environ["CHALKREEL_TEST_LAYERS"]) / "fonts"))


@pytest.fixture
def film(setter: Typesetter, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Renders one beat: its frames, and the stage's answer."""
    monkeypatch.setattr(module, "Clip", Recorder)

    def render(actions: list[Any], cues: list[dict[str, Any]], seconds: float = 6.0, fps: int = 15) -> Any:
        beat = {"id": "b", "narration": "word " * 30, "pause_ms": 0, "actions": actions, "estimate_ms": 0, "cues": cues}
        asked = {
            "scene": {"id": "s", "kind": "lesson", "heading": "Heading", "beats": [beat]},
            "width": WIDTH,
            "height": HEIGHT,
            "fps": fps,
            "beats": [{"frames": round(seconds * fps)}],
            "out": "/nowhere.mp4",
        }
        done = Scene(asked, setter, lambda frames: None).render()
        return Recorder.last.pictures, done

    return render


def cue(part: str | None, start: int, end: int, kind: str = "point", target: str = "x") -> dict[str, Any]:
    return {"target": target, "part": part, "kind": kind, "word": 0, "words": 1, "start_ms": start, "end_ms": end}


def changed(pictures: list[np.ndarray], others: list[np.ndarray]) -> list[np.ndarray]:
    """For each frame where it is another one."""
    return [(one != other).any(axis=2) for one, other in zip(pictures, others, strict=True)]


LIST = {"items": [{"level": 0, "number": None, "text": rich(text)} for text in ("One thing", "Another", "A third one")]}
CODE = {"language": "python", "text": "def f(x):\n    y = x + 1\n    return y", "highlighted": []}
GRAPH = {
    "nodes": [{"id": name, "label": name.upper()} for name in "abc"],
    "edges": [{"from": "a", "to": "b", "label": ""}, {"from": "b", "to": "c", "label": ""}],
    "directed": True,
    "layout": "layered",
}
CHART = {
    "bars": [{"label": label, "value": value} for label, value in (("Coal", 3.0), ("Wind", 5.0))],
    "value_label": "",
    "caption": "",
}
LINE = {"axis": axis(0, 5), "marks": [{"at": 3.0, "label": "late"}, {"at": 1.0, "label": "early"}]}
TABLE = table(["metal", "melts"], [["Iron", "1538"], ["Lead", "327"]])


@pytest.mark.parametrize(
    ("kind", "content", "parts", "along"),
    [
        # What is behind steps back, so the place of the change is that of the others.
        ("bullets", LIST, ["item 3", "item 1"], "y"),
        ("chart", CHART, ["bar 2", "bar 1"], "x"),
        ("equation", formula("a^2 + b^2 = c^2"), ["a^2", "term 2", "c^2", "side 2"], "x"),
        ("code", CODE, ["1", "2", "3"], "y"),
        ("code", CODE, ["1-2", "3"], "y"),
        ("table", TABLE, ["row 1", "row 2"], "y"),
        ("table", TABLE, ["cell 1 1", "cell 1 2"], "x"),
        ("table", TABLE, ["cell 1 2", "cell 2 2"], "y"),
        ("graph", GRAPH, ["node 1", "edge 1", "node 2", "edge 2", "node 3"], "y"),
        ("number_line", LINE, ["mark 2", "mark 1"], "x"),
        ("drawing", SHAPES, ["shape 1", "shape 4"], "x"),
        ("text", rich("Some words stand here"), ["Some", "stand"], "x"),
    ],
)
def test_each_kind_of_part_is_pointed_at_where_it_stands(
    film: Any, kind: str, content: Any, parts: list[str], along: str
) -> None:
    what = [show(kind, content, "x")]
    seconds = 10.0 + len(parts)
    plain, _ = film(what, [], seconds)
    # The first one comes when all has come.
    cues = [cue(part, 9000 + 1000 * i, 9900 + 1000 * i) for i, part in enumerate(parts)]
    pictures, done = film(what, cues, seconds)
    assert (
        done["audit"] == {"overlaps": 0, "outside": 0, "too_small": 0, "too_short": 0, "low_contrast": 0}
        and not done["warnings"]
    )
    places = []
    for i in range(len(parts)):
        differs = (pictures[round((9.5 + i) * 15)] != plain[-8]).any(axis=2)
        assert differs.any(), f"{parts[i]} is not pointed at"
        places.append(np.argwhere(differs).mean(axis=0)[0 if along == "y" else 1])
    # `side 2` is the same as `c^2`.
    assert all(b >= a for a, b in pairwise(places)), places
    assert len(set(map(float, places))) >= len(parts) - (parts[-1] == "side 2"), places
    # When the words have ended, all is as it was.
    assert (pictures[round((9.0 + len(parts)) * 15)] == plain[-8]).all()


def test_a_curve_is_thicker_and_the_other_stays(film: Any) -> None:
    what = [show("axes", axes(SINE, COSINE), "x")]
    plain, _ = film(what, [], 9.0)
    masks = []
    for part in ("curve 1", "curve 2"):
        pictures, done = film(what, [cue(part, 7000, 8000)], 9.0)
        assert not done["warnings"]
        masks.append(changed(pictures, plain)[round(7.5 * 15)])
    both = masks[0] & masks[1]
    assert min(mask.sum() for mask in masks) > 200
    # They cross, and share no more than that.
    assert both.sum() < 0.25 * min(mask.sum() for mask in masks)


@pytest.mark.parametrize("fps", [15, 30, 60])
def test_it_begins_with_the_frame_of_its_word(film: Any, fps: int) -> None:
    what = [show("equation", formula("a^2 + b^2 = c^2"), "x")]
    plain, _ = film(what, [], 6.0, fps)
    for start in (3_017, 3_350, 3_999):
        pictures, _ = film(what, [cue("c^2", start, start + 900)], 6.0, fps)
        differs = [bool(mask.any()) for mask in changed(pictures, plain)]
        first, last = differs.index(True), len(differs) - differs[::-1].index(True)
        assert abs(first - start * fps / 1000) <= 1 and abs(last - (start + 900) * fps / 1000) <= 1
        assert all(differs[first:last])


def test_what_is_pointed_at_has_come_before(film: Any) -> None:
    # Evenly spread, the last item would come after more than six of nine seconds.
    cues = [cue("item 3", 4000, 5500)]
    early, done = film([show("bullets", LIST, "x")], cues, 9.0)
    assert not done["warnings"]
    assert (early[round(3.9 * 15)] == early[round(6.5 * 15)]).all()


def test_items_and_curves_come_with_their_words(film: Any) -> None:
    for kind, content, part in (("bullets", LIST, "item"), ("axes", axes(SINE, COSINE), "curve")):
        cues = [cue(f"{part} 1", 3000, 3500, "reveal"), cue(f"{part} 2", 6000, 6500, "reveal")]
        pictures, done = film([show(kind, content, "x")], cues, 10.0)
        assert done["audit"]["too_short"] == 0 and not done["warnings"]
        for start in (3.0, 6.0):
            frame = round(start * 15)
            assert (pictures[frame - 4] == pictures[frame - 1]).all(), f"{part} comes before its word"
            assert (pictures[frame + 3] != pictures[frame - 1]).any(), f"{part} comes after its word"


def test_what_comes_late_can_still_be_read(film: Any) -> None:
    cues = [cue("item 2", 7_900, 8_000, "reveal"), cue("item 3", 7_950, 8_000, "reveal")]
    _, done = film([show("bullets", LIST, "x")], cues, 8.0)
    assert done["audit"]["too_short"] == 0


def test_what_is_not_there_is_told_and_changes_nothing(film: Any) -> None:
    what = [show("bullets", LIST, "x")]
    plain, _ = film(what, [])
    for part, target in (("item 9", "x"), ("node 1", "x"), ("item 1", "y")):
        pictures, done = film(what, [cue(part, 4000, 5000, target=target)])
        assert not any(mask.any() for mask in changed(pictures, plain))
        assert [part in warning and "not pointed at" in warning for warning in done["warnings"]] == [True]


def test_it_goes_with_what_it_points_at(film: Any) -> None:
    zoom = camera({"zoom_to": "x"})
    zoom["camera"]["timing"] = {"start_ms": 4000, "duration_ms": 500}
    what = [show("equation", formula("a^2 + b^2 = c^2"), "x"), zoom]
    plain, _ = film(what, [], 7.0)
    pictures, _ = film(what, [cue("c^2", 3000, 6500)], 7.0)
    differs = [bool(mask.any()) for mask in changed(pictures, plain)]
    assert all(differs[round(3.1 * 15) : round(3.9 * 15)]) and not any(differs[round(4.3 * 15) :])


def test_the_same_words_give_the_same_frames(film: Any) -> None:
    what = [words("Some words stand here", "x"), show("axes", axes(SINE, COSINE), "y")]
    cues = [cue("words", 3000, 3900), cue("curve 2", 4000, 5000, target="y")]
    one, _ = film(what, cues)
    other, _ = film(what, cues)
    assert all((a == b).all() for a, b in zip(one, other, strict=True))
