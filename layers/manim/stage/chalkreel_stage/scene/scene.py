"""One storyboard scene: beats → pages → steps → frames.

All beats are known before the first frame is drawn, so pages are planned first. Then each beat's movements get
their share of the beat's frames: never more than there are, and what is left is held still.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

from .. import theme
from ..elements.maker import Maker
from ..frames.canvas import Canvas
from ..frames.clip import Clip
from ..frames.fullness import Fullest
from ..frames.ledger import Ledger
from ..frames.stills import Stills
from ..layout.blocks import Act, Block, Part
from ..screen.highlights import Marker
from ..screen.pointing import Pointer, name_of
from ..screen.reading import Reading
from ..screen.screen import Screen
from ..screen.shown import Shown
from ..screen.use import Use, orphans
from ..storyboard.reader import read_scene
from ..storyboard.types import (
    ActionCase,
    Beat,
    Camera,
    CameraChangeCase,
    Element,
    Highlight,
    Move,
    SceneKindCase,
    Transform,
)
from ..typesetting.typesetter import Typesetter
from .balance import Offset, offsets
from .heading import heading
from .logo import logo
from .plan import planned
from .steps import Operation, Step, Timing, entering, leaving, merged, play

FADE_S = 0.3
"""Length of the fade at the end of a scene, in seconds; never more than a third of the last beat."""

ASIDE_S = 0.6
"""Length of the movement by which a page makes room for what comes, in seconds."""

UNHIGHLIGHT_S = 0.25
"""Length of the fade by which the highlights of a beat go when the next beat begins, in seconds."""


class Scene:
    """Renders one scene."""

    def __init__(self, request: dict[str, Any], setter: Typesetter, wrote: Callable[[int], None]) -> None:
        """`request` as in the protocol's `render`; `wrote` is told the frames so far.

        Raises StoryboardError when the scene is not as its types say, ValueError when the request is none.
        """
        self.warnings: list[str] = []
        self._scene = read_scene(request["scene"], self.warnings)
        if isinstance(self._scene.kind, SceneKindCase):
            raise ValueError(
                "the worker renders no Manim program: chalkreel_stage.program does, in a process of its own"
            )
        self._fps = int(request["fps"])
        self._width, self._height = int(request["width"]), int(request["height"])
        if self._width % 2 or self._height % 2:
            raise ValueError("width and height must be even: the clip is in 4:2:0")
        self._beats = self._scene.beats
        self._frames = [int(beat["frames"]) for beat in request["beats"]]
        if len(self._beats) != len(self._frames):
            raise ValueError(f"{len(self._frames)} beat lengths for {len(self._beats)} beats")
        film = request.get("film", {})
        setter.set_language(str(film.get("language", "en")))
        self._setter = setter
        self._look = theme.of(str(film.get("theme", "dark")), film.get("colours") or {})
        assets = request.get("assets")
        self._assets = {str(k): str(v) for k, v in assets.items()} if isinstance(assets, dict) else {}
        self._logo_path = self._assets.get(str(film.get("logo")))
        self._out = Path(request["out"])
        self._stills = request.get("stills")
        self._wrote = wrote

    def render(self) -> dict[str, Any]:
        """Writes the clip, or stills of it; the fields of the `done` event but for `event` and `id`."""
        began = time.monotonic()
        clip = (
            Clip(self._out, self._width, self._height, self._fps)
            if self._stills is None
            else Stills(self._out, self._stills)
        )
        canvas = Canvas(clip, self._width, self._height, self._fps, self._look.background, self._wrote)
        marker = Marker(self._setter, self._look, canvas.frame_width, canvas.frame_height, self.warnings)
        self._screen = Screen(canvas, self._look, marker, self.warnings)
        actions = [action for beat in self._beats for action in beat.actions]
        card = self._scene.kind in ("title_card", "outro")
        # A card is the title's alone.
        path, words, frame = self._logo_path, self._scene.heading, (canvas.frame_width, canvas.frame_height)
        self._logo, boxes, size = logo(
            None if card else path, words.strip(), frame, self._setter, self._look, self.warnings
        )
        acts, fixed, self._area = heading(
            self._scene.heading.strip(),
            card,
            any(isinstance(action, ActionCase) and action.show for action in actions),
            canvas.frame_width,
            canvas.frame_height,
            self._setter,
            self._look,
            size,
        )
        self._screen.fixed = fixed + boxes
        self._screen.shown = [Shown(None, item, None, item) for item in self._logo]
        canvas.still = canvas.draw(canvas.empty, self._logo)
        orbits = any(isinstance(action, ActionCase) and _orbits(action) for action in actions)
        maker = Maker(self._setter, self._look, self.warnings, self._assets, orbits)
        self._events = planned(self._beats, maker, self._area, card)
        brought = [element for action in actions if isinstance(action, ActionCase) and (element := _brought(action))]
        blocks = [block for blocks in self._events.values() for block in blocks]
        self._screen.reading = Reading(self._screen.audit, self._fps, brought, blocks)
        self._elements = {element.id: element for element in brought}
        pointer = Pointer(self._screen, self._fps, self._elements)
        canvas.overlay = pointer.over
        # An author may want to begin later.
        late = any(isinstance(a, ActionCase) and (e := _brought(a)) and e.timing and e.timing.start_ms for a in actions)
        self._screen.use = Use(self._fps, self._area, bool(acts) and not late, card)
        self._exits: dict[str, str] = {}
        self._page, self._event = -1, -1
        self._balance = {} if card else offsets(self._beats, self._events, self._area)
        self._moved: dict[int, Offset] = {}
        self._number = -1
        # The frame of the clip at which the beat of each action begins.
        begins = accumulate(self._frames[:-1], initial=0)
        self._moments = [at for beat, at in zip(self._beats, begins, strict=True) for _ in beat.actions]
        self._ends = sum(self._frames) - round(FADE_S * self._fps)
        ledger, audits, self._fullest = Ledger(self._frames), [], Fullest()
        for i, beat in enumerate(self._beats):
            steps = [_heading_step(acts)] if i == 0 and acts else []
            steps += self._steps(beat)
            first = canvas.frames
            last = i + 1 == len(self._beats)
            pointer.expect(beat.cues, first, self._frames[i] - (round(FADE_S * self._fps) if last else 0))
            self._beat(merged(steps), self._frames[i], last=last)
            audits.append(self._audited)
            ledger.finish_beat(first, canvas.frames)
        pointer.finish()
        frames = clip.close()
        if frames != ledger.total:
            raise ValueError(f"the clip has {frames} frames, the beats {ledger.total}")
        return {
            "frames": frames,
            "beats": ledger.beats,
            "audit": self._screen.audit.counts(),
            "beat_audits": audits,
            "use": {
                **self._screen.use.report(self._frames, self._heard(), canvas.changes),
                "orphans": orphans(blocks),
            },
            "still": self._fullest.told(),
            # Whoever asks for stills reads the findings one by one.
            **self._told(),
            "render_s": round(time.monotonic() - began, 3),
        }

    def _told(self) -> dict[str, Any]:
        audit = self._screen.audit
        if self._stills is not None:
            return {"warnings": list(dict.fromkeys(self.warnings)), "findings": audit.findings()}
        return {"warnings": list(dict.fromkeys(self.warnings + audit.sentences()))}

    def _heard(self) -> list[int]:
        """For each beat the frames in which its words are heard: what its silence leaves."""
        pauses = [round(beat.pause_ms * self._fps / 1000) for beat in self._beats]
        words = [bool(beat.narration.strip()) for beat in self._beats]
        return [max(f - p, 0) if w else 0 for f, p, w in zip(self._frames, pauses, words, strict=True)]

    def _beat(self, steps: list[Step], frames: int, last: bool) -> None:
        """Writes one beat: exactly `frames` frames."""
        screen, left = self._screen, frames
        if screen.marks:
            going = min(round(UNHIGHLIGHT_S * self._fps), frames // 4)
            screen.clear_highlights(going)
            left -= going
        tail = min(round(FADE_S * self._fps), left // 3) if last else 0
        # One frame is kept, so that each beat ends with all that it brings, however short it is.
        kept = 1 if left - tail > 1 else 0
        play(screen, steps, left - tail - kept, self._fps)
        screen.canvas.hold(kept)
        self._audited = screen.inspect()
        screen.note_use()
        # Near to one element, the camera shows a part of the picture alone.
        if screen.only is None and screen.canvas.frames:
            self._fullest.offer(screen.canvas.frames - 1, screen.canvas.still)
        if last and screen.reading:
            screen.reading.ends(screen.canvas.frames)
        if tail:
            # The logo stands from one scene to the next.
            screen.canvas.dissolve(screen.canvas.draw(screen.canvas.empty, self._logo), tail)

    # Actions → steps

    def _steps(self, beat: Beat) -> list[Step]:
        steps: list[Step] = []
        # What comes when it is spoken of waits for nothing else, and nothing else waits for it.
        waiting: list[Step] = []
        stays = all(isinstance(action, ActionCase) and action.show for action in beat.actions)
        self._cues = beat.cues
        self._number += 1
        for action in beat.actions:
            self._event += 1
            match action:
                case "clear":
                    steps.append(Step(0.0, [leaving(None, dict(self._exits))]))
                case ActionCase(remove=str(name)):
                    steps.append(Step(0.0, [leaving(name, dict(self._exits))]))
                case ActionCase(show=Element() as element):
                    entrances = self._show(element)
                    steps += [step for step in entrances if not (stays and step.spoken)]
                    waiting += [step for step in entrances if stays and step.spoken]
                case ActionCase(transform=Transform() as change):
                    steps += self._transform(change)
                case ActionCase(highlight=Highlight() as highlight):
                    steps += self._highlight(highlight)
                case ActionCase(dim=str(name)):
                    steps.append(Step(8.0, [self._dim(name)]))
                case ActionCase(move=Move() as move):
                    steps.append(self._move(move))
                case ActionCase(camera=Camera() as camera):
                    steps.append(self._camera(camera))
        return steps + waiting

    def _show(self, element: Element) -> list[Step]:
        timing = Timing.of(element.timing)
        self._exits[element.id] = timing.exit
        return self._entrances(self._events.get(self._event, []), timing)

    def _entrances(self, blocks: list[Block], timing: Timing) -> list[Step]:
        exits = dict(self._exits)
        steps = self._room_for(blocks)
        asides = len(steps)
        whole = sum(act.seconds for block in blocks for part in block.placed().parts for act in part.acts) or 1.0
        for block in blocks:
            if self._page not in (-1, block.page):
                steps.append(
                    Step(0.0, [leaving(None, exits)], timing.start if len(steps) == asides else None, turns=True)
                )
            self._page = block.page
            for part in block.placed().parts:
                operations = [entering(block, act, timing, part.key, act.seconds / whole) for act in part.acts]
                start = timing.start if not any(step.start is not None for step in steps) else None
                first = part is block.placed().parts[0]
                latest, need = (self._latest(block), self._need(block)) if first else (None, 0)
                reveal, point = self._spoken(block, part)
                if reveal is not None:
                    limit = self._latest(block)
                    start = reveal if limit is None else min(reveal, limit / self._fps)
                elif point is not None:
                    # What is pointed at has come before.
                    come = math.floor((point - sum(act.seconds for act in part.acts)) * self._fps)
                    latest = max(come if latest is None else min(come, latest), 0)
                steps.append(Step(part.weight, operations, start, latest=latest, spoken=reveal is not None, need=need))
        # What comes between two things that wait for their words waits for the first of them.
        for before, step in pairwise(steps):
            step.spoken = step.spoken or (before.spoken and step.start is None)
        # What must be there to be read comes before what follows it.
        for later, step in pairwise(reversed(steps)):
            if later.spoken and step.spoken and later.start is not None and step.start is not None:
                limit = later.start - sum(operation.seconds for operation in step.operations)
                step.start = max(min(step.start, limit), 0.0)
        return steps

    def _spoken(self, block: Block, part: Part) -> tuple[float | None, float | None]:
        """Seconds after the beat's start at which a part is to come, and at which it is first pointed at, if it is."""
        element = self._elements.get(block.element)
        cues = [cue for cue in self._cues if cue.target == block.element and cue.start_ms is not None]
        if not cues or element is None:
            return None, None
        name = name_of(element, block, part)
        starts = {
            kind: min(
                (
                    cue.start_ms / 1000
                    for cue in cues
                    # A part without a name of its own may hold any of those that are spoken of.
                    if cue.kind == kind and cue.start_ms is not None and _is_of(cue.part or "", name)
                ),
                default=None,
            )
            for kind in ("reveal", "point")
        }
        return starts["reveal"] if name else None, starts["point"]

    def _room_for(self, blocks: list[Block]) -> list[Step]:
        """What is on the page moves aside for blocks that come to it, which are put where they come."""
        steps: list[Step] = []
        for page in dict.fromkeys(block.page for block in blocks):
            before, to = self._moved.get(page), self._balance.get((self._number, page), (0.0, 0.0))
            self._moved[page] = to
            for block in blocks:
                if block.page == page:
                    block.shift(*to)
            if before not in (None, to):
                right, up = to[0] - before[0], to[1] - before[1]
                steps.append(Step(0.0, [_aside(right, up)]))
        return steps

    def _latest(self, block: Block) -> int | None:
        """The frame of the present beat by which a block must begin to come, if it goes with a later beat."""
        until = block.piece.until if block.piece else None
        goes = self._ends if until is None or until >= len(self._moments) else self._moments[until]
        now = self._moments[self._event]
        if goes <= now or self._screen.reading is None:
            return None
        return max(goes - now - self._need(block), 0)

    def _need(self, block: Block) -> int:
        """Frames that a block must stand to be read."""
        return math.ceil(self._screen.reading.need(block) * self._fps) if self._screen.reading else 0

    def _transform(self, change: Transform) -> list[Step]:
        """The blocks on the present page come out of what is there; what is new in them enters after that."""
        element, old = change.into, change.from_
        timing = Timing.of(element.timing)
        self._exits[element.id] = timing.exit
        blocks = self._events.get(self._event, [])
        here = [block for block in blocks if block.page == self._page]
        if not here:
            return self._entrances(blocks, timing)
        aside = self._room_for(here)
        later = [block for block in blocks if block.page != self._page]
        rest: list[Operation] = []
        seconds = 1.1 if timing.seconds is None else timing.seconds

        def run(screen: Screen, count: int) -> None:
            if not screen.of(old):
                for block in here:
                    for part in block.placed().parts:
                        for act in part.acts:
                            screen.enter(block, act, 0, timing.rate_of_entering, part.key)
                screen.canvas.hold(count)
                return
            first = screen.canvas.frames
            kept = _kept(screen, old, here)
            part = count if not kept else min(count, round(0.3 * self._fps))
            fresh = screen.become(old, here, part, timing.rate_of_entering)
            left = count - (screen.canvas.frames - first)
            whole = sum(act.seconds for _, act, _ in fresh) or 1.0
            for block, act, key in fresh:
                share = min(left - (screen.canvas.frames - first - part), round(left * act.seconds / whole))
                entering(block, act, timing, key).run(screen, max(share, 0))
            screen.canvas.hold(count - (screen.canvas.frames - first))

        rest.append(Operation(seconds, run, enters=True))
        weight = sum(part.weight for block in here for part in block.placed().parts)
        return [*aside, Step(max(weight, 10.0), rest, timing.start), *self._entrances(later, timing)]

    def _highlight(self, highlight: Highlight) -> list[Step]:
        timing = Timing.of(highlight.timing)
        target, part, colour = highlight.target, highlight.part, highlight.colour
        rate = timing.rate_of_entering
        point = Operation(0.45, lambda screen, count: screen.highlight(target, part, colour, count, rate))
        operations = [point]
        if timing.seconds is not None and timing.seconds > 1.0:
            operations.append(Operation(timing.seconds - 0.8, lambda screen, count: screen.canvas.hold(count)))
            operations.append(Operation(0.35, lambda screen, count: screen.clear_highlights(count)))
        return [Step(14.0, operations, timing.start)]

    @staticmethod
    def _dim(target: str) -> Operation:
        rate = Timing().rate
        return Operation(0.4, lambda screen, count: screen.dim(target, count, rate))

    def _move(self, move: Move) -> Step:
        timing, target, event = Timing.of(move.timing), move.target, self._event

        def run(screen: Screen, count: int) -> None:
            page = {block.page for block in screen.blocks(target)}
            taken = [
                block
                for blocks in self._events.values()
                for block in blocks
                if block.element != target and block.page in page and (block.piece is None or block.piece.until > event)
            ]
            screen.move(target, move.to, taken, self._area, count, timing.rate)

        return Step(14.0, [Operation(timing.seconds or 0.9, run)], timing.start)

    @staticmethod
    def _camera(camera: Camera) -> Step:
        timing = Timing.of(camera.timing)
        rate = timing.rate
        match camera.change:
            case CameraChangeCase(zoom_to=str(target)):
                seconds = timing.seconds or 1.1
                operation = Operation(seconds, lambda screen, count: screen.zoom(target, count, rate))
            case CameraChangeCase(orbit=float(degrees)):
                seconds = timing.seconds or min(max(abs(degrees) / 40.0, 1.5), 6.0)
                operation = Operation(seconds, lambda screen, count: screen.orbit(degrees, count, rate))
            case _:
                operation = Operation(timing.seconds or 0.9, lambda screen, count: screen.back(count, rate))
        return Step(20.0, [operation], timing.start)


def _brought(action: ActionCase) -> Element | None:
    """The element that it brings."""
    return action.show or (action.transform.into if action.transform else None)


def _orbits(action: ActionCase) -> bool:
    """Whether it sends the camera round a space."""
    change = action.camera.change if action.camera else None
    return isinstance(change, CameraChangeCase) and change.orbit is not None


def _is_of(wanted: str, name: str) -> bool:
    """Whether a cue's part is the one of that name, or stands in it: a cell in its row."""
    return not name or wanted == name or (name.startswith("row ") and wanted.startswith(f"cell {name[4:]} "))


def _heading_step(acts: list[Act]) -> Step:
    return Step(0.0, [entering(None, act, Timing()) for act in acts])


def _aside(right: float, up: float) -> Operation:
    return Operation(
        ASIDE_S, lambda screen, count: screen.aside(right, up, count), lambda screen: not screen.leaving(None)
    )


def _kept(screen: Screen, old: str, blocks: list[Block]) -> bool:
    had = {s.key for s in screen.of(old) if s.key}
    return any(part.key in had for block in blocks for part in block.placed().parts)
