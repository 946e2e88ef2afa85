"""What the stage and the Rust sources both have to know is the same in both: read from the sources."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from chalkreel_stage import protocol, theme
from chalkreel_stage.frames import clip
from chalkreel_stage.geometry import expression
from chalkreel_stage.layout import placement

REPOSITORY = Path(__file__).parents[3]
PLANNER, HANDLER = REPOSITORY / "planner-wasm", REPOSITORY / "handler"


def sources(folder: Path, needle: str) -> dict[str, str]:
    """Rust files under a folder that contain a text, wherever they lie."""
    texts = {path: path.read_text("utf-8") for path in sorted(folder.rglob("*.rs"))}
    return {str(path.relative_to(REPOSITORY)): text for path, text in texts.items() if needle in text}


def strings(source: str) -> list[str]:
    """The string literals of a stretch of Rust, in order."""
    return [re.sub(r"\\\s*\n\s*", "", text) for text in re.findall(r'"((?:[^"\\]|\\.|\\\n)*)"', source)]


@pytest.mark.parametrize(("name", "look"), [("Dark", theme.DARK), ("Light", theme.LIGHT)])
def test_cards_and_pages_have_the_colours_of_the_stage(name: str, look: theme.Theme) -> None:
    pattern = rf"\bSelf::{name} => \[([^\]]*)\]"
    found = [strings(match) for text in sources(PLANNER, name).values() for match in re.findall(pattern, text)]
    assert found, f"no Rust source names the colours of {name}"
    assert all(colours == [look.background, look.text, look.accent] for colours in found), found


def test_every_encoder_has_the_settings_of_the_stage() -> None:
    """Clips, cards and intros are joined by stream copy, so they need the same parameter sets."""
    encoding = sources(HANDLER, '"libx264"')
    # The one that reads the stage's own settings.
    assert [Path(name).name for name in encoding] == ["encoder.rs"]
    assert clip.ENCODER["x264-params"].startswith(clip.SETTINGS["stream"])
    users = sources(HANDLER, "encoder::drawn(") | sources(HANDLER, "encoder::filmed(")
    assert len(users) == 2, users.keys()
    for name, text in users.items():
        for colours in ("colorspace=bt709", "color_primaries=bt709", "color_trc=bt709", "range=tv"):
            assert colours in text, f"{name} does not say {colours}"


def test_every_clip_has_the_clock_of_the_stage() -> None:
    for name, text in sources(HANDLER, '"-video_track_timescale"').items():
        assert re.search(rf"\b(fps|rate)\b[^;\n]*\* {clip.TICKS}\b|\b{clip.TICKS} \*", text), name


def test_the_planner_names_colours_that_the_stage_has() -> None:
    lists = [
        strings(match)
        for text in sources(PLANNER / "src", "COLOURS").values()
        for match in re.findall(r"const COLOURS: [^=]*= &\[(.*?)\];", text, re.DOTALL)
    ]
    assert lists and all(set(names) <= set(look.names) for names in lists for look in (theme.DARK, theme.LIGHT))


def test_the_planner_knows_the_functions_of_the_stage() -> None:
    (text,) = sources(PLANNER, "pub fn arity(").values()
    arms = re.findall(r"((?:\"\w+\"\s*\|?\s*)+)=> Some\((\d)\)", text.split("pub fn arity(")[1].split("\n}\n")[0])
    known = {int(count): set(strings(names)) for names, count in arms}
    assert known == {1: set(expression._UNARY), 2: set(expression._BINARY)}


def test_positions_are_in_the_frame_that_the_storyboard_says() -> None:
    schema = (PLANNER / "schema" / "storyboard.json").read_text("utf-8")
    said = set(re.findall(r"the frame is ([\d.]+) wide and ([\d.]+) high", schema))
    assert {(float(wide), float(high)) for wide, high in said} == {(placement.UNITS_WIDE, theme.FRAME_HEIGHT)}


def test_every_theme_of_the_storyboard_is_one_of_the_stage() -> None:
    schema = json.loads((PLANNER / "schema" / "storyboard.json").read_text("utf-8"))
    themes = schema["properties"]["theme"]["enum"]
    assert len({theme.named(name).background for name in themes}) == len(themes) > 1
    for name in themes:
        asked = {"op": "run", "id": "a", "source": "a", "class": "A", "out": "b", "theme": name}
        assert protocol.parse_run(json.dumps({**asked, "width": 2, "height": 2, "fps": 1}).encode()).theme == name
