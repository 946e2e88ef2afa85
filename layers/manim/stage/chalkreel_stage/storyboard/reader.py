"""JSON → a typed scene. What is wrong in one action costs that action alone."""

from __future__ import annotations

from typing import Any

import msgspec

from .errors import StoryboardError
from .types import Action, Element, ElementKind, Placement, Scene, Style, Timing


def read_scene(body: Any, warnings: list[str]) -> Scene:
    """The scene in a request's `scene`.

    An element whose contents don't fit its type is a placeholder, and another action that is wrong is left out, each
    with a warning that names its place. Raises StoryboardError, which names it too, when the scene itself is wrong.
    """
    try:
        return msgspec.convert(body, Scene)
    except msgspec.ValidationError as error:
        try:
            return msgspec.convert(_mended(body, warnings), Scene)
        except (msgspec.ValidationError, _BeyondMending) as other:
            raise StoryboardError(f"the scene is not as its types say: {other if other.args else error}") from error


class _BeyondMending(Exception):
    """The scene has no beats with actions."""


def _mended(body: Any, warnings: list[str]) -> dict[str, Any]:
    """The scene without what is wrong in its actions. Raises _BeyondMending."""
    if not isinstance(body, dict) or not isinstance(body.get("beats"), list):
        raise _BeyondMending
    beats = []
    for i, beat in enumerate(body["beats"]):
        if not isinstance(beat, dict) or not isinstance(beat.get("actions"), list):
            raise _BeyondMending
        actions = []
        for j, action in enumerate(beat["actions"]):
            why = _fault(action, Action)
            if not why:
                actions.append(action)
                continue
            here = f"`$.beats[{i}].actions[{j}]"
            why = why.replace("`$", here) if "`$" in why else f"{why} - at {here}`"
            mended = _boxed(action)
            if mended is None:
                warnings.append(f"an action is not as its type says and is left out: {why}")
            else:
                actions.append(mended)
                warnings.append(f"an element is not as its type says and is shown as a box: {why}")
        beats.append({**beat, "actions": actions})
    return {**body, "beats": beats}


def _boxed(action: Any) -> dict[str, Any] | None:
    """A `show` or `transform` with a placeholder in the place of its element; none when it is no such action."""
    show = action.get("show") if isinstance(action, dict) else None
    change = action.get("transform") if isinstance(action, dict) else None
    element = show if show is not None else change.get("into") if isinstance(change, dict) else None
    if not isinstance(element, dict) or not isinstance(element.get("kind"), dict) or not element["kind"]:
        return None
    name = str(next(iter(element["kind"])))
    detail = "could not be drawn" if name in ElementKind.__struct_fields__ else "can't be drawn yet"
    box: dict[str, Any] = {"id": element.get("id"), "kind": {"placeholder": {"label": name, "detail": detail}}}
    # What is good of the rest stays.
    for field, kind in (("placement", Placement), ("style", Style), ("timing", Timing)):
        if not _fault(element.get(field), kind | None):
            box[field] = element.get(field)
    if _fault(box, Element):
        return None
    boxed: dict[str, Any] = {"show": box} if show is not None else {"transform": {**(change or {}), "into": box}}
    return None if _fault(boxed, Action) else boxed


def _fault(value: Any, kind: Any) -> str:
    """What is wrong with it, with its place; empty when it is of that type."""
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        return str(error)
    return ""
