"use strict";
const $ = id => document.getElementById(id);
let shown = 20, timer = 0, live = false, page = null;
// When a job was first seen running, and how far it was then.
const seen = new Map();
const over = state => !["queued", "running"].includes(state);
function say(text, bad = false) { $("said").textContent = text; $("said").classList.toggle("bad", bad); }
async function ask(path, options = {}) {
  const answer = await fetch(path, options);
  if (answer.status === 401) { $("ask").hidden = false; throw new Error(denied); }
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.detail + ". " + body.remedy);
  return body;
}
async function send(file) {
  const query = new URLSearchParams({ name: file.name });
  if ($("quality").value) query.set("quality", $("quality").value);
  say("Sending " + file.name + " …");
  try {
    await ask("/jobs?" + query, { method: "POST", body: file, headers: { "content-type": "application/octet-stream" } });
    say(file.name + " was sent; its film appears below.");
  } catch (error) { say(error.message, true); }
  look();
}
function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}
// How long it takes still, by how far it has come since it was first seen.
function left(job) {
  if (job.state !== "running") { seen.delete(job.job_id); return ""; }
  const now = performance.now() / 1000;
  const first = seen.get(job.job_id);
  if (!first || job.progress < first.progress) { seen.set(job.job_id, { now, progress: job.progress }); return ""; }
  const gone = now - first.now, made = job.progress - first.progress;
  if (gone < 3 || made < 0.02) return "";
  const seconds = Math.max(1, Math.round(gone * (1 - job.progress) / made));
  return seconds < 90 ? ", about " + seconds + " s left" : ", about " + Math.round(seconds / 60) + " min left";
}
function button(name, job, act) {
  const made = element("button", { type: "button" }, name);
  made.setAttribute("aria-label", name + " " + (job.title || job.job_id));
  made.onclick = () => act().then(look, error => say(error.message, true));
  return made;
}
function row(job) {
  const at = "/jobs/" + job.job_id;
  const links = element("div", { className: "links" });
  if (["succeeded", "degraded"].includes(job.state))
    links.append(element("a", { href: at + "/page" }, "Watch"), element("a", { href: at + "/film" }, "film.mp4"));
  if (!over(job.state)) {
    links.append(button("Cancel", job, () => ask(at, { method: "DELETE" })));
  } else {
    links.append(element("a", { href: at + "/log" }, "Log"));
    links.append(button("Again", job, () => ask(at + "/again", { method: "POST" })));
  }
  const editor = element("a", { href: "/edit/" + job.job_id + "/" }, "Editor");
  editor.setAttribute("aria-label", "Open " + (job.title || job.job_id) + " in the editor");
  links.append(editor);
  const what = job.error ? job.state.replace("_", " ") + ": " + job.error
    : job.state === "running" ? job.stage + ", " + Math.round(job.progress * 100) + " %" + left(job) : job.state;
  const poster = element("div", { className: "poster" });
  if (["succeeded", "degraded"].includes(job.state)) {
    const still = element("img", { src: at + "/poster", alt: "", loading: "lazy" });
    // A film without one, or a store that this page may not ask.
    still.onerror = () => still.remove();
    poster.append(still);
  }
  const item = element("li", {}, poster,
    element("a", { className: "title", href: "/watch/" + job.job_id }, job.title || job.job_id),
    element("span", { className: "state " + job.state }, what),
    element("span", { className: "quiet" }, new Date(job.created_at).toLocaleString() + " · " + job.job_id), links);
  if (!over(job.state)) {
    const bar = element("progress", { max: 1, value: job.progress });
    bar.setAttribute("aria-label", "Progress of " + job.title);
    item.append(bar);
  }
  return item;
}
let last = "";
async function look() {
  clearTimeout(timer);
  let busy = true;
  try {
    page = await ask("/jobs?limit=" + ($("search").value.trim() ? 100 : shown));
    busy = page.jobs.some(job => !over(job.state));
    const now = JSON.stringify([page, $("search").value, page.jobs.map(left)]);
    // Only what changed is drawn anew: the focus stays where it is.
    if (now !== last) {
      last = now;
      const focus = $("jobs").contains(document.activeElement) && (document.activeElement.getAttribute("aria-label") || document.activeElement.textContent);
      const words = $("search").value.trim().toLowerCase();
      const jobs = page.jobs.filter(job => (job.title + " " + job.state + " " + job.job_id).toLowerCase().includes(words));
      // Rows that have not changed stay, with their pictures.
      const old = new Map([...$("jobs").children].map(item => [item.dataset.as, item]));
      $("jobs").replaceChildren(...jobs.map(job => {
        const as = JSON.stringify([job, left(job)]);
        const item = old.get(as) || row(job);
        item.dataset.as = as;
        return item;
      }));
      $("found").textContent = words ? jobs.length + " of the newest " + page.jobs.length : "";
      if (focus) [...$("jobs").querySelectorAll("button, a")].find(one => (one.getAttribute("aria-label") || one.textContent) === focus)?.focus();
    }
    $("none").hidden = page.jobs.length > 0;
    $("more").hidden = !page.next || shown >= 100 || Boolean($("search").value.trim());
    document.body.dataset.ready = page.jobs.length;
    if ($("said").classList.contains("bad") && $("said").textContent.includes("token")) say("");
  } catch (error) { say(error.message, true); }
  timer = setTimeout(look, busy && !live ? 1000 : 4000);
}
// Changes as they come.
async function listen() {
  try {
    const answer = await fetch("/live");
    for await (const part of answer.ok ? pieces(answer.body) : []) {
      live = true;
      if (part.includes("event: job")) document.body.dataset.told = Number(document.body.dataset.told || 0) + 1;
      clearTimeout(timer);
      timer = setTimeout(look, 250);
    }
  } catch { /* it is tried again below */ }
  live = false;
  setTimeout(listen, 2000);
}
$("file").onchange = () => { for (const file of $("file").files) send(file); $("file").value = ""; };
$("drop").onsubmit = event => event.preventDefault();
$("token").onchange = () => enter().then(look);
$("search").oninput = look;
$("more").onclick = () => { shown = Math.min(100, shown + 20); look(); };
addEventListener("dragover", event => { event.preventDefault(); $("drop").classList.add("over"); });
addEventListener("dragleave", () => $("drop").classList.remove("over"));
addEventListener("drop", event => { event.preventDefault(); $("drop").classList.remove("over"); for (const file of event.dataTransfer.files) send(file); });
look();
listen();
