"""Storyboard elements → pieces to lay out. What it doesn't know becomes a labelled box and a warning."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from .. import theme
from ..layout.blocks import Piece
from ..typesetting.rich_text import Checked
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
        self.checked = Checked(self.setter, self.warnings)

    def pieces(
        self, element: dict[str, Any], event: int, centred: bool, family: list[dict[str, Any]] | None = None
    ) -> list[Piece]:
        """The pieces of an element, in reading order; `centred` on a card.

        `family` are the contents of all elements of its kind that it came from, its own, and those that it turns into,
        in order of time; none when it stays as it is.
        """
        name = str(element.get("id", ""))
        kind, value = next(iter(element["kind"].items())) if isinstance(element.get("kind"), dict) else ("?", {})
        try:
            pieces = self._pieces(name, event, kind, value, element, centred, family or [])
        except (KeyError, TypeError, AttributeError, ValueError, StopIteration, IndexError) as error:
            self.warnings.append(f"element {name} ({kind}) is not as expected and is shown as a box: {error!r}")
            look = self._styled(element)
            pieces = [Placeholder(name, event, str(kind), "could not be drawn", self.setter, look)]
        style = element.get("style") or {}
        for piece in pieces:
            # On a card, what is said besides follows the title closely.
            piece.placement = _placement(element.get("placement")) or ({"region": "top"} if centred else None)
            piece.scale = min(max(_number(style.get("scale"), 1.0), SMALLEST), LARGEST)
            piece.opacity = min(max(_number(style.get("opacity"), 1.0), 0.0), 1.0)
        return pieces

    def _styled(self, element: dict[str, Any]) -> theme.Theme:
        """The theme with the element's own colour in the place of text's, the accent's and the first curve's."""
        style = element.get("style") or {}
        own = theme.legible(style.get("colour"), self.look)
        fill = theme.colour(style.get("fill"), self.look)
        look = self.look
        if own:
            look = replace(look, text=own, accent=own, curves=(own, *(c for c in look.curves if c != own)))
        if fill and theme.contrast(fill, look.text) >= 3.0:
            look = replace(look, panel=fill)
        return look

    def _pieces(
        self,
        name: str,
        event: int,
        kind: str,
        value: dict[str, Any],
        element: dict[str, Any],
        centred: bool,
        family: list[dict[str, Any]],
    ) -> list[Piece]:
        setter, look, checked, warnings = self.setter, self._styled(element), self.checked, self.warnings
        if kind == "text":
            colour = self.look.muted if centred and look is self.look else None
            return [Paragraph(name, event, value["spans"], setter, look, checked, centred, colour)]
        if kind == "bullets":
            items = enumerate(value["items"])
            return [Item(name, event, item, i == 0, setter, look, checked) for i, item in items]
        if kind == "equation":
            return [self._equation(name, event, value["formula"], look)]
        if kind == "code":
            lines = coloured(value["text"], value.get("language", ""), look)
            marked = frozenset(int(number) for number in value.get("highlighted") or [])
            return [Program(name, event, lines, setter, look, marked)]
        if kind == "axes":
            return [Plot(name, event, value, setter, look, warnings, family)]
        if kind == "placeholder":
            return [Placeholder(name, event, value["label"], value.get("detail", ""), setter, look)]
        if kind == "callout":
            return [Callout(name, event, value["spans"], setter, look, checked)]
        if kind == "table":
            header = [cell["spans"] for cell in value.get("header") or []]
            rows = [[cell["spans"] for cell in row["cells"]] for row in value["rows"]]
            return [Table(name, event, header, rows, list(value.get("align") or []), setter, look, checked)]
        if kind == "image":
            return [self._image(name, event, value, look)]
        if kind == "number_line":
            return [NumberLine(name, event, value, setter, look, warnings)]
        if kind == "drawing":
            return [Drawing(name, event, value, setter, look, warnings, family)]
        if kind == "graph":
            return [Graph(name, event, value, setter, look, warnings)]
        if kind == "chart":
            return [Chart(name, event, value, setter, look, warnings)]
        if kind == "space":
            return [Space(name, event, value, setter, look, warnings, family, self.orbits)]
        warnings.append(f"element {name}: the stage draws no {kind}, so a box stands in its place")
        return [Placeholder(name, event, str(kind), "can't be drawn yet", setter, look)]

    def _equation(self, name: str, event: int, value: dict[str, Any], look: theme.Theme) -> Piece:
        if self.checked.good(value["typst"]):
            latex = str(value.get("latex") or "")
            return Equation(name, event, value["typst"], self.setter, look, self.warnings, latex)
        spans = [{"code": value.get("latex") or value["typst"]}]
        return Paragraph(name, event, spans, self.setter, look, self.checked)

    def _image(self, name: str, event: int, value: dict[str, Any], look: theme.Theme) -> Piece:
        source = str(value["source"])
        path = self.assets.get(source)
        try:
            if not path:
                raise ImageError("it was not found")
            return Image(name, event, Path(path), str(value.get("caption") or ""), self.setter, look)
        except (ImageError, OSError) as error:
            self.warnings.append(f"image {source!r} of element {name} is shown by its description: {error}")
            words = str(value.get("alt") or value.get("caption") or source)
            return Placeholder(name, event, words, "", self.setter, look)


def _number(value: Any, otherwise: float) -> float:
    good = isinstance(value, int | float) and not isinstance(value, bool) and value == value
    return float(value) if good else otherwise


def _placement(value: Any) -> dict[str, Any] | None:
    """A placement that says something."""
    if isinstance(value, dict) and (value.get("region") or value.get("at")):
        return value
    return None
