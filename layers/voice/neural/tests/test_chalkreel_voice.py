"""The worker's own parts, without a model; the handler's tests speak with a real one."""

import itertools
import json
import socket
import sys
import threading
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))
import chalkreel_voice as voice


def group(phonemes, begin, end):
    return voice.Group(phonemes, begin, end)


def test_groups_are_what_stands_between_spaces():
    phonemes = [("^", 5), ("l", 10), ("ˈ", 1), ("ɛ", 10), (" ", 7), ("ɪ", 10), (".", 4), (" ", 3), ("—", 2), ("$", 6)]
    assert voice.groups_of(phonemes, 100) == [group("lˈɛ", 105, 126), group("ɪ.", 133, 147)]


def test_as_many_groups_as_expected_are_the_words_in_order():
    words = [("ɪn",), ("twɛnti", "θɹi"), (), ("lɔz",)]
    groups = [group("ɪn", 0, 10), group("twˈɛnti", 12, 20), group("θɹˈiː", 21, 30), group("lˈɔːz.", 40, 50)]
    assert voice.times(words, groups) == [(0, 10), (12, 30), (40, 40), (40, 50)]


@pytest.mark.parametrize(
    ("words", "spoken", "expected"),
    [
        # Two words are spoken as one, and share its time.
        ([("ʌv",), ("ðə",), ("piːpəl",)], ["ʌvðə", "piːpəl"], [(0, 50), (50, 100), (100, 200)]),
        # A number takes more groups within the sentence than alone.
        ([("ɪn",), ("wʌn",), ("jɪɹ",)], ["ɪn", "wʌn", "θaʊzənd", "jɪɹ"], [(0, 100), (100, 300), (300, 400)]),
        # One word is left out.
        (
            [("ðə",), ("haʊs",), ("ɪz",), ("hɪɹ",)],
            ["ðə", "haʊs", "hɪɹ"],
            [(0, 100), (100, 200), (200, 200), (200, 300)],
        ),
        # Nothing is spoken at all.
        ([("ðə",)], [], [(0, 0)]),
        ([], ["ðə"], []),
    ],
)
def test_words_and_groups_are_matched_by_their_phonemes(words, spoken, expected):
    groups = [group(phonemes, 100 * at, 100 * at + 100) for at, phonemes in enumerate(spoken)]
    assert voice.times(words, groups) == expected


def test_times_never_go_back_whatever_is_matched():
    words = [("a" * (n % 4 + 1),) * (n % 3) for n in range(300)]
    groups = [group("ab"[n % 2] * (n % 5 + 1), 10 * n, 10 * n + 8) for n in range(280)]
    found = voice.times(words, groups)
    assert len(found) == len(words)
    assert all(begin <= end for begin, end in found)
    assert all(one[0] <= other[0] for one, other in itertools.pairwise(found))


def onnx(nodes, outputs):
    """A model with these nodes (operator, output) and outputs."""
    field = voice._field
    graph = b"".join(field(1, field(2, output) + field(4, operator)) for operator, output in nodes)
    return b"\x08\x08" + field(7, graph + b"".join(field(12, field(1, name)) for name in outputs))


def outputs(model):
    return [
        bytes(n) for graph in voice._values(model, 7) for o in voice._values(graph, 12) for n in voice._values(o, 1)
    ]


def test_durations_become_one_more_output():
    model = onnx([(b"Conv", b"x"), (b"Ceil", b"w")], [b"sound"])
    assert outputs(voice.with_durations(model)) == [b"sound", b"w"]
    # Which one is meant can't be told, or it is there already, or there is none.
    for same in (
        onnx([(b"Ceil", b"v"), (b"Ceil", b"w")], [b"sound"]),
        onnx([(b"Ceil", b"w")], [b"sound", b"w"]),
        onnx([(b"Conv", b"x")], [b"sound"]),
    ):
        assert voice.with_durations(same) == same


@pytest.mark.parametrize("broken", [b"\xff" * 20, b"\x3f", b"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"])
def test_a_file_that_is_no_model_is_refused(broken):
    with pytest.raises(ValueError, match="no ONNX file"):
        voice.with_durations(broken)


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"[" * 100_000,
        b"7",
        b"{}",
        b'{"op": "speak"}',
        b'{"op": "speak", "id": "1", "model": "m", "text": "", "out": "o"}',
        b'{"op": "speak", "id": "1", "model": "m", "text": "t", "out": "o", "length_scale": NaN}',
        b'{"op": "sing", "id": "1"}',
        b'{"op": "cancel", "id": 1}',
    ],
)
def test_a_line_that_is_no_request_is_refused(line):
    with pytest.raises(voice.Refused):
        voice.parse(line)


def test_requests_are_answered_in_order_and_a_cancelled_one_is_not_spoken(monkeypatch):
    begun, go_on, spoken = threading.Event(), threading.Event(), []

    def speak(asked, is_cancelled):
        begun.set()
        assert go_on.wait(10)
        if is_cancelled():
            raise voice.Cancelled
        spoken.append(asked.id)
        if asked.text == "bad":
            raise RuntimeError("no such model")
        return 1.5, [[0, 10]]

    ended = threading.Event()
    monkeypatch.setattr(voice, "speak", speak)
    monkeypatch.setattr(voice.os, "_exit", lambda code: ended.set())
    ours, theirs = socket.socketpair()
    server = voice.Server(theirs)
    threading.Thread(target=server.read, daemon=True).start()
    threading.Thread(target=server.serve, daemon=True).start()

    def ask(**body):
        ours.sendall(json.dumps(body).encode() + b"\n")

    for name, text in (("1", "good"), ("2", "good"), ("3", "bad")):
        ask(op="speak", id=name, model="m", text=text, out="o")
    assert begun.wait(10)
    ask(op="cancel", id="2")
    ours.sendall(b"nonsense\n")
    answers = ours.makefile("rb")
    # Read after what came before it: the cancellation is known.
    assert json.loads(answers.readline())["event"] == "refused"
    go_on.set()
    first, second, third = (json.loads(answers.readline()) for _ in range(3))
    assert first == {"event": "done", "id": "1", "seconds": 1.5, "words": [[0, 10]]}
    assert (second["event"], second["id"], second["kind"]) == ("failed", "2", "cancelled")
    assert (third["event"], third["kind"], third["message"]) == ("failed", "error", "RuntimeError: no such model")
    assert spoken == ["1", "3"]
    ours.shutdown(socket.SHUT_WR)
    assert ended.wait(10)
