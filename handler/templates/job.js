"use strict";
const $ = id => document.getElementById(id);
const id = location.pathname.split("/").pop(), at = "/jobs/" + id;
const over = state => !["queued", "running"].includes(state);
const words = text => text.replace("_", " ");
let logged = false;
async function ask(path, options = {}) {
  const answer = await fetch(path, options);
  if (answer.status === 401) { $("ask").hidden = false; throw new Error(denied); }
  if (answer.ok) return answer;
  const problem = await answer.json();
  throw new Error(problem.detail + ". " + problem.remedy);
}
function line(text, properties = {}) { return Object.assign(document.createElement("li"), properties, { textContent: text }); }
function show(job) {
  $("title").textContent = job.title || "A job";
  document.title = (job.title || "A job") + " · Chalkreel";
  $("about").textContent = new Date(job.created_at).toLocaleString() + " · " + job.job_id;
  const done = over(job.state);
  $("state").textContent = done || job.state === "queued" ? words(job.state) : job.stage + ", " + Math.round(job.progress * 100) + " %";
  $("state").className = job.state;
  $("progress").value = job.progress;
  $("progress").hidden = done;
  $("cancel").hidden = done;
  const film = ["succeeded", "degraded"].includes(job.state);
  for (const [name, path] of [["watch", "/page"], ["film", "/film"]]) { $(name).hidden = !film; $(name).href = at + path; }
  $("error").hidden = !job.error;
  if (job.error) {
    const place = job.error.place ? " (line " + job.error.place.line + ")" : "";
    $("error").textContent = job.error.code + ": " + job.error.message + place + " " + job.error.remedy;
  }
  $("of-scenes").hidden = !job.scenes.length;
  $("scenes").replaceChildren(...job.scenes.map(scene => {
    const item = line(scene.id, { className: scene.state });
    const small = document.createElement("small");
    small.textContent = words(scene.state) + (scene.frames ? ", " + scene.frames + " frames" : "") + (scene.replaced ? ": " + scene.replaced : "");
    item.append(small);
    return item;
  }));
  $("of-warnings").hidden = !job.warnings.length;
  $("warnings").replaceChildren(...job.warnings.map(one => line((one.place ? "line " + one.place.line + ": " : "") + one.message)));
  document.body.dataset.state = job.state;
  if (done && !logged) { logged = true; log(); }
}
async function log() {
  try {
    const text = await (await ask(at + "/log")).text();
    $("of-log").hidden = false;
    $("log").textContent = text.trim().split("\n").map(text => {
      const { time, level, message, job_id, ...rest } = JSON.parse(text);
      return [time.slice(11, 19), level.toUpperCase(), message, ...Object.entries(rest).map(([name, value]) => name + "=" + value)].join(" ");
    }).join("\n");
  } catch { logged = false; }
}
async function look() {
  try { show(await (await ask(at)).json()); } catch (error) { $("state").textContent = error.message; $("state").className = "failed"; }
}
async function listen() {
  try {
    const { body } = await ask("/live/" + id);
    let text = "";
    for await (const part of pieces(body)) {
      const events = (text + part).split("\n\n");
      text = events.pop();
      for (const event of events) {
        const data = event.split("\n").find(line => line.startsWith("data:"))?.slice(5);
        if (event.includes("event: open")) { document.body.dataset.live = "yes"; await look(); }
        else if (event.includes("event: job")) { document.body.dataset.told = Number(document.body.dataset.told || 0) + 1; show(JSON.parse(data)); }
      }
    }
  } catch { /* it is tried again below */ }
  delete document.body.dataset.live;
  setTimeout(listen, 2000);
}
$("cancel").onclick = () => ask(at, { method: "DELETE" }).then(look, error => { $("state").textContent = error.message; });
$("token").onchange = () => enter().then(look);
// What the stream does not tell: a job that another process works on, one that waits, and what is in the store at last.
setInterval(() => { if (!logged) look(); }, 4000);
look();
listen();
