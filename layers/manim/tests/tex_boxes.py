"""Where the pieces of formulas stand: the same measure for Manim with a TeX and for the stage.

As a program it makes the reference again, with a stock Manim 0.22 and a TeX Live with dvisvgm on the PATH:
`python tex_boxes.py CASES.jsonl >REFERENCE.jsonl`. Lines of both are lists: class, strings, arguments; the reference
adds the width and height of the whole, and for each submobject the boxes of its pieces of ink in order. A box is the
centre from the whole's centre, width and height, in thousandths of Manim's units at font size 48. Where TeX stops with
an error, the line ends with null in their place.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def boxes(kind: str, strings: list[str], arguments: dict[str, Any]) -> list[Any]:
    """Size of a formula, and the boxes of each submobject's pieces. Raises what Manim raises."""
    import manim

    whole = getattr(manim, kind)(*strings, **arguments)
    centre = whole.get_center()

    def box(piece: manim.VMobject) -> list[int]:
        x, y, _ = piece.get_center() - centre
        return [round(1000 * length) for length in (x, y, piece.width, piece.height)]

    parts = [[box(piece) for piece in part.family_members_with_points()] for part in whole.submobjects]
    return [[round(1000 * whole.width), round(1000 * whole.height)], parts]


def main() -> None:
    """Measures the cases of a file."""
    for line in Path(sys.argv[1]).read_text("utf-8").splitlines():
        kind, strings, arguments = json.loads(line)[:3]
        try:
            measured = boxes(kind, strings, arguments)
        except Exception as error:
            print(f"{strings}: {error}", file=sys.stderr)
            measured = [None, None]
        print(json.dumps([kind, strings, arguments, *measured], ensure_ascii=False, separators=(",", ":")), flush=True)


if __name__ == "__main__":
    main()
