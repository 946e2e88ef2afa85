"use strict";
// Places on a line are set here: the page's policy lets no element bring a style of its own.
for (const placed of document.querySelectorAll("[data-left]")) {
  placed.style.left = placed.dataset.left + "%";
  placed.style.width = placed.dataset.width + "%";
}
// The film's own colours, and what lies between them.
if (document.documentElement.dataset.ground) {
  const { style, dataset: { ground, text, accent } } = document.documentElement;
  const between = part => `color-mix(in srgb, ${text} ${part}%, ${ground})`;
  const colours = { ground, text, accent, raised: between(7), line: between(18), quiet: between(75), warn: text, bad: text };
  for (const [name, colour] of Object.entries(colours)) style.setProperty("--" + name, colour);
  style.colorScheme = "normal";
}
const video = document.querySelector("video");
const root = document.documentElement;
const loaded = () => { root.dataset.ready = video.duration.toFixed(3); };
if (video.readyState >= 1) loaded(); else video.addEventListener("loadedmetadata", loaded);
video.addEventListener("error", () => { root.dataset.error = "the film can't be played"; });
for (const place of document.querySelectorAll("[data-at]"))
  place.addEventListener("click", () => {
    video.currentTime = Number(place.dataset.at) + 0.001;
    // Whoever pauses before it plays has it as they want it.
    video.play().catch(error => { if (error.name !== "AbortError") throw error; });
  });
const chapters = [...document.querySelectorAll("[data-from]")];
const bars = [...document.querySelectorAll(".timeline button")];
video.addEventListener("timeupdate", () => {
  const now = chapters.findLastIndex(chapter => Number(chapter.dataset.from) <= video.currentTime);
  chapters.forEach((chapter, index) => chapter.classList.toggle("now", index === now));
  bars.forEach((bar, index) => bar.classList.toggle("now", index === now));
});
