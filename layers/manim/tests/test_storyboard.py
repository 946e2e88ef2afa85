"""The storyboard's types are those of its schema, and what doesn't fit them is told with its place."""

from __future__ import annotations

import ast
import importlib.util
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from chalkreel_stage.elements.maker import Maker
from chalkreel_stage.scene.steps import ENTRANCES, RATES
from chalkreel_stage.screen.screen import OUT
from chalkreel_stage.storyboard import types
from chalkreel_stage.storyboard.errors import StoryboardError
from chalkreel_stage.storyboard.reader import read_scene
from chalkreel_stage.theme import DARK
from chalkreel_stage.typesetting.typesetter import Typesetter
from storyboards import (
    SCENES,
    SINE,
    axes,
    axis,
    chart,
    curve,
    element,
    graph,
    rich,
    scene,
    show,
    space,
    table,
    typed,
    words,
)

# By its path: beside it lies a `scipy` that is none.
_spec = importlib.util.spec_from_file_location("storyboard_types", Path(__file__).parents[1] / "storyboard_types.py")
storyboard_types = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(storyboard_types)

STAGE, optional = storyboard_types.TYPES.parents[1], storyboard_types.optional


def test_the_types_are_those_of_the_schema() -> None:
    fresh = storyboard_types.source(json.loads(storyboard_types.SCHEMA.read_text("utf-8")))
    assert storyboard_types.TYPES.read_text("utf-8") == fresh, "run layers/manim/storyboard_types.py"


def test_the_types_fit_the_schema() -> None:
    """Read back: the same objects with the same fields, and the same of them required."""
    schema = json.loads(storyboard_types.SCHEMA.read_text("utf-8"))["$defs"]
    made = msgspec.json.schema(types.Scene)["$defs"]
    schema |= {f"{name}Case": schema[name] for name in ("Action", "CameraChange", "SceneKind")}
    for name, definition in schema.items():
        if name in made:
            assert set(made[name]["properties"]) == set(definition.get("properties") or cases(definition)), name
            fields = definition.get("properties", {})
            required = [field for field in definition.get("required", []) if not optional(fields[field])]
            assert sorted(made[name].get("required", [])) == sorted(required), name
            assert made[name]["additionalProperties"] is False, name
    assert len(made) > 45
    may_lack = [name for name in made if any(map(optional, schema[name].get("properties", {}).values()))]
    assert sorted(may_lack) == ["Axes", "Code", "Graph", "Table"]


def cases(definition: dict[str, Any]) -> list[str]:
    """Names of the objects among which one is chosen."""
    return [name for one in definition["oneOf"] for name in one.get("properties", {})]


@pytest.mark.parametrize("name", [name for name in SCENES if name != "not_as_expected"])
def test_a_scene_is_read_without_a_warning(name: str) -> None:
    body, warnings = scene(SCENES[name]), []
    read = read_scene(body, warnings)
    assert warnings == [] and [len(beat.actions) for beat in read.beats] == [len(beat) for beat in SCENES[name]]


@pytest.mark.parametrize(
    ("break_it", "place"),
    [
        (lambda body: body.pop("heading"), "heading"),
        (lambda body: body.update(kind="opera"), "$.kind"),
        (lambda body: body.update(kind={}), "$.kind"),
        (lambda body: body["beats"][0].update(pause_ms=-1), "$.beats[0].pause_ms"),
        (lambda body: body["beats"][0].pop("narration"), "$.beats[0]"),
        (lambda body: body.update(beats=None), "$.beats"),
        (lambda body: body.update(beats=[[]]), "$.beats[0]"),
        (lambda body: body.update(stage="left"), "stage"),
    ],
)
def test_a_wrong_scene_is_refused_with_its_place(break_it: Any, place: str) -> None:
    body = scene([[words("x")]])
    break_it(body)
    with pytest.raises(StoryboardError) as refused:
        read_scene(body, [])
    assert place in str(refused.value)


@pytest.mark.parametrize("body", [None, [], "scene", 3, {}])
def test_what_is_no_scene_is_refused(body: Any) -> None:
    with pytest.raises(StoryboardError):
        read_scene(body, [])


WRONG: dict[str, tuple[Any, str]] = {
    "unknown_kind": (show("hologram", {}, "e"), "kind"),
    "two_kinds": ({"show": {"id": "e", "kind": {"text": rich("x"), "callout": rich("x")}}}, "kind"),
    "no_object": (show("text", "words", "e"), "kind.text"),
    "missing_field": (show("code", {"language": "", "highlighted": []}, "e"), "text"),
    "text_for_a_number": (show("axes", {**axes(), "x": {**axis(0, 1), "min": "0"}}, "e"), "axes.x.min"),
    "one_wrong_curve": (show("axes", axes(SINE, curve("spiral", 1)), "e"), "curves[1].kind"),
    "unknown_layout": (show("graph", graph("AB", ["AB"], layout="star"), "e"), "graph.layout"),
    "unknown_easing": (words("x", "e", timing={"easing": "bounce"}), "timing.easing"),
    "unknown_region": (words("x", "e", placement={"region": "middle"}), "placement.region"),
    "unknown_field": (words("x", "e", colour="red"), "colour"),
    "wrong_into": ({"transform": {"from": "x", "into": element("hologram", {}, "e")}}, "into.kind"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_element_is_a_box_with_a_warning_that_names_its_place(name: str) -> None:
    action, place = WRONG[name]
    warnings: list[str] = []
    read = read_scene(scene([[words("before")], [words("beside"), action]]), warnings)
    beside, boxed = read.beats[1].actions
    assert typed(types.ActionCase, words("beside")["show"] and {"show": msgspec.to_builtins(beside.show)}) == beside
    made = boxed.show or boxed.transform.into
    assert made.id == "e" and made.kind.kind == "placeholder"
    assert len(warnings) == 1 and "`$.beats[1].actions[1]" in warnings[0] and place in warnings[0], warnings


@pytest.mark.parametrize(
    "action",
    [
        "vanish",
        {"fly": "x"},
        {},
        {"show": None},
        {"show": {"id": "e", "kind": {}}},
        {"show": {"id": 3, "kind": {"text": {"spans": []}}}},
        {"camera": {"change": {"roll": 3.0}}},
        {"move": {"target": "x", "to": {"region": "middle"}}},
        {"highlight": {}},
        {"dim": "a", "remove": "a"},
        7,
    ],
)
def test_another_wrong_action_is_left_out_with_a_warning(action: Any) -> None:
    warnings: list[str] = []
    read = read_scene(scene([[action, words("after")]]), warnings)
    assert len(read.beats[0].actions) == 1 and read.beats[0].actions[0].show
    assert len(warnings) == 1 and "left out" in warnings[0] and "$.beats[0].actions[0]" in warnings[0]


UNDRAWABLE = {
    "no_nodes": element("graph", graph("", [])),
    "too_many_nodes": element("graph", {**graph("", []), "nodes": [{"id": str(i), "label": ""} for i in range(99)]}),
    "no_bars": element("chart", chart()),
    "no_cells": element("table", table([], [])),
    "empty_space": element("space", space(ruled=False)),
    "empty_range": element("axes", {**axes(), "x": {"min": 1.0, "max": 1.0, "step": 1.0, "label": ""}}),
    "endless_ticks": element("axes", {**axes(), "x": {"min": 0.0, "max": 1e300, "step": 1e-300, "label": ""}}),
    "no_shapes": element("drawing", {"shapes": []}),
}


@pytest.fixture(scope="module")
def setter() -> Typesetter:
    return Typesetter(None)


@pytest.mark.parametrize("name", UNDRAWABLE)
def test_what_can_not_be_drawn_is_a_box(setter: Typesetter, name: str) -> None:
    warnings: list[str] = []
    read = typed(types.Element, UNDRAWABLE[name])
    (piece,) = Maker(setter, DARK, warnings).pieces(read, 0, False)
    assert type(piece).__name__ == "Placeholder" and len(warnings) == 1 and "shown as a box" in warnings[0]


@pytest.mark.parametrize("bug", [KeyError("x"), TypeError("x"), AttributeError("x"), ValueError("x"), IndexError("x")])
def test_a_bug_of_the_stage_is_no_box(setter: Typesetter, bug: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def buggy(*_arguments: Any) -> None:
        raise bug

    for maker in ("Plot", "Space", "Drawing", "Graph"):
        monkeypatch.setattr(f"chalkreel_stage.elements.maker.{maker}", buggy)
    for drawn in (element("axes", axes()), element("drawing", {"shapes": []}), element("graph", graph("A", []))):
        with pytest.raises(type(bug)):
            Maker(setter, DARK, []).pieces(typed(types.Element, drawn), 0, False)


@pytest.mark.parametrize("inner", ["chalkreel_stage.elements.plot.follow", "chalkreel_stage.elements.space.build"])
def test_a_bug_in_a_curve_or_solid_is_no_warning(
    setter: Typesetter, inner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def buggy(*_arguments: Any) -> None:
        raise KeyError("x")

    monkeypatch.setattr(inner, buggy)
    ball = {"kind": {"sphere": {"center": {"x": 0, "y": 0, "z": 0}, "radius": 1}}, "label": ""}
    drawn = element("axes", axes(curve("points", []))) if "plot" in inner else element("space", space(ball))
    with pytest.raises(KeyError):
        Maker(setter, DARK, []).pieces(typed(types.Element, drawn), 0, False)


BROAD = {
    "elements/image.py": {"_pixels", "_drawing"},  # Pillow and svgelements raise whatever their decoders do.
    "worker/scene_process.py": {"run", "_render"},  # A forked child answers, whatever happened, and never unwinds.
    "program/run.py": {"run", "made"},  # Somebody's program raises what it likes.
    "program/findings.py": {"inspect"},  # It makes of its mobjects what it likes.
}
"""Where everything is caught: at the borders to others' code alone."""


def test_everything_is_caught_at_borders_alone() -> None:
    found: dict[str, set[str]] = {}
    for path in STAGE.rglob("*.py"):
        for function in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(function, ast.FunctionDef):
                for node in ast.walk(function):
                    if isinstance(node, ast.ExceptHandler) and _broad(node.type):
                        found.setdefault(str(path.relative_to(STAGE)), set()).add(function.name)
    assert found == BROAD


def _broad(caught: ast.expr | None) -> bool:
    """Whether bugs are caught along: all exceptions, or what a wrong attribute, key or type raises."""
    names = {node.id for node in ast.walk(caught) if isinstance(node, ast.Name)} if caught else {"BaseException"}
    bugs = {"BaseException", "Exception", "AttributeError", "LookupError", "IndexError", "StopIteration", "NameError"}
    return bool(names & bugs)


def test_every_word_of_the_schema_has_its_code() -> None:
    """Easings, entrances and exits of the schema are those that the stage knows."""
    schema = json.loads(storyboard_types.SCHEMA.read_text("utf-8"))["$defs"]["Timing"]["properties"]
    listed = {name: {word for word in schema[name]["enum"] if word} for name in ("easing", "entrance", "exit")}
    assert listed["easing"] == set(RATES) and listed["entrance"] == set(ENTRANCES)
    # What has no way of going is simply gone.
    assert listed["exit"] - {"none"} == set(OUT)


def test_every_kind_of_element_curve_shape_and_solid_has_its_code() -> None:
    """Each `match` over a union of the schema has a case for each of its fields."""
    unions = {
        "ElementKind": "elements/maker.py",
        "CurveKind": "geometry/curves.py",
        "SolidKind": "geometry/solids.py",
        "ActionCase": "scene/scene.py",
        "CameraChangeCase": "scene/scene.py",
        "Span": "typesetting/rich_text.py",
        "Token": "geometry/expression.py",
    }
    for name, file in unions.items():
        fields = set(getattr(types, name).__struct_fields__)
        tree = ast.parse((STAGE / file).read_text("utf-8"))
        patterns = [node for node in ast.walk(tree) if isinstance(node, ast.MatchClass)]
        matched = {word for p in patterns if isinstance(p.cls, ast.Name) and p.cls.id == name for word in p.kwd_attrs}
        assert matched == fields, f"{file} matches {matched} of {name}, which has {fields}"


def test_the_paths_in_this_test_are_there() -> None:
    assert all((STAGE / file).is_file() for file in BROAD) and Path(storyboard_types.SCHEMA).is_file()
