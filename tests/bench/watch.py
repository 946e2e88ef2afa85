"""How long the page of `chalkreel watch` takes from a saved change to its picture and to its clip with sound, in a real browser; and whether
anything is left behind by many changes.

    watch.py PROGRAM LAYERS BROWSER SCENES EDITS [MORE]

Makes a lesson of SCENES scenes, changes a paragraph EDITS times and waits for picture and clip each time, then MORE times for the picture
alone. Prints times and what the process holds as JSON. Ends with 1 when a bound does not hold; `--lenient` leaves the bounds of time
out, for a machine that has other things to do.
"""

import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

LENIENT = "--lenient" in sys.argv
PROGRAM, LAYERS, BROWSER, SCENES, EDITS, *MORE = [one for one in sys.argv[1:] if one != "--lenient"]
SCENES, EDITS, MORE = int(SCENES), int(EDITS), int(MORE[0]) if MORE else 0
# Seconds from saving to the picture, and to a clip that can be played.
STILL, CLIP = 1.0, 3.0
PATIENCE = 120
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]
NUMBERS = "one two three four five six seven eight nine ten".split()


def lesson(changed):
    """A scene of this lesson has a formula, a list, and two paragraphs, the last of which is what changes."""
    scenes = []
    for number in range(SCENES):
        words = changed.get(number, "This part of the lesson stays the way it is.")
        scenes.append(
            f"## Scene {number + 1}\n\n$$x_{{{number + 1}}} = \\frac{{a}}{{b}} + {number}$$\n\nHere we look at a formula.\n\n"
            f"- a point of scene {number + 1}\n- and another one\n\n{words}\n"
        )
    return "---\nlanguage: en\n---\n\n# A long lesson\n\nWords over the title.\n\n" + "\n".join(scenes)


def save(path, text):
    """As editors do: a new file takes the old one's place."""
    fresh = path.with_suffix(".new")
    fresh.write_text(text)
    fresh.rename(path)


def family(root):
    """The process and all that descend from it."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rsplit(") ", 1)[1].split()[1])
            except (OSError, IndexError):
                pass
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found


def held(process, folder):
    """What the process holds: memory of all its processes, its descriptors, and files in its scratch folder."""
    processes = family(process.pid)
    memory = 0
    for pid in processes:
        try:
            pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
            memory += pages * os.sysconf("SC_PAGE_SIZE")
        except OSError:
            pass
    return {
        "memory_mb": round(memory / 1e6),
        "processes": len(processes),
        "descriptors": len(os.listdir(f"/proc/{process.pid}/fd")),
        "files": sum(len(files) for _, _, files in os.walk(folder / "tmp")),
        "films": films(folder),
    }


def films(folder):
    """Files of jobs in the store; clips of `watch` leave none."""
    return sum(len(files) for path, _, files in os.walk(folder / "store") if "/films/" in f"{path}/")


def when(page, expression, argument, begun, what):
    while not page.evaluate(expression, argument):
        assert time.monotonic() - begun < PATIENCE, f"{what} never came"
        page.wait_for_timeout(10)
    return time.monotonic() - begun


SEEN = """words => { const beat = [...document.querySelectorAll('.beat')].find(one => one.textContent.includes(words));
    const picture = beat?.querySelector('img');
    return Boolean(beat?.closest('.scene').classList.contains('drawn') && picture.complete && picture.naturalWidth) }"""
HEARD = """words => { const beat = [...document.querySelectorAll('.beat')].find(one => one.textContent.includes(words));
    const scene = beat?.closest('.scene'), player = scene?.querySelector('video'), say = scene?.querySelector('.clip p');
    return Boolean(player && !player.hidden && say.hidden && player.readyState >= 3 && player.duration > 1) }"""


def run(page, process, path, folder):
    page.goto(address(process))
    begun = time.monotonic()
    when(page, f"() => document.querySelectorAll('.scene.drawn').length > {SCENES}", None, begun, "the first picture of each scene")
    result = {"scenes": SCENES, "first": round(time.monotonic() - begun, 2)}
    stills, clips, changed = [], [], {}
    for number in range(EDITS + 1):
        words = f"Now we say it for the {NUMBERS[number % 10]} hundred and {number} time, and it is new."
        changed[number * 7 % SCENES] = words
        begun = time.monotonic()
        save(path, lesson(changed))
        still = when(page, SEEN, words, begun, "the picture")
        clip = when(page, HEARD, words, begun, "the clip")
        # The voice is started for the first one.
        if number:
            stills.append(still)
            clips.append(clip)
    for name, times in (("still", stills), ("clip", clips)):
        result[name] = {"median": round(statistics.median(times), 2), "worst": round(max(times), 2)}
    before = result["before"] = held(process, folder)
    begun = time.monotonic()
    for number in range(MORE):
        words = f"Change {number} of many."
        changed = {number * 7 % SCENES: words}
        save(path, lesson(changed))
        when(page, SEEN, words, time.monotonic(), f"picture {number}")
    if MORE:
        result["each"] = round((time.monotonic() - begun) / MORE, 3)
        # Its last clips are made.
        when(page, HEARD, words, time.monotonic(), "the last clip")
    after = result["after"] = held(process, folder)
    wrong = []
    if not LENIENT:
        if result["still"]["worst"] > STILL:
            wrong.append(f"a picture took {result['still']['worst']} s, of {STILL}")
        if result["clip"]["worst"] > CLIP:
            wrong.append(f"a clip took {result['clip']['worst']} s, of {CLIP}")
    # Pictures of the last changes are kept, to be there when one is undone.
    if after["memory_mb"] > before["memory_mb"] * 1.25 + 60:
        wrong.append(f"memory grew from {before['memory_mb']} to {after['memory_mb']} MB")
    for what, room in (("processes", 2), ("descriptors", 6), ("files", 12), ("films", 0)):
        if after[what] > before[what] + room:
            wrong.append(f"{what} grew from {before[what]} to {after[what]}")
    result["wrong"] = wrong
    return result


def address(process):
    line = process.stdout.readline().strip()
    assert line.startswith("http://127.0.0.1:"), line
    return line


def main():
    folder = Path(tempfile.mkdtemp(prefix="chalkreel-bench-"))
    path = folder / "lesson.md"
    (folder / "tmp").mkdir()
    path.write_text(lesson({}))
    environment = {
        "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(folder), "LAYERS_DIR": str(Path(LAYERS).resolve()), "TMPDIR": str(folder / "tmp"),
        "CHALKREEL_STORE_DIR": str(folder / "store"), "VOICE_CHAIN": "piper,espeak-ng",
    }
    log = open(folder / "log", "w")
    command = [str(Path(PROGRAM).resolve()), "watch", str(path), "--listen", "127.0.0.1:0"]
    process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=BROWSER, args=FLAGS)
            result = run(browser.new_page(), process, path, folder)
            browser.close()
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)
        result["left"] = [one.name for one in (folder / "tmp").iterdir()]
        told = (folder / "log").read_text()
        if "panicked" in told or result["left"]:
            result["wrong"].append(f"left behind: {result['left']}; log: {told[-500:]}")
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(result, indent=1))
    return 1 if result["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
