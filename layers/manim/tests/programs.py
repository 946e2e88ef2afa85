"""The caller's side of the runner of programs, over a real socket pair, as the handler starts it."""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LAYERS = Path(os.environ["CHALKREEL_TEST_LAYERS"])
PROGRAMS = Path(__file__).resolve().parents[3] / "tests" / "fixtures" / "programs"
WAIT_S = 180.0

# The two programs of a TeX installation that Manim calls. What the one is given, the other draws: a square for the
# formula that it knows, and nothing for any other.
LATEX = """#!/bin/sh
for last; do
    case $last in -output-directory=*) folder=${last#*=} ;; esac
done
name=${last##*/}
while IFS= read -r line; do printf '%s\\n' "$line"; done <"$last" >"$folder/${name%.tex}.dvi"
"""
DVISVGM = """#!/bin/sh
for last; do
    case $last in --output=*) out=${last#*=} ;; esac
done
while IFS= read -r line; do
    case $line in *x^2*) path='M 0 0 H 9 V 9 H 0 Z' ;; esac
done <"$last"
group="<g id=\\"unique000\\"><path d=\\"$path\\"/></g>"
printf '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">%s</svg>' "$group" >"$out"
"""


def install_tex(folder: Path, **scripts: str) -> str:
    """Puts programs into a folder; the PATH with which they are found."""
    for name, script in scripts.items():
        (folder / name).write_text(script)
        (folder / name).chmod(0o755)
    return f"{folder}:/usr/bin:/bin"


@dataclass
class Voice:
    """Speaks at a steady rate. Keeps what it was asked."""

    characters_per_second: float = 20.0
    asked: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, say: dict[str, Any]) -> dict[str, Any] | bytes | None:
        self.asked.append(say)
        words, at = [], 0
        for word in say["text"].split():
            at = say["text"].index(word, at)
            words.append([at, round(at / self.characters_per_second, 3)])
            at += len(word)
        seconds = len(say["text"]) / self.characters_per_second
        return {"op": "said", "id": say["id"], "ask": say["ask"], "seconds": seconds, "words": words}


class Runner:
    """A server of programs. Its scratch folder is its working folder, too."""

    def __init__(
        self, scratch: Path, answer: Callable[[dict[str, Any]], Any] | None = None, path: str = "/usr/bin:/bin"
    ):
        self.scratch = scratch
        self.answer = answer or Voice()
        self.past: list[dict[str, Any]] = []
        self.socket, theirs = socket.socketpair()
        self._printed = (scratch / "stderr.txt").open("wb")
        self.process = subprocess.Popen(
            [LAYERS / "bin" / "chalkreel-raw", "--channel"],
            env={
                "TMPDIR": str(scratch),
                "HOME": str(scratch),
                "PATH": path,
                "CHALKREEL_STAGE_FD": str(theirs.fileno()),
            },
            pass_fds=[theirs.fileno()],
            cwd=scratch,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._printed,
        )
        theirs.close()
        self._buffer = b""

    @property
    def printed(self) -> str:
        """What it and its programs have printed so far."""
        return (self.scratch / "stderr.txt").read_text("utf-8", "replace")

    def close(self) -> int:
        """Says nothing more; its exit code."""
        self.socket.close()
        self._printed.close()
        try:
            return self.process.wait(20)
        finally:
            self.process.kill()
            self.process.wait()

    def send(self, request: dict[str, Any] | bytes) -> None:
        data = request if isinstance(request, bytes) else json.dumps(request).encode()
        self.socket.sendall(data + b"\n")

    def event(self) -> dict[str, Any]:
        """The next event, questions about speech included. Lines without anything come before events."""
        deadline = time.monotonic() + WAIT_S
        while b"\n" not in self._buffer.lstrip(b"\n"):
            left = deadline - time.monotonic()
            assert left > 0 and select.select([self.socket], [], [], left)[0], f"no event in time; had {self.past[-3:]}"
            data = self.socket.recv(65536)
            assert data, f"the runner went away; had {self.past[-3:]}: {self.printed[-800:]}"
            self._buffer += data
        line, self._buffer = self._buffer.lstrip(b"\n").split(b"\n", 1)
        try:
            event = json.loads(line)
        except ValueError:
            event = None
        if not isinstance(event, dict) or not isinstance(event.get("event"), str):
            event = {"event": "garbage"}
        self.past.append(event)
        return event

    def ask(self, source: Path | str, scene: str, **other: Any) -> None:
        """Sends a small request for a class. A program's text is written beside the clip."""
        if isinstance(source, str):
            text, source = source, self.scratch / "program.py"
            source.write_text(text, "utf-8")
        size = {"width": 128, "height": 72, "fps": 10}
        request = {
            "op": "run",
            "id": "r",
            "source": str(source),
            "class": scene,
            "out": str(self.clip),
            **size,
            **other,
        }
        self.send(request)

    @property
    def clip(self) -> Path:
        """Where the clip will be."""
        return self.scratch / "clip.mp4"

    def run(self, source: Path | str, scene: str, **other: Any) -> dict[str, Any]:
        """Runs a class to its last answer; questions are answered on the way."""
        self.ask(source, scene, **other)
        return self.end()

    def end(self) -> dict[str, Any]:
        """The last answer."""
        while True:
            event = self.event()
            if event.get("id") == "r" and event["event"] == "say":
                answer = self.answer(event)
                if answer is not None:
                    self.send(answer)
            elif event.get("id") == "r" and event["event"] in ("done", "failed"):
                return event
