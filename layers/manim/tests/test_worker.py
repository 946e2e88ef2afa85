"""The worker over its real protocol, with real renders."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import av
import numpy as np
import pytest
from conftest import FIXTURES, LAYERS, Stage, asked

ALL = sorted(path.stem for path in FIXTURES.glob("*.json"))


def decoded(clip: Path) -> int:
    """Frames that a decoder finds, each exactly one tick after the other."""
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        tick = 1 / (stream.average_rate * stream.time_base)
        times = [frame.pts for frame in container.decode(stream)]
    assert times == [i * tick for i in range(len(times))]
    return len(times)


def alive(pid: int) -> bool:
    """Whether a process of that number is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_ready_says_what_is_there(stage: Stage) -> None:
    ready = stage.past[0]
    assert ready["event"] == "ready" and ready["manim"] == "0.22.0" and ready["pid"] == stage.process.pid


def test_every_fixture_has_its_frames_and_a_clean_audit(stage: Stage) -> None:
    clips = {}
    for pair in (ALL[i : i + 2] for i in range(0, len(ALL), 2)):
        for name in pair:
            clips[name] = stage.render(name, name)
        for name in pair:
            end = next((e for e in stage.past if e["event"] in ("done", "failed") and e["id"] == name), None)
            end = end or stage.end(name)
            assert end["event"] == "done", end
            frames = json.loads((FIXTURES / f"{name}.json").read_text())["frames"]
            assert [beat["frames"] for beat in end["beats"]] == frames
            assert [beat["first_frame"] for beat in end["beats"]] == [sum(frames[:i]) for i in range(len(frames))]
            assert end["frames"] == sum(frames) == decoded(clips[name])
            # The beats of these fixtures are shorter than reading takes.
            assert end["audit"].pop("too_short") >= 0
            assert end["audit"] == {"overlaps": 0, "outside": 0, "too_small": 0, "low_contrast": 0}, (
                name,
                end["warnings"],
            )
            assert not clips[name].with_name(clips[name].name + ".part").exists()


@pytest.mark.parametrize("size", [(144, 256), (180, 180)])
def test_a_frame_of_another_shape_is_laid_out_for_it(stage: Stage, size: tuple[int, int]) -> None:
    for name in ("bullets", "code", "equation", "plot", "plot_beside", "title_card"):
        clip = stage.render(name, name, width=size[0], height=size[1])
        audit = stage.end(name)["audit"]
        assert {key: audit[key] for key in ("overlaps", "outside", "too_small")} == dict.fromkeys(
            ("overlaps", "outside", "too_small"), 0
        ), name
        with av.open(str(clip)) as container:
            stream = container.streams.video[0]
            assert (stream.width, stream.height) == size
            last = list(container.decode(stream))[-4].to_ndarray(format="gray")
        # What is shown takes most of the width, as in a wide frame.
        lit = np.flatnonzero((np.abs(last.astype(int) - int(np.median(last))) > 40).any(axis=0))
        assert name == "equation" or lit[-1] - lit[0] > size[0] * 0.4, name


def test_what_the_stage_does_not_know_is_a_box_and_a_warning(stage: Stage) -> None:
    stage.render("r", "everything")
    warnings = stage.end("r")["warnings"]
    assert any("hologram" in warning for warning in warnings)
    assert any("can't be drawn" in warning for warning in warnings)


@pytest.mark.parametrize("frames", [[1, 1, 1, 1, 1], [2, 1, 5, 1, 1]])
def test_beats_of_a_frame_work(stage: Stage, frames: list[int]) -> None:
    clip = stage.render("r", "tiny_beats", frames=frames)
    assert stage.end("r")["frames"] == sum(frames)
    assert decoded(clip) == sum(frames)


def test_clips_join_by_stream_copy(stage: Stage, tmp_path: Path) -> None:
    clips = [stage.render("a", "title_card"), stage.render("b", "equation")]
    frames = {stage.event(lambda e: e["event"] == "done")["id"] for _ in clips}
    assert frames == {"a", "b"}
    listing = tmp_path / "clips.txt"
    listing.write_text("".join(f"file '{clip}'\n" for clip in clips))
    joined = tmp_path / "joined.mp4"
    subprocess.run(
        [LAYERS / "bin/ffmpeg", "-v", "error", "-f", "concat", "-safe", "0", "-i", listing, "-c", "copy", joined],
        check=True,
        timeout=30,
    )
    assert decoded(joined) == sum(decoded(clip) for clip in clips)
    extradata = []
    for clip in clips:
        with av.open(str(clip)) as container:
            extradata.append(bytes(container.streams.video[0].codec_context.extradata))
    assert extradata[0] == extradata[1]


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGKILL])
def test_a_crash_costs_one_render(stage: Stage, number: signal.Signals) -> None:
    stage.render("bad", "long_list", frames=[20000])
    pid = stage.named("started", "bad")["pid"]
    stage.render("good", "title_card")
    stage.named("started", "good")
    os.kill(pid, number)
    ends = {}
    while len(ends) < 2:
        event = stage.event(lambda e: e["event"] in ("done", "failed"))
        ends[event["id"]] = event
    assert ends["bad"]["event"] == "failed"
    assert (ends["bad"]["kind"], ends["bad"]["signal"]) == ("crashed", number)
    assert ends["good"]["event"] == "done"
    assert not list(stage.scratch.glob("bad.mp4*"))


def test_a_scene_that_swells_costs_itself_alone(stage: Stage) -> None:
    # A picture of a gigabyte, where there is half of one.
    body = {**asked("equation"), "width": 16_000, "height": 16_000}
    out = str(stage.scratch / "bad.mp4")
    memory = {"memory_bytes": 600 << 20}
    stage.send({"op": "render", "id": "bad", "out": out, "timeout_s": 60.0, **body, **memory})
    stage.render("good", "title_card", **memory)
    ends = {}
    while len(ends) < 2:
        event = stage.event(lambda e: e["event"] in ("done", "failed"))
        ends[event["id"]] = event
    assert (ends["bad"]["event"], ends["bad"]["kind"]) == ("failed", "memory"), str(ends["bad"])
    assert ends["good"]["event"] == "done"


def test_a_limit_that_is_no_number_is_refused(stage: Stage) -> None:
    stage.render("r", "title_card", memory_bytes="much")
    assert "memory_bytes" in stage.named("refused")["message"]


def test_a_hang_is_timed_out(stage: Stage) -> None:
    stage.render("r", "long_list", frames=[20000], timeout_s=2.0)
    pid = stage.named("started", "r")["pid"]
    os.kill(pid, signal.SIGSTOP)
    assert stage.end("r")["kind"] == "timed_out"
    assert not alive(pid)


def test_cancel(stage: Stage) -> None:
    stage.render("r", "long_list", frames=[20000])
    pid = stage.named("started", "r")["pid"]
    stage.named("frames", "r")
    stage.send({"op": "cancel", "id": "r"})
    assert stage.end("r")["kind"] == "cancelled"
    assert not alive(pid)


@pytest.mark.parametrize("way", ["close", "quit", "term"])
def test_the_end_leaves_nothing(stage: Stage, way: str) -> None:
    pids = []
    for name in ("a", "b"):
        stage.render(name, "long_list", frames=[20000])
        pids.append(stage.named("started", name)["pid"])
    if way == "close":
        stage.socket.shutdown(2)
    elif way == "quit":
        stage.send({"op": "quit"})
    else:
        stage.process.terminate()
    assert stage.process.wait(20) == 0
    assert not any(alive(pid) for pid in pids)
    assert not list(stage.scratch.glob("*.part"))
    assert stage.process.stdout.read() == b""


def test_a_killed_worker_takes_its_children_along(stage: Stage) -> None:
    stage.render("r", "long_list", frames=[20000])
    pid = stage.named("started", "r")["pid"]
    stage.process.kill()
    stage.process.wait(20)
    gone = os.pidfd_open(pid) if alive(pid) else None
    if gone is not None:
        import select

        assert select.select([gone], [], [], 10)[0], "the child outlived its worker"
        os.close(gone)


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"op":"dance","id":"x"}',
        b'{"op":"render"}',
        b'{"op":"cancel","id":"none"}',
        b'{"op":"render","id":"x","scene":{},"beats":[],"out":"/x","width":true,"height":2,"fps":1,"timeout_s":1}',
        b"[" * 100000,
    ],
)
def test_garbage_is_refused_and_the_worker_lives(stage: Stage, line: bytes) -> None:
    stage.send(line)
    assert stage.named("refused")["message"]
    stage.render("r", "tiny_beats")
    assert stage.end("r")["event"] == "done"


def test_a_scene_that_is_none_fails_alone(stage: Stage) -> None:
    stage.send(
        {"op": "render", "id": "r", **asked("equation", [1]), "out": str(stage.scratch / "r.mp4"), "timeout_s": 9.0}
    )
    failed = stage.end("r")
    assert (failed["kind"], failed["exit"]) == ("error", 1)
    assert "beat lengths" in failed["message"] and "Traceback" in failed["trace"]
