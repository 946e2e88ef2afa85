"""Storyboard scenes for tests, as the planner writes them: every kind of element and action, and nasty contents."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from PIL import Image

_ids = count()


Typed = TypeVar("Typed")


def typed(kind: type[Typed], value: Any) -> Typed:
    """The value as the stage reads it."""
    return msgspec.convert(value, kind)


def rich(text: str) -> dict[str, Any]:
    return {"spans": [{"plain": text}]}


def expression(*tokens: float | str) -> dict[str, Any]:
    """Numbers, one-letter variables and names of functions, in postfix order."""
    postfix: list[dict[str, Any]] = []
    for token in tokens:
        if isinstance(token, int | float):
            postfix.append({"number": float(token)})
        else:
            postfix.append({"variable": token} if len(token) == 1 else {"apply": token})
    return {"source": "", "postfix": postfix}


def element(kind: str, content: dict[str, Any], name: str = "", **other: Any) -> dict[str, Any]:
    unset = {"placement": None, "style": None, "timing": None, "place": None}
    return {"id": name or f"e{next(_ids)}", "kind": {kind: content}, **unset, **other}


def show(kind: str, content: dict[str, Any], name: str = "", **other: Any) -> dict[str, Any]:
    return {"show": element(kind, content, name, **other)}


def words(text: str, name: str = "", **other: Any) -> dict[str, Any]:
    return show("text", rich(text), name, **other)


def formula(latex: str) -> dict[str, Any]:
    return {"formula": {"latex": latex}}


def style(**given: Any) -> dict[str, Any]:
    return {"colour": None, "fill": None, "opacity": None, "scale": None, **given}


def timing(**given: Any) -> dict[str, Any]:
    return {"start_ms": None, "duration_ms": None, "easing": None, "entrance": None, "exit": None, **given}


def region(name: str) -> dict[str, Any]:
    return {"region": name, "at": None}


def at(x: float, y: float) -> dict[str, Any]:
    return {"region": None, "at": {"x": x, "y": y, "z": 0.0}}


def highlight(target: str, part: str | None = None, **given: Any) -> dict[str, Any]:
    return {"highlight": {"target": target, "part": part, "colour": None, "timing": None, **given}}


def camera(change: Any) -> dict[str, Any]:
    return {"camera": {"change": change, "timing": None}}


def axis(low: float, high: float, step: float = 1.0, label: str = "") -> dict[str, Any]:
    return {"min": low, "max": high, "step": step, "label": label}


def curve(kind: str, content: Any, label: str = "") -> dict[str, Any]:
    return {"label": label, "kind": {kind: content}}


SINE = curve("function", expression("x", "sin"), "sin x")
COSINE = curve("function", expression("x", "cos"), "cos x")


def axes(*curves: dict[str, Any], legend: bool = False, caption: str = "") -> dict[str, Any]:
    x, y = axis(-4, 4, 1, "x"), axis(-2, 2, 1, "y")
    return {"x": x, "y": y, "curves": list(curves), "caption": caption, "legend": legend}


def table(header: list[str], rows: list[list[str]], align: list[str] | None = None) -> dict[str, Any]:
    cells = [{"cells": [rich(cell) for cell in row]} for row in rows]
    return {"header": [rich(cell) for cell in header], "rows": cells, "align": align or []}


def shape(kind: str, content: Any, label: str = "", **look: Any) -> dict[str, Any]:
    return {"kind": {kind: content}, "label": label, "style": style(**look) if look else None}


def point(x: float, y: float) -> dict[str, float]:
    return {"x": x, "y": y}


def way(a: tuple[float, float], b: tuple[float, float]) -> dict[str, Any]:
    return {"from": point(*a), "to": point(*b)}


SHAPES = {
    "shapes": [
        shape("polygon", [point(0, 0), point(4, 0), point(0, 3)], "triangle", fill="teal"),
        shape("line", way((0, 0), (4, 0)), "a = 4"),
        shape("brace", way((0, 3), (4, 0)), "c = 5"),
        shape("circle", {"center": point(7, 1.5), "radius": 1.5}, "circle", colour="#ff8800"),
        shape("dot", point(7, 1.5), "M"),
        shape("arrow", way((7, 1.5), (8.5, 1.5)), "r"),
        shape("annulus", {"center": point(11, 1.5), "inner": 0.8, "outer": 1.6}, "ring"),
        shape("ellipse", {"center": point(15, 2.3), "width": 3, "height": 1.2}, "ellipse"),
        shape("rectangle", {"center": point(15, 0.4), "width": 3, "height": 1.2}, "rectangle", opacity=0.5),
        shape("dashed_line", way((0, -0.8), (16, -0.8)), "ground"),
        shape("label", point(9, 3.6), "a label alone"),
    ]
}


def graph(names: str, edges: list[str], directed: bool = False, layout: str | None = None) -> dict[str, Any]:
    nodes = [{"id": name, "label": name} for name in names]
    lines = [{"from": edge[0], "to": edge[1], "label": edge[2:]} for edge in edges]
    return {"nodes": nodes, "edges": lines, "directed": directed, "layout": layout}


def chart(*values: float, label: str = "bar", caption: str = "") -> dict[str, Any]:
    bars = [{"label": f"{label} {i}", "value": value} for i, value in enumerate(values)]
    return {"bars": bars, "value_label": "values", "caption": caption}


def space_point(x: float, y: float, z: float) -> dict[str, float]:
    return {"x": x, "y": y, "z": z}


def solid(kind: str, content: dict[str, Any], label: str = "") -> dict[str, Any]:
    return {"kind": {kind: content}, "label": label, "style": None}


WAVE = solid(
    "surface",
    {
        "x": expression("u"),
        "y": expression("v"),
        "z": expression("u", "sin", "v", "cos", "mul"),
        "u_from": -3,
        "u_to": 3,
        "v_from": -3,
        "v_to": 3,
    },
    "wave",
)
HELIX = solid(
    "curve",
    {"x": expression("t", "cos"), "y": expression("t", "sin"), "z": expression("t", 9, "div"), "from": -9, "to": 9},
    "helix",
)
SOLIDS = [
    solid("sphere", {"center": space_point(0, 0, 1), "radius": 1}, "ball"),
    solid("cone", {"base": space_point(3, 0, 0), "radius": 1, "height": 2}, "cone"),
    solid("cylinder", {"base": space_point(0, 3, 0), "radius": 1, "height": 2}, "cylinder"),
    solid("cuboid", {"center": space_point(3, 3, 1), "size": space_point(2, 1.5, 2)}, "box"),
    solid("torus", {"center": space_point(-3, 1, 0.5), "major": 1.2, "minor": 0.5}, "torus"),
    solid("arrow", {"from": space_point(-3, 1, 0.5), "to": space_point(-3, 1, 3)}, "axis"),
]


def space(*solids: dict[str, Any], ruled: bool = True) -> dict[str, Any]:
    rules = {"x": axis(-3, 3, 1, "x"), "y": axis(-3, 3, 1, "y"), "z": axis(-1, 1, 0.5, "z")}
    return {"axes": rules if ruled else None, "solids": list(solids), "phi": None, "theta": None, "caption": "a space"}


def program(text: str, highlighted: list[int] | None = None) -> dict[str, Any]:
    return {"language": "python", "text": text, "highlighted": highlighted or []}


def bullets(*texts: str) -> dict[str, Any]:
    items = [{"level": i % 3, "number": i + 1 if i % 2 else None, "text": rich(t)} for i, t in enumerate(texts)]
    return {"items": items}


def image(source: str, caption: str = "") -> dict[str, Any]:
    return {"source": source, "alt": f"what {source} shows", "caption": caption}


Beats = list[list[Any]]

ELEMENTS: dict[str, Beats] = {
    "callout": [
        [words("Words above."), show("callout", rich("A remark that is set apart, and longer than a line. " * 3))]
    ],
    "table": [
        [
            show(
                "table",
                table(["f", "f'"], [["sin x", "cos x"], ["ln x", "1/x for positive x " * 4]], ["left", "right"]),
            )
        ]
    ],
    "images": [[show("image", image("photo.png", "a photo")), show("image", image("drawn.svg", "drawn"))]],
    "number_line": [
        [
            show(
                "number_line",
                {
                    "axis": axis(-3, 3, 1, "x"),
                    "marks": [{"at": v, "label": f"mark at {v}"} for v in (-1.5, 0.5, 0.7, 0.8, 2)],
                },
            )
        ]
    ],
    "drawing": [[show("drawing", SHAPES)]],
    "graph_circular": [
        [show("graph", graph("ABCDE", ["AB", "BC7", "CD12", "DE", "EA3", "AA", "BA"], True, "circular"))]
    ],
    "graph_tree": [[show("graph", graph("ABCDEF", ["AB<", "AC>", "BD", "BE", "CF"]))]],
    "graph_layered": [[show("graph", graph("ABCDEF", ["AB", "AC", "BD", "CD", "DE", "CF"], True, "layered"))]],
    "graph_bypass": [[show("graph", graph("ABCDE", ["AB", "BC", "CD", "DE", "AC1", "BE2", "AE", "CC"], True))]],
    "graph_grid": [[show("graph", graph("ABCDEFGH", ["AB", "CD", "EH"], False, "grid")), words("beside words")]],
    "graph_spring": [
        [show("graph", graph("ABCDEFGHIJ", ["AB", "BC", "CD", "DE", "EA", "FG", "GH", "HA"], False, "spring"))]
    ],
    "chart": [[show("chart", chart(3, -2, 5.5, 4, caption="with a negative one"))]],
    "chart_lying": [[show("chart", chart(3, 2, -1, 4, label="a rather long label of a bar, number"))]],
    "curves": [
        [
            show(
                "axes",
                axes(
                    SINE,
                    curve("area", {"function": expression("x", "cos"), "from": -1.5, "to": 1.5}, "area"),
                    curve("dots", [point(-3, 1), point(3, -1)], "data"),
                    curve("points", [point(-4, -1), point(0, 1.5), point(4, 0)], "line"),
                    legend=True,
                    caption="a caption",
                ),
            )
        ]
    ],
    "vectors": [
        [show("axes", axes(curve("vectors", {"x": expression("y", "neg"), "y": expression("x")}))), words("beside")]
    ],
    "arrows": [
        [
            show(
                "axes",
                axes(
                    curve("arrow", way((0, 0), (3, 1)), "u"),
                    curve("arrow", way((0, 0), (-2, 1.5)), "v"),
                    # One that comes from outside of the plane, and one that leaves it.
                    curve("arrow", way((-9, -1), (-1, -1)), "w"),
                    curve("arrow", way((1, -0.5), (9, -1.5))),
                ),
            )
        ]
    ],
    "streamlines": [
        [show("axes", axes(curve("streamlines", {"x": expression("y"), "y": expression("x", "sin", "neg")})))]
    ],
    "code": [[show("code", program("def f(x):\n    return x\n\nf(2)  # 日本 🚀", [1, 4]))]],
    "surface": [[show("space", space(WAVE, HELIX))]],
    "solids": [[show("space", space(*SOLIDS, ruled=False)), words("beside solids")]],
    "styles": [
        [
            words("red and large", style=style(colour="red", scale=1.6)),
            words("faint and small", style=style(opacity=0.6, scale=0.75)),
            show("callout", rich("purple"), style=style(colour="purple", fill="black")),
            words("no such colour", style=style(colour="mauve-ish")),
        ]
    ],
    "placed": [
        [
            *(words(name, placement=region(name)) for name in ("top", "bottom-left", "bottom-right", "left", "right")),
            show("axes", axes(SINE), placement=region("center")),
            words("here", placement=at(5, 1)),
            words("far outside", placement=at(50, -50)),
            words("in the flow"),
        ]
    ],
    "all_in_the_middle": [[words(f"number {i} wants the middle", placement=region("center"))] for i in range(5)],
    "timed": [
        [
            words("second", timing=timing(start_ms=600, duration_ms=200, entrance="slide", easing="ease-in")),
            words("first", timing=timing(start_ms=0, entrance="grow", exit="shrink")),
            words("late", timing=timing(start_ms=90_000, entrance="none")),
        ]
    ],
    "three_figures": [[words("figures"), *(show("chart", chart(1, i + 1)) for i in range(3))]],
}

ACTIONS: dict[str, Beats] = {
    "transform_formula": [
        [show("equation", formula("a^2 + b^2 = c^2"), "f1")],
        [{"transform": {"from": "f1", "into": element("equation", formula(r"c = \sqrt{a^2 + b^2}"), "f2")}}],
    ],
    "transform_axes": [
        [show("axes", axes(SINE), "a1"), words("stays")],
        [{"transform": {"from": "a1", "into": element("axes", axes(SINE, COSINE), "a2")}}],
        [highlight("a2", "cos x")],
    ],
    "transform_kind": [
        [words("words", "t1"), show("drawing", SHAPES, "t2")],
        [{"transform": {"from": "t1", "into": element("bullets", bullets("one", "two", "three"), "t3")}}],
        [{"transform": {"from": "t2", "into": element("space", space(WAVE), "t4")}}],
    ],
    "highlights": [
        [
            words("A derivative is the limit of quotients.", "w"),
            show("equation", formula(r"\lim_{h \to 0} \frac{f(x+h) - f(x)}{h}"), "q"),
            show("code", program("def f(x):\n    return x\n\nf(2)"), "c"),
        ],
        [highlight("w", "limit"), highlight("q", "f(x)"), highlight("c", "1-2")],
        [highlight("q", colour="orange"), highlight("c")],
        [highlight("w", timing=timing(start_ms=0, duration_ms=1500))],
    ],
    "highlights_in_figures": [
        [show("graph", graph("ABC", ["AB7", "BC"]), "g"), show("chart", chart(1, 2), "h")],
        [highlight("g", "B"), highlight("h", "bar 1")],
        [highlight("g"), highlight("h")],
    ],
    "dim": [[words("back", "w1"), words("front", "w2")], [{"dim": "w1"}], [highlight("w1")]],
    "move": [
        [words("one", "m1"), words("two", "m2"), words("three", "m3")],
        [{"move": {"target": "m1", "to": region("bottom-right"), "timing": None}}],
        [{"move": {"target": "m2", "to": region("bottom-right"), "timing": None}}],
        [{"move": {"target": "m3", "to": at(5, 2), "timing": timing(easing="there-and-back")}}],
    ],
    "camera": [
        [words("above", "z1"), show("equation", formula("x + y"), "z2")],
        [camera({"zoom_to": "z2"}), highlight("z2", "y")],
        [camera("back")],
        [camera({"zoom_to": "z1"}), words("shown while near")],
    ],
    "orbit": [[show("space", space(WAVE))], [camera({"orbit": 75.0})]],
    "exits": [
        [words(f"goes by {way}", f"x{way}", timing=timing(exit=way)) for way in ("fade", "shrink", "slide", "none")],
        [{"remove": f"x{way}"} for way in ("fade", "shrink", "slide")],
        ["clear", words("after")],
    ],
    "exits_together": [
        [
            words(f"when it is cleared away, this long line of words goes by {way}", f"y{way}", timing=timing(exit=way))
            for way in ("fade", "shrink", "slide", "none")
        ],
        ["clear"],
    ],
    "removed_and_replaced": [
        [words("one", "r1"), words("two", "r2")],
        [{"remove": "r1"}, words("three takes its place", "r3")],
        [{"remove": "r2"}, {"remove": "r3"}, words("alone")],
    ],
}

LONG_SUM = " + ".join(f"x_{{{i}}}" for i in range(60))
WIDE_CELL = {"spans": [{"plain": "so "}, {"math": {"latex": rf"\frac{{{LONG_SUM}}}{{2}}"}}]}

NASTY: dict[str, Beats] = {
    "long_words": [
        [
            words("Donaudampfschifffahrtselektrizitätenhauptbetriebswerk" * 5),
            show("bullets", bullets("x" * 200, "y" * 90)),
        ]
    ],
    "wide_table": [
        [show("table", table([f"Column {i}" for i in range(20)], [[f"{r * c}" for c in range(20)] for r in range(5)]))]
    ],
    "long_table": [[show("table", table(["n", "words"], [[str(i), "some words " * (i % 5)] for i in range(40)]))]],
    "ragged_table": [[show("table", table(["one"], [["a", "b", "c"], [], ["Internationalization" * 4, "x"]]))]],
    "long_code": [
        [show("code", program("\n".join(f"line_{i} = work({i})  # remark {i}" for i in range(300)), [1, 300]))]
    ],
    "scripts": [
        [
            words("日本語のテキスト、中文文本、한국어"),
            words("Ελληνικά και Кириллица, ąęłżšč"),
            words("العربية من اليمين إلى اليسار"),
            show("bullets", bullets("עברית מימין לשמאל", "with Latin")),
            words("🚀 🎉 🤖 👩‍🔬 🇦🇹 ✅"),
        ]
    ],
    "long_japanese": [[words("長い日本語のテキスト。" * 60)]],
    "odd_images": [[show("image", image(name, "odd")) for name in ("huge.jpg", "dot.png", "wide.png", "tall.png")]],
    "missing_images": [[show("image", image(name)) for name in ("nowhere.png", "broken.png", "bomb.svg")]],
    "twelve": [
        [
            show("axes", axes(SINE), placement=region("center"))
            if i % 3 == 0
            else words(f"number {i} of twelve", placement=region("left" if i % 2 else "top"))
        ]
        for i in range(12)
    ],
    "twelve_at_once": [[words(f"number {i}: some words") if i % 2 else show("chart", chart(1, 2)) for i in range(12)]],
    "many_bars": [[show("chart", chart(*((i * 37) % 23 - 8 for i in range(40)), label="Year"))]],
    "many_nodes": [
        [
            show(
                "graph",
                {
                    "nodes": [{"id": str(i), "label": f"Node {i}"} for i in range(30)],
                    "edges": [{"from": str(i), "to": str((i * 7 + 3) % 30), "label": ""} for i in range(30)],
                    "directed": True,
                    "layout": None,
                },
            )
        ]
    ],
    "many_curves": [
        [show("axes", axes(*(curve("function", expression("x", k, "add", "sin"), f"curve {k}") for k in range(8))))] * 1
        + [show("axes", axes(SINE, COSINE, caption="a caption that is long " * 6))]
    ],
    "long_formula": [
        [show("equation", formula(r" \\ ".join(rf"a_{{{i}}} &= \int_0^{{{i}}} x\,dx" for i in range(40))))]
    ],
    "formula_as_written": [[show("equation", formula(rf"\frac{{{LONG_SUM}}}{{2}}"))]],
    "formulas_in_cells": [
        [show("table", {"header": [rich("a"), rich("b")], "rows": [{"cells": [WIDE_CELL, WIDE_CELL]}], "align": []})]
    ],
    "wide_formula": [[show("equation", formula(" + ".join(f"x_{{{i}}}^{{{i}}}" for i in range(60))))]],
    "crowded_drawing": [
        [show("drawing", {"shapes": [shape("dot", point(i % 5, i // 5), f"point {i}") for i in range(20)]})]
    ],
    "extreme_numbers": [
        [
            show("drawing", {"shapes": [shape("line", way((0, 0), (1e9, 0)), "long")]}),
            show("drawing", {"shapes": [shape("circle", {"center": point(1e6, 1e6), "radius": 1e-3}, "small")]}),
            show("chart", chart(1e12, -1e-9, 0)),
        ]
    ],
    "not_as_expected": [
        [
            show("drawing", {"shapes": [shape("polygon", []), shape("hexagon", 1), shape("circle", None)]}),
            show("graph", {"nodes": [], "edges": []}),
            show("chart", {"bars": [{"label": "x", "value": "many"}]}),
            show("space", {"solids": []}),
            show("table", {"rows": "none"}),
            show("hologram", {}),
            highlight("nobody"),
            {"dim": "nobody"},
            {"move": {"target": "nobody", "to": region("top"), "timing": None}},
            camera({"zoom_to": "nobody"}),
            camera({"orbit": 30.0}),
            {"transform": {"from": "nobody", "into": element("text", rich("still comes"))}},
        ]
    ],
}

SCENES: dict[str, Beats] = {**ELEMENTS, **ACTIONS, **NASTY}


def scene(beats: Beats, heading: str = "A heading", kind: str = "lesson") -> dict[str, Any]:
    unset = {"narration": "", "pause_ms": 0, "estimate_ms": 0, "place": None}
    return {
        "id": "scene",
        "kind": kind,
        "heading": heading,
        "beats": [{"id": f"b{i}", "actions": actions, **unset} for i, actions in enumerate(beats)],
        "place": None,
    }


def pictures(folder: Path) -> dict[str, str]:
    """Writes the pictures that the scenes show; the request's `assets`."""
    Image.effect_noise((4000, 3000), 60).convert("RGB").save(folder / "huge.jpg")
    Image.linear_gradient("L").convert("RGB").save(folder / "photo.png")
    for name, size in (("dot", (1, 1)), ("wide", (3000, 10)), ("tall", (10, 3000))):
        Image.new("RGBA", size, (200, 90, 0, 255)).save(folder / f"{name}.png")
    (folder / "broken.png").write_text("no picture")
    (folder / "bomb.svg").write_text('<!DOCTYPE svg [<!ENTITY a "b">]><svg xmlns="http://www.w3.org/2000/svg"/>')
    (folder / "drawn.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 60"><rect width="100" height="60" fill="#35a"/>'
        '<circle cx="50" cy="30" r="15" fill="#fc0"/></svg>'
    )
    return {path.name: str(path) for path in folder.iterdir()}
