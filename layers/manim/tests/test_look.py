"""Colours and a logo of one's own, their contrast, and the picture that stands for a scene."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import numpy as np
import pytest
from chalkreel_stage import theme
from chalkreel_stage.frames.fullness import Fullest, fullness
from conftest import LAYERS, Stage
from PIL import Image

OWN = {"background": "#0b2545", "text": "#f4f1de", "accent": "#e07a5f"}


def scene(elements: list[dict[str, Any]], heading: str = "Own colours", kind: Any = "lesson") -> dict[str, Any]:
    """A scene with one beat that shows these."""
    actions = [{"show": element} for element in elements]
    beat = {"id": "s-1", "narration": "", "pause_ms": 0, "actions": actions, "estimate_ms": 0, "place": None}
    return {"id": "s", "kind": kind, "heading": heading, "beats": [beat], "place": None}


def element(name: str, kind: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An element of the storyboard."""
    return {"id": name, "kind": kind, "placement": None, "style": None, "timing": None, "place": None, **more}


def words(text: str, **more: Any) -> dict[str, Any]:
    """A text element."""
    return element("words", {"text": {"spans": [{"plain": text}]}}, **more)


def drawn(stage: Stage, shown: dict[str, Any], film: dict[str, Any], **more: Any) -> tuple[dict[str, Any], np.ndarray]:
    """The end of a render at 640 by 360, and its frames."""
    film = {"title": "T", "theme": "dark", "language": "en", **film}
    out = stage.scratch / "look.mp4"
    request = {"scene": shown, "film": film, "width": 640, "height": 360, "fps": 15, "beats": [{"frames": 45}]}
    stage.send({"op": "render", "id": "look", "out": str(out), "timeout_s": 60.0, **request, **more})
    end = stage.end("look")
    assert end["event"] == "done", end
    raw = ["-v", "error", "-i", str(out), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    pixels = subprocess.run([LAYERS / "bin" / "ffmpeg", *raw], capture_output=True, check=True).stdout
    return end, np.frombuffer(pixels, np.uint8).reshape(-1, 360, 640, 3)


def near(pixel: np.ndarray, colour: str, by: int = 8) -> bool:
    """Whether it has that colour, as far as an encoded picture has colours."""
    wanted = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])
    return bool((np.abs(pixel.astype(int) - wanted) < by).all(axis=-1).any())


def test_own_colours_are_the_pictures(stage: Stage) -> None:
    end, frames = drawn(stage, scene([words("Plain words, in the colour of the author.")]), {"colours": OWN})
    assert near(frames[20][2, 2], OWN["background"])
    # The accent is a thin line under the heading, whose edges the encoder mixes with the ground.
    assert near(frames[39], OWN["text"]) and near(frames[39], OWN["accent"], 40)
    assert not near(frames[39], theme.DARK.accent, 40)
    assert end["audit"]["low_contrast"] == 0 and end["warnings"] == [], end


def test_words_that_do_not_stand_out_are_told_with_a_colour_that_would_do(stage: Stage) -> None:
    own = {"background": "#888888", "text": "#777777"}
    end, _ = drawn(stage, scene([words("Hardly to be seen.")]), {"colours": own})
    assert end["audit"]["low_contrast"] == 2, end
    told = next(one for one in end["warnings"] if one.startswith("the words of words"))
    assert "are #777777 on #888888, a contrast of 1.3 to 1, where 4.5 to 1 can be read" in told, told
    assert any(one.startswith("the words of the heading are") for one in end["warnings"])
    would = told.rsplit(": ", 1)[1].removesuffix(" would do")
    assert theme.contrast(would, "#888888") >= theme.CONTRAST
    # The same words in that colour are no finding.
    end, _ = drawn(stage, scene([words("Hardly to be seen.")]), {"colours": {**own, "text": would}})
    assert end["audit"]["low_contrast"] == 0, end


def test_the_ground_of_words_is_what_is_behind_them_and_not_the_frames(stage: Stage) -> None:
    program = element("code", {"code": {"text": "x = 1", "language": "python", "highlighted": []}})
    own = {"background": "#101010", "text": "#fafafa", "panel": "#f0f0f0"}
    callout = element("remark", {"callout": {"spans": [{"plain": "A remark on its panel."}]}})
    end, _ = drawn(stage, scene([callout], heading=""), {"colours": own})
    assert end["audit"]["low_contrast"] == 1 and "#fafafa on #f0f0f0" in end["warnings"][0], end
    # What the author does not name, such as the colours of programs, is fitted to the author's panel.
    end, _ = drawn(stage, scene([program], heading=""), {"colours": own})
    assert end["audit"]["low_contrast"] == 0, end


@pytest.mark.parametrize("name", ["dark", "light"])
@pytest.mark.parametrize("fixture", ["bullets", "code", "equation", "plot", "everything"])
def test_our_own_colours_stand_out(stage: Stage, name: str, fixture: str) -> None:
    film = {"title": "T", "theme": name, "language": "en"}
    stage.render("own", fixture, film=film, width=854, height=480)
    end = stage.end("own")
    assert end["event"] == "done" and end["audit"]["low_contrast"] == 0, end["warnings"]


def test_every_ground_has_readable_colours() -> None:
    for grey in range(0, 256, 5):
        ground = f"#{grey:02x}{255 - grey:02x}{grey // 2:02x}"
        look = theme.of("dark", {"background": ground})
        told = [look.text, look.muted, look.accent, look.code]
        assert all(theme.contrast(one, ground) >= theme.CONTRAST for one in told), (ground, look)
        assert all(theme.contrast(one, look.panel) >= theme.CONTRAST for one in look.syntax.values()), (ground, look)
    assert theme.of("light", {}) is theme.LIGHT and theme.of("dark", {"text": "no colour"}) is theme.DARK


def test_a_logo_stands_in_its_corner_and_nothing_under_it(stage: Stage) -> None:
    path = stage.scratch / "logo.png"
    Image.new("RGB", (300, 150), "#ff0000").save(path)
    long = "A heading that is so long that it would reach under the logo if nobody kept it away from there"
    lines = [words("All the words of the body stand below.", id="words")]
    film, asset = {"logo": "logo.png"}, {"assets": {"logo.png": str(path)}}
    end, frames = drawn(stage, scene(lines, long), film, **asset)
    end["audit"].pop("too_short")
    assert set(end["audit"].values()) == {0}, end
    red = (frames[..., 0] > 200) & (frames[..., 1] < 60)
    rows, columns = np.nonzero(red[20])
    # Its right and upper edges are those of the safe area; it is twice as wide as high.
    assert abs(columns.max() - 640 * 0.95) < 3 and abs(rows.min() - 360 * 0.05) < 3
    assert abs(rows.max() - rows.min() - 360 * theme.LOGO / 8) < 3
    assert abs((columns.max() - columns.min()) / (rows.max() - rows.min()) - 2) < 0.1
    # It is there from the first frame to the last, while all the rest fades.
    counts = red.sum(axis=(1, 2))
    assert counts.min() > 0.9 * counts.max(), counts
    # Left of a heading that begins at the right.
    _, frames = drawn(stage, scene(lines, "כותרת"), film, **asset)
    columns = np.nonzero((frames[20][..., 0] > 200) & (frames[20][..., 1] < 60))[1]
    assert abs(columns.min() - 640 * 0.05) < 3
    # A card is the title's alone; and what can't be read is told.
    _, frames = drawn(stage, scene([], "Title", "title_card"), film, **asset)
    assert not ((frames[20][..., 0] > 200) & (frames[20][..., 1] < 60)).any()
    path.write_bytes(b"no picture")
    end, _ = drawn(stage, scene(lines), film, **asset)
    assert end["warnings"][0].startswith("the logo can't be shown: it is no PNG"), end


def test_the_fullest_picture_is_the_whole_page_before_it_fades(stage: Stage) -> None:
    end, frames = drawn(stage, scene([words("These words come, stand, and fade.")]), {})
    still = end["still"]
    full = [fullness(frame) for frame in frames]
    assert still["frame"] == 45 - 4 - 1, still
    assert abs(full[still["frame"]] - still["share"]) < 0.05 and full[still["frame"]] >= max(full) - 0.03
    assert full[-1] < full[still["frame"]] and full[0] < full[still["frame"]]


def test_a_picture_is_as_full_as_the_cells_that_have_ink() -> None:
    picture = np.full((180, 320, 4), 30, np.uint8)
    assert fullness(picture) == 0.0
    picture[:90] = 200
    picture[0, 0] = 30
    assert abs(fullness(picture) - 0.5) < 0.01
    fullest = Fullest()
    assert fullest.told() is None
    fullest.offer(3, picture)
    fullest.offer(5, np.full((180, 320, 4), 30, np.uint8))
    assert fullest.told() is not None and fullest.told()["frame"] == 3, json.dumps(fullest.told())
    fullest.offer(7, picture)
    assert fullest.told()["frame"] == 7
