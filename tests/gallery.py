"""Renders the last frame of each beat of every fixture document into contact sheets, and measures them.

Of a Manim program it is the last frame of each part that it reports, and the picture that it holds for its words.

`gallery.py CHALKREEL LAYERS OUT SHAPE [NAME …]`: the program, the layer tree whose Python runs this, where the sheets go, the shape of the
pictures (wide, portrait or square), and parts of names of documents when not all are wanted. Exit code 1 when the planner refuses a document, when the stage's audit found
an overlap, something outside the frame, a text under the legible floor or one that goes too soon, when a scene could
not be drawn or a formula not set, or when the outer 2 % of a frame is not background. Of a program it fails when there is no clip, or it breaks off.

How the screens are used is measured besides and told, in `use.json` for each scene, and at the end over all: the part of the free
area that is used, how long a picture stands still while words are spoken, how long a heading stands alone.

Scenes are drawn at 4 frames a second, by the warm worker that draws films, and Manim programs by the program that draws
those: what is on the screen at a beat's end does not depend on how smooth the way there was.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image, ImageDraw, ImageFont

FIXTURES = Path(__file__).resolve().parent / "fixtures"
DOCUMENTS = ("lessons/*", "plans/*.json", "storyboards/*.json")
SHAPES = {"wide": (854, 480), "portrait": (480, 854), "square": (480, 480)}
FPS = 4
AT_ONCE = os.cpu_count() or 2
SCENE_TIMEOUT = 600
"""Seconds for one scene, on a machine that has other things to do too."""
COLUMNS, SHEET = 4, 24
"""Frames in a row, and on a sheet."""
FAREWELL = 1
"""Frames in which a scene fades out: its last beat is looked at before them."""
EDGE = 0.02
"""Of height and width; the stage keeps 5 % free."""

POINTED_MS = 900
"""How long a thing stays pointed at, at least."""

BOUNDS = {"still_s": 8.0, "first_s": 0.7, "heading_alone_s": 1.5}
"""Seconds: without a change while words are spoken, until the first change of a scene, with nothing but a heading."""

UNSET = "can't be drawn"
"""What the stage says of a formula of which nothing can be drawn."""


class Gallery:
    """Documents in, sheets out."""

    def __init__(self, chalkreel: Path, layers: Path, out: Path, size: tuple[int, int]) -> None:
        self._chalkreel, self._layers, self._out, self._size = chalkreel, layers, out, size
        self._worker = self._lines = self._process = None
        self.faults: list[str] = []
        self.seen = Counter()
        self.use: dict[str, dict[str, Any]] = {}

    def document(self, path: Path) -> None:
        """Plans and draws one."""
        environment = {"PATH": "/usr/bin:/bin", "HOME": tempfile.gettempdir(), "LAYERS_DIR": str(self._layers)}
        # Where Lambda looks for libraries.
        environment |= {name: os.environ[name] for name in ["LD_LIBRARY_PATH"] if name in os.environ}
        planned = subprocess.run(
            [self._chalkreel, "plan", path, "--json"], env=environment, capture_output=True, text=True, timeout=60
        )
        if planned.returncode:
            self.faults.append(f"{path.name}: refused: {planned.stderr.strip()}")
            return
        board = json.loads(planned.stdout)
        board = board.get("storyboard", board)
        with tempfile.TemporaryDirectory(prefix="gallery-") as folder:
            frames = self._draw(path, board, Path(folder))
        self._sheets(path, frames)

    def _draw(self, path: Path, board: dict[str, Any], folder: Path) -> list[tuple[str, Image.Image]]:
        waiting = [scene for scene in board["scenes"] if not isinstance(scene["kind"], dict)]
        drawn: dict[str, list[Image.Image]] = {}
        orders = {scene["id"]: self._order(path, board, scene, folder) for scene in board["scenes"]}
        for scene in board["scenes"]:
            if isinstance(scene["kind"], dict):
                drawn[scene["id"]] = self._program(f"{path.name} {scene['id']}", scene["kind"]["manim"], orders[scene["id"]])
        queue, running = iter(waiting), 0
        for scene in itertools.islice(queue, AT_ONCE):
            self._send(orders[scene["id"]])
            running += 1
        while running:
            reply = json.loads(self._lines.readline())
            if reply["event"] not in ("done", "failed"):
                continue
            running -= 1
            name = f"{path.name} {reply['id']}"
            if reply["event"] == "failed":
                self.faults.append(f"{name}: {reply['kind']}: {reply['message']}")
            else:
                order = orders[reply["id"]]
                drawn[reply["id"]] = last_frames(Path(order["out"]), [beat["frames"] for beat in order["beats"]])
                self._judge(name, board["theme"], reply, drawn[reply["id"]])
            scene = next(queue, None)
            if scene:
                self._send(orders[scene["id"]])
                running += 1
        scenes = [scene["id"] for scene in board["scenes"]]
        return [(f"{one} {number}", image) for one in scenes for number, image in enumerate(drawn.get(one, []), 1)]

    def _program(self, name: str, program: dict[str, str], order: dict[str, Any]) -> list[Image.Image]:
        """Draws one scene class of a Manim program. Where its ink lies is its author's affair, so that isn't measured."""
        source = Path(order["out"]).with_suffix(".py")
        source.write_text(program["source"])
        asked = {key: order[key] for key in ("id", "out", "width", "height", "fps")}
        # Nobody speaks here: the stage guesses how long words take.
        asked |= {"op": "run", "source": str(source), "class": program["class"], "speak": False}
        asked |= {"theme": order["film"]["theme"], "limits": {"wall_s": SCENE_TIMEOUT}}
        process, connection = self._start("chalkreel-raw", "--channel")
        with connection, connection.makefile("r") as lines:
            connection.sendall(json.dumps(asked).encode() + b"\n")
            reply = next((event for event in events(lines) if event["event"] in ("done", "failed", "refused")), None)
        process.wait(timeout=10)
        if reply is None or reply["event"] != "done":
            self.faults.append(f"{name}: {reply['message'] if reply else 'its runner went away'}")
            return []
        for told in (*reply["warnings"], *reply["findings"]):
            print(f"  {name}: line {told['line']}: {told.get('kind', 'warning')}: {told['text']}")
        if reply["error"] is not None:
            self.faults.append(f"{name}: line {reply['error']['line']}: {reply['error']['message']}")
        ends = {part["first_frame"] + part["frames"] - 1 for part in reply["segments"]}
        frames = chosen_frames(Path(order["out"]), ends | {hold["first_frame"] for hold in reply["holds"]})
        self.seen["scenes"] += 1
        self.seen["frames"] += len(frames)
        return frames

    def _order(self, path: Path, board: dict[str, Any], scene: dict[str, Any], folder: Path) -> dict[str, Any]:
        lengths = lengths_of(scene["beats"])
        lengths[-1] += FAREWELL
        elements = (
            action.get("show") or action.get("transform", {}).get("into")
            for beat in scene["beats"]
            for action in beat["actions"]
            if isinstance(action, dict)
        )
        sources = [one["kind"]["image"]["source"] for one in elements if one and "image" in one["kind"]]
        beside = {source: path.parent / source for source in sources}
        return {
            "op": "render",
            "id": scene["id"],
            "scene": {**scene, "beats": [timed(beat) for beat in scene["beats"]]},
            "film": {key: board[key] for key in ("title", "theme", "language")},
            "width": self._size[0],
            "height": self._size[1],
            "fps": FPS,
            "beats": [{"frames": frames} for frames in lengths],
            "out": str(folder / f"{scene['id']}.mp4"),
            "timeout_s": SCENE_TIMEOUT,
            "assets": {source: str(file) for source, file in beside.items() if file.is_file()},
        }

    def _judge(self, name: str, theme: str, reply: dict[str, Any], frames: list[Image.Image]) -> None:
        self.seen["scenes"] += 1
        self.seen["frames"] += len(frames)
        self.use[name] = reply["use"]
        for what, count in reply["audit"].items():
            # How long the beats of a storyboard are is its author's affair.
            authored = what == "too_short" and ".storyboard.json " in name
            self.seen[f"{what}_as_authored" if authored else what] += count
            if count and not authored:
                self.faults.append(f"{name}: {count} {what}")
        for warning in reply["warnings"]:
            print(f"  {name}: {warning}")
            if UNSET in warning:
                self.faults.append(f"{name}: {warning}")
        for number, frame in enumerate(frames, 1):
            if not edge_is_empty(frame):
                self.faults.append(f"{name}: beat {number}: something is drawn in the outer {EDGE:.0%}")

    def _send(self, order: dict[str, Any]) -> None:
        if self._process is None:
            self._process, self._worker = self._start("chalkreel-stage")
            self._lines = self._worker.makefile("r")
            assert json.loads(self._lines.readline())["event"] == "ready"
        self._worker.sendall(json.dumps(order).encode() + b"\n")

    def _start(self, name: str, *arguments: str) -> tuple[subprocess.Popen[bytes], socket.socket]:
        """A program of the layers, and the socket to it."""
        ours, theirs = socket.socketpair()
        ours.settimeout(SCENE_TIMEOUT)
        environment = {"PATH": "/usr/bin:/bin", "TMPDIR": tempfile.gettempdir(), "CHALKREEL_STAGE_FD": str(theirs.fileno())}
        command = [self._layers / "bin" / name, *arguments]
        process = subprocess.Popen(
            command, env=environment, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=sys.stderr
        )
        theirs.close()
        return process, ours

    def close(self) -> None:
        """Ends the worker."""
        if self._process is not None:
            self._worker.shutdown(socket.SHUT_WR)
            self._process.wait(timeout=10)

    def _sheets(self, path: Path, frames: list[tuple[str, Image.Image]]) -> None:
        font = ImageFont.load_default(14)
        for number, start in enumerate(range(0, len(frames), SHEET), 1):
            part = frames[start : start + SHEET]
            rows = -(-len(part) // COLUMNS)
            wide, high = self._size[0] // 2, self._size[1] // 2
            sheet = Image.new("RGB", (COLUMNS * (wide + 6), rows * (high + 24)), "#808080")
            pen = ImageDraw.Draw(sheet)
            for place, (name, frame) in enumerate(part):
                x, y = place % COLUMNS * (wide + 6) + 3, place // COLUMNS * (high + 24)
                pen.text((x, y + 3), name, font=font, fill="white")
                sheet.paste(frame.resize((wide, high), Image.Resampling.LANCZOS), (x, y + 22))
            sheet.save(self._out / f"{path.parent.name}-{path.name}-{number}.png")


def events(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """What a child tells; a program's runner begins each event with a line of its own."""
    return (json.loads(line) for line in lines if line.strip())


def summary(use: dict[str, dict[str, Any]]) -> list[str]:
    """How the screens of all scenes are used; what is beyond its bound is named, the worst first."""
    used = [part for scene in use.values() for part in scene["used"] if part is not None]
    marks = {name: scene["mark_distance"] for name, scene in use.items() if scene["mark_distance"] is not None}
    letters = [scene["letters"] for scene in use.values() if scene["letters"]]
    lines = [
        f"free area used: median {np.median(used):.0%}, lowest quarter up to {np.percentile(used, 25):.0%}, "
        f"mean {np.mean(used):.0%}, over {len(used)} pictures",
        f"letters in the longest line of a text: {min(a for a, _ in letters)} to {max(b for _, b in letters)}" if letters else "",
        f"least distance of a frame from what it frames: {min(marks.values())}" if marks else "",
    ]
    for what, bound in BOUNDS.items():
        beyond = sorted(((scene[what], name) for name, scene in use.items() if scene[what] > bound), reverse=True)
        worst = ", ".join(f"{name} ({value:g})" for value, name in beyond[:8])
        lines.append(f"{what} over {bound:g}: {len(beyond)} of {len(use)} scenes{': ' if worst else ''}{worst}")
    for what in ("strays", "orphans"):
        found = [f"{name} ({', '.join(scene[what])})" for name, scene in use.items() if scene[what]]
        lines.append(f"{what}: {len(found)}{': ' if found else ''}{'; '.join(found[:8])}")
    return [line for line in lines if line]


def timed(beat: dict[str, Any]) -> dict[str, Any]:
    """The beat with times of its cues, as the handler has them of a voice that doesn't tell when it says a word: by letters."""
    words, cues = beat["narration"].split(), []
    ends = list(itertools.accumulate(len(word) + 1 for word in words))
    for cue in beat.get("cues", []):
        if cue["word"] < len(words):
            after = ends[min(cue["word"] + cue["words"], len(words)) - 1]
            start, said = (round(at * beat["estimate_ms"] / ends[-1]) for at in (ends[cue["word"]] - len(words[cue["word"]]) - 1, after))
            cues.append({**cue, "start_ms": start, "end_ms": max(said + POINTED_MS, start + POINTED_MS)})
    for before, after in itertools.pairwise([cue for cue in cues if cue["kind"] == "point"]):
        before["end_ms"] = max(min(before["end_ms"], after["start_ms"]), before["start_ms"])
    return {**beat, "cues": cues}


def lengths_of(beats: list[dict[str, Any]]) -> list[int]:
    """Frames of each beat, as the handler counts them, at the pace that the planner guessed."""
    lengths = [max(FPS, -(-(beat["estimate_ms"] + beat["pause_ms"]) * FPS // 1000)) for beat in beats]
    ids = [beat["id"] for beat in beats]
    for at, beat in enumerate(beats):
        for hold in beat.get("holds", []):
            stood = sum(lengths[ids.index(hold["since"]) : at + 1])
            lengths[at] += max(0, -(-hold["ms"] * FPS // 1000) - stood)
    return lengths


def last_frames(clip: Path, lengths: list[int]) -> list[Image.Image]:
    """The last frame of each beat."""
    return chosen_frames(clip, set(np.cumsum(lengths)[:-1] - 1) | {sum(lengths) - FAREWELL - 1})


def chosen_frames(clip: Path, wanted: set[int]) -> list[Image.Image]:
    """These frames of a clip."""
    with av.open(str(clip)) as container:
        return [frame.to_image() for number, frame in enumerate(container.decode(video=0)) if number in wanted]


def edge_is_empty(frame: Image.Image) -> bool:
    """Whether the outer part has the background's colour. Encoders ring a little around what is beside it."""
    pixels = np.asarray(frame).astype(int)
    height, width = pixels.shape[:2]
    inner = np.ones((height, width), bool)
    y, x = max(1, int(height * EDGE)), max(1, int(width * EDGE))
    inner[y:-y, x:-x] = False
    edge = pixels[inner]
    return bool((np.abs(edge - np.median(edge, axis=0)).max(axis=1) <= 24).all())


def main() -> int:
    """Draws; the exit code."""
    chalkreel, layers, out = (Path(argument).resolve() for argument in sys.argv[1:4])
    size, wanted = SHAPES[sys.argv[4]], sys.argv[5:]
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    gallery = Gallery(chalkreel, layers, out, size)
    paths = sorted(path for pattern in DOCUMENTS for path in FIXTURES.glob(pattern) if path.suffix in (".md", ".json", ".py"))
    try:
        for path in paths:
            if not wanted or any(part in path.name for part in wanted):
                print(path.name, flush=True)
                gallery.document(path)
    finally:
        gallery.close()
    (out / "use.json").write_text(json.dumps(gallery.use, indent=1))
    print("\n".join(summary(gallery.use)) if gallery.use else "")
    for fault in gallery.faults:
        print(f"gallery: {fault}", file=sys.stderr)
    names = ("scenes", "frames", "overlaps", "outside", "too_small", "too_short", "too_short_as_authored")
    seen = {name: gallery.seen[name] for name in names}
    print(" ".join(f"{name} {count}" for name, count in seen.items()), f"in {out}")
    return 1 if gallery.faults else 0


if __name__ == "__main__":
    sys.exit(main())
