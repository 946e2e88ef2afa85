"""The text of a program: read without running it."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from dataclasses import dataclass, replace
from pathlib import Path

SAY = "__chalkreel_say__"
"""The name that `# say:` comments call."""


class Unreadable(Exception):
    """It is no Python; the message says why, `line` where."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True)
class Say:
    """A comment `# say:`; those in lines that follow each other are one."""

    line: int
    text: str
    why_not: str | None = None
    """Why it is never spoken; none when it is spoken whenever the program comes to it."""


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
    says: tuple[Say, ...]
    """Comments `# say:`, in order."""
    left_out: str | None = None
    """What of the text is no Python and was left out, as a sentence."""

    def line(self, number: int) -> str:
        """The text of a line, from 1."""
        return self.lines[number - 1].strip() if 0 < number <= len(self.lines) else ""

    def says_of(self, classes: set[str]) -> list[Say]:
        """Comments `# say:` in these classes, in functions that they name, and outside of all classes and functions."""
        names = self.names_of(classes)
        others = [
            *self._others(classes),
            *(node for node in self.tree.body if _is_function(node) and node.name not in names),
        ]
        spans = [range(node.lineno, (node.end_lineno or node.lineno) + 1) for node in others]
        return [say for say in self.says if not any(say.line in span for span in spans)]

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
        left_out = None
        try:
            tree = ast.parse(text, path.name)
        except SyntaxError:
            bare, left_out = _without_wrapping(text)
            if left_out is None:
                raise
            text, tree = bare, ast.parse(bare, path.name)
    except SyntaxError as error:
        raise Unreadable(error.msg, error.lineno) from error
    except (UnicodeDecodeError, OSError, ValueError, RecursionError, MemoryError) as error:
        raise Unreadable(str(error) or type(error).__name__) from error
    comments = _comments(text)
    tree, comments = _spoken(text, tree, comments, path.name)
    spans = [range(node.lineno, (node.end_lineno or node.lineno) + 1) for node in ast.walk(tree) if _is_function(node)]
    says = []
    for comment in comments:
        why_not = comment.why_not
        if why_not is None and not any(comment.line in span for span in spans):
            why_not = "it stands outside of all functions"
        says.append(Say(comment.line, comment.text, why_not))
    code = compile(tree, path.name, "exec")
    return Source(path.name, text.splitlines(), code, frozenset(_modules(tree)), tree, tuple(says), left_out)


FENCE = re.compile(r"[ \t]*(?:`{3,}|~{3,})")
"""A line that begins or ends a block of code in Markdown."""

MAGIC = re.compile(r"%{1,2}[A-Za-z]|![A-Za-z]")
"""A line that a notebook reads and Python doesn't: `%%manim -qm Scene`, `!pip install manim`."""

UNSEEN = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u200b": None, "\u2060": None, "\ufeff": None})
"""Letters without ink that come along when code is copied from a page."""


def _without_wrapping(text: str) -> tuple[str, str | None]:
    """A program without what stands around it in an answer of a language model or in a notebook, and what that was.

    Lines keep their numbers. Nothing is left out (None) where there is no such thing.
    """
    lines = text.split("\n")
    told = []
    fences = [number for number, line in enumerate(lines) if FENCE.match(line)]
    if fences:
        # One alone may be what is left of a pair.
        inside = len(fences) == 1 and any(line.startswith("class ") for line in lines[: fences[0]])
        kept = []
        for number, line in enumerate(lines):
            if number in fences:
                inside = not inside
                kept.append("")
            else:
                kept.append(line if inside else "")
        lines = kept
        told.append("the lines outside of its Markdown fences")
    if any(MAGIC.match(line) for line in lines):
        lines = ["" if MAGIC.match(line) else line for line in lines]
        told.append("commands of a notebook (%, !)")
    bare = "\n".join(lines).translate(UNSEEN)
    if not told and bare != text:
        told.append("letters without ink")
    return bare, f"the program is run without {' and without '.join(told)}" if told else None


def _is_function(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)


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


@dataclass(frozen=True)
class _Comment:
    """A comment `# say:` and the indentation of the call that it becomes."""

    line: int
    depth: str
    text: str
    why_not: str | None = None


def _spoken(text: str, tree: ast.Module, comments: list[_Comment], name: str) -> tuple[ast.Module, list[_Comment]]:
    """The program with its comments as calls. One where no statement can stand is left a comment, and says so."""
    try:
        return ast.parse(_with_calls(text, comments), name), comments
    except (SyntaxError, ValueError):
        pass
    kept: list[_Comment] = []
    for comment in comments:
        try:
            tree = ast.parse(_with_calls(text, [*kept, comment]), name)
            kept.append(comment)
        except (SyntaxError, ValueError):
            kept.append(replace(comment, why_not="no statement can stand at its place"))
    return tree, kept


def _with_calls(text: str, comments: list[_Comment]) -> str:
    """The text with comments as calls in their lines; all lines keep their numbers."""
    lines = text.split("\n")
    for comment in comments:
        if comment.why_not is None:
            lines[comment.line - 1] = f"{comment.depth}{SAY}({comment.text!r})"
    return "\n".join(lines)


def _comments(text: str) -> list[_Comment]:
    """Comments `# say: …`, in order. Those in lines that follow each other are one."""
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError):
        return []
    calls: list[tuple[int, str, str]] = []
    silent: list[_Comment] = []
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
            if not words.lower().startswith("say:"):
                continue
            if brackets or not alone:
                why_not = "it stands within brackets" if brackets else "it stands behind a statement"
                silent.append(_Comment(token.start[0], "", words[4:].strip(), why_not))
            else:
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
    merged: list[_Comment] = []
    last = -1
    for line, depth, words in calls:
        if merged and last == line - 1 and merged[-1].depth == depth:
            merged[-1] = replace(merged[-1], text=f"{merged[-1].text} {words}")
        else:
            merged.append(_Comment(line, depth, words))
        last = line
    return sorted([*merged, *silent], key=lambda comment: comment.line)
