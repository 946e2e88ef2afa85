"""Storyboard elements → pieces to lay out. What can't be drawn becomes a labelled box and a warning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from .. import theme
from ..layout.blocks import Piece
from ..storyboard import types
from ..storyboard.errors import StoryboardError
from ..storyboard.types import Element, ElementKind, Placement, Style
from ..typesetting.rich_text import FormulaCheck
from ..typesetting.typesetter import Typesetter
from .bullets import Item
from .chart import Chart
from .code import Program, coloured
from .drawing import Drawing
from .equation import Equation
from .graph import Graph
from .image import Image, ImageError
from .number_line import NumberLine
from .panels import Callout, Placeholder
from .plot import Plot
from .space import Space
from .table import Table
from .text import Paragraph

LARGEST, SMALLEST = 3.0, 0.4
"""Bounds of a style's scale; the floor of legibility holds besides."""


@dataclass
class Maker:
    """Makes pieces in one theme; collects warnings."""

    setter: Typesetter
    look: theme.Theme
    warnings: list[str]
    assets: dict[str, str] = field(default_factory=dict)
    """Source of an image as the storyboard names it → absolute path."""
    orbits: bool = False
    """Whether the camera goes round a space in this scene."""

    def __post_init__(self) -> None:
        """Formulas are checked once per scene."""
        self.checked = FormulaCheck(self.setter, self.warnings)

    def pieces(self, element: Element, event: int, centred: bool, family: Sequence[Any] = ()) -> list[Piece]:
        """The pieces of an element, in reading order; `centred` on a card.

        `family` are the contents of all elements of its kind that it came from, its own, and those that it turns into,
        in order of time; none when it stays as it is.
        """
        try:
            pieces = self._pieces(element, event, centred, family)
        except StoryboardError as error:
            kind, look = element.kind.kind, self._styled(element)
            self.warnings.append(f"element {element.id} ({kind}) can't be drawn and is shown as a box: {error}")
            pieces = [Placeholder(element.id, event, kind, "could not be drawn", self.setter, look)]
        style = element.style or Style()
        wanted = element.placement
        placement = wanted if wanted and (wanted.region or wanted.at) else None
        for i, piece in enumerate(pieces):
            piece.part = f"item {i + 1}" if isinstance(piece, Item) else ""
            # On a card, what is said besides follows the title closely.
            piece.placement = placement or (Placement(region="top") if centred else None)
            piece.scale = min(max(1.0 if style.scale is None else style.scale, SMALLEST), LARGEST)
            piece.opacity = min(max(1.0 if style.opacity is None else style.opacity, 0.0), 1.0)
        return pieces

    def _styled(self, element: Element) -> theme.Theme:
        """The theme with the element's own colour in the place of text's, the accent's and the first curve's."""
        style = element.style or Style()
        own = theme.legible(style.colour, self.look, theme.CONTRAST)
        fill = theme.colour(style.fill, self.look)
        look = self.look
        if own:
            look = replace(look, text=own, accent=own, curves=(own, *(c for c in look.curves if c != own)))
        if fill and theme.contrast(fill, look.text) >= theme.CONTRAST:
            look = replace(look, panel=fill)
        return look

    def _pieces(self, element: Element, event: int, centred: bool, family: Sequence[Any]) -> list[Piece]:
        setter, look, checked, warnings = self.setter, self._styled(element), self.checked, self.warnings
        name = element.id
        match element.kind:
            case ElementKind(text=types.RichText(spans=spans)):
                colour = self.look.muted if centred and look is self.look else None
                return [Paragraph(name, event, spans, setter, look, checked, centred, colour)]
            case ElementKind(bullets=types.Bullets(items=items)):
                return [Item(name, event, item, i == 0, setter, look, checked) for i, item in enumerate(items)]
            case ElementKind(equation=types.Equation(formula=formula)):
                return [self._equation(name, event, formula, look)]
            case ElementKind(code=types.Code() as code):
                lines = coloured(code.text, code.language, look)
                return [Program(name, event, lines, setter, look, _marked(code, family))]
            case ElementKind(axes=types.Axes() as axes):
                return [Plot(name, event, axes, setter, look, warnings, family)]
            case ElementKind(placeholder=types.Placeholder(label=label, detail=detail)):
                return [Placeholder(name, event, label, detail, setter, look)]
            case ElementKind(callout=types.RichText(spans=spans)):
                return [Callout(name, event, spans, setter, look, checked)]
            case ElementKind(table=types.Table() as table):
                header = [cell.spans for cell in table.header]
                rows = [[cell.spans for cell in row.cells] for row in table.rows]
                return [Table(name, event, header, rows, list(table.align), setter, look, checked)]
            case ElementKind(image=types.Image() as image):
                return [self._image(name, event, image, look)]
            case ElementKind(number_line=types.NumberLine() as line):
                return [NumberLine(name, event, line, setter, look, warnings)]
            case ElementKind(drawing=types.Drawing() as drawing):
                return [Drawing(name, event, drawing, setter, look, warnings, family)]
            case ElementKind(graph=types.Graph() as graph):
                return [Graph(name, event, graph, setter, look, warnings)]
            case ElementKind(chart=types.Chart() as chart):
                return [Chart(name, event, chart, setter, look, warnings)]
            case ElementKind(space=types.Space() as space):
                return [Space(name, event, space, setter, look, warnings, family, self.orbits)]
        raise AssertionError(f"no code draws an element of kind {element.kind.kind}")

    def _equation(self, name: str, event: int, formula: types.Formula, look: theme.Theme) -> Piece:
        if self.checked.compiles(formula.latex):
            return Equation(name, event, formula.latex, self.setter, look, self.warnings)
        spans = [types.Span(code=formula.latex)]
        return Paragraph(name, event, spans, self.setter, look, self.checked)

    def _image(self, name: str, event: int, image: types.Image, look: theme.Theme) -> Piece:
        path = self.assets.get(image.source)
        try:
            if not path:
                raise ImageError("it was not found")
            return Image(name, event, Path(path), image.caption, self.setter, look)
        except (ImageError, OSError) as error:
            self.warnings.append(f"image {image.source!r} of element {name} is shown by its description: {error}")
            words = image.alt or image.caption or image.source
            return Placeholder(name, event, words, "", self.setter, look)


def _marked(code: types.Code, family: Sequence[types.Code]) -> frozenset[int]:
    """Lines that are marked: those that the author marks, else those that the version before doesn't have."""
    if code.highlighted or not family:
        return frozenset(code.highlighted)
    before = [line.rstrip() for line in family[0].text.splitlines()]
    after = [line.rstrip() for line in code.text.splitlines()]
    kept: set[int] = set()
    for same in SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks():
        kept |= set(range(same.b, same.b + same.size))
    return frozenset(i + 1 for i, line in enumerate(after) if i not in kept and line)
