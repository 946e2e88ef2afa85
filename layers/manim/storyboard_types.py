"""Makes the stage's storyboard types from the JSON Schema.

Usage: `storyboard_types.py [OUT]`, by default onto the file in its place. Comes in: planner-wasm/schema/storyboard.json, which is
made from the planner's own types. Goes out: Python source, one msgspec struct for each object that a scene is made of, with the
schema's descriptions as docstrings. A test holds the committed file to the schema.
"""

# ruff: noqa: E501
from __future__ import annotations

import json
import keyword
import re
import sys
import textwrap
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SCHEMA = HERE.parents[1] / "planner-wasm" / "schema" / "storyboard.json"
TYPES = HERE / "stage" / "chalkreel_stage" / "storyboard" / "types.py"

HEAD = '''"""The storyboard's types. Made by layers/manim/storyboard_types.py from planner-wasm/schema/storyboard.json; not by hand."""

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
'''


def source(schema: dict[str, Any]) -> str:
    """The module."""
    parts, aliases = [HEAD], []
    for name in sorted(_needed(schema["$defs"], "Scene")):
        definition = schema["$defs"][name]
        if "oneOf" in definition:
            words = [one["const"] for one in definition["oneOf"] if "const" in one]
            objects = [one for one in definition["oneOf"] if "properties" in one]
            if words:
                literal = f"Literal[{', '.join(map(json.dumps, words))}]"
                aliases.append(f"{name} = {name}Case | {literal}\n{_docstring(definition, '')}")
            parts.append(_one_of(f"{name}Case" if words else name, definition, objects))
        else:
            parts.append(_record(name, definition))
    return "\n\n".join(parts) + "\n\n" + "\n".join(aliases) + "\n"


def _needed(definitions: dict[str, Any], name: str) -> set[str]:
    """The definition of that name and all that it is made of."""
    found, waiting = set[str](), [name]
    while waiting:
        here = waiting.pop()
        if here not in found:
            found.add(here)
            waiting += re.findall(r'"#/\$defs/(\w+)"', json.dumps(definitions[here]))
    return found


def _one_of(name: str, definition: dict[str, Any], objects: list[dict[str, Any]]) -> str:
    lines = [f"class {name}(OneOf, frozen=True, forbid_unknown_fields=True):", _docstring(definition, "    ")]
    for one in objects:
        ((field, value),) = one["properties"].items()
        lines.append(_field(field, f"{_type(value)} | None", "None"))
        lines.append(_docstring({"description": one.get("description") or value.get("description")}, "    ", False))
    return _joined(lines)


def _record(name: str, definition: dict[str, Any]) -> str:
    lines = [
        f"class {name}(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):",
        _docstring(definition, "    "),
    ]
    required = definition.get("required", [])
    for field, value in definition["properties"].items():
        kind, default = _type(value), None
        if field not in required:
            # serde leaves out what is none and what is empty.
            default = "()" if value.get("type") == "array" else "None"
        elif optional(value):
            default = "False" if value["type"] == "boolean" else "()"
        lines.append(_field(field, kind, default))
        lines.append(_docstring(value, "    ", False))
    return _joined(lines)


def optional(value: dict[str, Any]) -> bool:
    """Whether a field may be absent although the schema requires it: flags, then off, and lists of plain values, then empty.

    Such fields were added to elements that had been there before, and storyboards of that time lack them.
    """
    return value.get("type") == "boolean" or (value.get("type") == "array" and "$ref" not in value["items"])


def _field(name: str, kind: str, default: str | None) -> str:
    if not keyword.iskeyword(name):
        return f"    {name}: {kind}" + (f" = {default}" if default else "")
    given = ", ".join([*([f"default={default}"] if default else []), f'name="{name}"'])
    return f"    {name}_: {kind} = field({given})"


def _type(value: dict[str, Any]) -> str:
    """A type of Python. Arrays are tuples, so that all of a storyboard is immutable."""
    if "$ref" in value:
        return value["$ref"].rsplit("/", 1)[1]
    if "anyOf" in value:
        return " | ".join(_type(one) for one in value["anyOf"])
    if "enum" in value:
        words = [json.dumps(word) for word in value["enum"] if word is not None]
        return f"Literal[{', '.join(words)}]" + (" | None" if None in value["enum"] else "")
    if isinstance(value["type"], list):
        return " | ".join(_type({**value, "type": one}) for one in value["type"])
    if value["type"] == "array":
        return f"tuple[{_type(value['items'])}, ...]"
    if value["type"] == "integer":
        return f"Annotated[int, Meta(ge={value['minimum']})]" if "minimum" in value else "int"
    return {"string": "str", "number": "float", "boolean": "bool", "null": "None"}[value["type"]]


def _docstring(thing: dict[str, Any], indent: str, needed: bool = True) -> str:
    text = (thing.get("description") or ("As in the schema." if needed else "")).strip()
    if not text:
        return ""
    text = text.replace("\\", "\\\\").replace('"""', "'''")
    return textwrap.indent(f'"""{text}"""', indent, lambda line: bool(line.strip()))


def _joined(lines: list[str]) -> str:
    """A class with an empty line after its docstring."""
    head, docstring, *fields = lines
    return "\n".join([head, docstring, "", *(line for line in fields if line)]) + "\n"


if __name__ == "__main__":
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else TYPES
    out.write_text(source(json.loads(SCHEMA.read_text("utf-8"))), "utf-8")
