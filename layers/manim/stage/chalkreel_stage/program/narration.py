"""Which words belong to which part of a program. One source for the whole program, the first that it has:

1. `voiceover`: blocks of manim_voiceover, which say their words themselves;
2. `sidecar`: narration beside the program, by section;
3. `comment`: comments `# say: …`;
4. `notes`: notes of slides;
5. `subcaption`: subcaptions, which are spoken as they come;
6. `docstring`: of the class, or of `construct`, at the beginning.
"""

from __future__ import annotations

import inspect
import json
import re
from dataclasses import dataclass, field
from pathlib import Path

SPEAKING = {
    "voiceover": "this program speaks by its voiceover blocks",
    "sidecar": "the narration beside this program is spoken",
    "comment": "this program speaks by its comments `# say:`",
    "notes": "this program speaks by the notes of its slides",
    "subcaption": "this program speaks by its subcaptions",
    "docstring": "this program speaks by its docstring",
}
"""Why other words are not spoken, by source."""


@dataclass
class Part:
    """Words for a section."""

    name: str | None
    text: str
    is_used: bool = False


@dataclass
class Narration:
    """The words of a program, and where they come from."""

    source: str
    parts: list[Part] = field(default_factory=list)
    """Of a sidecar, in order."""
    beginning: str = ""
    """What is said when the first picture appears, if the program has no words of its own (`docstring`)."""

    def of_section(self, name: str | None) -> str:
        """The words of a section that begins: by its name, or the next ones without a name. Empty when it has none."""
        wanted = _key(name or "")
        for part in self.parts:
            if not part.is_used and wanted and part.name and _key(part.name) == wanted:
                part.is_used = True
                return part.text
        for part in self.parts:
            if not part.is_used and part.name is None:
                part.is_used = True
                return part.text
        return ""

    def left_over(self) -> list[Part]:
        """Words that no section took."""
        return [part for part in self.parts if not part.is_used]


def _key(name: str) -> str:
    return re.sub(r"[\W_]+", " ", name).strip().casefold()


def docstring(kind: type) -> str:
    """The docstring of a scene class itself, or else of its `construct`. Empty when neither has one of its own."""
    own = kind.__dict__.get("__doc__")
    if not own:
        own = getattr(kind.__dict__.get("construct"), "__doc__", None)
    return " ".join(inspect.cleandoc(own).split()) if isinstance(own, str) else ""


def read_sidecar(path: Path) -> list[Part]:
    """Narration beside a program. Raises OSError and ValueError.

    Markdown: headings name sections, what is below them is said; what comes before the first heading belongs to the
    beginning. JSON: an object {section: words}, or a list of words or of {"name", "text"}.
    """
    text = path.read_text("utf-8")
    if path.suffix == ".json":
        return _of_json(json.loads(text))
    parts: list[Part] = [Part(None, "")]
    for line in text.splitlines():
        heading = re.match(r"#{1,6}\s+(.*?)\s*#*$", line)
        if heading:
            parts.append(Part(heading[1], ""))
        elif line.strip():
            parts[-1].text = f"{parts[-1].text} {line.strip()}".strip()
    return [part for part in parts if part.text]


def _of_json(body: object) -> list[Part]:
    if isinstance(body, dict):
        items = [{"name": name, "text": text} for name, text in body.items()]
    elif isinstance(body, list):
        items = [item if isinstance(item, dict) else {"text": item} for item in body]
    else:
        raise ValueError("it is neither an object nor a list")
    parts = []
    for item in items:
        name, text = item.get("name"), item.get("text")
        if not isinstance(text, str) or not (name is None or isinstance(name, str)):
            raise ValueError('a section is {"name": …, "text": …}, both texts')
        if text.strip():
            parts.append(Part(name or None, " ".join(text.split())))
    return parts
