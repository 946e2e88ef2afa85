"""Which part of the stage may import which, read from the sources: one direction, and no circle of files."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

STAGE = Path(__file__).parents[1] / "stage" / "chalkreel_stage"

MAY_IMPORT: dict[str, set[str]] = {
    "theme": set(),
    "protocol": set(),
    "storyboard": set(),
    "library": set(),
    "audit": {"theme"},
    "frames": {"theme", "library"},
    "typesetting": {"theme", "library", "frames", "storyboard"},
    "layout": {"theme", "audit", "frames", "typesetting", "storyboard"},
    "geometry": {"theme", "audit", "typesetting", "storyboard"},
    "elements": {"theme", "audit", "frames", "typesetting", "layout", "geometry", "storyboard"},
    "screen": {"theme", "audit", "frames", "typesetting", "layout", "elements", "storyboard"},
    "scene": {"theme", "audit", "frames", "typesetting", "layout", "elements", "screen", "storyboard"},
    "worker": {"protocol", "typesetting", "scene"},
    "program": {"protocol", "theme", "frames", "typesetting"},
    "__main__": {"typesetting", "worker"},
}
"""By sub-package, or by file where it lies in none. What is drawn knows nothing of scenes."""

Graph = dict[str, set[str]]


def imports(stage: Path) -> Graph:
    """For each module the modules of the stage that it imports, inside of functions and for types alone as well."""
    modules = {".".join(p.relative_to(stage).with_suffix("").parts): p for p in sorted(stage.rglob("*.py"))}
    found: Graph = {}
    for name, path in modules.items():
        found[name] = set()
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            for target in _targets(node, name.split(".")[:-1]):
                # `from .. import theme` names a module, `from ..theme import TEXT` something in it.
                known = [candidate for candidate in target if candidate in modules]
                found[name] |= set(known[:1])
    return found


def _targets(node: ast.AST, package: list[str]) -> list[list[str]]:
    """For each imported name what it may be, the longest first."""
    if isinstance(node, ast.Import):
        names = [alias.name.split(".") for alias in node.names]
        return [[".".join(name[1:])] for name in names if name[0] == "chalkreel_stage"]
    if not isinstance(node, ast.ImportFrom):
        return []
    parts = node.module.split(".") if node.module else []
    if node.level:
        parts = package[: len(package) - node.level + 1] + parts
    elif parts[:1] != ["chalkreel_stage"]:
        return []
    else:
        parts = parts[1:]
    module = ".".join(parts)
    return [[".".join([*parts, alias.name]), module, f"{module}.__init__"] for alias in node.names]


def wrong_ways(graph: Graph) -> list[str]:
    """Imports that `MAY_IMPORT` doesn't have."""
    return [
        f"{module} imports {other}"
        for module, others in graph.items()
        for other in sorted(others)
        if _part(other) not in {*MAY_IMPORT[_part(module)], _part(module)}
    ]


def circles(graph: Graph) -> list[set[str]]:
    """Modules that import each other, by way of others or at once."""
    reach = {module: set(others) for module, others in graph.items()}
    for middle in graph:
        for module in graph:
            if middle in reach[module]:
                reach[module] |= reach[middle]
    found: list[set[str]] = []
    for module in graph:
        circle = {other for other in reach[module] if module in reach[other]}
        if circle and circle not in found:
            found.append(circle)
    return found


def _part(module: str) -> str:
    return module.split(".")[0]


def test_imports_point_one_way() -> None:
    graph = imports(STAGE)
    assert len(graph) > 40 and any(graph.values())
    assert {_part(module) for module in graph} - {"__init__"} == set(MAY_IMPORT)
    assert wrong_ways({module: others for module, others in graph.items() if module != "__init__"}) == []


def test_no_circle_of_files_and_none_of_packages() -> None:
    graph = imports(STAGE)
    assert circles(graph) == []
    packages: Graph = {_part(module): set() for module in graph}
    for module, others in graph.items():
        packages[_part(module)] |= {_part(other) for other in others} - {_part(module)}
    assert circles(packages) == []


@pytest.mark.parametrize(
    ("file", "line", "wrong"),
    [
        ("layout/page.py", "from ..scene.plan import planned", ["layout.page imports scene.plan"]),
        ("layout/page.py", "def late():\n    from ..scene import plan", ["layout.page imports scene.plan"]),
        ("theme.py", "from .audit import Box", ["theme imports audit"]),
        ("theme.py", "import chalkreel_stage.audit", ["theme imports audit"]),
        ("program/run.py", "from chalkreel_stage.worker.server import Worker", ["program.run imports worker.server"]),
        ("frames/clip.py", "from .. import audit", ["frames.clip imports audit"]),
        ("layout/blocks.py", "from .page import one_page", []),
        ("layout/blocks.py", "if TYPE_CHECKING:\n    from .placement import Rect", []),
    ],
)
def test_a_wrong_import_is_found(tmp_path: Path, file: str, line: str, wrong: list[str]) -> None:
    """Planted in a copy; a file that imports one above it in its own sub-package makes a circle."""
    for path in STAGE.rglob("*.py"):
        copy = tmp_path / path.relative_to(STAGE)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    planted = tmp_path / file
    planted.write_text(f"{planted.read_text('utf-8')}\n{line}\n", "utf-8")
    graph = imports(tmp_path)
    assert wrong_ways({module: others for module, others in graph.items() if module != "__init__"}) == wrong
    assert circles(graph) or wrong
