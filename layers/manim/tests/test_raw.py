"""Somebody's own Manim program, rendered in a process of its own."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import av
import pytest
from conftest import LAYERS

PROGRAM = """
from manim import *
print("this is no answer")
config.frame_rate = 60
config.pixel_width = 100
class Short(Scene):
    def construct(self):
        self.play(Create(Circle()), run_time=0.4)
class Long(Scene):
    def construct(self):
        self.play(Rotate(Square(fill_opacity=1)), run_time=9)
class Still(Scene):
    def construct(self):
        self.add(Square(fill_opacity=1))
class WithTex(Scene):
    def construct(self):
        self.add(MathTex("x^2"))
class Leaves(Scene):
    def construct(self):
        raise SystemExit(0)
"""


def rendered(folder: Path, scene: str, program: str = PROGRAM, frames: str = "6,4") -> tuple[dict[str, Any], int, Path]:
    """The last answer, the exit code and where the clip should be."""
    source, out = folder / "program.py", folder / "clip.mp4"
    source.write_text(program)
    size = ["--width", "128", "--height", "72", "--fps", "10", "--frames", frames]
    ran = subprocess.run(
        [LAYERS / "bin/chalkreel-raw", "--source", source, "--class", scene, "--out", out, *size],
        env={"TMPDIR": str(folder), "PATH": str(folder)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    answers = [json.loads(line) for line in ran.stdout.splitlines()]
    assert answers[0]["event"] == "started" and {answer["id"] for answer in answers} == {"raw"}
    assert not (folder / "clip.mp4.part").exists()
    return answers[-1], ran.returncode, out


def size_of(clip: Path) -> tuple[int, int, int]:
    """Frames, width, height."""
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        assert not container.streams.audio and stream.average_rate == 10
        return sum(1 for _ in container.decode(stream)), stream.width, stream.height


def test_a_program_that_imports_nothing_has_manims_names(tmp_path: Path) -> None:
    program = "class Alone(Scene):\n    def construct(self):\n        self.add(Square(color=RED))"
    done, code, clip = rendered(tmp_path, "Alone", program)
    assert (done["event"], code, size_of(clip)[0]) == ("done", 0, 10), done


@pytest.mark.parametrize(("scene", "drawn", "warnings"), [("Short", 4, 0), ("Long", 10, 1), ("Still", 0, 0)])
def test_a_scene_has_the_frames_of_its_narration(tmp_path: Path, scene: str, drawn: int, warnings: int) -> None:
    done, code, clip = rendered(tmp_path, scene)
    assert (done["event"], code) == ("done", 0), done
    assert size_of(clip) == (10, 128, 72)
    assert done["beats"] == [{"first_frame": 0, "frames": 6}, {"first_frame": 6, "frames": 4}]
    assert (done["frames"], done["drawn"], len(done["warnings"])) == (10, drawn, warnings)
    with av.open(str(clip)) as container:
        last = list(container.decode(video=0))[-1].to_ndarray(format="rgb24")
    assert last.max() - last.min() > 60, "the last frame shows nothing"


# The two programs of a TeX installation that Manim calls. What the one is given, the other draws: a square for the
# formula that it knows, and nothing for any other.
LATEX = """#!/bin/sh
for last; do
    case $last in -output-directory=*) folder=${last#*=} ;; esac
done
name=${last##*/}
while IFS= read -r line; do printf '%s\\n' "$line"; done <"$last" >"$folder/${name%.tex}.dvi"
"""
DVISVGM = """#!/bin/sh
for last; do
    case $last in --output=*) out=${last#*=} ;; esac
done
while IFS= read -r line; do
    case $line in *x^2*) path='M 0 0 H 9 V 9 H 0 Z' ;; esac
done <"$last"
group="<g id=\\"unique000\\"><path d=\\"$path\\"/></g>"
printf '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">%s</svg>' "$group" >"$out"
"""


def test_formulas_of_tex_are_drawn_where_there_is_a_tex(tmp_path: Path) -> None:
    for name, script in {"latex": LATEX, "dvisvgm": DVISVGM}.items():
        (tmp_path / name).write_text(script)
        (tmp_path / name).chmod(0o755)
    program = PROGRAM.replace('MathTex("x^2")', 'MathTex("x^2").scale(4), Tex("where x^2").scale(4).shift(3 * RIGHT)')
    done, code, clip = rendered(tmp_path, "WithTex", program)
    assert (done["event"], code, done["warnings"]) == ("done", 0, []), done
    with av.open(str(clip)) as container:
        lit = next(container.decode(video=0)).to_ndarray(format="gray") > 150
    left, right = lit[:, :70].any(axis=0).sum(), lit[:, 70:].any(axis=0).sum()
    assert left > 3 and right > 3, "both formulas are seen"


def test_a_tex_that_fails_is_told(tmp_path: Path) -> None:
    for name, script in {"latex": LATEX, "dvisvgm": "#!/bin/sh\nexit 1\n"}.items():
        (tmp_path / name).write_text(script)
        (tmp_path / name).chmod(0o755)
    failed, code, clip = rendered(tmp_path, "WithTex")
    assert (failed["event"], code) == ("failed", 1) and failed["message"].startswith("TeX failed")
    assert not clip.exists()


@pytest.mark.parametrize(
    ("scene", "program", "message"),
    [
        ("WithTex", PROGRAM, "need a TeX installation"),
        ("WithTex", PROGRAM.replace("class WithTex", "MathTex('y')\nclass WithTex"), "need a TeX installation"),
        ("Nobody", PROGRAM, "no scene class Nobody"),
        ("Scene", "x = 1", "no scene class Scene"),
        ("A", "class A(:", "can't be read"),
        ("A", "1/0", "ZeroDivisionError"),
        ("Leaves", PROGRAM, "SystemExit"),
    ],
)
def test_a_failure_says_why(tmp_path: Path, scene: str, program: str, message: str) -> None:
    failed, code, clip = rendered(tmp_path, scene, program)
    assert (failed["event"], failed["kind"], code) == ("failed", "error", 1)
    assert message in failed["message"]
    assert not clip.exists()
