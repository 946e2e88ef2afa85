"""The text of a program: read without running it."""

from __future__ import annotations

import ast
import io
import tokenize
from dataclasses import dataclass
from pathlib import Path

SAY = "__chalkreel_say__"
"""The name that `# say:` comments call."""


class Unreadable(Exception):
    """It is no Python; the message says why, `line` where."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True)
class Source:
    """A program that Python can read."""

    name: str
    """Of its file, as tracebacks have it."""
    lines: list[str]
    code: object
    """Compiled; comments `# say:` call `SAY`."""
    modules: frozenset[str]
    """First parts of the names of all modules that it imports."""
    tree: ast.Module
    says: tuple[int, ...]
    """Lines of comments `# say:`."""

    def line(self, number: int) -> str:
        """The text of a line, from 1."""
        return self.lines[number - 1].strip() if 0 < number <= len(self.lines) else ""

    def says_of(self, classes: set[str]) -> int:
        """Comments `# say:` in these classes and outside of all classes."""
        others = [range(node.lineno, (node.end_lineno or node.lineno) + 1) for node in self._others(classes)]
        return sum(not any(line in span for span in others) for line in self.says)

    def names_of(self, classes: set[str]) -> set[str]:
        """Variables, attributes and arguments that these classes name, and what stands outside of all classes."""
        others = {id(node) for node in self._others(classes)}
        return {name for node in self.tree.body if id(node) not in others for name in _names(node)}

    def _others(self, classes: set[str]) -> list[ast.ClassDef]:
        return [node for node in self.tree.body if isinstance(node, ast.ClassDef) and node.name not in classes]


def read(path: Path) -> Source:
    """Reads a program. Raises Unreadable."""
    try:
        text = path.read_text("utf-8-sig")
        tree = ast.parse(text, path.name)
    except SyntaxError as error:
        raise Unreadable(error.msg, error.lineno) from error
    except (UnicodeDecodeError, OSError, ValueError, RecursionError, MemoryError) as error:
        raise Unreadable(str(error) or type(error).__name__) from error
    spoken, says = _with_says(text)
    try:
        tree = ast.parse(spoken, path.name)
    except (SyntaxError, ValueError):
        # A comment at a place where no statement can stand.
        says = ()
    code = compile(tree, path.name, "exec")
    return Source(path.name, text.splitlines(), code, frozenset(_modules(tree)), tree, says)


def _modules(tree: ast.Module) -> list[str]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name.split(".")[0] for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.append(node.module.split(".")[0])
    return found


def _names(tree: ast.AST) -> list[str]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            found.append(node.id)
        elif isinstance(node, ast.Attribute):
            found.append(node.attr)
        elif isinstance(node, ast.keyword) and node.arg:
            found.append(node.arg)
    return found


CONTINUES = ("else", "elif", "except", "finally", "case")
"""Words that go on with a statement above, so that nothing may stand before them at their own depth."""


def _with_says(text: str) -> tuple[str, tuple[int, ...]]:
    """The text with each comment `# say: …` as a call in its line, and these lines.

    Lines keep their numbers. Comments in lines that follow each other are one; those within brackets or behind a
    statement stay comments.
    """
    lines = text.split("\n")
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError):
        return text, ()
    calls: list[tuple[int, str, str]] = []
    waiting: list[tuple[int, int, str]] = []
    depths, brackets = [""], 0
    # Indentation of the blocks that are open where the comments stand: what closes them comes after the comments.
    open_there = [""]
    for token in tokens:
        if token.type == tokenize.OP:
            brackets += token.string in "([{"
            brackets -= token.string in ")]}"
        if token.type == tokenize.INDENT:
            depths.append(token.string)
        elif token.type == tokenize.DEDENT:
            depths.pop()
        elif token.type == tokenize.COMMENT:
            words = token.string.lstrip("#").strip()
            alone = not token.line[: token.start[1]].strip()
            if alone and not brackets and words.lower().startswith("say:"):
                if not waiting:
                    open_there = list(depths)
                waiting.append((*token.start, words[4:].strip()))
        elif token.type not in (tokenize.NEWLINE, tokenize.NL) and waiting:
            following = token.line[: token.start[1]] if token.type != tokenize.ENDMARKER else ""
            for line, own, words in waiting:
                fitting = [depth for depth in open_there if len(following) <= len(depth) <= own] or [following]
                if len(following) > len(open_there[-1]):
                    fitting = [following]
                elif token.string in CONTINUES:
                    fitting = [depth for depth in open_there if len(depth) > len(following)][:1]
                calls.append((line, fitting[-1], words))
            waiting = []
    merged: list[tuple[int, str, str]] = []
    last = -1
    for line, depth, words in calls:
        if merged and last == line - 1 and merged[-1][1] == depth:
            merged[-1] = (*merged[-1][:2], f"{merged[-1][2]} {words}")
        else:
            merged.append((line, depth, words))
        last = line
    for line, depth, words in merged:
        lines[line - 1] = f"{depth}{SAY}({words!r})"
    return "\n".join(lines), tuple(line for line, _, _ in merged)
