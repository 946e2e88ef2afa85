"""What is read of a program without running it: its spoken comments, its classes' names, narration beside it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "stage"))

from chalkreel_stage.program import narration, source


def spoken(folder: Path, text: str) -> list[str]:
    """What the comments of a function `f` say, in the order in which they are reached."""
    path = folder / "program.py"
    path.write_text(text, "utf-8")
    said: list[str] = []
    names: dict[str, Any] = {source.SAY: said.append}
    exec(source.read(path).code, names)
    names["f"]()
    return said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def f():\n    # say: one\n    # say: two\n    pass\n", ["one two"]),
        ("def f():\n    pass\n    # say: last\n", ["last"]),
        ("def f():\n    pass\n    # SAY:  shouted\nx = 1\n", ["shouted"]),
        ("def f():\n    if False:\n        pass\n        # say: never\n    # say: after\n    x = 1\n", ["after"]),
        (
            "def f():\n    if True:\n        pass\n    # say: in the block above\n    else:\n        pass\n",
            ["in the block above"],
        ),
        ("def f():\n    for _ in range(2):\n        # say: again\n        pass\n", ["again", "again"]),
        ("def f():\n# say: too far left\n    pass\n", ["too far left"]),
        ("def f():\n    x = [\n        # say: no\n        1,\n    ]\n", []),
        ("def f():\n    x = 1  # say: no\n", []),
        ("def f():\n    x = '''\n    # say: no\n    '''\n", []),
        ("def f():\n\t# say: by a tab\n\tpass\n", ["by a tab"]),
        ('def f():\n    # say: it\'s "quoted" \\n\n    pass\n', ['it\'s "quoted" \\n']),
    ],
)
def test_comments_become_calls_where_they_stand(tmp_path: Path, text: str, said: list[str]) -> None:
    assert spoken(tmp_path, text) == said


CLASS = "class A(Scene):\n    pass\n"


@pytest.mark.parametrize(
    ("text", "line", "left_out"),
    [
        (f"Here it's:\n\n```python\n{CLASS}```\nIt doesn't need more.\n", 4, "Markdown"),
        (f"```python\n{CLASS}", 2, "Markdown"),
        (f"{CLASS}```\n\nThat's all.\n", 1, "Markdown"),
        (f"%%manim -qm A\n\n!pip install manim\n{CLASS}", 4, "notebook"),
        (f"~~~\n%%manim A\n{CLASS}~~~\n", 3, "notebook"),
        (CLASS.replace("    pass", "\u00a0\u00a0\u00a0 pass"), 1, "without ink"),
    ],
)
def test_what_stands_around_a_program_is_left_out(tmp_path: Path, text: str, line: int, left_out: str) -> None:
    path = tmp_path / "program.py"
    path.write_text(text, "utf-8")
    read = source.read(path)
    assert read.tree.body[0].lineno == line and read.line(line) == "class A(Scene):"
    assert read.left_out is not None and left_out in read.left_out


def test_a_program_is_left_as_it_is(tmp_path: Path) -> None:
    text = 's = """\n```\n%magic\n"""\n'
    path = tmp_path / "program.py"
    path.write_text(text, "utf-8")
    assert source.read(path).left_out is None and source.read(path).line(3) == "%magic"
    path.write_text("class A(Scene:\n", "utf-8")
    with pytest.raises(source.Unreadable):
        source.read(path)


def test_a_comment_where_no_statement_can_stand_breaks_nothing(tmp_path: Path) -> None:
    text = "def g(f):\n    return f\n@g\n# say: between\ndef f():\n    # say: inside\n    pass\n"
    assert spoken(tmp_path, text) == ["inside"]


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("def f():\n    return [\n        # say: a\n        1]\n", 3, "it stands within brackets"),
        ("def f():\n    pass  # say: a\n", 2, "it stands behind a statement"),
        ("# say: a\ndef f():\n    pass\n", 1, "it stands outside of all functions"),
        ("class F:\n    # say: a\n    def f(self):\n        pass\n", 2, "it stands outside of all functions"),
        ("@staticmethod\n# say: a\ndef f():\n    pass\n", 2, "no statement can stand at its place"),
    ],
)
def test_a_comment_that_is_never_spoken_says_why(tmp_path: Path, text: str, line: int, why: str) -> None:
    path = tmp_path / "program.py"
    path.write_text(f"{text}def g():\n    # say: b\n    # say: c\n    pass\n")
    says = source.read(path).says
    assert [(say.text, say.why_not) for say in says] == [("a", why), ("b c", None)]
    assert says[0].line == line


def test_lines_keep_their_numbers(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError) as error:
        spoken(tmp_path, "def f():\n    # say: a\n    # say: b\n    1 / 0\n")
    assert error.traceback[-1].lineno + 1 == 4


def test_names_are_those_of_a_class_and_its_bases(tmp_path: Path) -> None:
    path = tmp_path / "program.py"
    path.write_text(
        "import a.b\nclass A:\n    x = one\n    def f(self):\n        # say: a\n        helper()\n\n    y = 1\n"
        "class B:\n    z = two.three(four=1)\ndef helper():\n    # say: by a helper\n    pass\n"
    )
    read = source.read(path)
    assert {"one"} <= read.names_of({"A"}) and "two" not in read.names_of({"A"})
    assert {"two", "three", "four"} <= read.names_of({"B"}) and read.modules == {"a"}
    said = [[say.text for say in read.says_of({name})] for name in ("A", "B")]
    assert said == [["a", "by a helper"], []], "a function's comments are those of the classes that name it"


@pytest.mark.parametrize("text", [b"def f(:\n", b"\xff\xfe", b"x = '\x00'", b"(" * 5000])
def test_what_is_no_python_is_unreadable(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "program.py"
    path.write_bytes(text)
    with pytest.raises(source.Unreadable):
        source.read(path)


@pytest.mark.parametrize(
    ("name", "text", "parts"),
    [
        ("a.md", "Before.\n\n# One\nIt is\nsaid.\n\n## Two ##\n", [(None, "Before."), ("One", "It is said.")]),
        ("a.json", '{"One": "It is  said.", "Two": " "}', [("One", "It is said.")]),
        ("a.json", '["a", {"name": "b", "text": "c"}]', [(None, "a"), ("b", "c")]),
    ],
)
def test_narration_beside_a_program(tmp_path: Path, name: str, text: str, parts: list[tuple[str | None, str]]) -> None:
    (tmp_path / name).write_text(text)
    assert [(part.name, part.text) for part in narration.read_sidecar(tmp_path / name)] == parts


@pytest.mark.parametrize("text", ["7", "{", '[{"text": 7}]', '{"a": null}'])
def test_narration_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(ValueError):
        narration.read_sidecar(tmp_path / "a.json")


def test_sections_take_words_once() -> None:
    words = narration.Narration("sidecar", [narration.Part("The end", "z"), narration.Part(None, "a")])
    assert [words.of_section(name) for name in ("the-end", "x", "The end", None)] == ["z", "a", "", ""]
    assert words.left_over() == []
