"""The storyboard's types. Made by layers/manim/storyboard_types.py from planner-wasm/schema/storyboard.json; not by hand."""

# ruff: noqa: E501
from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field


class OneOf(Struct, frozen=True, forbid_unknown_fields=True):
    """An object with one of several fields: which one says what kind of thing it is."""

    def __post_init__(self) -> None:
        """Raises ValueError unless there is exactly one, which msgspec tells with its place."""
        given = [name for name in self.__struct_fields__ if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"Object has {len(given)} of the fields of which it must have one: {', '.join(self.__struct_fields__)}")

    @property
    def kind(self) -> str:
        """Name of the field that is there."""
        return next(name for name in self.__struct_fields__ if getattr(self, name) is not None)

    @property
    def value(self) -> Any:
        """What is in that field."""
        return getattr(self, self.kind)


class ActionCase(OneOf, frozen=True, forbid_unknown_fields=True):
    """A change on the screen."""

    show: Element | None = None
    """Bring an element onto the screen and keep it there."""
    remove: str | None = None
    """Take an element away by its id."""
    transform: Transform | None = None
    """Turn an element into another, which then stands in its place."""
    highlight: Highlight | None = None
    """Draw the eye to an element for a while."""
    dim: str | None = None
    """Let an element step back, without leaving."""
    move: Move | None = None
    """Put an element elsewhere."""
    camera: Camera | None = None
    """Move the camera."""


class Annulus(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A ring."""

    center: Point
    """Its centre."""
    inner: float
    """At least 0."""
    outer: float
    """Greater than `inner`."""


class Area(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The area between a function and the horizontal axis."""

    from_: float = field(name="from")
    """Left end."""
    function: Expression
    """y as an expression of `x`."""
    to: float
    """Right end, greater than `from`."""


class Axes(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Axes with curves."""

    caption: str
    """Shown below; may be empty."""
    curves: tuple[Curve, ...]
    """Drawn in order."""
    legend: bool = False
    """Whether labels stand together in a legend instead of beside their curves."""
    x: Axis
    """Horizontal."""
    y: Axis
    """Vertical."""


class Axis(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One axis."""

    label: str
    """May be empty."""
    max: float
    """Right or upper end, greater than `min`."""
    min: float
    """Left or lower end."""
    step: float
    """Distance of two ticks, greater than 0."""


class Bar(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One bar."""

    label: str
    """Shown below it."""
    value: float
    """Its height, of either sign."""


class Beat(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One step of a scene: what changes on screen while one stretch of narration is heard."""

    actions: tuple[Action, ...]
    """What changes, in order."""
    cues: tuple[Cue, ...] = ()
    """What the words speak of, in the order of the words."""
    estimate_ms: Annotated[int, Meta(ge=0)]
    """The planner's guess at the spoken length, in milliseconds, pause not counted."""
    holds: tuple[Hold, ...] = ()
    """What must have passed when it ends; silence after its words makes up for a voice that is quicker than the guess."""
    id: str
    """Unique in the film."""
    narration: str
    """Words to speak, no markup; empty means a silent beat."""
    pause_ms: Annotated[int, Meta(ge=0)]
    """Silence after the words (or the whole length of a silent beat), in milliseconds."""
    place: Place | None = None
    """Where in the document."""


class Bullet(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One item of a list."""

    level: Annotated[int, Meta(ge=0)]
    """Nesting, 0 at the outside."""
    number: Annotated[int, Meta(ge=0)] | None = None
    """The item's own number in an ordered list; none in a bullet list."""
    text: RichText
    """What it says."""


class Bullets(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A list."""

    items: tuple[Bullet, ...]
    """In reading order."""


class Camera(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Move the camera."""

    change: CameraChange
    """How."""
    timing: Timing | None = None
    """When in the beat, and how long."""


class CameraChangeCase(OneOf, frozen=True, forbid_unknown_fields=True):
    """What the camera does."""

    zoom_to: str | None = None
    """Fill the frame with an element, by its id."""
    orbit: float | None = None
    """Go round a space by this angle, in degrees."""


class Chart(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A bar chart."""

    bars: tuple[Bar, ...]
    """From left to right, at least one."""
    caption: str
    """Shown below; may be empty."""
    value_label: str
    """Of the values; may be empty."""


class Circle(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A circle."""

    center: Point
    """Its centre."""
    radius: float
    """Greater than 0."""


class Code(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Program text."""

    highlighted: tuple[Annotated[int, Meta(ge=0)], ...] = ()
    """Lines to highlight, from 1, ascending."""
    language: str
    """As named after the fence, lower case; empty when not named."""
    text: str
    """Lines joined by `\\n`, no trailing newline."""


class Cuboid(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A cuboid."""

    center: Point3
    """Its centre."""
    size: Point3
    """Edges along x, y and z, each greater than 0."""


class Cue(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Words of a beat that speak of something on the screen. Words are counted from 0, as white space divides them."""

    end_ms: Annotated[int, Meta(ge=0)] | None = None
    """Until when it is pointed at, in milliseconds after the beat's start; from the voice as well."""
    kind: Literal["reveal", "point"]
    """What happens to it."""
    part: str | None = None
    """The part of it: as a highlight names it, or `item 3`, `row 2`, `cell 2 3`, `curve 1`, `node 1`, `edge 2`, `bar 3`, `mark 1`
    or `shape 2`, counted from 1 as the element lists them; none means all of it."""
    start_ms: Annotated[int, Meta(ge=0)] | None = None
    """When they begin, in milliseconds after the beat's start; from the voice, so no planner knows it."""
    target: str
    """Id of the element."""
    word: Annotated[int, Meta(ge=0)]
    """The first of the words."""
    words: Annotated[int, Meta(ge=0)]
    """How many words they are, at least 1."""


class Curve(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One curve."""

    colour: str | None = None
    """A colour's name or `#rrggbb`; none means the next of the theme's."""
    kind: CurveKind
    """What it follows."""
    label: str
    """Shown beside it; may be empty."""


class CurveKind(OneOf, frozen=True, forbid_unknown_fields=True):
    """What a curve follows."""

    function: Expression | None = None
    """y as an expression of `x`."""
    parametric: Parametric | None = None
    """x and y as expressions of `t`."""
    points: tuple[Point, ...] | None = None
    """Points in order, joined by straight lines."""
    dots: tuple[Point, ...] | None = None
    """Single points, not joined."""
    arrow: Stroke | None = None
    """One arrow, from point to point."""
    area: Area | None = None
    """The area between a function and the horizontal axis."""
    vectors: Field | None = None
    """Arrows of a field."""
    streamlines: Field | None = None
    """Lines that follow a field."""


class Drawing(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Shapes in one system of coordinates, scaled together."""

    shapes: tuple[Shape, ...]
    """Drawn in order."""


class Edge(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An edge of a graph."""

    from_: str = field(name="from")
    """Id of a node."""
    label: str
    """Shown beside it; may be empty."""
    to: str
    """Id of a node."""


class Element(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something on the screen."""

    id: str
    """Unique in its scene."""
    kind: ElementKind
    """What it is."""
    place: Place | None = None
    """Where in the document."""
    placement: Placement | None = None
    """Where it is wanted; none means in the flow of the page."""
    style: Style | None = None
    """How it looks; none means as the theme says."""
    timing: Timing | None = None
    """When it enters; none means in its turn."""


class ElementKind(OneOf, frozen=True, forbid_unknown_fields=True):
    """What an element is."""

    text: RichText | None = None
    """A paragraph or a line of its own."""
    bullets: Bullets | None = None
    """A list."""
    equation: Equation | None = None
    """A displayed formula."""
    code: Code | None = None
    """Program text."""
    axes: Axes | None = None
    """Axes with curves."""
    placeholder: Placeholder | None = None
    """Something that could not be drawn: shown as a labelled box."""
    callout: RichText | None = None
    """A call-out: a remark set apart."""
    table: Table | None = None
    """A table."""
    image: Image | None = None
    """A picture."""
    number_line: NumberLine | None = None
    """A number line."""
    drawing: Drawing | None = None
    """Shapes in one system of coordinates."""
    graph: Graph | None = None
    """Nodes and edges."""
    chart: Chart | None = None
    """Bars."""
    space: Space | None = None
    """A space in three dimensions."""


class Equation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A displayed formula."""

    formula: Formula
    """The formula."""
    spoken: tuple[SpokenPart, ...] = ()
    """How its parts are read aloud, in the storyboard's language: whoever hears these words can be shown the part."""


class Expression(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An expression tree in postfix order: operands first, then what is applied to them."""

    postfix: tuple[Token, ...]
    """The tree."""
    source: str
    """As written."""


class Extent(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rectangle, or the ellipse in it."""

    center: Point
    """Its centre."""
    height: float
    """Greater than 0."""
    width: float
    """Greater than 0."""


class Field(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A vector field: both components as expressions of `x` and `y`."""

    x: Expression
    """To the right."""
    y: Expression
    """Up."""


class Formula(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A formula in LaTeX, without the dollar signs and with the macros that it needs."""

    latex: str
    """For the stage."""


class Graph(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Nodes and edges."""

    directed: bool = False
    """Whether edges have a direction."""
    edges: tuple[Edge, ...]
    """Between them."""
    layout: Literal["circular", "layered", "tree", "grid", "spring"] | None = None
    """`circular`, `layered`, `tree`, `grid`, `spring`; none means what suits it."""
    nodes: tuple[Node, ...]
    """At least one."""


class Highlight(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Draw the eye to an element."""

    colour: str | None = None
    """A colour by name or as `#rrggbb`; none means the theme's accent."""
    part: str | None = None
    """A part of it: lines of code (`1`, `3-4`) or what a formula or text contains; none means all of it."""
    target: str
    """Id of the element."""
    timing: Timing | None = None
    """When in the beat, and how long."""


class Hold(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long something stands at least, so that it can be read."""

    ms: Annotated[int, Meta(ge=0)]
    """From that beat's beginning to this one's end, in milliseconds."""
    since: str
    """Id of the beat that it came with: this one or an earlier one of the scene."""


class Image(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A picture: PNG, JPEG or SVG."""

    alt: str
    """What it shows, for whoever can't see it; shown when the picture can't be had."""
    caption: str
    """Shown below; may be empty."""
    source: str
    """As an asset: a path relative to the document, never a URL."""


class ManimScene(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody's own Manim program, and the class to render."""

    class_: str = field(name="class")
    """Name of the scene class in it."""
    source: str
    """The whole Python source."""


class Mark(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mark on a number line."""

    at: float
    """Where, in the line's own units."""
    label: str
    """Shown beside it; may be empty."""


class Move(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Put an element elsewhere."""

    target: str
    """Id of the element."""
    timing: Timing | None = None
    """When in the beat, and how long."""
    to: Placement
    """Where to."""


class Node(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A node of a graph."""

    id: str
    """Unique in its graph."""
    label: str
    """Shown in it."""


class NumberLine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A number line."""

    axis: Axis
    """Ends and ticks."""
    marks: tuple[Mark, ...]
    """Points marked on it."""


class Parametric(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """x and y as expressions of `t`, and the range of `t`."""

    from_: float = field(name="from")
    """First `t`."""
    to: float
    """Last `t`."""
    x: Expression
    """x of `t`."""
    y: Expression
    """y of `t`."""


class Place(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A place in the document; line and column count from 1, columns in characters."""

    column: Annotated[int, Meta(ge=0)]
    """Column in characters, from 1."""
    line: Annotated[int, Meta(ge=0)]
    """Line, from 1."""


class Placeholder(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A labelled box."""

    detail: str
    """Why."""
    label: str
    """What stands in its place."""


class Placement(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where an element is wanted. The stage honours it as far as nothing covers anything."""

    at: Point3 | None = None
    """Its centre in Manim's units: the frame is 14.22 wide and 8 high, the origin in its middle."""
    region: Literal["center", "top", "bottom", "left", "right", "top-left", "top-right", "bottom-left", "bottom-right"] | None = None
    """`center`, `top`, `bottom`, `left`, `right`, `top-left`, `top-right`, `bottom-left`, `bottom-right`; none means by
    `at`, or in the flow of the page."""


class Point(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A point in the plane's own units."""

    x: float
    """Horizontal."""
    y: float
    """Vertical."""


class Point3(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A point in space."""

    x: float
    """To the right."""
    y: float
    """Up (in the plane), or away (in space)."""
    z: float
    """Towards the viewer (in the plane), or up (in space)."""


class RichText(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Text in spans; joined, they are the whole text."""

    spans: tuple[Span, ...]
    """In reading order."""


class Scene(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One stretch of film, rendered to one clip."""

    beats: tuple[Beat, ...]
    """In film order, at least one."""
    heading: str
    """Shown above the body; the chapter's name."""
    id: str
    """Unique in the film: lower-case letters, digits and `-`."""
    kind: SceneKind
    """How the stage lays it out."""
    place: Place | None = None
    """Where in the document."""


class SceneKindCase(OneOf, frozen=True, forbid_unknown_fields=True):
    """How the stage lays a scene out."""

    manim: ManimScene | None = None
    """A Manim scene class as it stands; beats give its length, actions are not used."""


class Shape(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A shape."""

    kind: ShapeKind
    """What it is."""
    label: str
    """Shown beside or in it; may be empty."""
    style: Style | None = None
    """How it looks; none means as the theme says."""


class ShapeKind(OneOf, frozen=True, forbid_unknown_fields=True):
    """What a shape is. Lengths and points in the drawing's own units."""

    polygon: tuple[Point, ...] | None = None
    """Corners in order, at least three."""
    circle: Circle | None = None
    """A circle."""
    ellipse: Extent | None = None
    """An ellipse."""
    annulus: Annulus | None = None
    """A ring."""
    rectangle: Extent | None = None
    """A rectangle."""
    arrow: Stroke | None = None
    """From, to."""
    line: Stroke | None = None
    """From, to."""
    dashed_line: Stroke | None = None
    """From, to."""
    brace: Stroke | None = None
    """A brace along the way from, to, on its left-hand side."""
    dot: Point | None = None
    """A point."""
    label: Point | None = None
    """Text at a point: the shape's label."""


class Solid(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something in space."""

    kind: SolidKind
    """What it is."""
    label: str
    """Shown beside it; may be empty."""
    style: Style | None = None
    """How it looks; none means as the theme says."""


class SolidKind(OneOf, frozen=True, forbid_unknown_fields=True):
    """What something in space is."""

    curve: SpaceCurve | None = None
    """A curve."""
    surface: Surface | None = None
    """A surface."""
    sphere: Sphere | None = None
    """A ball."""
    cylinder: Upright | None = None
    """A cylinder, upright."""
    cone: Upright | None = None
    """A cone, upright."""
    cuboid: Cuboid | None = None
    """A cuboid."""
    torus: Torus | None = None
    """A torus, lying."""
    arrow: SpaceStroke | None = None
    """An arrow."""


class Space(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A space in three dimensions, seen by a camera."""

    axes: SpaceAxes | None = None
    """Shown when there are any."""
    caption: str
    """Shown below; may be empty."""
    phi: float | None = None
    """Angle of the camera from the vertical, in degrees; none means 65."""
    solids: tuple[Solid, ...]
    """Drawn in order."""
    theta: float | None = None
    """Angle of the camera round the vertical, in degrees; none means -45."""


class SpaceAxes(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Axes in space."""

    x: Axis
    """To the right."""
    y: Axis
    """Away."""
    z: Axis
    """Up."""


class SpaceCurve(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """x, y and z as expressions of `t`, and the range of `t`."""

    from_: float = field(name="from")
    """First `t`."""
    to: float
    """Last `t`."""
    x: Expression
    """x of `t`."""
    y: Expression
    """y of `t`."""
    z: Expression
    """z of `t`."""


class SpaceStroke(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A straight way in space."""

    from_: Point3 = field(name="from")
    """Begins."""
    to: Point3
    """Ends, elsewhere."""


class Span(OneOf, frozen=True, forbid_unknown_fields=True):
    """A stretch of text in one style."""

    plain: str | None = None
    """As it stands."""
    strong: str | None = None
    """Bold."""
    emphasis: str | None = None
    """Italic."""
    code: str | None = None
    """Fixed width."""
    math: Formula | None = None
    """Inline formula."""


class Sphere(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A ball."""

    center: Point3
    """Its centre."""
    radius: float
    """Greater than 0."""


class SpokenPart(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a formula, and its words."""

    part: str
    """The part, as a highlight names it: `fraction 1`, or its author's name for it."""
    words: str
    """How it is read aloud, as it stands in the words of the whole formula."""


class Stroke(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A straight way."""

    from_: Point = field(name="from")
    """Begins."""
    to: Point
    """Ends, elsewhere."""


class Style(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How an element looks."""

    colour: str | None = None
    """A colour by name or as `#rrggbb`; none means the theme's."""
    fill: str | None = None
    """Colour of its inside; none means the theme's."""
    opacity: float | None = None
    """0 to 1; none means opaque."""
    scale: float | None = None
    """Size against the usual one; none means 1."""


class Surface(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """x, y and z as expressions of `u` and `v`, and their ranges."""

    u_from: float
    """First `u`."""
    u_to: float
    """Last `u`."""
    v_from: float
    """First `v`."""
    v_to: float
    """Last `v`."""
    x: Expression
    """x of `u` and `v`."""
    y: Expression
    """y of `u` and `v`."""
    z: Expression
    """z of `u` and `v`."""


class Table(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table. Rows may be shorter than the widest one."""

    align: tuple[str, ...] = ()
    """`left`, `center` or `right` for each column; missing ones are `left`."""
    header: tuple[RichText, ...]
    """First row, set apart; may be empty."""
    rows: tuple[TableRow, ...]
    """The others."""


class TableRow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A row of a table."""

    cells: tuple[RichText, ...]
    """From left to right."""


class Timing(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When something happens inside its beat, and how."""

    duration_ms: Annotated[int, Meta(ge=0)] | None = None
    """Milliseconds; none means what suits it."""
    easing: Literal["linear", "ease-in", "ease-out", "smooth", "there-and-back"] | None = None
    """`linear`, `ease-in`, `ease-out`, `smooth`, `there-and-back`; none means smooth."""
    entrance: Literal["write", "create", "fade", "grow", "slide", "none"] | None = None
    """`write`, `create`, `fade`, `grow`, `slide`, `none`; none given means what suits the element."""
    exit: Literal["fade", "shrink", "slide", "none"] | None = None
    """`fade`, `shrink`, `slide`, `none`; none given means fade."""
    start_ms: Annotated[int, Meta(ge=0)] | None = None
    """From the beat's start, in milliseconds; none means in its turn."""


class Token(OneOf, frozen=True, forbid_unknown_fields=True):
    """One node of an expression tree."""

    number: float | None = None
    """A constant."""
    variable: str | None = None
    """`x`, `y`, `t`, `u` or `v`, whichever the place allows."""
    apply: str | None = None
    """An operator or function by name; its arity is fixed by the name (see [`arity`])."""


class Torus(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A torus, lying."""

    center: Point3
    """Its centre."""
    major: float
    """From its centre to the middle of the tube."""
    minor: float
    """Of the tube, less than `major`."""


class Transform(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Turn an element into another."""

    from_: str = field(name="from")
    """Id of the element that is there."""
    into: Element
    """What it becomes; has an id of its own."""


class Upright(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A cylinder or cone, upright."""

    base: Point3
    """Middle of its base."""
    height: float
    """Greater than 0."""
    radius: float
    """Of the base, greater than 0."""


Action = ActionCase | Literal["clear"]
"""A change on the screen."""
CameraChange = CameraChangeCase | Literal["back"]
"""What the camera does."""
SceneKind = SceneKindCase | Literal["title_card", "lesson", "outro"]
"""How the stage lays a scene out."""
