"""Somebody's own Manim programs, run to their end over a real socket pair."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from programs import DVISVGM, LATEX, LAYERS, PROGRAMS, Runner, Voice, install_tex


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    """One process for programs that do it no harm."""
    runner = Runner(tmp_path_factory.mktemp("programs"))
    assert runner.event()["protocol"] == 2
    yield runner
    assert runner.close() == 0


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[Runner]:
    """A process of its own."""
    made = Runner(tmp_path)
    assert made.event()["event"] == "ready"
    yield made
    made.close()


@pytest.fixture
def voice(shared: Runner) -> Voice:
    """Speaks in the shared process."""
    shared.answer = Voice()
    return shared.answer


def run(runner: Runner, program: str, scene: str, **other: Any) -> dict[str, Any]:
    """The last answer to a program of the fixtures."""
    return runner.run(PROGRAMS / f"{program}.py", scene, **other)


def whole(done: dict[str, Any], clip: Path) -> list[np.ndarray]:
    """The pictures of a clip, once its report was held against it."""
    assert done["event"] == "done", done
    with av.open(str(clip)) as container:
        assert not container.streams.audio and container.streams.video[0].average_rate == 10
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(pictures) == done["frames"] > 0
    assert pictures[0].shape == (done["height"], done["width"], 3)
    at = 0
    for segment in done["segments"]:
        assert segment["first_frame"] == at and segment["frames"] > 0
        at += segment["frames"]
    assert at == done["frames"]
    assert done["drawn"] + sum(hold["frames"] for hold in done["holds"]) <= done["frames"]
    return pictures


def is_lit(picture: np.ndarray) -> bool:
    """Whether there is anything on it."""
    return int(picture.max()) - int(picture.min()) > 60


def texts(done: dict[str, Any]) -> list[str]:
    return [warning["text"] for warning in done["warnings"]]


# Length.


def test_a_program_is_as_long_as_it_plays(shared: Runner, voice: Voice) -> None:
    done = run(shared, "length", "Length")
    whole(done, shared.clip)
    # 2 s of dots, 1.3 s of words, 2 s until the condition holds, 2.1 s of the rest, each to a frame.
    assert done["frames"] == done["drawn"] and abs(done["frames"] - 74) <= 2, done["frames"]
    assert done["error"] is None and voice.asked == [] and done["holds"] == []


@pytest.mark.parametrize("scene", ["Fades", "Clears", "Dims", "GoesOn"])
def test_a_picture_is_held_before_it_goes_and_never_after(shared: Runner, voice: Voice, scene: str) -> None:
    voice.characters_per_second = 26.0
    done = run(shared, "ends_in_black", scene)
    pictures = whole(done, shared.clip)
    spoken = len(voice.asked[0]["text"]) / 26
    assert done["drawn"] == 20 and done["frames"] == pytest.approx(spoken * 10, abs=1)
    dark = [index for index, picture in enumerate(pictures) if not is_lit(picture)]
    if scene == "GoesOn":
        assert all(index < 14 for index in dark), "the last picture is held, and the disc isn't"
    else:
        # After the first picture: what is dark is what the program made dark, at its end.
        late = [index for index in dark if index > 5]
        assert late == list(range(late[0], len(pictures))) and 1 <= len(late) <= 16, late
        assert done["holds"][0]["first_frame"] in (5, 10), done["holds"]


def test_a_scene_without_animations_stands(shared: Runner, voice: Voice) -> None:
    done = run(shared, "bare", "Bare", still_s=1.2)
    assert [is_lit(picture) for picture in whole(done, shared.clip)] == [True] * 12
    assert done["drawn"] == 0


def test_letters_stay_what_is_written(shared: Runner, voice: Voice) -> None:
    done = run(shared, "letters", "Letters")
    assert done.get("error", done) is None, str(done)


def test_a_program_is_run_dry(shared: Runner, voice: Voice) -> None:
    drawn = run(shared, "length", "Length")
    shared.clip.unlink()
    dry = run(shared, "length", "Length", draw=False, speak=False)
    assert not shared.clip.exists() and not shared.clip.with_name("clip.mp4.part").exists()
    assert dry["frames"] == drawn["frames"]
    assert dry["audit"]["measured"] is False


@pytest.mark.parametrize(
    ("scene", "limit", "kind"),
    [("PlaysOn", "film_s", "film_limit"), ("Spins", "wall_s", "wall_limit"), ("Spins", "stall_s", "stalled")],
)
def test_a_limit_keeps_what_was_drawn(shared: Runner, voice: Voice, scene: str, limit: str, kind: str) -> None:
    done = run(shared, "endless", scene, limits={limit: 3 if limit == "film_s" else 8})
    assert is_lit(whole(done, shared.clip)[-1])
    assert done["error"]["kind"] == kind and done["error"]["seconds"] > 0
    assert done["frames"] == (30 if kind == "film_limit" else 15)


def test_processor_time_is_limited(shared: Runner, voice: Voice) -> None:
    done = run(shared, "surfaces", "Surfaces", limits={"cpu_s": 4})
    assert is_lit(whole(done, shared.clip)[-1]) and done["error"]["kind"] == "cpu_limit"
    assert done["frames"] < 600


# Words.


def test_sections_take_their_narration_by_name(shared: Runner, voice: Voice) -> None:
    beside = str(PROGRAMS / "sections.narration.md")
    done = run(shared, "sections", "Sections", narration_file=beside)
    whole(done, shared.clip)
    heard = [(part["name"], part["text"][:20], part["first_frame"]) for part in done["segments"]]
    spoken = [part for part in done["segments"] if part["text"]]
    assert [part["name"] for part in done["segments"]] == ["A square", "It turns", "A pause", "It goes"], heard
    assert [part["name"] for part in spoken] == ["A square", "It goes"] and done["narration"] == "sidecar"
    assert all(part["frames"] >= part["speech_frames"] > 0 for part in spoken)
    assert [chapter["name"] for chapter in done["chapters"]] == ["A square", "It turns", "A pause", "It goes"]
    assert any("Nobody will hear this" in text for text in texts(done))


def test_sections_without_names_are_taken_in_order(shared: Runner, voice: Voice) -> None:
    given = [{"name": None, "text": word} for word in ("one", "two", "three", "four")]
    done = run(shared, "sections", "Sections", sections=given)
    assert [part["text"] for part in done["segments"]] == ["one", "two", "three", "four"] and texts(done) == []


def test_comments_are_spoken_where_they_stand(shared: Runner, voice: Voice) -> None:
    done = run(shared, "says", "Says")
    whole(done, shared.clip)
    step = "One step further."
    expected = ["A dot appears, and then it moves.", step, step, "That was the last step.", "Goodbye."]
    assert [part["text"] for part in done["segments"]] == expected
    assert done["frames"] > done["drawn"]
    assert [(warning["line"], warning["text"].partition("is not spoken: ")[2]) for warning in done["warnings"]] == [
        (24, "it stands within brackets"),
        (27, "it stands behind a statement"),
    ]
    silent = run(shared, "says", "Silent")
    assert silent["narration"] == "docstring" and silent["frames"] == 5


def test_subcaptions_are_spoken_where_nothing_else_is(shared: Runner, voice: Voice) -> None:
    done = run(shared, "subcaptions", "Subcaptions")
    whole(done, shared.clip)
    assert [part["text"][:9] for part in done["segments"]] == ["A ring is", "It shrink", "And it gr"]
    assert done["captions"] == [] and done["segments"][1]["first_frame"] == 10
    beside = run(shared, "subcaptions", "Beside")
    assert beside["captions"] == [{"first_frame": 5, "frames": 5, "text": "only read"}]


def test_docstrings_are_spoken_at_the_beginning(shared: Runner, voice: Voice) -> None:
    done = run(shared, "ends_in_black", "Fades", docstring="Said instead.")
    assert [say["text"] for say in voice.asked] == ["Said instead."] and voice.asked[0]["source"] == "docstring"
    assert run(shared, "ends_in_black", "Fades", docstring="")["frames"] == 20 == done["drawn"]


VOICEOVER = "from manim_voiceover import VoiceoverScene\n"
SLIDES = "from manim_slides import Slide\n"
SPEAKS = "        with self.voiceover(text='a block'):\n            self.play(FadeIn(Dot()))\n"
SAYS = "        # say: a comment\n        self.play(FadeIn(Dot()))\n"
PLAYS = "        self.play(FadeIn(Dot()))\n"
NOTES = "        self.next_slide(notes='some notes')\n        self.play(FadeIn(Dot()))\n"
NEVER = "        self.add(Dot())\n        if not self.mobjects:\n            # say: never\n            pass\n"
BESIDE = {"sections": [{"name": None, "text": "words beside it"}]}


@pytest.mark.parametrize(
    ("imports", "base", "body", "other", "spoken", "left_out"),
    [
        ("", "Scene", PLAYS, {}, ["the docstring"], []),
        ("", "Scene", SAYS, {}, ["a comment"], []),
        ("", "Scene", SAYS, BESIDE, ["words beside it"], [(6, "a comment")]),
        ("", "Scene", NEVER, {}, [], [(None, "the docstring")]),
        ("", "Scene", "        self.play(FadeIn(Dot()), subcaption='read')\n", {}, ["read"], []),
        (VOICEOVER, "VoiceoverScene", SAYS + SPEAKS, {}, ["a block"], [(7, "a comment")]),
        (VOICEOVER, "VoiceoverScene", SPEAKS, BESIDE, ["a block"], [(None, "words beside it")]),
        (VOICEOVER, "VoiceoverScene", SAYS, {}, ["a comment"], []),
        (VOICEOVER, "VoiceoverScene", PLAYS, {}, ["the docstring"], []),
        (SLIDES, "Slide", NOTES, {}, ["some notes"], []),
        (SLIDES, "Slide", SAYS + NOTES, {}, ["a comment"], [(9, "some notes")]),
        (SLIDES, "Slide", NOTES, BESIDE, ["words beside it"], [(7, "some notes")]),
        (VOICEOVER + SLIDES, "VoiceoverScene, Slide", SPEAKS + NOTES, {}, ["a block"], [(10, "some notes")]),
    ],
)
def test_words_are_spoken_once_or_told(
    shared: Runner,
    voice: Voice,
    imports: str,
    base: str,
    body: str,
    other: dict[str, Any],
    spoken: list[str],
    left_out: list[tuple[int | None, str]],
) -> None:
    """A caller's docstring is for a program without other words; no other words are lost in silence."""
    text = f"from manim import *\n{imports}class A({base}):\n    'Its own.'\n\n    def construct(self):\n{body}"
    done = shared.run(text, "A", docstring="the docstring", **other)
    assert done["error"] is None and [say["text"] for say in voice.asked] == spoken, done
    told = [(warning["line"], warning["text"]) for warning in done["warnings"]]
    assert [line for line, _ in told] == [line for line, _ in left_out], told
    for (_, warning), (_, words) in zip(told, left_out, strict=True):
        assert "not spoken" in warning and warning.endswith(words), told


def test_a_base_class_of_another_module_may_speak(shared: Runner, voice: Voice) -> None:
    (shared.scratch / "lecture_base.py").write_text(
        f"from manim import *\n{VOICEOVER}class Lecture(VoiceoverScene):\n    def explain(self):\n{SPEAKS}"
    )
    text = "from lecture_base import Lecture\nclass A(Lecture):\n    'About it.'\n    def construct(self):\n"
    done = shared.run(f"{text}        self.explain()\n", "A")
    assert (done["narration"], [say["text"] for say in voice.asked]) == ("voiceover", ["a block"]), done


def test_voiceovers_begin_with_their_blocks(shared: Runner, voice: Voice) -> None:
    done = run(shared, "spoken", "Spoken")
    whole(done, shared.clip)
    assert done["error"] is None, done["error"]
    assert [say["text"][:12] for say in voice.asked] == ["At this word", "An aside wit", "Zum Schluss "]
    assert [say["lang"] for say in voice.asked] == [None, None, "de"] and voice.asked[2]["caption"] == "It vanishes."
    firsts = [part["first_frame"] for part in done["segments"]]
    assert firsts == [say["first_frame"] for say in voice.asked]
    for say, part in zip(voice.asked, done["segments"], strict=True):
        assert part["speech_frames"] == pytest.approx(len(say["text"]) / 2, abs=1)
        assert part["frames"] >= part["speech_frames"]
    # The half second between two blocks is the program's own.
    assert firsts[1] == pytest.approx(part_end(done["segments"][0]) + 5, abs=1)


def part_end(part: dict[str, Any]) -> int:
    return part["first_frame"] + part["speech_frames"]


def test_slides_are_parts_and_notes_are_words(shared: Runner, voice: Voice) -> None:
    done = run(shared, "slides", "Talk")
    whole(done, shared.clip)
    assert done["error"] is None, done["error"]
    notes = ["Welcome to this talk.", "", "Now the circle becomes a square.", "Only words."]
    assert [part["text"] for part in done["segments"]] == notes
    assert [part["kind"] for part in done["segments"]] == ["slide"] * 4 and len(done["chapters"]) == 4
    assert run(shared, "slides", "InSpace")["error"] is None


def test_what_is_not_spoken_is_estimated_and_told(shared: Runner) -> None:
    shared.answer = lambda say: {"op": "said", "id": "r", "ask": say["ask"], "seconds": None, "error": "too dear"}
    done = run(shared, "ends_in_black", "Fades")
    assert done["segments"][0]["estimated"] and any("too dear" in text for text in texts(done))
    assert done["frames"] == pytest.approx(len(done["segments"][0]["text"]) / 14 * 10, abs=1)


def test_an_answer_that_does_not_come_is_not_waited_for_for_ever(shared: Runner) -> None:
    shared.answer = lambda say: {"op": "said", "id": "r", "ask": say["ask"] + 7, "seconds": 99}
    done = run(shared, "ends_in_black", "Fades", limits={"say_s": 5, "stall_s": 4})
    assert done["error"] is None and done["segments"][0]["estimated"]
    assert any("no answer" in text for text in texts(done))


# Errors.


def test_an_error_comes_after_the_pictures_before_it(shared: Runner, voice: Voice) -> None:
    done = run(shared, "breaks_off", "AfterPictures")
    pictures = whole(done, shared.clip)
    error = done["error"]
    assert (error["kind"], error["type"], error["seconds"]) == ("error", "KeyError", 1.0)
    assert error["line_text"] == 'self.play(FadeIn(Circle(radius=radii["large"])))' and error["line"] == 12
    assert is_lit(pictures[-1]) and done["frames"] >= 10 + len(voice.asked[0]["text"]) / 2


@pytest.mark.parametrize(
    ("program", "scene", "event", "kind", "words"),
    [
        ("breaks_off", "BeforeOne", "done", "error", "NameError"),
        ("breaks_off", "Unseen", "failed", "error", "takes no"),
        ("breaks_off", "NoFrame", "done", "error", "MovingCameraScene"),
        ("breaks_off", "OtherMethod", "done", "error", "add_fixed_in_frame_mobjects"),
        ("breaks_off", "Nobody", "failed", "no_scene_class", "no scene class Nobody"),
        ("missing_module", "NeedsPandas", "done", "error", "no module pandas here; there are Python's own and manim"),
        ("asks", "Asks", "done", "input", "nobody to answer"),
        ("opengl", "WithOpenGL", "done", "opengl", "OpenGL classes can't be drawn here"),
        ("opengl", "ByName", "failed", "opengl", "OpenGLVGroup"),
        ("other_manim", "Other", "failed", "other_manim", "from manim import *"),
        ("unreadable", "Broken", "failed", "unreadable", "can't be read"),
        ("old_names", "Gone", "done", "error", "use Scene with Axes"),
        ("old_names", "WithoutHeir", "failed", "error", "use Scene with Axes"),
        ("old_names", "Brown", "done", "error", "DARK_BROWN"),
        ("old_names", "Flat", "done", "error", "three coordinates"),
        ("old_names", "FlatPlace", "done", "error", "three coordinates"),
        ("leaves", "Exits", "done", "error", "Return from construct()"),
    ],
)
def test_an_error_says_what_to_do(
    shared: Runner, voice: Voice, program: str, scene: str, event: str, kind: str, words: str
) -> None:
    shared.clip.unlink(missing_ok=True)
    last = run(shared, program, scene)
    assert last["event"] == event, last
    assert shared.clip.exists() is (event == "done") and not shared.clip.with_name("clip.mp4.part").exists()
    told = last["error"] if event == "done" else last
    assert told["kind"] == kind and words in f"{told['message']} {told['remedy']}", told
    if event == "done":
        whole(last, shared.clip)
    if kind != "no_scene_class":
        text = (PROGRAMS / f"{program}.py").read_text().splitlines()[told["line"] - 1]
        assert told["line_text"] in text and text.strip()


@pytest.mark.parametrize(
    ("text", "scene", "kind", "words"),
    [
        ("1 / 0", "A", "error", "ZeroDivisionError: division by zero"),
        ("x = 1", "Scene", "no_scene_class", "no scene class Scene"),
        ("from manim import Scene", "Scene", "no_scene_class", "no scene class Scene"),
        ("raise SystemExit", "A", "error", "SystemExit"),
    ],
)
def test_a_program_without_any_picture_fails(
    shared: Runner, voice: Voice, text: str, scene: str, kind: str, words: str
) -> None:
    shared.clip.unlink(missing_ok=True)
    failed = shared.run(text, scene)
    assert (failed["event"], failed["kind"], failed["frames"]) == ("failed", kind, 0), failed
    assert words in failed["message"] and failed["remedy"] and not shared.clip.exists()


def test_a_scene_that_shows_nothing_is_told(shared: Runner, voice: Voice) -> None:
    done = shared.run("class A(Scene):\n    def construct(self):\n        pass", "A", still_s=1)
    assert not any(is_lit(picture) for picture in whole(done, shared.clip)) and done["frames"] == 10
    assert [text.partition(":")[0] for text in texts(done)] == ["class A shows nothing"]


def test_memory_that_is_not_there_is_told_after_the_pictures_before_it(shared: Runner, voice: Voice) -> None:
    done = shared.run(
        "class A(Scene):\n    def construct(self):\n        self.play(FadeIn(Square(fill_opacity=1)))\n"
        "        bytearray(1 << 60)",
        "A",
    )
    assert is_lit(whole(done, shared.clip)[-1])
    assert (done["error"]["kind"], done["error"]["line"], done["error"]["seconds"]) == ("memory", 4, 1.0), done


def test_a_program_that_imports_nothing_has_manims_names(shared: Runner, voice: Voice) -> None:
    done = shared.run("class A(Scene):\n    def construct(self):\n        self.add(Square(color=RED))", "A", still_s=1)
    assert is_lit(whole(done, shared.clip)[-1]) and done["frames"] == 10


def test_what_a_program_prints_is_no_answer(shared: Runner, voice: Voice) -> None:
    tells = """print('{"event":"done","id":"r","frames":7}', flush=True)"""
    construct = f"        {tells}\n        os.system('echo by a child')\n        self.add(Square())"
    done = shared.run(f"import os\n{tells}\nclass A(Scene):\n    def construct(self):\n{construct}", "A", still_s=1)
    assert done["frames"] == 10 and shared.printed.count('"frames":7') == 2 and "by a child" in shared.printed


def test_other_classes_of_a_program_go_on(shared: Runner, voice: Voice) -> None:
    done = run(shared, "breaks_off", "Whole")
    assert done["frames"] == 5 and done["error"] is None


@pytest.mark.parametrize(("scene", "signal", "code"), [("Vanishes", None, 0), ("Crashes", 11, None)])
def test_a_program_that_vanishes_fails_alone(runner: Runner, scene: str, signal: int | None, code: int | None) -> None:
    failed = run(runner, "leaves", scene)
    assert (failed["event"], failed["kind"], failed["signal"], failed["exit"]) == ("failed", "crashed", signal, code)
    assert not runner.clip.with_name("clip.mp4.part").exists()
    assert run(runner, "breaks_off", "Whole")["event"] == "done"


def test_old_names_mean_what_replaced_them(shared: Runner, voice: Voice) -> None:
    done = run(shared, "old_names", "OldNames")
    whole(done, shared.clip)
    assert done["error"] is None, done["error"]
    told = " ".join(texts(done))
    olds = (
        "ParametricSurface",
        "get_graph",
        "np.math is a name of an older NumPy",
        "ShowCreation",
        "FadeInFrom",
        "camera_frame",
    )
    for old in (*olds, "Code takes code, font_size", "Sector takes inner_radius and outer_radius"):
        assert old in told, (old, told)
    assert "-0.5 s can't be drawn" in told and all(warning["line"] for warning in done["warnings"])


OLD = {
    "OldArguments": (
        "Rotating takes radians",
        "an axis before the angle",
        "LaggedStartMap takes AnimationClass",
        "draw_border_animation_config",
        "takes z in",
        "takes axes in",
        "SurroundingRectangle takes color, buff by place",
        "SurroundingRectangle takes mobject",
        "LabeledLine takes font_size, label_color",
        "from_hex takes hex",
        ".wag",
        ".next_section takes type",
        "TexTemplateFromFile",
    ),
    "OldTexts": ("no part of the formula is `m`", "`Item 1\\\\`, which contains it", "`= z`, which contains it"),
}


@pytest.mark.parametrize("scene", OLD)
def test_what_older_manims_took_is_taken(shared: Runner, voice: Voice, scene: str) -> None:
    done = run(shared, "old_names", scene)
    assert done["event"] == "done" and done["error"] is None, done
    told = texts(done)
    assert all(any(words in text for text in told) for words in OLD[scene]), told


BY_NUMBER = """
equation = MathTex("x + y = z", tex_to_color_map={"x": RED, "y": BLUE})
assert [part.tex_string for part in equation] == ["x", " + ", "y", " = z"]
assert [len(part) for part in equation] == [1, 1, 1, 2]
assert equation[2][0].color == BLUE and equation[1:].height > 0
"""
LATER = """
made = lambda: MathTex("x^2 + y", substrings_to_isolate=["x", "y"])
first, number = made(), 2
assert len(first) == 1 and first[number].tex_string == "y"
assert [len(part) for part in first] == [1, 2, 1]
assert made()[0].tex_string == "x"
self.play(TransformMatchingTex(first, made()), run_time=0.2)
"""
BY_SLICE = """
self.sum = MathTex("x + y", substrings_to_isolate="y").scale(2)
assert self.sum[1:][0].tex_string == "y"
"""
BY_METHOD = """
power = MathTex("x", "+", "x^2")
assert len(power.get_parts_by_tex("x")) == 2 and len(power.get_parts_by_tex("x", substring=False)) == 1
assert power.index_of_part_by_tex("^2") == 2
assert MathTex("p + q", substrings_to_isolate="q").index_of_part_by_tex("q") == 1
"""
OF_NOW = """
equation = MathTex("x + y = z", substrings_to_isolate=["x", "y"])
assert len(equation) == 1 and len(equation[0]) == 5 and equation[0][1:].width > 0 and equation[-1] is equation[0]
assert len(equation.get_part_by_tex("y")) == 1
rows = [equation, Dot(), Dot()]
assert rows[2] is not None
"""


@pytest.mark.parametrize(
    ("body", "is_told"), [(BY_NUMBER, True), (LATER, True), (BY_SLICE, True), (BY_METHOD, True), (OF_NOW, False)]
)
def test_pieces_of_a_formula_are_those_of_the_programs_manim(
    shared: Runner, voice: Voice, body: str, is_told: bool
) -> None:
    lines = "".join(f"        {line}\n" for line in [*body.strip().splitlines(), "self.add(Dot())"])
    done = shared.run(f"class A(Scene):\n    def construct(self):\n{lines}", "A", still_s=0.2)
    assert done["event"] == "done" and done["error"] is None, done
    assert ["counted as in Manim 0.19" in text for text in texts(done)] == [True] * is_told


def test_a_font_is_told_once_and_letters_without_outlines_by_name(shared: Runner, voice: Voice) -> None:
    done = run(shared, "missing", "MissingLetters")
    assert [(warning["line"], warning["text"]) for warning in done["warnings"]] == [
        (17, "the font “Nobody Has It” is not here; another one stands in"),
        (19, "no font here draws 🚀 in a text; it is left out, and counts for no letter"),
        (20, "no font here has '🎉' in `done 🎉`"),
    ]


def test_what_is_missing_is_replaced_and_told(shared: Runner, voice: Voice) -> None:
    done = run(shared, "missing", "Missing")
    assert is_lit(whole(done, shared.clip)[-1]) and done["error"] is None
    told = " ".join(texts(done))
    for name in ("holiday.png", "logo.svg", "add_sound", "A Font That Nobody Has"):
        assert name in told, (name, told)


def test_a_program_can_not_change_how_it_is_drawn(shared: Runner, voice: Voice) -> None:
    done = run(shared, "meddles", "Meddles")
    whole(done, shared.clip)
    assert (done["frames"], done["width"], done["height"]) == (30, 128, 72) and done["error"] is None, done["error"]


# Shapes.


@pytest.mark.parametrize(
    ("program", "scene", "own"), [("portrait", "Portrait", (72, 128)), ("square", "SquareFrame", (72, 72))]
)
def test_a_program_keeps_its_shape(
    shared: Runner, voice: Voice, program: str, scene: str, own: tuple[int, int]
) -> None:
    done = run(shared, program, scene, width=own[0], height=own[1])
    assert (done["width"], done["height"]) == own
    picture = whole(done, shared.clip)[-1].astype(int)
    edge = picture[own[1] // 2, 1]
    assert abs(picture[own[1] // 2, own[0] // 2] - edge).max() > 60 and abs(picture[1, own[0] // 2] - edge).max() < 30
    fitted = run(shared, program, scene)
    picture = whole(fitted, shared.clip)[-1].astype(int)
    ink = abs(picture - picture[2, 2]).max(axis=2) > 60
    rows, columns = ink.any(axis=1).sum(), ink.any(axis=0).sum()
    assert rows > 55 and abs(columns / rows - own[0] / own[1]) < 0.12, (rows, columns)


def test_labels_have_the_ground_that_the_camera_has(shared: Runner, voice: Voice) -> None:
    program = """
from manim import *
class A(Scene):
    def construct(self):
        self.camera.background_color = "#804000"
        self.add(BackgroundRectangle(Square(), fill_opacity=1))
"""
    picture = whole(shared.run(program, "A", still_s=0.2), shared.clip)[0].astype(int)
    assert abs(picture - picture[0, 0]).max() < 12 and picture[0, 0, 0] > 100, picture[36, 64]


def test_a_frame_that_is_set_without_pixels_is_a_shape(shared: Runner, voice: Voice) -> None:
    program = """
from manim import *
config.frame_width, config.frame_height = 9, 16
class Tall(Scene):
    def construct(self):
        self.add(Rectangle(width=8.5, height=15.5, color=RED, fill_opacity=1))
"""
    done = shared.run(program, "Tall", width=72, height=128, still_s=0.2)
    assert done["audit"]["outside"] == 0
    ink = whole(done, shared.clip)[0].max(axis=2) > 120
    assert ink.any(axis=1).sum() > 120 and ink.any(axis=0).sum() > 64, "nothing is cut"


# Findings.


def test_findings_are_those_of_the_ink(shared: Runner, voice: Voice) -> None:
    done = run(shared, "findings", "Findings")
    assert done["audit"] == {"measured": True, "overlaps": 1, "outside": 1, "too_small": 1, "too_short": 1}, done[
        "findings"
    ]
    lines = {finding["kind"]: finding["line"] for finding in done["findings"]}
    source = (PROGRAMS / "findings.py").read_text().splitlines()
    assert "FadeIn(over)" in source[lines["overlap"] - 1] and "FadeIn(tiny)" in source[lines["too_small"] - 1]
    assert {finding["kind"]: finding["text"] for finding in done["findings"]} == {
        "overlap": "“Heading” and “over it”",
        "outside": "“this line is far wider than the frame”",
        "too_small": "“tiny”",
        "too_short": "“These many words are gone before anybody…” (0.5 s)",
    }
    clean = run(shared, "findings", "Clean")
    assert clean["findings"] == [] and clean["audit"]["measured"] is True
    assert run(shared, "findings", "InSpace")["audit"]["measured"] is False


NAMED = """
from manim import *
class A(Scene):
    def construct(self):
        self.add(Code(code_string="x = 1", language="python", add_line_numbers=False))
        for thing in (
            Paragraph("two", "lines"), MathTex("a^2", "+ b"), DecimalNumber(3.5), MarkupText("<b>A</b> &amp; B")
        ):
            self.add(thing)
        self.wait(0.5)
class Fades(Scene):
    def construct(self):
        words = Text("Seen for a while, and then for some more, until they are gone", font_size=30)
        self.add(words)
        self.wait(0.5)
        self.play(FadeOut(words), run_time=0.7)
        self.wait(0.5)
"""


def test_findings_name_words_as_their_author_wrote_them(shared: Runner, voice: Voice) -> None:
    done = shared.run(NAMED, "A")
    told = {part for found in done["findings"] if found["kind"] == "overlap" for part in found["text"].split(" and ")}
    assert told == {"“x = 1”", "“two lines”", "“a^2 + b”", "“3.5”", "“A & B”"}, done["findings"]


def test_words_that_fade_are_on_screen_until_they_have_faded(shared: Runner, voice: Voice) -> None:
    (found,) = shared.run(NAMED, "Fades")["findings"]
    assert (found["kind"], found["text"][-8:], found["first_frame"]) == ("too_short", " (1.2 s)", 0), found


# Formulas.


@pytest.mark.parametrize("scene", ["Formulas", "Numbers", "Unknown", "Texts"])
def test_formulas_are_set_without_a_tex(shared: Runner, voice: Voice, scene: str) -> None:
    done = run(shared, "texts" if scene == "Texts" else "formulas", scene)
    pictures = whole(done, shared.clip)
    assert done["error"] is None, done["error"]
    assert is_lit(pictures[-1])
    told = " ".join(texts(done))
    outside = "180^\\circ`: mathematics stands outside of `$…$`"
    expected = {"Unknown": ["foobar", "fancyfonts"], "Texts": ["50% of it", outside, r"`\sqrt{2} alone`: math"]}.get(
        scene, []
    )
    assert all(word in told for word in expected) and len(done["warnings"]) == len(expected), told


TEX = """
from manim import *
class A(Scene):
    def construct(self):
        formula = MathTex("x^2").scale(4).shift(3 * LEFT)
        text = Tex("where x^2").scale(4).shift(3 * RIGHT)
        self.add(formula, text)
        self.squares = len(formula[0]) == 1 and len(text[0]) == 1
        assert self.squares is {}
"""


def test_a_tex_that_is_installed_sets_formulas_where_it_is_asked_to(tmp_path: Path) -> None:
    runner = Runner(tmp_path, path=install_tex(tmp_path, latex=LATEX, dvisvgm=DVISVGM))
    runner.event()
    # The one that stands for TeX draws a square for each.
    done = runner.run(TEX.format(True), "A", formulas="latex", still_s=0.2)
    assert done["error"] is None and done["warnings"] == [], done
    lit = whole(done, runner.clip)[-1].max(axis=2) > 150
    assert lit[:, :60].any(axis=0).sum() > 3 and lit[:, 68:].any(axis=0).sum() > 3, "both are seen"
    assert runner.run(TEX.format(False), "A", still_s=0.2)["error"] is None
    assert runner.close() == 0


def test_a_tex_that_fails_is_told(tmp_path: Path) -> None:
    runner = Runner(tmp_path, path=install_tex(tmp_path, latex=LATEX, dvisvgm="#!/bin/sh\nexit 1\n"))
    runner.event()
    failed = runner.run(TEX.format(True), "A", formulas="latex")
    assert (failed["event"], failed["kind"], failed["line"]) == ("failed", "error", 5), failed
    assert "TeX" in failed["remedy"] and not runner.clip.exists(), failed
    assert runner.close() == 0


# The pipe.


@pytest.mark.parametrize("scene", ["Wrongly", "Floods"])
def test_noise_on_the_pipe_changes_nothing(runner: Runner, scene: str) -> None:
    done = run(runner, "speaks_wrongly", scene)
    assert done["id"] == "r" and done["frames"] == 3
    assert run(runner, "breaks_off", "Whole")["frames"] == 5


def test_a_program_that_closes_the_pipe_fails_alone(runner: Runner) -> None:
    failed = run(runner, "speaks_wrongly", "Closes")
    assert (failed["event"], failed["kind"]) == ("failed", "crashed")
    assert run(runner, "breaks_off", "Whole")["frames"] == 5


def test_a_stolen_answer_is_guessed(runner: Runner) -> None:
    asked = runner.answer

    def late(say: dict[str, Any]) -> Any:
        # The thief listens before the answer comes.
        time.sleep(1)
        return asked(say)

    runner.answer = late
    done = run(runner, "speaks_wrongly", "Steals", limits={"say_s": 4})
    assert done["event"] == "done" and done["frames"] >= 20


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"[]",
        b"\xff",
        b'{"op":"run"}',
        b'{"op":"run","id":"x","source":"/a","class":"A","out":"/b","width":127,"height":72,"fps":10}',
        b'{"op":"run","id":"x","source":"/a","class":"A","out":"/b","width":128,"height":72,"fps":true}',
        b'{"op":"run","id":"x","source":"/a","class":"A","out":"/b","width":128,"height":72,"fps":9,"limits":{"film_s":-1}}',
        b'{"op":"run","id":"x","source":"/a","class":"A","out":"/b","width":128,"height":72,"fps":9,"sections":[7]}',
        b'{"op":"said","id":"x","ask":"one"}',
    ],
)
def test_what_is_no_request_is_refused(shared: Runner, line: bytes) -> None:
    shared.send(line)
    assert shared.event()["event"] == "refused"


@pytest.mark.parametrize(
    "arguments", [[], ["--source", "a.py", "--class", "A", "--frames", "1"], ["--channel", "a.py"]]
)
def test_the_command_serves_a_socket_and_nothing_else(arguments: list[str]) -> None:
    ran = subprocess.run([LAYERS / "bin/chalkreel-raw", *arguments], capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stdout) == (2, "") and "usage: chalkreel-raw" in ran.stderr


def test_a_socket_that_is_missing_is_told() -> None:
    environment = {"PATH": "/usr/bin:/bin", "CHALKREEL_STAGE_FD": "77"}
    command = [LAYERS / "bin/chalkreel-raw", "--channel"]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stdout) == (2, "") and "no socket to serve" in ran.stderr


def test_an_end_of_the_stream_ends_the_program_too(runner: Runner) -> None:
    runner.ask(PROGRAMS / "endless.py", "Spins")
    pid = next(event for event in iter(runner.event, None) if event["event"] == "started")["pid"]
    runner.process.kill()
    gone = os.pidfd_open(pid) if Path(f"/proc/{pid}").exists() else None
    if gone is not None:
        import select

        assert select.select([gone], [], [], 10)[0], "the program outlived its server"
        os.close(gone)
