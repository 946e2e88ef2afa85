"""What is on screen, and everything that can happen to it: the picture always shows the list that is kept here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from manim import Create, Mobject, VGroup, VMobject, Write
from manim.utils.rate_functions import smooth

from .. import theme
from ..audit import Audit, Box
from ..elements.space import SpaceView
from ..frames.canvas import Canvas, Moving, Path, Rate, View
from ..frames.painting import faded
from ..layout.blocks import Act, Area, Block
from ..layout.placement import Rect, nearest, wanted
from ..storyboard.types import Placement
from ..typesetting.outlines import lines
from .contrast import Contrast
from .highlights import Mark, Marker
from .morph import morph, revise
from .reading import Reading
from .shown import Shown
from .use import Use

DIMMED = 0.28
"""Opacity of dimmed elements: still legible, clearly in the background."""

RECEDED = 0.5
"""Opacity of a line of a derivation once the next one has come out of it."""

SLIDE = 0.4
"""Distance of the slide by which an element enters or leaves, in frame units: less than the margin of the frame."""

OUT: dict[str, Path] = {
    "fade": lambda p: (1.0, 0.0, 0.0, 1 - p),
    "shrink": lambda p: (1 - 0.8 * p, 0.0, 0.0, 1 - p),
    "slide": lambda p: (1.0, SLIDE * p, 0.0, 1 - p),
}
"""Ways in which elements go."""

CLOSEST = 3.0
"""Largest zoom."""


@dataclass
class Screen:
    """The scene's screen. Each method writes the number of frames it is given, and leaves the picture right."""

    canvas: Canvas
    look: theme.Theme
    marker: Marker
    warnings: list[str]
    audit: Audit = field(default_factory=Audit)
    contrast: Contrast = field(default_factory=Contrast)
    fixed: list[Box] = field(default_factory=list)
    """Boxes of the heading."""
    shown: list[Shown] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    reading: Reading | None = None
    """Notes how long things stand."""
    use: Use | None = None
    """Notes how the screen is used."""
    only: str | None = None
    """The element that fills the frame, when the camera is near one."""
    known: set[str] = field(default_factory=set)
    """Elements that were ever shown."""

    def of(self, element: str) -> list[Shown]:
        """What is on screen of an element."""
        return [s for s in self.shown if s.element == element]

    def blocks(self, element: str | None = None) -> list[Block]:
        """Blocks on screen, of one element or of all."""
        found = {id(s.block): s.block for s in self.shown if s.block and element in (None, s.element)}
        return list(found.values())

    def picture(self, without: Sequence[Shown] = ()) -> np.ndarray:
        """The whole picture drawn anew, marks behind what they mark."""
        items: list[Mobject] = []
        for s in self.shown:
            if s in without or (self.only is not None and s.element != self.only):
                continue
            items += [mark.mobject for mark in self.marks if mark.before is s]
            items.append(s.mobject)
        items += [mark.mobject for mark in self.marks if mark.before is None and self.only in (None, mark.element)]
        return self.canvas.draw(self.canvas.empty, items)

    # Entering and leaving

    def enter(self, block: Block | None, act: Act, count: int, rate: Rate, key: str = "") -> None:
        """An act of a block, or of the heading, begins to stand."""
        if self.only is not None:
            part = count // 3
            self.back(part, rate)
            count -= part
        element = block.element if block else None
        if element is not None:
            self.known.add(element)
        canvas, item = self.canvas, act.mobject
        if self.reading and block:
            self.reading.comes(block, canvas.frames)
        if self.use and block:
            self.use.comes(block, canvas.frames)
        new = Shown(element, item, block, item, key, act.lines, complete=False)
        before = next((s for s in self.shown if block and block.follows and s.block is block.follows), None)
        if before is not None and act.kind in ("write", "uncover") and _glyphs(item) and _glyphs(before.undimmed):
            self._derive(before, new, count, rate)
            new.complete = True
            return
        if act.under:
            first = next((i for i, s in enumerate(self.shown) if s.block is block), len(self.shown))
            self.shown.insert(first, new)
            canvas.uncover(self.picture(), lines(item), count, rate)
            new.complete = True
            return
        self.shown.append(new)
        if act.kind in ("write", "create") and isinstance(item, VMobject):
            how = Write if act.kind == "write" else Create
            canvas.animate([how(item, rate_func=rate)], count)
        elif act.kind in ("uncover", "write", "create"):
            canvas.uncover(canvas.draw(canvas.still, [item]), lines(item), count, rate)
        elif act.kind in ("grow", "slide") and count > 1:
            after, layer = canvas.draw(canvas.still, [item]), canvas.layer([item])
            growing = act.kind == "grow"

            def path(p: float) -> tuple[float, float, float, float]:
                return (0.3 + 0.7 * p, 0.0, 0.0, p) if growing else (1.0, -SLIDE * (1 - p), 0.0, p)

            canvas.glide(canvas.still, [Moving(layer, middle(item), path)], after, count, rate)
        elif act.kind == "none":
            canvas.still = canvas.draw(canvas.still, [item])
            canvas.hold(count)
        else:
            canvas.dissolve(canvas.draw(canvas.still, [item]), count, rate)
        new.complete = True

    def leaving(self, element: str | None) -> list[Shown]:
        """What goes when that element is removed; none means everything but the heading."""
        return [s for s in self.shown if s.element is not None and element in (None, s.element)]

    def leave(self, element: str | None, count: int, exits: Mapping[str, str]) -> None:
        """Elements go, each in its own way: `fade` where `exits` has none."""
        going = self.leaving(element)
        if not going:
            if element is not None and element not in self.known:
                self.warnings.append(f"element {element} can't be removed: it was never shown")
            return
        canvas = self.canvas
        if self.only is not None and element in (None, self.only):
            self.only, canvas_view = None, View()
            names = {s.element for s in going}
            self._drop(going, names)
            canvas.view = canvas_view
            canvas.dissolve(self.picture(), count)
            return
        ways = {str(s.element): exits.get(str(s.element), "fade") for s in going}
        moving = self._moving(going, ways) if count > 1 else []
        self._drop(going, {s.element for s in going})
        after = self.picture()
        if set(ways.values()) == {"fade"}:
            canvas.dissolve(after, count)
        else:
            canvas.glide(after, moving, after, count)

    def _moving(self, going: list[Shown], ways: dict[str, str]) -> list[Moving]:
        """What is seen of elements while they go; what goes at once is not."""
        moving = []
        for element, how in ways.items():
            if how in OUT:
                mine = [s.mobject for s in going if s.element == element]
                moving.append(Moving(self.canvas.layer(mine), middle(*mine), OUT[how]))
        return moving

    def _drop(self, going: list[Shown], names: set[str | None], follows: bool = False) -> None:
        """`follows` says that something else takes their place at once."""
        if self.reading:
            self.reading.goes([s.block for s in going], self.canvas.frames)
        self.shown = [s for s in self.shown if s not in going]
        if self.use and not follows and not any(s.element for s in self.shown):
            self.use.empties(self.canvas.frames)
        self.marks = [mark for mark in self.marks if mark.element not in names]

    def become(self, old: str, blocks: list[Block], count: int, rate: Rate) -> list[tuple[Block, Act, str]]:
        """An element turns into blocks; what of them is new and still has to enter is given back.

        Parts that both have stay as they are. Formulas keep the glyphs that both have and move them.
        """
        canvas, going = self.canvas, self.of(old)
        parts = [(block, part) for block in blocks for part in block.placed().parts]
        had = {s.key for s in going if s.key}
        # What is new among the first parts goes over with them, or it would come to lie on top of what stays.
        last = max((i for i, (_, part) in enumerate(parts) if part.key and part.key in had), default=-1)
        kept = parts[: last + 1]
        at = self.shown.index(going[0]) if going else len(self.shown)
        for block in blocks:
            self.known.add(block.element)
            if self.reading:
                self.reading.comes(block, canvas.frames)
            if self.use:
                self.use.comes(block, canvas.frames)
        fresh = [
            Shown(block.element, act.mobject, block, act.mobject, part.key, act.lines, complete=False)
            for block, part in (kept or parts)
            for act in part.acts
        ]
        _look_on(going, fresh)
        formulas = (
            not kept and len(going) == len(fresh) == 1 and _glyphs(going[0].mobject) and _glyphs(fresh[0].mobject)
        )
        texts = not kept and _program(going) is not None and _program(fresh) is not None
        base = self.picture(without=going) if formulas or texts else None
        if self.only == old and blocks:
            self.only = blocks[0].element
        self._drop(going, {old}, follows=True)
        self.shown[at:at] = fresh
        after = self.picture()
        if base is not None and texts:
            revise(canvas, base, going, fresh, after, count, rate)
        elif base is not None:
            morph(canvas, base, going[0].mobject, fresh[0].mobject, after, count, rate)
        else:
            canvas.dissolve(after, count, rate)
        for s in fresh:
            s.complete = True
        known = {id(part) for _, part in kept}
        if not kept:
            return []
        return [(block, act, part.key) for block, part in parts if id(part) not in known for act in part.acts]

    def _derive(self, before: Shown, new: Shown, count: int, rate: Rate) -> None:
        """A formula comes out of the one before it, which stays and recedes."""
        canvas, part = self.canvas, max(count - round(0.3 * count), 1)
        base = self.picture()
        self.shown.append(new)
        assert isinstance(before.undimmed, VGroup) and isinstance(new.mobject, VGroup)
        morph(canvas, base, before.undimmed, new.mobject, self.picture(), min(part, count), rate, keeps=True)
        before.mobject = faded(before.undimmed, RECEDED)
        canvas.dissolve(self.picture(), max(count - part, 0), rate)

    # Highlighting and dimming

    def highlight(self, element: str, part: str | None, colour: str | None, count: int, rate: Rate) -> None:
        """Highlights an element, or a part of it, until `clear_highlights`."""
        mine = self.of(element)
        if not mine:
            self._absent("highlight", element)
            self.canvas.hold(count)
            return
        for s in mine:
            s.mobject = s.undimmed
        others = [box for b in self.blocks() if b.element != element for box in b.placed().boxes] + self.fixed
        shade = theme.legible(colour, self.look)
        self.marks += self.marker.marks(element, part, shade, mine, self.blocks(element), others)
        self.canvas.dissolve(self.picture(), count, rate)

    def clear_highlights(self, count: int) -> None:
        """Removes all highlights."""
        self.marks = []
        self.canvas.dissolve(self.picture(), count)

    def dim(self, element: str, count: int, rate: Rate) -> None:
        """Lowers the opacity of an element, so that it recedes."""
        mine = self.of(element)
        if not mine:
            self._absent("dim", element)
        for s in mine:
            s.mobject = faded(s.undimmed, DIMMED)
        self.marks = [mark for mark in self.marks if mark.element != element]
        self.canvas.dissolve(self.picture(), count, rate)

    # Moving

    def move(self, element: str, to: Placement, taken: list[Block], area: Area, count: int, rate: Rate) -> None:
        """An element goes to the free place nearest to the wanted one; `taken` are the blocks it must not cover."""
        mine, blocks = self.of(element), self.blocks(element)
        if not mine:
            self._absent("move", element)
            self.canvas.hold(count)
            return
        left, top = min(b.x for b in blocks), max(b.y for b in blocks)
        width = max(b.x + b.width for b in blocks) - left
        height = top - min(b.y - b.height for b in blocks)
        x, y = wanted(to, width, height, area, self.canvas.frame_width)
        spot = nearest(Rect(x, y, width, height), [Rect(b.x, b.y, b.width, b.height) for b in taken], area)
        if spot is None:
            self.warnings.append(f"element {element} is not moved: there is no free place for it")
            self.canvas.hold(count)
            return
        right, up = spot[0] - left, spot[1] - top
        self.marks = [mark for mark in self.marks if mark.element != element]
        canvas, base = self.canvas, self.picture(without=mine)
        layer = canvas.layer([s.mobject for s in mine])
        if rate(1.0) > 0.5:
            for block in blocks:
                block.shift(right, up)
            for s in mine:
                if s.mobject is not s.undimmed:
                    s.mobject.shift([right, up, 0.0])
        after = self.picture()
        way = Moving(layer, (0.0, 0.0), lambda p: (1.0, right * p, up * p, 1.0))
        canvas.glide(base, [way], after, count, rate)

    def aside(self, right: float, up: float, count: int, rate: Rate = smooth) -> None:
        """Everything but the heading moves, with its highlights, to make room for what comes."""
        mine, marks = [s for s in self.shown if s.element is not None], self.marks
        self.marks = []
        base = self.picture(without=mine)
        behind = {id(s): [mark.mobject for mark in marks if mark.before is s] for s in mine}
        items = [item for s in mine for item in (*behind[id(s)], s.mobject)]
        layer = self.canvas.layer([*items, *(mark.mobject for mark in marks if mark.before is None)])
        for block in self.blocks():
            block.shift(right, up)
        for s in mine:
            if s.mobject is not s.undimmed:
                s.mobject.shift([right, up, 0.0])
        for mark in marks:
            mark.mobject.shift([right, up, 0.0])
            mark.boxes = [box.shifted(right, up) for box in mark.boxes]
        self.marks = marks
        way = Moving(layer, (0.0, 0.0), lambda p: (1.0, right * p, up * p, 1.0))
        self.canvas.glide(base, [way], self.picture(), count, rate)

    # The camera

    def zoom(self, element: str, count: int, rate: Rate) -> None:
        """An element fills the frame; everything else is out of sight."""
        boxes = [box for block in self.blocks(element) for box in block.placed().boxes]
        if not boxes:
            self._absent("zoom to", element)
            self.canvas.hold(count)
            return
        left, right = min(b.left for b in boxes), max(b.right for b in boxes)
        bottom, top = min(b.bottom for b in boxes), max(b.top for b in boxes)
        inner = 1 - 2 * theme.MARGIN
        near = min(
            inner * self.canvas.frame_width / max(right - left, 0.1),
            inner * self.canvas.frame_height / max(top - bottom, 0.1),
            CLOSEST,
        )
        view = View((left + right) / 2, (bottom + top) / 2, max(near, 1.0))
        if rate(1.0) < 0.5:
            self._travel(element, view, count // 2, lambda t: rate(t / 2))
            self.back(count - count // 2, lambda t: 1 - rate(0.5 + t / 2))
        else:
            self._travel(element, view, count, rate)

    def back(self, count: int, rate: Rate) -> None:
        """The whole frame again."""
        if self.only is None:
            self.canvas.hold(count)
        else:
            self._travel(None, View(), count, rate)

    def _travel(self, only: str | None, view: View, count: int, rate: Rate) -> None:
        start, self.only = self.canvas.view, only
        self.canvas.view = view
        after = self.picture()
        self.canvas.view = start
        self.canvas.travel(view, after, count, rate)

    def orbit(self, degrees: float, count: int, rate: Rate) -> None:
        """The camera goes round every space on screen."""
        mine = [s for s in self.shown if isinstance(s.mobject, SpaceView)]
        if not mine:
            self.warnings.append("the camera can't go round: no space is on screen")
            self.canvas.hold(count)
            return
        base, views = self.picture(without=mine), [s.mobject for s in mine]
        starts = [view.theta for view in views]
        for i in range(1, count):
            for view, start in zip(views, starts, strict=True):
                view.theta, view.coarse = start + np.deg2rad(degrees) * rate(i / count), True
            self.canvas.show(self.canvas.draw(base, views))
        for s, view, start in zip(mine, views, starts, strict=True):
            view.theta, view.coarse = start + np.deg2rad(degrees) * rate(1.0), False
            s.undimmed.theta = view.theta
        self.canvas.still = self.picture()
        self.canvas.hold(min(count, 1))

    def note_use(self) -> None:
        """Notes how what is on screen uses it, at the end of a beat."""
        if self.use is None:
            return
        self.use.looks([box for block in self.blocks() for box in block.placed().boxes])
        for mark in self.marks:
            if mark.before is None and mark.boxes:
                self.use.framed(mark.boxes[0], self.of(mark.element))

    def inspect(self, pointed: Sequence[Box] = ()) -> dict[str, int]:
        """Audits what is on screen, with the edges of what is pointed at; the counts."""
        boxes = [*pointed, *self.fixed, *(box for block in self.blocks() for box in block.placed().boxes)]
        boxes += [box for mark in self.marks for box in mark.boxes]
        self._compare()
        strokes = [stroke for block in self.blocks() for stroke in block.placed().strokes]
        return self.audit.inspect(boxes, self.canvas.frame_width, strokes, self.canvas.frame_height)

    def _compare(self) -> None:
        """Notes words that don't stand out, but for those of dimmed elements and while the camera is near to one."""
        if self.only is not None:
            return
        canvas = self.canvas
        frame = canvas.frame_width, canvas.frame_height
        for s in self.shown:
            if s.mobject is s.undimmed:
                name = s.element or "the heading"
                self.audit.low_contrast |= set(self.contrast.faint(name, s.mobject, canvas.still, frame))

    def _absent(self, what: str, element: str) -> None:
        why = "is no longer on screen" if element in self.known else "was never shown"
        self.warnings.append(f"no {what}: element {element} {why}")


def _look_on(going: list[Shown], fresh: list[Shown]) -> None:
    """A space that came out of another is seen from where the camera went."""
    old = next((s.mobject for s in going if isinstance(s.mobject, SpaceView)), None)
    for s in fresh:
        if old is not None and isinstance(s.mobject, SpaceView):
            s.mobject.theta += old.turned


def _program(shown: Sequence[Shown]) -> Shown | None:
    """The lines of a program among these."""
    return next((s for s in shown if s.lines), None)


def _glyphs(item: Mobject) -> bool:
    """Whether it is a formula: some glyphs, each a mobject."""
    return isinstance(item, VGroup) and 0 < len(item) <= 120


def middle(*items: Mobject) -> tuple[float, float]:
    """Centre of what has ink."""
    points = [m.points for item in items for m in item.get_family() if len(m.points)]
    if not points:
        return 0.0, 0.0
    low, high = np.min([p.min(axis=0) for p in points], axis=0), np.max([p.max(axis=0) for p in points], axis=0)
    x, y, _ = (low + high) / 2
    return float(x), float(y)
