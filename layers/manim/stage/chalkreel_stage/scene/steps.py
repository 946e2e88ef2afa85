"""What happens in a beat: operations on the screen, in steps that share the beat's frames."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate, pairwise

from manim.utils.rate_functions import ease_in_sine, ease_out_sine, linear, smooth, there_and_back

from ..frames.canvas import Rate
from ..frames.ledger import slots
from ..layout.blocks import Act, Block, Kind
from ..screen.screen import Screen
from ..storyboard import types

RATES: dict[str, Rate] = {
    "linear": linear,
    "ease-in": ease_in_sine,
    "ease-out": ease_out_sine,
    "smooth": smooth,
    "there-and-back": there_and_back,
}

ENTRANCES: dict[str, Kind] = {
    "write": "write",
    "create": "create",
    "fade": "dissolve",
    "grow": "grow",
    "slide": "slide",
    "none": "none",
}

HURRY = 0.5
"""Of its length, what a movement takes at least when what comes after it would go before it can be read."""

LEAVE_S = 0.35
"""Length of the transition that clears a page, in seconds."""


@dataclass
class Operation:
    """Something that happens to the screen, and how long it takes when there is time."""

    seconds: float
    run: Callable[[Screen, int], None]
    idle: Callable[[Screen], bool] = lambda screen: False
    """Whether there is nothing to do, so that no time is spent on it."""
    enters: bool = False


@dataclass
class Step:
    """Operations that share a slot of the beat."""

    weight: float
    operations: list[Operation] = field(default_factory=list)
    start: float | None = None
    """Wanted seconds after the beat's start; none means in its turn."""
    lead: list[Operation] = field(default_factory=list)
    """Its first operations, before what it is for: a heading comes, a page goes. They take none of its share."""
    latest: int | None = None
    """The frame of the beat by which it begins, so that what it brings can be read before it goes."""
    turns: bool = False
    """Whether a page goes at its beginning, which has to be read before."""
    spoken: bool = False
    """Whether it waits for the words that speak of what it brings."""
    need: int = 0
    """Frames that what it brings must stand to be read."""


@dataclass(frozen=True)
class Timing:
    """When something happens inside its beat, and how."""

    start: float | None = None
    seconds: float | None = None
    easing: str | None = None
    entrance: Kind | None = None
    exit: str = "fade"

    @staticmethod
    def of(timing: types.Timing | None) -> Timing:
        """From the storyboard."""
        if timing is None:
            return Timing()
        return Timing(
            None if timing.start_ms is None else timing.start_ms / 1000,
            None if timing.duration_ms is None else timing.duration_ms / 1000,
            timing.easing,
            ENTRANCES[timing.entrance] if timing.entrance else None,
            timing.exit or "fade",
        )

    @property
    def rate(self) -> Rate:
        """How it moves."""
        return RATES[self.easing or "smooth"]

    @property
    def rate_of_entering(self) -> Rate:
        """As `rate`, but what enters stays."""
        return smooth if self.easing == "there-and-back" else self.rate


def entering(block: Block | None, act: Act, timing: Timing, key: str = "", share: float = 1.0) -> Operation:
    """An act enters; `share` is its part of the element's whole length."""
    act = replace(act, kind=timing.entrance or act.kind)
    seconds = 0.0 if act.kind == "none" else act.seconds if timing.seconds is None else timing.seconds * share
    rate = timing.rate_of_entering
    return Operation(seconds, lambda screen, count: screen.enter(block, act, count, rate, key), enters=True)


def leaving(element: str | None, exits: Mapping[str, str]) -> Operation:
    """Elements go: that one, or everything but the heading; `exits` says how where it isn't by fading."""

    def run(screen: Screen, count: int) -> None:
        if element is None:
            # A page that goes within a beat is audited while it is whole.
            screen.inspect()
        screen.leave(element, count, exits)

    return Operation(LEAVE_S, run, lambda screen: not screen.leaving(element))


def play(screen: Screen, steps: list[Step], frames: int, fps: int) -> None:
    """Writes exactly `frames` frames."""
    groups: list[list[Step]] = [[]]
    for step in sorted(_with_starts(steps), key=lambda s: s.start or 0.0):
        last = groups[-1]
        if step.start is not None and (not last or step.start - (last[0].start or 0.0) > 0.1):
            groups.append([step])
        else:
            last.append(step)
    groups = [group for group in groups if group]
    if not groups:
        screen.canvas.hold(frames)
        return
    needs = [sum(round(o.seconds * fps) for s in group for o in s.operations) for group in groups]
    edges = [frames]
    for group, need in zip(groups[::-1], needs[::-1], strict=True):
        # As wanted, but not so late that there is no time left for it.
        wanted = round((group[0].start or 0.0) * fps)
        edges.append(max(0, min(wanted, edges[-1] - min(need, edges[-1]))))
    edges = edges[::-1]
    screen.canvas.hold(edges[0])
    for group, start, end in zip(groups, edges[:-1], edges[1:], strict=True):
        timed = group[0].start is not None
        _group(screen, group, end - start, fps, packed=timed)


def _with_starts(steps: Sequence[Step]) -> list[Step]:
    """A step without a start of its own comes right after the one before it."""
    out: list[Step] = []
    for step in steps:
        if step.start is None and out and out[-1].start is not None:
            step = replace(step, start=out[-1].start)
        out.append(step)
    return out


def _group(screen: Screen, steps: list[Step], frames: int, fps: int, packed: bool) -> None:
    """Steps in a row. Packed: one right after another, then still; else each with its share of the time."""
    if packed:
        steps = [Step(1.0, [operation for step in steps for operation in step.operations])]
    # Whether there is nothing to do is known of the first step alone.
    moving = [[o for o in step.lead if step is not steps[0] or not o.idle(screen)] for step in steps]
    leads = [round(sum(operation.seconds for operation in lead) * fps) for lead in moving]
    if sum(leads) > frames // 2:
        leads = [0] * len(steps)
    shares = shared(steps, frames - sum(leads))
    slotted = [lead + share for lead, share in zip(leads, shares, strict=True)]
    for step, slot in zip(steps, in_time(steps, slotted, fps), strict=True):
        entered = False
        wanted = []
        for operation in step.operations:
            idle = not entered and operation.idle(screen)
            wanted.append(0.0 if idle else operation.seconds)
            entered = entered or operation.enters
        moving = min(slot, round(sum(wanted) * fps))
        for operation, count in zip(step.operations, slots(moving, wanted), strict=True):
            before = screen.canvas.frames
            operation.run(screen, count)
            # An operation that had nothing to do leaves its frames.
            screen.canvas.hold(count - (screen.canvas.frames - before))
        screen.canvas.hold(slot - moving)


def shared(steps: Sequence[Step], frames: int) -> list[int]:
    """The frames of each step: those of a page by what it takes to read, and on a page by the steps' weights."""
    pages: list[list[Step]] = []
    for step in steps:
        if step.turns or not pages:
            pages.append([])
        pages[-1].append(step)
    needs = [float(sum(step.need for step in page)) for page in pages]
    if not all(needs):
        needs = [sum(step.weight for step in page) for page in pages]
    parts = zip(pages, slots(frames, needs), strict=True)
    return [share for page, part in parts for share in slots(part, [step.weight for step in page])]


def in_time(steps: Sequence[Step], slotted: Sequence[int], fps: int) -> list[int]:
    """The slots, with each step moved forward as far as it must be, and as the movements before it allow."""
    starts = [0, *accumulate(slotted)]
    earliest = [0]
    turns = [i for i, step in enumerate(steps) if step.turns]
    goes = [starts[next((turn for turn in turns if turn > i), len(steps))] for i in range(len(steps))]
    for before, step, start in zip(steps[:-1], steps[1:], starts[1:-1], strict=True):
        moved = earliest[-1] + round(HURRY * sum(o.seconds for o in before.operations) * fps)
        earliest.append(start if step.turns else min(moved, start))
    for i in range(len(steps) - 1, 0, -1):
        latest = steps[i].latest
        if goes[i] < starts[-1]:
            # Its page goes within the beat.
            latest = min(goes[i] - steps[i].need, goes[i] if latest is None else latest)
        if latest is not None:
            # What it brings comes after its own lead.
            latest -= round(sum(o.seconds for o in steps[i].lead) * fps)
            starts[i] = min(starts[i], max(latest, earliest[i]))
        starts[i] = max(min(starts[i], starts[i + 1]), earliest[i])
    return [after - before for before, after in pairwise(starts)]


def merged(steps: Sequence[Step]) -> list[Step]:
    """Steps without a weight of their own join the next."""
    out: list[Step] = []
    waiting: list[Operation] = []
    turns = False
    for step in steps:
        if step.weight > 0:
            if waiting and step.start is not None:
                # What has no time of its own doesn't wait for what has one.
                out.append(Step(1.0, waiting))
                waiting = []
            out.append(replace(step, operations=waiting + step.operations, lead=waiting, turns=turns))
            waiting, turns = [], False
        else:
            waiting = waiting + step.operations
            turns = turns or step.turns
    if waiting:
        out.append(Step(1.0, waiting))
    return out
