r"""TeX's text mode, for the typesetter of formulas: words become `\text{…}`, paragraphs become rows.

Comes in: what `Tex("…")` is given, with the marks of its parts. Goes out: a formula that draws the same. Lines break
where a word ends once they are longer than 345 points, as in Manim's template; fonts, sizes and colours are set for
each word, since a line may break between two of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

LINE = 34.5
"""Width of a line in em: `\\textwidth` of LaTeX's article, 345 points at ten points an em."""

SPACE = 0.3333
AFTER_SENTENCE = 0.4444
"""Em of a space between words, and after a full stop and the like: Computer Modern at ten points."""

TOKEN = re.compile(
    r"(?P<special>\\special\{dvisvgm:raw (?:<g id='[^']*'>|</g>)\})"
    r"|(?P<display>\$\$.*?\$\$|\\\[.*?\\\])"
    r"|(?P<maths>\$(?:\\.|[^$\\])*\$|\\\(.*?\\\))"
    r"|(?P<break>\\\\\*?(?:\s*\[[^\]]*\])?|\\newline\b|\\par\b|\n[ \t]*\n\s*)"
    r"|(?P<comment>(?<!\\)%[^\n]*\n?)"
    r"|(?P<space>\s+)"
    r"|(?P<command>\\[A-Za-z]+\*?)"
    r"|(?P<escape>\\.)"
    r"|(?P<open>\{)|(?P<close>\})"
    r"|(?P<tie>~)|(?P<cell>&)"
    r"|(?P<letter>.)",
    re.DOTALL,
)

FONTS = {
    "textbf": r"\textbf",
    "textit": r"\textit",
    "emph": r"\textit",
    "textsl": r"\textit",
    "texttt": r"\texttt",
    "textsf": r"\textsf",
    "textrm": r"\text",
    "textnormal": r"\text",
    "textup": r"\text",
    "textmd": r"\text",
    "textsc": r"\text",
    "text": None,
    "mbox": None,
    "hbox": None,
}
"""Commands with an argument, and what sets its words; none keeps the font."""

SWITCHES = {
    "bf": r"\textbf",
    "bfseries": r"\textbf",
    "it": r"\textit",
    "itshape": r"\textit",
    "em": r"\textit",
    "sl": r"\textit",
    "slshape": r"\textit",
    "tt": r"\texttt",
    "ttfamily": r"\texttt",
    "sf": r"\textsf",
    "sffamily": r"\textsf",
    "rm": r"\text",
    "rmfamily": r"\text",
    "normalfont": r"\text",
    "upshape": r"\text",
    "mdseries": r"\text",
    "scshape": r"\text",
    "sc": r"\text",
}

SIZES = frozenset(
    ("tiny", "scriptsize", "footnotesize", "small", "normalsize", "large", "Large", "LARGE", "huge", "Huge")
)

SPACES = {
    "quad": 1.0,
    "qquad": 2.0,
    "enspace": 0.5,
    ",": 0.1667,
    ";": 0.2778,
    ":": 0.2222,
    "!": -0.1667,
    " ": SPACE,
}
"""Commands that are spaces, in em."""

LETTERS = {"textbackslash": "\\backslash ", "textasciitilde": "\\sim ", "ldots": "\\ldots ", "dots": "\\ldots "}

IGNORED = frozenset(
    (
        "noindent",
        "centering",
        "raggedright",
        "raggedleft",
        "indent",
        "smallskip",
        "medskip",
        "bigskip",
        "hfill",
        "vfill",
        "newpage",
        "clearpage",
        "justifying",
        "strut",
        "protect",
        "relax",
        "item",
        "hline",
        "selectfont",
        "sloppy",
    )
)

DROPPED = frozenset(("vspace", "setlength", "label", "pagestyle", "thispagestyle", "hypersetup", "fontsize"))
"""Commands whose arguments are no text either."""

SIGNS = ("ss", "o", "O", "ae", "AE", "oe", "OE", "aa", "AA", "l", "L", "i", "j", "S", "P", "dag", "pounds", "copyright")
"""Commands that are letters of a word."""

ACCENTS = "'`^\"~=.uvHtcdbrk"

MATHS_BLOCK = re.compile(r"(align|equation|gather|multline|eqnarray|flalign|displaymath|math)\*?")


NEXT_ROW = r" \\ "


@dataclass(frozen=True)
class Style:
    """How a word is set."""

    font: str = r"\text"
    size: str = ""
    colour: str = ""

    def of(self, source: str) -> str:
        """A word in this font, size and colour."""
        return self.around(f"{self.font}{{{source}}}")

    def around(self, source: str) -> str:
        """The same of something that has its own font."""
        if self.size:
            source = f"{{\\{self.size} {source}}}"
        return f"\\textcolor{self.colour}{{{source}}}" if self.colour else source


@dataclass(frozen=True)
class Piece:
    """`word`, `space`, `mark` (of a part, without ink), `break`, or `block` (has a line of its own)."""

    kind: str
    source: str = ""
    width: float = 0.0


def as_formula(tex: str, environment: str, width: Callable[[str], float]) -> str:
    """The formula that draws a text. `width` measures a formula in em."""
    name = environment.partition("}")[0].strip()
    left = name in ("flushleft", "itemize", "enumerate", "raggedright")
    if name in ("itemize", "enumerate", "tabular", "tabular*") or MATHS_BLOCK.fullmatch(name):
        tex = f"\\begin{{{environment}}}{tex}\\end{{{name}}}"
    right = name == "flushright"
    if len(tex) <= LINE:
        # No letter is wider than an em, so that it fits in one line, and nothing need be measured.
        width = _nothing
    pieces = list(_Reader(tex, width).pieces(Style()))
    return _rows(list(_lines(pieces, width)), "l" if left or not name else "r" if right else "c")


def _nothing(source: str) -> float:
    return 0.0


def _rows(lines: list[str], place: str) -> str:
    if len(lines) <= 1:
        return "".join(lines)
    return f"\\begin{{array}}{{{place}}}{NEXT_ROW.join(lines)}\\end{{array}}"


def _lines(pieces: list[Piece], width: Callable[[str], float]) -> Iterator[str]:
    """Breaks a text into lines; marks go with what follows them, or with the end."""
    line: list[Piece] = []
    used = 0.0
    for word in _words(pieces):
        kind = word[-1].kind
        if kind in ("break", "block"):
            marks = [piece for piece in word if piece.kind != "break"]
            if kind == "block":
                if any(piece.kind == "word" for piece in line):
                    yield _joined(line)
                    line = []
                yield _joined(line + marks)
            else:
                yield _joined(line + marks)
            line, used = [], 0.0
            continue
        wide = sum(piece.width or width(piece.source) for piece in word if piece.kind == "word")
        gap = sum(piece.width for piece in word if piece.kind == "space")
        if used and used + gap + wide > LINE:
            yield _joined(line)
            line, used, gap = [], 0.0, 0.0
            word = [piece for piece in word if piece.kind != "space"]
        line += word
        used += wide + gap
    if any(piece.kind == "word" for piece in line) or (line and not used):
        yield _joined(line)


def _words(pieces: list[Piece]) -> Iterator[list[Piece]]:
    """What can't be parted: the spaces and marks before a word, and the word."""
    now: list[Piece] = []
    for index, piece in enumerate(pieces):
        now.append(piece)
        following = pieces[index + 1].kind if index + 1 < len(pieces) else "space"
        if piece.kind in ("break", "block") or (piece.kind == "word" and following in ("space", "break", "block")):
            yield now
            now = []
    if now:
        yield now


def _joined(line: list[Piece]) -> str:
    while line and line[0].kind == "space":
        line = line[1:]
    ink = [index for index, piece in enumerate(line) if piece.kind in ("word", "block")]
    last = ink[-1] if ink else -1
    out = []
    for index, piece in enumerate(line):
        if piece.kind == "space":
            # A space at the end of a line is no ink, and a mark may stand behind it.
            out.append(f"\\hspace{{{piece.width:.4f}em}}" if index < last else "")
        else:
            out.append(piece.source)
    return "".join(out)


class _Reader:
    """Reads a text once, from left to right."""

    def __init__(self, tex: str, width: Callable[[str], float]) -> None:
        self._tex = tex
        self._width = width
        self._at = 0

    def pieces(self, style: Style, end: str | None = None) -> Iterator[Piece]:
        """What is drawn, up to the brace that closes this group (`end` is `}`), or the end."""
        word = ""
        while self._at < len(self._tex):
            found = TOKEN.match(self._tex, self._at)
            kind, source = found.lastgroup, found[0]
            self._at = found.end()
            if kind in ("letter", "escape") and self._is_letter(kind, source):
                word += self._letter(kind, source)
                continue
            if kind == "command" and source[1:] in SIGNS:
                word += f"{{{source}}}"
                self._skip_space()
                continue
            if word:
                yield Piece("word", style.of(word))
                space = AFTER_SENTENCE if word[-1] in ".?!:" else SPACE
                word = ""
            else:
                space = SPACE
            if kind == "close":
                if end == "}":
                    return
                continue
            if kind == "space":
                yield Piece("space", width=space)
            elif kind == "tie":
                yield Piece("word", f"\\hspace{{{SPACE}em}}", SPACE)
            elif kind == "comment":
                # TeX would drop the rest of the line, which nobody means who writes 100%.
                self._at = found.start() + 1
                word = "\\%"
            elif kind == "special":
                yield Piece("mark", source)
            elif kind == "break":
                yield Piece("break")
            elif kind == "maths":
                inside = source[2:-2] if source.startswith("\\") else source[1:-1]
                yield Piece("word", style.around(f"{{\\textstyle {inside}}}"))
            elif kind == "display":
                yield Piece("block", style.around(f"{{\\displaystyle {source[2:-2]}}}"))
            elif kind == "open":
                yield from self.pieces(style, "}")
            elif kind == "cell":
                yield Piece("word", "\\text{\\&}")
            elif kind == "escape":
                yield from self._space_of(source[1])
            elif kind == "command":
                changed = self._switched(style, source[1:])
                if changed is not None:
                    style = changed
                else:
                    yield from self._command(source[1:], style)
        if word:
            yield Piece("word", style.of(word))

    def _is_letter(self, kind: str, source: str) -> bool:
        return kind == "letter" or source[1] in "%&#_${}" or source[1] in ACCENTS[:7] or source[1] in "-/"

    def _letter(self, kind: str, source: str) -> str:
        if kind == "letter":
            return f"\\{source}" if source in "_^#" and source != "^" else "\\^{}" if source == "^" else source
        if source in ("\\-", "\\/"):
            return ""
        if source[1] in ACCENTS[:7]:
            return f"{source}{{{self._argument()}}}"
        return source

    def _space_of(self, sign: str) -> Iterator[Piece]:
        if sign in SPACES or sign == "\n":
            yield Piece(
                "space" if sign in " \n" else "word",
                f"\\hspace{{{SPACES.get(sign, SPACE)}em}}",
                SPACES.get(sign, SPACE),
            )

    def _switched(self, style: Style, name: str) -> Style | None:
        if name in SWITCHES:
            self._skip_space()
            return replace(style, font=SWITCHES[name])
        if name in SIZES:
            self._skip_space()
            return replace(style, size="" if name == "normalsize" else name)
        if name == "color":
            return replace(style, colour=self._colour())
        return None

    def _command(self, name: str, style: Style) -> Iterator[Piece]:
        bare = name.rstrip("*")
        if name in FONTS:
            font = FONTS[name]
            # Emphasis within what leans already stands upright.
            if name == "emph" and style.font == r"\textit":
                font = r"\text"
            yield from self._group(style if font is None else replace(style, font=font))
        elif name == "textcolor":
            yield from self._group(replace(style, colour=self._colour()))
        elif name in SPACES:
            self._skip_space()
            yield Piece("word", f"\\{name} ", SPACES[name])
        elif name in LETTERS:
            self._skip_space()
            yield Piece("word", style.around(LETTERS[name]))
        elif bare == "hspace":
            length = self._argument()
            yield Piece("word", f"\\hspace{{{length}}}", 1.0)
        elif bare in DROPPED:
            self._argument()
            if bare in ("setlength", "fontsize"):
                self._argument()
        elif name in IGNORED:
            self._skip_space()
        elif name == "underline":
            inside = _joined(list(_Reader(self._argument(), self._width).pieces(style)))
            yield Piece("word", f"\\underline{{{inside}}}")
        elif name == "begin":
            yield from self._environment(self._argument(), style)
        elif name == "end":
            self._argument()
        elif len(name) == 1 and name in ACCENTS:
            yield Piece("word", style.of(f"\\{name}{{{self._argument()}}}"))
        else:
            # Something of mathematics outside of dollars, or an unknown command: the typesetter knows, or tells.
            yield Piece("word", style.around(f"\\{name}{self._arguments()}"))

    def _group(self, style: Style) -> Iterator[Piece]:
        self._skip_space()
        if self._tex[self._at : self._at + 1] == "{":
            self._at += 1
            yield from self.pieces(style, "}")
        else:
            yield Piece("word", style.of(self._argument()))

    def _environment(self, name: str, style: Style) -> Iterator[Piece]:
        bare = name.rstrip("*")
        body = self._body(name)
        if MATHS_BLOCK.fullmatch(name):
            # A block of its own, aligned as it was.
            yield Piece("block", style.around(f"\\begin{{{name}}}{body}\\end{{{name}}}"))
        elif bare in ("itemize", "enumerate", "description"):
            yield Piece("block", self._list(bare, body, style))
        elif bare in ("tabular", "tabularx", "array"):
            yield Piece("block" if bare != "array" else "word", self._table(body, style))
        else:
            inner = _Reader(body, self._width)
            if bare == "minipage":
                inner._optional()
                inner._argument()
            place = {"flushleft": "l", "flushright": "r"}.get(bare, "c" if bare == "center" else "l")
            yield Piece("block", _rows(list(_lines(list(inner.pieces(style)), self._width)), place))

    def _list(self, kind: str, body: str, style: Style) -> str:
        rows: list[str] = []
        head, *items = re.split(r"\\item\b", body)
        marks = "".join(found[0] for found in TOKEN.finditer(head) if found.lastgroup == "special")
        for number, item in enumerate(items, 1):
            label = re.match(r"\s*\[([^\]]*)\]", item)
            text = item[label.end() :] if label else item
            sign = style.of(f"{number}.") if kind == "enumerate" else style.around("\\bullet ")
            if label:
                sign = style.of(label[1])
            lines = list(_lines(list(_Reader(text.strip(), self._width).pieces(style)), self._width))
            rows.append(f"{marks}{sign}\\hspace{{0.5em}}{lines[0] if lines else ''}")
            rows += [f"\\hspace{{1em}}{line}" for line in lines[1:]]
            marks = ""
        return _rows(rows, "l")

    def _table(self, body: str, style: Style) -> str:
        inner = _Reader(body, self._width)
        columns = inner._argument()
        if not re.fullmatch(r"[lcrpm|@{}.\d\s\\a-z!*>]*", columns):
            columns = inner._argument()
        columns = re.sub(r"[pm]\{[^}]*\}", "l", columns)
        rows = []
        for row in _split(body[inner._at :], "\\\\"):
            rules = "".join(re.findall(r"\\hline", row))
            cells = _split(re.sub(r"\\hline", "", row), "&")
            set_cells = [_joined(list(_Reader(cell.strip(), self._width).pieces(style))) for cell in cells]
            rows.append(rules + (" & ".join(set_cells) if any(set_cells) else ""))
        return f"\\begin{{array}}{{{columns}}}{NEXT_ROW.join(rows)}\\end{{array}}"

    def _body(self, name: str) -> str:
        """What stands until the end of an environment, its own kind within it included."""
        depth = 1
        for found in re.compile(r"\\(begin|end)\s*\{" + re.escape(name) + r"\}").finditer(self._tex, self._at):
            depth += 1 if found[1] == "begin" else -1
            if not depth:
                body = self._tex[self._at : found.start()]
                self._at = found.end()
                return body
        body, self._at = self._tex[self._at :], len(self._tex)
        return body

    def _skip_space(self) -> None:
        while self._at < len(self._tex) and self._tex[self._at] in " \t\n":
            self._at += 1

    def _argument(self) -> str:
        """The next group without its braces, or the next letter or command."""
        self._skip_space()
        if self._tex[self._at : self._at + 1] == "{":
            start = self._at + 1
            self._at = _end_of_group(self._tex, start)
            return self._tex[start : self._at - 1]
        found = TOKEN.match(self._tex, self._at)
        if found is None:
            return ""
        self._at = found.end()
        return found[0]

    def _optional(self) -> str:
        self._skip_space()
        if self._tex[self._at : self._at + 1] != "[":
            return ""
        end = self._tex.find("]", self._at)
        if end < 0:
            return ""
        inside = self._tex[self._at : end + 1]
        self._at = end + 1
        return inside

    def _colour(self) -> str:
        model = self._optional()
        return f"{model}{{{self._argument()}}}"

    def _arguments(self) -> str:
        """Groups that follow a command at once, as they stand."""
        start = self._at
        while self._tex[self._at : self._at + 1] in ("{", "["):
            before = self._at
            if self._tex[self._at] == "[":
                self._optional()
            else:
                self._argument()
            if self._at == before:
                break
        return self._tex[start : self._at] or " "


def _end_of_group(text: str, start: int) -> int:
    """The index behind the brace that closes the group whose inside begins at `start`."""
    depth, at = 1, start
    while at < len(text) and depth:
        if text[at] == "\\":
            at += 1
        elif text[at] == "{":
            depth += 1
        elif text[at] == "}":
            depth -= 1
        at += 1
    return at


def _split(text: str, mark: str) -> list[str]:
    """Parts of a table between `mark`, outside of groups and of other environments."""
    parts, depth, start, at = [], 0, 0, 0
    while at < len(text):
        if text.startswith("\\begin", at) or text[at] == "{":
            depth += 1
        elif text.startswith("\\end", at) or text[at] == "}":
            depth -= 1
        if not depth and text.startswith(mark, at):
            parts.append(text[start:at])
            at += len(mark)
            start = at
            continue
        at += 2 if text[at] == "\\" else 1
    return [*parts, text[start:]]
