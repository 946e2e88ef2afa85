"use strict";
const $ = id => document.getElementById(id);
let shown = 20, timer = 0, live = false;
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
function row(job) {
  const at = "/jobs/" + job.job_id;
  const links = element("div", { className: "links" });
  if (["succeeded", "degraded"].includes(job.state))
    links.append(element("a", { href: at + "/page" }, "Watch"), element("a", { href: at + "/film" }, "film.mp4"));
  if (!over(job.state)) {
    const cancel = element("button", { type: "button" }, "Cancel");
    cancel.setAttribute("aria-label", "Cancel " + job.title);
    cancel.onclick = () => ask(at, { method: "DELETE" }).then(look, error => say(error.message, true));
    links.append(cancel);
  }
  if (over(job.state)) links.append(element("a", { href: at + "/log" }, "Log"));
  const what = job.error ? job.state.replace("_", " ") + ": " + job.error
    : job.state === "running" ? job.stage + ", " + Math.round(job.progress * 100) + " %" : job.state;
  const item = element("li", {},
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
    const page = await ask("/jobs?limit=" + shown);
    busy = page.jobs.some(job => !over(job.state));
    const now = JSON.stringify(page);
    // Only what changed is drawn anew: the focus stays where it is.
    if (now !== last) {
      last = now;
      const focus = document.activeElement?.getAttribute("aria-label");
      $("jobs").replaceChildren(...page.jobs.map(row));
      if (focus) [...$("jobs").querySelectorAll("button")].find(one => one.getAttribute("aria-label") === focus)?.focus();
    }
    $("none").hidden = page.jobs.length > 0;
    $("more").hidden = !page.next || shown >= 100;
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
$("more").onclick = () => { shown = Math.min(100, shown + 20); look(); };
addEventListener("dragover", event => { event.preventDefault(); $("drop").classList.add("over"); });
addEventListener("dragleave", () => $("drop").classList.remove("over"));
addEventListener("drop", event => { event.preventDefault(); $("drop").classList.remove("over"); for (const file of event.dataTransfer.files) send(file); });
look();
listen();
