"use strict";

const at = (id) => document.getElementById(id);
const text = at("text"), numbers = at("numbers");
let tag = null;      // what the text in the editor was read as
let current = null;  // key of the chosen beat: scene id and number
let board = null;

// The document

async function load() {
  const answer = await fetch("source");
  if (!answer.ok) return told("The file can't be read.", true);
  const fresh = await answer.text();
  const position = [text.selectionStart, text.selectionEnd, text.scrollTop];
  tag = answer.headers.get("ETag");
  if (fresh !== text.value) {
    text.value = fresh;
    [text.selectionStart, text.selectionEnd, text.scrollTop] = position;
  }
  text.dataset.saved = fresh;
  changed();
}

function dirty() {
  return text.value !== text.dataset.saved;
}

function changed() {
  const lines = text.value.split("\n").length;
  if (numbers.dataset.lines !== String(lines)) {
    numbers.dataset.lines = String(lines);
    numbers.textContent = Array.from({ length: lines }, (_, i) => i + 1).join("\n");
  }
  at("save").disabled = !dirty();
  told(dirty() ? "not saved" : "saved", false);
}

function told(message, bad) {
  at("saved").textContent = message;
  at("saved").className = bad ? "bad" : "";
}

async function save() {
  if (!dirty()) return;
  const written = text.value;
  const answer = await fetch("source", { method: "PUT", headers: { "If-Match": tag }, body: written });
  if (answer.status === 412) {
    return told("Another program has changed the file. Copy what you need, and reload this page.", true);
  }
  if (!answer.ok) return told((await answer.json()).detail, true);
  tag = answer.headers.get("ETag");
  text.dataset.saved = written;
  changed();
}

text.addEventListener("input", changed);
text.addEventListener("scroll", () => { numbers.scrollTop = text.scrollTop; });
at("save").addEventListener("click", save);
window.addEventListener("beforeunload", (event) => { if (dirty()) event.preventDefault(); });

function edit(open) {
  at("desk").hidden = !open;
  at("toggle").setAttribute("aria-expanded", String(open));
}
at("toggle").addEventListener("click", () => {
  edit(at("desk").hidden);
  if (!at("desk").hidden) text.focus();
});

function line(number) {
  edit(true);
  const lines = text.value.split("\n");
  const from = lines.slice(0, number - 1).reduce((sum, one) => sum + one.length + 1, 0);
  text.focus();
  text.setSelectionRange(from, from + (lines[number - 1] || "").length);
  const height = parseFloat(getComputedStyle(text).lineHeight);
  text.scrollTop = Math.max(0, (number - 1) * height - text.clientHeight / 3);
}

// The filmstrip

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children.filter((child) => child !== null));
  return made;
}

function finding(one) {
  const place = one.place ? element("a", { href: `#line-${one.place.line}`, textContent: `line ${one.place.line}` }) : null;
  if (place) {
    place.addEventListener("click", (event) => { event.preventDefault(); line(one.place.line); });
  }
  const words = `${place ? ": " : ""}${one.message}${one.remedy ? `. ${one.remedy}` : ""}`;
  return element("li", { className: one.severity }, place, words);
}

function clock(seconds) {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

// Nodes are kept as long as their scene is there, so that nothing jumps.
function scene(view, begins) {
  let node = document.querySelector(`[data-scene="${view.id}"]`);
  if (!node) {
    node = element("section", { className: "scene" }, element("h2"), element("ol", { className: "strip" }),
      element("ul", { className: "found" }), element("div", { className: "clip" }));
    node.dataset.scene = view.id;
  }
  node.className = `scene ${view.state}`;
  const [head, strip, found, clip] = node.children;
  const seconds = view.beats.reduce((sum, beat) => sum + beat.seconds, 0);
  head.replaceChildren(view.heading || "Title", element("small", { textContent: `${view.id} · ${clock(begins)} · ${seconds.toFixed(1)} s` }));
  let from = begins;
  view.beats.forEach((beat, number) => {
    let item = strip.children[number];
    if (!item) {
      item = element("li", { className: "beat" }, element("button", { type: "button" },
        element("img", { alt: "" }), element("p", { className: "when" }), element("p")));
      item.firstChild.addEventListener("click", () => choose(view.id, number));
      strip.append(item);
    }
    const [picture, when, words] = item.firstChild.children;
    if (beat.still && picture.getAttribute("src") !== beat.still) picture.src = beat.still;
    picture.hidden = !beat.still;
    picture.alt = `Beat ${number + 1} of ${view.heading || "the title"}`;
    when.textContent = `${clock(from)} · ${beat.seconds.toFixed(1)} s${beat.place ? ` · line ${beat.place.line}` : ""}`;
    words.textContent = beat.narration || "(nothing is said)";
    item.dataset.line = beat.place ? beat.place.line : "";
    from += beat.seconds;
  });
  while (strip.children.length > view.beats.length) strip.lastChild.remove();
  found.replaceChildren(...view.findings.map(finding));
  film(clip, view);
  return node;
}

function film(node, view) {
  const made = view.clip && view.clip.state === "made" ? view.clip.path : null;
  const words = !view.clip ? "" : {
    making: "Its sound is being made …",
    failed: `There is no clip: ${view.clip.error}`,
    made: view.clip.key === view.key ? "" : "The clip is of the words before.",
  }[view.clip.state];
  let [say, player] = node.children;
  if (!say) {
    say = element("p", { className: "quiet" });
    player = element("video", { controls: true, preload: "auto", hidden: true });
    node.append(say, player);
  }
  say.textContent = words;
  say.hidden = !words;
  if (made && player.getAttribute("src") !== made) {
    player.src = made;
    player.setAttribute("aria-label", `Clip of ${view.heading || "the title"}`);
  }
  player.hidden = !player.getAttribute("src");
}

function show(next) {
  board = next;
  document.title = `${board.title || board.document} · Chalkreel`;
  at("title").textContent = board.title || board.document;
  at("name").textContent = board.document;
  const waiting = board.scenes.filter((one) => one.state === "waiting").length;
  const seconds = board.scenes.flatMap((one) => one.beats).reduce((sum, beat) => sum + beat.seconds, 0);
  const count = `${board.scenes.length} ${board.scenes.length === 1 ? "scene" : "scenes"}, about ${clock(seconds)}`;
  const all = board.scenes.flatMap((one) => one.findings).concat(board.findings).length;
  const state = at("state");
  state.className = board.problem ? "bad" : "";
  state.textContent = board.problem
    ? `The document can't be planned as it is; what you see is the last one that could.`
    : waiting ? `${count} · ${waiting} being drawn` : `${count} · ${all === 0 ? "nothing is wrong" : `${all} ${all === 1 ? "finding" : "findings"}`}`;
  const general = (board.problem ? [board.problem] : []).concat(board.findings);
  at("findings").replaceChildren(...general.map(finding));
  at("of-findings").hidden = general.length === 0;
  let begins = 0;
  const nodes = board.scenes.map((view) => {
    const node = scene(view, begins);
    begins += view.beats.reduce((sum, beat) => sum + beat.seconds, 0);
    return node;
  });
  const home = at("scenes");
  nodes.forEach((node, index) => { if (home.children[index] !== node) home.insertBefore(node, home.children[index] || null); });
  while (home.children.length > nodes.length) home.lastChild.remove();
  document.body.dataset.version = board.version;
  document.body.dataset.waiting = waiting;
  mark();
}

function beats() {
  return [...document.querySelectorAll(".beat")];
}

function chosen() {
  return current && beats().find((one) => one.closest(".scene").dataset.scene === current[0] && [...one.parentNode.children].indexOf(one) === current[1]);
}

function mark() {
  const now = chosen();
  for (const one of document.querySelectorAll(".beat.current")) if (one !== now) one.classList.remove("current");
  if (now) now.classList.add("current");
}

function choose(scene, number) {
  current = [scene, number];
  mark();
  const now = chosen();
  if (!now) return;
  now.firstChild.focus({ preventScroll: true });
  now.scrollIntoView({ block: "nearest" });
}

function step(by) {
  const all = beats();
  const next = all[Math.min(Math.max(all.indexOf(chosen()) + by, 0), all.length - 1)];
  if (next) choose(next.closest(".scene").dataset.scene, [...next.parentNode.children].indexOf(next));
}

function play() {
  const now = chosen() || beats()[0];
  if (!now) return;
  const player = now.closest(".scene").querySelector("video");
  if (player.hidden) return ask();
  if (player.paused) player.play(); else player.pause();
}

function ask() {
  const now = chosen() || beats()[0];
  if (now) fetch(`scenes/${encodeURIComponent(now.closest(".scene").dataset.scene)}/clip`, { method: "POST" });
}

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key === "s") {
    event.preventDefault();
    return save();
  }
  if (event.target === text) {
    if (event.key === "Escape") (chosen() || at("toggle")).querySelector?.("button")?.focus() ?? at("toggle").focus();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.tagName === "VIDEO") return;
  const keys = {
    j: () => step(1), ArrowRight: () => step(1), k: () => step(-1), ArrowLeft: () => step(-1), p: play, s: ask,
    l: () => { const now = chosen(); if (now && now.dataset.line) line(Number(now.dataset.line)); },
  };
  if (keys[event.key]) {
    event.preventDefault();
    keys[event.key]();
  }
});

// Changes

let asking = false, again = false;
async function refresh() {
  if (asking) { again = true; return; }
  asking = true;
  do {
    again = false;
    const answer = await fetch("state");
    if (answer.ok) show(await answer.json());
  } while (again);
  asking = false;
  // Whoever writes the file with another editor sees that here, unless there is something to lose.
  if (!dirty()) load();
}

// A page of `chalkreel serve`: the document came over HTTP, and what is saved here becomes a film when it is sent.
const served = location.pathname.startsWith("/edit/");
if (served) {
  at("make").hidden = false;
  at("home").hidden = false;
  edit(true);
}
at("make").addEventListener("click", async () => {
  if (dirty()) await save();
  if (dirty()) return;
  const headers = { "content-type": "application/octet-stream" };
  const answer = await fetch(`/jobs?name=${encodeURIComponent(board?.document || "lesson.md")}`, { method: "POST", headers, body: text.value });
  const made = await answer.json();
  if (answer.ok) location.href = `/watch/${made.job_id}`;
  else told(`${made.detail}. ${made.remedy}`, true);
});

const stream = new EventSource("events");
stream.onmessage = refresh;
stream.onerror = () => { at("state").textContent = served ? "The server has ended, or can't be reached." : "chalkreel watch has ended, or can't be reached."; at("state").className = "bad"; };
load();
