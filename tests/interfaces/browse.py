"""Uses the pages as somebody does, in a real browser: mouse, keyboard, a dropped file, a phone's width, and axe's rules.

    browse.py BROWSER PICTURES film ADDRESS           a film's page
    browse.py BROWSER PICTURES jobs ADDRESS LESSON    the pages of `serve`; a lesson is dropped there
    browse.py BROWSER PICTURES watched ADDRESS STATE  the page of a job that is over
    browse.py BROWSER PICTURES hostile ADDRESS        a page in which somebody tries to run a script
    browse.py BROWSER PICTURES writing ADDRESS FILE   the page of `watch`; the document is changed there and on disk
    browse.py BROWSER PICTURES guest ADDRESS TOKEN    the pages of a `serve` that wants a token, with films in it

Prints what it saw as JSON; whatever is not as it should be ends it. Screenshots go to PICTURES.
"""

import json
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

BROWSER, PICTURES, WHAT, ADDRESS, *REST = sys.argv[1:]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--disable-background-networking"]
FLAGS += ["--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required"]
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}
# A film on a busy machine.
FILM = 200_000


def picture(page, name):
    page.screenshot(path=str(Path(PICTURES) / f"{name}.png"), full_page=True, caret="initial")


def until(page, expression, timeout=30_000):
    """Asks again and again: what Playwright waits with evaluates text in the page, which its policy forbids."""
    end = time.monotonic() + timeout / 1000
    while not page.evaluate(expression):
        assert time.monotonic() < end, f"never: {expression}"
        page.wait_for_timeout(50)


def sound(page, name):
    """Rules of accessibility, at a desktop's and at a phone's width, where nothing may stick out."""
    for size, width in (("desktop", DESKTOP), ("phone", PHONE)):
        page.set_viewport_size(width)
        found = Axe().run(page)
        assert found.violations_count == 0, f"{name} at a {size}'s width:\n{found.generate_report()}"
        assert len(found.response["passes"]) > 10, "axe looked at nothing"
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{name} sticks out by {wide} pixels at a {size}'s width"
        picture(page, f"{name}-{size}")
    page.set_viewport_size(DESKTOP)


def reachable(page, wanted):
    """What the Tab key comes to; whatever has the focus must show it."""
    page.evaluate("document.activeElement?.blur(); window.scrollTo(0, 0)")
    seen = []
    for _ in range(60):
        page.keyboard.press("Tab")
        name, shown = page.evaluate(
            """() => { const e = document.activeElement, s = getComputedStyle(e);
               return [e.getAttribute('aria-label') || e.textContent.trim() || e.tagName,
                       // A player's controls are the browser's own, and body is where the circle closes.
                       ['VIDEO', 'BODY'].includes(e.tagName) || s.outlineStyle !== 'none' || s.backgroundColor !== 'rgb(44, 54, 69)'] }"""
        )
        assert shown, f"the focus on {name} can't be seen"
        seen.append(name)
        if all(any(one in name for name in seen) for one in wanted):
            return
    raise AssertionError(f"the keyboard reaches {seen}, and not all of {wanted}")


def at_home(requests):
    home = urlsplit(ADDRESS).hostname
    for url in requests:
        parts = urlsplit(url)
        assert parts.scheme in ("data", "blob", "file") or parts.hostname == home, f"the page asks {url}"


def film(page, requests):
    page.goto(ADDRESS)
    page.wait_for_selector("html[data-ready]", timeout=30_000)
    seconds = page.evaluate("document.querySelector('video').duration")
    page.evaluate("document.querySelector('video').muted = true")
    cues = page.evaluate(
        """() => new Promise(done => { const t = document.querySelector('video').textTracks[0]; t.mode = 'showing';
           const wait = () => t.cues?.length ? done([...t.cues].map(c => c.text)) : setTimeout(wait, 50); wait() })"""
    )
    chapters = page.locator(".chapters li > button")
    second = float(chapters.nth(1).get_attribute("data-at"))
    # With the mouse, and with the keyboard.
    chapters.nth(1).click()
    until(page, f"document.querySelector('video').currentTime >= {second}")
    expect(page.locator(".chapters li.now .heading")).to_have_text(chapters.nth(1).locator(".heading").inner_text())
    bar = page.locator(".timeline button").first
    bar.focus()
    page.keyboard.press("Enter")
    until(page, f"document.querySelector('video').currentTime < {second}")
    page.evaluate("document.querySelector('video').pause()")
    reachable(page, ["Log", "Status"])
    page.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".log")).to_be_visible()
    sound(page, "film")
    at_home(requests)
    return {
        "title": page.title(),
        "seconds": seconds,
        "cues": cues,
        "chapters": [chapters.nth(index).locator(".heading").inner_text() for index in range(chapters.count())],
        "ran": page.locator(".ran .name").all_inner_texts(),
        "audit": page.locator(".audit li").all_inner_texts(),
        "warnings": page.locator(".warnings li").all_inner_texts(),
        "log": page.locator(".log div").all_inner_texts(),
    }


def drop(page, name, text):
    """A file from elsewhere, let go over the page."""
    files = page.evaluate_handle(
        """([name, text]) => { const files = new DataTransfer();
           files.items.add(new File([text], name, { type: 'text/markdown' })); return files }""",
        [name, text],
    )
    page.dispatch_event("main", "dragover", {"dataTransfer": files})
    expect(page.locator("#drop")).to_have_class("drop over")
    page.dispatch_event("main", "drop", {"dataTransfer": files})
    expect(page.locator("#drop")).to_have_class("drop")


def jobs(page, requests):
    page.goto(ADDRESS)
    expect(page.locator("#none")).to_be_visible()
    sound(page, "jobs-empty")
    drop(page, "dropped.md", Path(REST[0]).read_text())
    row = page.locator("#jobs > li").first
    expect(row).to_be_visible()
    page.wait_for_selector("body[data-told]", timeout=FILM)
    reachable(page, ["Document", "Cancel"])
    picture(page, "jobs-busy")
    row.locator("a.title").click()
    page.wait_for_selector("body[data-live]", timeout=30_000)
    job = page.url.rsplit("/", 1)[1]
    # Told by the stream, not by asking again: each scene is a change.
    until(page, "Number(document.body.dataset.told) >= 2", timeout=FILM)
    picture(page, "job-busy")
    page.wait_for_selector("body[data-state=succeeded]", timeout=FILM)
    page.wait_for_selector("#log:has-text('begins')")
    scenes = page.locator("#scenes li").all_inner_texts()
    reachable(page, ["All films", "Watch the film"])
    sound(page, "job")
    page.locator("#watch").click()
    page.wait_for_selector("html[data-ready]", timeout=30_000)
    page.goto(ADDRESS)
    # A second file is refused, and says why.
    drop(page, "picture.gif", "GIF89a")
    page.wait_for_selector("#jobs .failed, #said.bad", timeout=30_000)
    until(page, "document.querySelector('.poster img')?.naturalWidth > 0")
    sound(page, "jobs")
    films = "document.querySelectorAll('#jobs > li').length"
    before = page.evaluate(films)
    # With the keyboard alone from here on.
    reachable(page, ["Document", "Search", "Again ", "Open "])
    page.locator("#search").focus()
    page.keyboard.type("no such film")
    expect(page.locator("#jobs > li")).to_have_count(0)
    expect(page.locator("#found")).to_contain_text("0 of the newest")
    page.keyboard.press("Control+a")
    page.keyboard.type("squares")
    expect(page.locator("#jobs > li")).to_have_count(1)
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    expect(page.locator("#jobs > li")).to_have_count(before)
    page.locator("#jobs > li:has(.succeeded) button", has_text="Again").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#jobs > li")).to_have_count(before + 1)
    page.locator("#jobs > li:has(.succeeded) a", has_text="Editor").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/edit/*/")
    until(page, DRAWN, timeout=120_000)
    text = page.locator("#text")
    expect(text).to_be_visible()
    sound(page, "editor")
    words = "Everybody knows this number."
    text.focus()
    text.fill(text.input_value().replace("Nine is the square of three.", words))
    page.keyboard.press("Control+s")
    expect(page.locator("#saved")).to_have_text("saved")
    seen_within(page, lambda: still_of(page, words), 60)
    # What was saved is there again.
    page.reload(wait_until="load")
    until(page, "document.getElementById('text').value.includes('Everybody knows')")
    page.locator("#make").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/watch/*")
    edited = page.url.rsplit("/", 1)[1]
    page.wait_for_selector("body[data-state=succeeded]", timeout=FILM)
    at_home(requests)
    page.goto(ADDRESS)
    expect(page.locator("#jobs > li")).to_have_count(before + 2)
    return {"job": job, "edited": edited, "scenes": scenes, "jobs": page.locator("#jobs > li").count()}


def watched(page, requests):
    page.goto(ADDRESS)
    page.wait_for_selector(f"body[data-state={REST[0]}]", timeout=30_000)
    sound(page, f"job-{REST[0]}")
    at_home(requests)
    return {"text": page.locator("main").inner_text()}


def guest(page, requests):
    page.goto(ADDRESS)
    expect(page.locator("#ask")).to_be_visible()
    sound(page, "jobs-token")
    page.locator("#token").fill("not the token")
    page.keyboard.press("Enter")
    expect(page.locator("#said")).to_have_text("The token is wrong. Enter the value of CHALKREEL_HTTP_TOKEN.")
    page.locator("#token").fill(REST[0])
    page.keyboard.press("Enter")
    row = page.locator("#jobs > li:has-text('succeeded')").first
    expect(row).to_be_visible()
    expect(page.locator("#ask")).to_be_hidden()
    # No script may read what stands for the token.
    assert page.evaluate("document.cookie") == "", page.evaluate("document.cookie")
    with page.expect_download() as download:
        row.locator("a:has-text('Log')").click()
    log = Path(download.value.path()).read_text()
    row.locator("a:has-text('Watch')").click()
    page.wait_for_selector("html[data-ready]", timeout=30_000)
    seconds = page.evaluate("document.querySelector('video').duration")
    # To the end and back, which takes ranges.
    for second in (seconds - 0.2, 0.1):
        page.evaluate(
            """second => new Promise(done => { const v = document.querySelector('video'); v.muted = true;
               v.onseeked = done; v.currentTime = second })""",
            second,
        )
    assert page.evaluate("document.querySelector('video').error") is None
    home = urlsplit(ADDRESS).netloc
    for url in requests:
        assert urlsplit(url).scheme in ("data", "blob") or urlsplit(url).netloc == home, f"the page asks {url}"
    return {"seconds": seconds, "log": log}


DRAWN = "document.body.dataset.waiting === '0' && document.querySelectorAll('.beat').length > 1"


def still_of(page, words):
    """The picture of the beat with these words; none while it is still drawn."""
    return page.evaluate(
        """words => { const beat = [...document.querySelectorAll('.beat')].find(one => one.textContent.includes(words));
           const scene = beat?.closest('.scene'); const picture = beat?.querySelector('img');
           return scene?.classList.contains('drawn') && picture.complete && picture.naturalWidth ? picture.src : null }""",
        words,
    )


def seen_within(page, question, seconds):
    """Asks until there is an answer; the answer, and seconds until then."""
    begun = time.monotonic()
    while not (answer := question()):
        assert time.monotonic() - begun < seconds, "it never came"
        page.wait_for_timeout(20)
    return answer, time.monotonic() - begun


def writing(page, requests):
    path = Path(REST[0])
    page.goto(ADDRESS)
    until(page, DRAWN, timeout=120_000)
    sound(page, "watch")
    scenes = page.locator(".scene").count()
    # In the page's editor, with the keyboard alone.
    page.evaluate("document.activeElement?.blur()")
    for key in ("j", "j", "l"):
        page.keyboard.press(key)
    text = page.locator("#text")
    expect(text).to_be_focused()
    old = text.input_value()
    words = "Everybody knows this number"
    text.fill(old.replace("This one changes", words))
    page.keyboard.press("Control+s")
    expect(page.locator("#saved")).to_have_text("saved")
    picture_of, still = seen_within(page, lambda: still_of(page, words), 60)
    assert words in path.read_text()
    clip = "[...document.querySelectorAll('.scene')].find(one => one.textContent.includes(%s)).querySelector('video')" % json.dumps(words)
    _, heard = seen_within(page, lambda: page.evaluate(f"{clip}.readyState >= 2 && {clip}.duration > 1"), 120)
    picture(page, "watch-clip")
    sound(page, "watch-editor")
    # With another editor; what was right before an error stays.
    before = page.evaluate("document.querySelectorAll('.beat').length")
    page.locator("main").evaluate("main => main.scrollTo(0, 150)")
    path.write_text("")
    until(page, "document.getElementById('state').className === 'bad'")
    assert page.evaluate("document.querySelectorAll('.beat').length") == before
    picture(page, "watch-problem")
    path.write_text(old.replace("This one changes", "This is another one"))
    _, elsewhere = seen_within(page, lambda: still_of(page, "This is another one"), 60)
    assert page.locator("main").evaluate("main => main.scrollTop") == 150, "the page has jumped"
    until(page, "document.getElementById('text').value.includes('This is another one')")
    # Whoever has changed something here loses nothing when the file changes elsewhere.
    text.fill("mine")
    path.write_text(old)
    page.keyboard.press("Control+s")
    until(page, "document.getElementById('saved').className === 'bad'")
    assert path.read_text() == old and text.input_value() == "mine"
    at_home(requests)
    return {"scenes": scenes, "still": still, "clip": still + heard, "elsewhere": elsewhere, "picture": picture_of}


def hostile(page, requests):
    page.goto(ADDRESS)
    page.wait_for_selector("main", timeout=30_000)
    for summary in page.locator("summary").all():
        summary.click()
    for link in page.locator("main a[href^='javascript']").all():
        link.click()
    # What is going to run has run once all is loaded and the browser has nothing more to do.
    page.wait_for_load_state("load")
    page.evaluate("new Promise(done => requestIdleCallback(done))")
    picture(page, "hostile")
    at_home(requests)
    return {
        "ran": page.evaluate("document.documentElement.dataset.xss ?? null"),
        "pictures": page.locator("main img").count(),
        "scripts": page.evaluate("document.scripts.length"),
        "ready": page.evaluate("document.documentElement.dataset.ready ?? null"),
        "refused": refused,
        "text": page.locator("main").inner_text(),
    }


with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=BROWSER, args=FLAGS)
    page = browser.new_page(viewport=DESKTOP, reduced_motion="reduce")
    requests, wrong, refused = [], [], []
    page.on("request", lambda request: requests.append(request.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    # A browser says on its console what it did not do because of a policy.
    page.on("console", lambda line: refused.append(line.text) if "Content Security Policy" in line.text else None)
    seen = {"film": film, "jobs": jobs, "watched": watched, "writing": writing, "guest": guest, "hostile": hostile}[WHAT](page, requests)
    assert not wrong, wrong
    assert WHAT == "hostile" or not refused, refused
    browser.close()
print(json.dumps(seen))
