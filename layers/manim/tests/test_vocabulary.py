"""Every kind of element and action and nasty contents, rendered by the real worker and measured on its pixels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from chalkreel_stage import theme
from conftest import Stage
from storyboards import (
    ACTIONS,
    COSINE,
    HELIX,
    NASTY,
    SCENES,
    SINE,
    WAVE,
    at,
    axes,
    axis,
    camera,
    curve,
    element,
    formula,
    image,
    pictures,
    point,
    rich,
    scene,
    show,
    space,
    timing,
    words,
)

SIZE = (480, 270)
FPS = 6
FRAMES = 9
"""Frames of a beat: enough for its movements to begin and end."""


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stage, dict[str, str]]]:
    """One worker for all scenes, and the pictures that they show."""
    folder = tmp_path_factory.mktemp("assets")
    caller = Stage(tmp_path_factory.mktemp("clips"))
    try:
        caller.named("ready")
        yield caller, pictures(folder)
    finally:
        caller.socket.close()
        caller.process.wait(20)
        caller.process.stdout.close()


class Film:
    """What became of a scene: the answer, and the last frame of each beat."""

    def __init__(self, done: dict[str, Any], clip: Path) -> None:
        assert done["event"] == "done", done
        self.done = done
        self.frames: list[np.ndarray] = []
        with av.open(str(clip)) as container:
            self.frames = [frame.to_ndarray(format="rgb24").astype(int) for frame in container.decode(video=0)]

    def clean(self) -> bool:
        """Whether nothing is wrong with its pictures."""
        return all(self.done["audit"][kind] == 0 for kind in ("overlaps", "outside", "too_small"))

    @property
    def ends(self) -> list[np.ndarray]:
        """The last frame of each beat."""
        return [self.frames[beat["first_frame"] + beat["frames"] - 1] for beat in self.done["beats"]]


def film(
    studio: tuple[Stage, dict[str, str]],
    name: str,
    beats: list,
    theme: str = "dark",
    frames: int = FRAMES,
    language: str = "en",
    **other: Any,
) -> Film:
    """Renders beats, and a last one of a single frame so that no beat ends faded."""
    stage, assets = studio
    body = scene([*beats, []], **other)
    lengths = [frames] * len(beats) + [1]
    clip = stage.scratch / f"{name}-{theme}.mp4"
    stage.send(
        {
            "op": "render",
            "id": clip.stem,
            "scene": body,
            "film": {"title": "Test", "theme": theme, "language": language},
            "width": SIZE[0],
            "height": SIZE[1],
            "fps": FPS,
            "beats": [{"frames": n} for n in lengths],
            "out": str(clip),
            "timeout_s": 50.0,
            "assets": assets,
        }
    )
    return Film(stage.end(clip.stem), clip)


def at_the_edge(picture: np.ndarray) -> int:
    """Pixels of the outer 2 % that are not background."""
    height, width, _ = picture.shape
    inner = np.zeros((height, width), dtype=bool)
    y, x = round(0.02 * height), round(0.02 * width)
    inner[y : height - y, x : width - x] = True
    # H.264 rounds colours by a few steps.
    return int((np.abs(picture - picture[0, 0]).max(axis=2)[~inner] > 12).sum())


@pytest.mark.parametrize("name", SCENES)
def test_nothing_covers_anything(studio: tuple[Stage, dict[str, str]], name: str) -> None:
    made = film(studio, name, SCENES[name], theme="light" if len(name) % 2 else "dark")
    # How long things stand is their beats' affair, which are short here.
    assert made.clean(), made.done["warnings"]
    assert made.done["beat_audits"] == [{"overlaps": 0, "outside": 0, "too_small": 0}] * (len(SCENES[name]) + 1)
    assert len(made.frames) == made.done["frames"] == FRAMES * len(SCENES[name]) + 1
    for i, picture in enumerate(made.ends):
        assert at_the_edge(picture) == 0, f"beat {i}"
    assert any(np.abs(picture - picture[0, 0]).max() > 60 for picture in made.ends), "nothing is to be seen"


WARNED = (
    "missing_images",
    "not_as_expected",
    "crowded_drawing",
    "many_bars",
    "formula_as_written",
    "formulas_in_cells",
)


@pytest.mark.parametrize("name", [name for name in SCENES if name not in WARNED])
def test_what_can_be_drawn_warns_of_nothing(studio: tuple[Stage, dict[str, str]], name: str) -> None:
    stage, _ = studio
    ends = [e for e in stage.past if e["event"] == "done" and e["id"].rsplit("-", 1)[0] == name]
    made = ends[0] if ends else film(studio, name, SCENES[name]).done
    assert made["warnings"] == []


def test_a_missing_image_is_its_description(studio: tuple[Stage, dict[str, str]]) -> None:
    warnings = film(studio, "missing", NASTY["missing_images"]).done["warnings"]
    assert [name for name in ("nowhere.png", "broken.png", "bomb.svg") if any(name in w for w in warnings)] == [
        "nowhere.png",
        "broken.png",
        "bomb.svg",
    ]


def test_what_is_not_as_expected_is_told(studio: tuple[Stage, dict[str, str]]) -> None:
    warnings = " ".join(film(studio, "unexpected", NASTY["not_as_expected"]).done["warnings"])
    for word in ("hologram", "no highlight", "no dim", "no move", "no zoom", "can't go round"):
        assert word in warnings


def test_what_stays_does_not_move_when_axes_gain_a_curve(studio: tuple[Stage, dict[str, str]]) -> None:
    made = film(studio, "gain", ACTIONS["transform_axes"][:2], frames=24)
    before, after = made.ends[0], made.ends[1]
    changed = np.abs(after - before).max(axis=2) > 40
    # What was bright in the first picture is as bright in the second: the new curve only adds.
    bright = before.max(axis=2) - before[0, 0].max() > 90
    darker = changed & bright & (after.max(axis=2) < before.max(axis=2) - 40)
    # Where two colours cross, the edges of both mix.
    assert changed.any() and darker.sum() < 0.01 * bright.sum()
    for picture in made.frames[24:48]:
        assert (np.abs(picture - before).max(axis=2)[bright] > 60).mean() < 0.02


def test_a_curve_has_its_own_colour_and_no_other_has_it(studio: tuple[Stage, dict[str, str]]) -> None:
    line = curve("points", [point(-3, 1), point(3, 2)], "data")
    own = [SINE, COSINE | {"colour": "blue"}, line | {"colour": "#ff0000"}]
    picture = film(studio, "coloured", [[show("axes", axes(*own))]]).ends[0]
    named = (theme.DARK.names["blue"], "#ff0000", theme.DARK.curves[1])  # sine's would have been blue, too
    away = picture - picture[0, 0]
    lit = away[np.abs(away).max(axis=2) > 80]
    for shade in named:
        # Video has half as many pixels for colours as for light: thin lines are paler, in the same hue.
        hue = np.array([int(shade[i : i + 2], 16) for i in (1, 3, 5)]) - picture[0, 0]
        like = lit @ hue / (np.linalg.norm(lit, axis=1) * np.linalg.norm(hue))
        assert (like > 0.98).sum() > 20, (shade, np.sort(like)[-30:])


def test_what_stays_keeps_its_colour_when_others_leave(studio: tuple[Stage, dict[str, str]]) -> None:
    gone = [
        [show("axes", axes(SINE, COSINE), "a1")],
        [{"transform": {"from": "a1", "into": element("axes", axes(COSINE), "a2")}}],
    ]
    red, green, blue = (int(theme.DARK.curves[1][i : i + 2], 16) for i in (1, 3, 5))
    before, *after = film(studio, "left", gone, frames=24).frames[23:48]
    cosine = np.abs(before - [red, green, blue]).max(axis=2) < 40
    assert cosine.sum() > 20
    # Nor does it go and come again in between.
    for picture in after:
        assert (np.abs(picture - [red, green, blue]).max(axis=2)[cosine] < 60).mean() > 0.9


def test_a_near_camera_shows_its_element_alone(studio: tuple[Stage, dict[str, str]]) -> None:
    made = film(studio, "near", ACTIONS["camera"][:3])
    whole, near, back = (np.abs(p - p[0, 0]).max(axis=2) > 60 for p in made.ends[:3])
    assert whole[:54, :200].any() and not near[:54, :200].any(), "the heading is out of sight"
    assert near.sum() > whole.sum() and (back == whole).mean() > 0.995


def test_an_orbit_goes_round(studio: tuple[Stage, dict[str, str]]) -> None:
    made = film(studio, "round", ACTIONS["orbit"])
    assert (np.abs(made.ends[1] - made.ends[0]).max(axis=2) > 40).mean() > 0.01
    assert len({frame.tobytes() for frame in made.frames[FRAMES : 2 * FRAMES]}) >= FRAMES - 2


def test_a_space_stays_turned_when_something_joins_it(studio: tuple[Stage, dict[str, str]]) -> None:
    turned = [[show("space", space(HELIX), "p1")], [camera({"orbit": 60.0})]]
    made = film(
        studio, "joined", [*turned, [{"transform": {"from": "p1", "into": element("space", space(HELIX), "p2")}}]]
    )
    first, round_, joined = made.ends[:3]
    assert (np.abs(round_ - first).max(axis=2) > 40).sum() > 100
    assert (np.abs(joined - round_).max(axis=2) > 40).sum() == 0


def test_a_beat_ends_with_all_that_it_brings(studio: tuple[Stage, dict[str, str]]) -> None:
    lines = [words(f"line {i} is so long that there is no room for another one beside it") for i in range(6)]
    made = film(studio, "short", [lines], frames=2, heading="")
    lit = (np.abs(made.ends[0] - made.ends[0][0, 0]).max(axis=2) > 60).any(axis=1)
    assert np.count_nonzero(np.diff(lit.astype(int)) == 1) == 6


def test_what_is_dimmed_is_still_there(studio: tuple[Stage, dict[str, str]]) -> None:
    made = film(studio, "dimmed", ACTIONS["dim"])
    whole, dim = (np.abs(p - p[0, 0]).max(axis=2) for p in made.ends[:2])
    # The heading stays as it is.
    ink = (whole > 150) & (np.arange(SIZE[1]) > 60)[:, None]
    assert 0.2 < (dim[ink] > 150).mean() < 0.9
    assert (dim[ink] > 20).mean() > 0.9


def test_a_highlight_covers_no_ink(studio: tuple[Stage, dict[str, str]]) -> None:
    made = film(studio, "marked", ACTIONS["highlights"][:2])
    plain, marked = made.ends[:2]
    # The weakest colour tells: a band over white words would take it away.
    ink = plain.min(axis=2) > 200
    assert (np.abs(marked - plain).max(axis=2) > 25).sum() > 300, "nothing is marked"
    assert (marked.min(axis=2)[ink] > plain.min(axis=2)[ink] - 25).mean() > 0.97


def test_a_picture_leaves_the_words_beside_it_as_they_are(studio: tuple[Stage, dict[str, str]]) -> None:
    made = film(
        studio,
        "beside-a-picture",
        [[words("white words", placement=at(-3.5, 1.0))], [show("image", image("wide.png"))]],
    )
    plain, beside = made.ends[:2]
    ink = plain.min(axis=2) > 150
    ink[:60] = False
    # Some letters' edges are coded anew once more is to be seen.
    assert ink.sum() > 20 and (np.abs(beside - plain).max(axis=2)[ink] < 25).mean() > 0.98


def test_a_start_is_honoured(studio: tuple[Stage, dict[str, str]]) -> None:
    late = words(
        "late", timing={"start_ms": 2000, "duration_ms": 300, "easing": None, "entrance": "fade", "exit": None}
    )
    made = film(studio, "start", [[late]], frames=24, heading="")
    lit = [int(np.abs(p - p[0, 0]).max()) > 30 for p in made.frames[:24]]
    assert not any(lit[: 2 * FPS]) and all(lit[2 * FPS + 2 :])


@pytest.mark.parametrize("kind", ["title_card", "outro"])
def test_cards(studio: tuple[Stage, dict[str, str]], kind: str) -> None:
    made = film(studio, kind, [[words("by somebody")]], kind=kind, heading="A title 🎉 日本")
    assert made.clean()
    lit = np.abs(made.ends[0] - made.ends[0][0, 0]).max(axis=2) > 60
    columns = np.flatnonzero(lit.any(axis=0))
    assert abs((columns[0] + columns[-1]) / 2 - SIZE[0] / 2) < 4


def test_a_manim_scene_is_not_for_the_worker(studio: tuple[Stage, dict[str, str]]) -> None:
    stage, _ = studio
    body = scene([[]], kind={"manim": {"source": "", "class": "A"}})
    request = {"op": "render", "id": "manim", "scene": body, "film": {}, "width": 64, "height": 64, "fps": 5}
    stage.send({**request, "beats": [{"frames": 2}], "out": str(stage.scratch / "m.mp4"), "timeout_s": 20.0})
    failed = stage.end("manim")
    assert failed["event"] == "failed" and "chalkreel_stage.program" in failed["message"]


SCRIPTS = {
    "cjk": "語漢字",
    "kana": "ほゆネ",
    "hangul": "한국어",
    "emoji": "🚀🎉🤖",
    "greek": "Ωψξ",
    "cyrillic": "Жщю",
    "arabic": "ضفغ",
    "hebrew": "שלם",
}
NOBODYS = "\u0378"
"""A code point that is no letter and never was, so that no font has a picture of it."""


def test_letters_of_all_scripts_are_drawn(studio: tuple[Stage, dict[str, str]]) -> None:
    """As themselves, and not as the box or the nothing that stands for a letter that no font has."""

    def drawn(name: str, text: str) -> np.ndarray:
        picture = film(studio, f"script-{name}", [[words(text)]], heading="").ends[0]
        if name == "emoji":
            assert (picture.max(axis=2) - picture.min(axis=2) > 80).sum() > 20, "emoji have colours"
        return np.abs(picture - picture[0, 0]).max(axis=2) > 60

    pictures = {name: drawn(name, text) for name, text in SCRIPTS.items()}
    missing = drawn("nobodys", NOBODYS * 3)
    for name, picture in pictures.items():
        assert picture.sum() > 40, name
        # Wherever it stands: some words begin at the right-hand side.
        assert shape_of(picture).tobytes() != shape_of(missing).tobytes(), name
    assert len({p.tobytes() for p in pictures.values()}) == len(pictures)


def shape_of(picture: np.ndarray) -> np.ndarray:
    """What is lit, cut to its edges."""
    rows, columns = np.flatnonzero(picture.any(axis=1)), np.flatnonzero(picture.any(axis=0))
    return picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] if len(rows) else picture[:0, :0]


def test_the_language_decides_the_forms_of_letters(studio: tuple[Stage, dict[str, str]]) -> None:
    """骨 and 直 are written differently in China, on Taiwan and in Japan, in headings, words and programs."""
    beats = [[words("骨直"), show("code", {"language": "", "text": "骨直", "highlighted": []})]]
    ends = {
        name: film(studio, f"forms-{name}", beats, heading="骨直", language=name).ends[0]
        for name in ("zh-CN", "zh-Hant-TW", "ja")
    }
    for name in ("zh-Hant-TW", "ja"):
        differs = (np.abs(ends[name] - ends["zh-CN"]).max(axis=2) > 60).any(axis=1)
        # The heading, the words and the program below them.
        assert np.count_nonzero(np.diff(np.flatnonzero(differs)) > 12) >= 2, name
    assert (np.abs(ends["zh-Hant-TW"] - ends["ja"]).max(axis=2) > 60).any()


def test_what_is_cleared_goes_in_its_own_way(studio: tuple[Stage, dict[str, str]]) -> None:
    made = film(studio, "ways", ACTIONS["exits_together"], frames=24, heading="")
    before, going = made.ends[0], made.frames[24]
    rows = np.flatnonzero(lit(before).any(axis=1))
    lines = [(line[0], line[-1] + 1) for line in np.split(rows, np.flatnonzero(np.diff(rows) > 4) + 1)]
    assert len(lines) == 4

    def reach(picture: np.ndarray, line: int) -> tuple[int, int]:
        columns = np.flatnonzero(lit(picture)[slice(*lines[line])].any(axis=0))
        return (int(columns[0]), int(columns[-1])) if len(columns) else (0, 0)

    (fade, shrink, slide, none), were = [reach(going, k) for k in range(4)], [reach(before, k) for k in range(4)]
    assert max(abs(a - b) for a, b in zip(fade, were[0], strict=True)) <= 2
    assert shrink[0] > were[1][0] + 8 and shrink[1] < were[1][1] - 8
    assert min(slide[0] - were[2][0], slide[1] - were[2][1]) > 4
    assert none == (0, 0)
    assert not lit(made.ends[1]).any()


def test_a_page_turns_in_its_elements_way(studio: tuple[Stage, dict[str, str]]) -> None:
    text = "\n".join(f"line_{i}" for i in range(30))
    reaches = {}
    for way in ("fade", "slide"):
        code = show("code", {"language": "", "text": text, "highlighted": []}, timing=timing(exit=way))
        frames = film(studio, f"turn-{way}", [[code]], frames=60, heading="").frames[:60]
        reaches[way] = [int(np.flatnonzero(lit(frame).any(axis=0)).max(initial=0)) for frame in frames]
    # Pages are equally wide, so only what slides reaches further to the right.
    assert max(reaches["slide"]) > max(reaches["fade"]) + 4
    assert reaches["slide"][-2] == reaches["fade"][-2]


def lit(picture: np.ndarray) -> np.ndarray:
    """Which pixels are no background."""
    return np.abs(picture - picture[0, 0]).max(axis=2) > 30


def test_a_space_and_a_plot_share_a_page(studio: tuple[Stage, dict[str, str]]) -> None:
    beats = [
        [show("space", space(WAVE)), show("axes", {**axes(), "x": axis(0, 1, 0.5)}), show("equation", formula("x"))]
    ]
    made = film(studio, "shared", [[*beats[0], show("callout", rich("and a remark"))]])
    assert made.clean()
