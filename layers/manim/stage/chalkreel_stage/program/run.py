"""One program: read, played to its end, and told what came of it. Runs in a process of its own."""

from __future__ import annotations

import gc
import os
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any, NoReturn

import manim
import numpy as np

from .. import protocol, theme
from ..frames.clip import Clip
from . import formulas, hooks, imports, old_names, source, stand_ins
from .channel import Channel
from .failures import Refusal, TimeLimit, describe
from .findings import Findings
from .footage import Blank, FilmLimit, Footage
from .narration import Narration, Part, docstring, read_sidecar
from .session import Session, set_current

FRAMES_EVERY_S = 0.25
"""Least time between two `frames` answers."""

HELD_S = 1.0
"""How long the last picture stands when the program has broken off."""

VOICEOVERS = {"voiceover", "add_voiceover_text", "add_voiceover_ssml"}
"""Methods of manim_voiceover with which a scene speaks."""

NATURAL = 16 / 9
"""Shape of a program that sets none: Manim's own default."""


def run(asked: protocol.Run, channel: Channel) -> None:
    """Runs the program and sends the last answer. Raises OSError when it can't be sent."""
    began = time.monotonic()
    session = Session(asked, channel)
    set_current(session)
    out = Path(asked.out)
    with tempfile.TemporaryDirectory(prefix="chalkreel-program-") as folder:
        film = Film(session, folder, began)
        try:
            answer = film.made()
        except BaseException as error:  # Also SystemExit and the like: it is somebody's program.
            _ignore_time()
            traceback.print_exc()
            out.with_name(out.name + ".part").unlink(missing_ok=True)
            told = describe(error, session.source, asked.limits.film_s)
            failed = {"event": "failed", "id": asked.id, "signal": None, "exit": 1, **told}
            trace = traceback.format_exc()[-4000:]
            channel.send({**failed, "trace": trace, "warnings": session.warnings, "frames": 0})
            return
    channel.send(answer)


class Film:
    """The film of one scene class."""

    def __init__(self, session: Session, folder: str, began: float) -> None:
        self._session = session
        self._began = began
        self._findings: Findings | None = None
        self._asked = session.asked
        self._folder = folder
        self._told = 0.0
        self._error: dict[str, Any] | None = None
        self._trace = ""

    def made(self) -> dict[str, Any]:
        """The clip is there: what is in it. Raises what kept the program from any picture."""
        asked, session = self._asked, self._session
        _limit_time(session)
        width, height = _fitted(NATURAL, asked.width, asked.height)
        self._settle(width, height, whole=True)
        hooks.install()
        stand_ins.install()
        old_names.install()
        no_tex = formulas.install(asked.formulas)
        path = Path(asked.source)
        imports.install(path.parent)
        session.source = source.read(path)
        if session.source.left_out is not None:
            session.warn(session.source.left_out)
        if no_tex is not None:
            session.warn(no_tex)
        program = self._load()
        shape = self._shape(width / height)
        size = _fitted(shape, asked.width, asked.height)
        self._settle(*size)
        kind = self._scene_class(program)
        session.narration = self._narration(kind)
        whole = asked.width, asked.height
        clip = Clip(Path(asked.out), *whole, asked.fps) if asked.draw else Blank()
        background = np.array([*manim.config.background_color.to_int_rgb(), 255], np.uint8)
        footage = _Framed(clip, whole, background, round(asked.limits.film_s * asked.fps), self._wrote)
        session.begin(footage, self._draw)
        self._findings = Findings(session)
        if asked.draw:
            session.inspect = self._findings.inspect
        session.give_up = self._give_up
        try:
            session.expects_scene = True
            scene = kind()
            session.expects_scene = False
            scene.render()
        except BaseException as error:
            # What was drawn before it stays; without a picture there is no film.
            if footage.is_empty and not (session.scene is not None and session.scene.mobjects):
                raise
            self._broken(error)
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        """Finishes the clip; `done` with everything that it says."""
        session, footage = self._session, self._session.footage
        self._finish(footage)
        _ignore_time()
        frames = footage.close()
        spent = resource.getrusage(resource.RUSAGE_SELF)
        return {
            "event": "done",
            "id": self._asked.id,
            "frames": frames,
            "drawn": footage.drawn,
            "width": footage.width,
            "height": footage.height,
            "narration": session.narration.source,
            "in_space": isinstance(session.scene, manim.ThreeDScene),
            **session.timeline.report(frames),
            "holds": [{"first_frame": hold.first_frame, "frames": hold.frames} for hold in footage.holds],
            "still": footage.fullest.told(),
            "audit": self._findings.counts(),
            "findings": self._findings.report(frames),
            "warnings": session.warnings,
            "error": self._error,
            "trace": self._trace,
            "render_s": round(time.monotonic() - self._began, 3),
            "cpu_s": round(spent.ru_utime + spent.ru_stime, 3),
        }

    def _give_up(self, limit: BaseException) -> NoReturn:
        """Ends a program that lets no limit pass its own handlers: the film is finished where it stands."""
        code = 1
        try:
            self._broken(limit)
            self._session.tell(self._answer())
            code = TOLD
        finally:
            leave(code)

    def _load(self) -> ModuleType:
        """The program, run as a module of its own name."""
        read = self._session.source
        module = ModuleType("program")
        module.__file__ = self._asked.source
        sys.modules["program"] = module
        module.__dict__[source.SAY] = self._session.say_comment
        random.seed(0)
        np.random.seed(0)
        if "manim" not in read.modules and not read.modules & set(imports.OTHER_MANIMS):
            # A fence in a lesson often holds the class alone.
            exec("from manim import *", module.__dict__)
        exec(read.code, module.__dict__)  # That is what this process is for.
        return module

    def _scene_class(self, program: ModuleType) -> type[manim.Scene]:
        name = self._asked.scene
        kind = getattr(program, name, None)
        own = isinstance(kind, type) and kind.__module__ == program.__name__
        if not (own and issubclass(kind, manim.Scene)):
            raise Refusal(
                "no_scene_class",
                f"there is no scene class {name} in the program",
                f"Write class {name}(Scene): with a method construct.",
            )
        return kind

    def _narration(self, kind: type[manim.Scene]) -> Narration:
        """Where the program's words come from; those that never can be spoken are told."""
        asked, read = self._asked, self._session.source
        parts = [Part(name, " ".join(text.split())) for name, text in asked.sections if text.strip()]
        if asked.narration_file is not None:
            try:
                parts += read_sidecar(Path(asked.narration_file))
            except (OSError, ValueError) as error:
                self._session.warn(f"{Path(asked.narration_file).name} can't be read: {error}")
        classes = {base.__name__ for base in kind.__mro__ if base.__module__ == kind.__module__}
        names, says = read.names_of(classes), read.says_of(classes)
        for say in says:
            if say.why_not is not None:
                self._session.warn(f"the comment `# say: {say.text[:80]}` is not spoken: {say.why_not}", say.line)
        beginning = docstring(kind) if asked.docstring is None else asked.docstring
        if _speaks_by_voiceovers(kind, names):
            return Narration("voiceover", parts, beginning)
        if parts:
            return Narration("sidecar", parts, beginning)
        if any(say.why_not is None for say in says):
            return Narration("comment", beginning=beginning)
        slides = sys.modules.get("manim_slides")
        if slides is not None and issubclass(kind, slides.Slide) and "notes" in names:
            return Narration("notes", beginning=beginning)
        if {"subcaption", "add_subcaption"} & names:
            return Narration("subcaption", beginning=beginning)
        return Narration("docstring", beginning=beginning)

    def _shape(self, asked: float) -> float:
        """Width over height of the program's own picture."""
        config = manim.config
        shape = config.pixel_width / config.pixel_height if config.pixel_width and config.pixel_height else asked
        if abs(shape - asked) < 0.01 and 0 < config.frame_width <= config.frame_height:
            # Its pixels are set on a command line that isn't here; its frame says what they are.
            return config.frame_width / config.frame_height
        return shape

    def _settle(self, width: int, height: int, whole: bool = False) -> None:
        """What must hold whatever a program says. `whole`: also what it may change, before it does."""
        settings: dict[str, Any] = {
            "pixel_width": width,
            "pixel_height": height,
            "frame_rate": self._asked.fps,
            "disable_caching": True,
            "progress_bar": "none",
            "preview": False,
            "verbosity": "WARNING",
            "renderer": "cairo",
            "media_dir": self._folder,
            "format": None,
            "dry_run": False,
            "save_last_frame": False,
            "save_sections": False,
            "log_to_file": False,
            "from_animation_number": 0,
            "upto_animation_number": -1,
            "transparent": False,
        }
        if whole:
            own = {"background": self._asked.background or ""}
            settings["background_color"] = theme.of(self._asked.theme, own).background
            settings["frame_height"] = theme.FRAME_HEIGHT
            # Each scene seeds Python's and numpy's random numbers with it.
            settings["seed"] = 0
            settings["frame_width"] = theme.FRAME_HEIGHT * NATURAL
        manim.config.update(settings)
        manim.config.background_opacity = 1.0
        if "assets_dir" in manim.config and whole:
            manim.config.assets_dir = str(Path(self._asked.source).parent)

    def _broken(self, error: BaseException) -> None:
        """The program has broken off: its error is told, what it drew stays."""
        _ignore_time()
        if not isinstance(error, FilmLimit | TimeLimit | SystemExit):
            traceback.print_exc()
        session = self._session
        drawn = session.footage.frames / session.fps
        self._error = {**describe(error, session.source, self._asked.limits.film_s), "seconds": round(drawn, 3)}
        self._trace = traceback.format_exc()[-4000:]

    def _finish(self, footage: Footage) -> None:
        """Words that still run, a picture for a scene without any, and a moment for one that has broken off."""
        session = self._session
        try:
            if self._error is None:
                session.end()
            else:
                session.timeline.finish()
            if footage.is_empty:
                if session.scene is not None and not session.scene.mobjects:
                    session.warn(
                        f"class {self._asked.scene} shows nothing: it plays no animation and adds nothing to the scene"
                    )
                self._draw(max(round(self._asked.still_s * session.fps), 1))
            elif self._error is not None:
                session.timeline.hold(round(HELD_S * session.fps))
        except FilmLimit as error:
            if self._error is None:
                self._broken(error)
        if footage.is_empty:
            raise Refusal("error", "the program shows nothing", "Play an animation, or add something to the scene.")

    def _draw(self, count: int) -> None:
        """Frames of the scene as it stands."""
        session = self._session
        scene = session.scene
        if scene is None:
            return
        renderer = scene.renderer
        renderer.static_image = None
        renderer.update_frame(scene)
        session.footage.write(renderer.get_frame(), count)
        session.footage.drawn -= count
        if session.inspect is not None:
            session.inspect(scene)

    def _wrote(self, frames: int) -> None:
        now = self._session.moved = time.monotonic()
        if now - self._told >= FRAMES_EVERY_S:
            self._told = now
            self._session.tell_frames(frames)


class _Framed(Footage):
    """Footage whose pictures may be smaller than the clip: they stand in its middle, on the program's background."""

    def __init__(
        self, clip: Clip | Blank, size: tuple[int, int], background: np.ndarray, limit: int, wrote: Any
    ) -> None:
        super().__init__(clip, limit, wrote)
        self.width, self.height = size
        self._background = background
        self._is_framed = isinstance(clip, Clip)

    def write(self, frame: np.ndarray, count: int) -> None:
        """See Footage."""
        width, height = self.width, self.height
        rows, columns = frame.shape[:2]
        if self._is_framed and (columns, rows) != (width, height) and columns <= width and rows <= height:
            whole = np.empty((height, width, 4), np.uint8)
            whole[:] = self._background
            top, left = (height - rows) // 2, (width - columns) // 2
            whole[top : top + rows, left : left + columns] = frame
            frame = whole
        super().write(frame, count)


def _speaks_by_voiceovers(kind: type[manim.Scene], names: set[str]) -> bool:
    """Whether a class has blocks of manim_voiceover, or a base of another module, which may have some."""
    voiceover = sys.modules.get("manim_voiceover")
    if voiceover is None or not issubclass(kind, voiceover.VoiceoverScene):
        return False
    bases = [base for base in kind.__mro__ if issubclass(base, voiceover.VoiceoverScene)]
    own = (kind.__module__, voiceover.VoiceoverScene.__module__)
    return bool(VOICEOVERS & names) or any(base.__module__ not in own for base in bases)


def _even(length: float) -> int:
    return max(2, round(length / 2) * 2)


def _fitted(shape: float, width: int, height: int) -> tuple[int, int]:
    """The largest even size of this shape within another one."""
    if abs(shape - width / height) < 0.01:
        return width, height
    if shape > width / height:
        return width, min(_even(width / shape), height)
    return min(_even(height * shape), width), height


def _limit_time(session: Session) -> None:
    limits = session.asked.limits

    def on_cpu(number: int, frame: FrameType | None) -> None:
        session.expire(TimeLimit("cpu_limit", limits.cpu_s))

    began = time.monotonic()

    def on_tick(number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if limits.wall_s and now - began >= limits.wall_s:
            session.expire(TimeLimit("wall_limit", limits.wall_s))
        elif limits.stall_s and not session.is_asking and now - session.moved >= limits.stall_s:
            session.expire(TimeLimit("stalled", limits.stall_s))

    # All come again each second, for a program that goes on.
    if limits.cpu_s:
        signal.signal(signal.SIGXCPU, on_cpu)
        spent = resource.getrusage(resource.RUSAGE_SELF)
        _, most = resource.getrlimit(resource.RLIMIT_CPU)
        soft = int(spent.ru_utime + spent.ru_stime + limits.cpu_s) + 1
        if most == resource.RLIM_INFINITY or soft < most:
            resource.setrlimit(resource.RLIMIT_CPU, (soft, most))
    if limits.wall_s or limits.stall_s:
        signal.signal(signal.SIGALRM, on_tick)
        signal.setitimer(signal.ITIMER_REAL, min(limits.wall_s or 1.0, limits.stall_s or 1.0, 1.0), 1.0)


def _ignore_time() -> None:
    """The clip is being finished: no limit interrupts that."""
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    signal.signal(signal.SIGXCPU, signal.SIG_IGN)


TOLD = 83
"""Exit code of a process that has sent its last answer; a program that leaves by itself hardly has this one."""


def leave(code: int) -> NoReturn:
    """Ends the process without waiting for what the program has left running in it."""
    sys.stdout.flush()
    sys.stderr.flush()
    gc.disable()
    os._exit(code)
