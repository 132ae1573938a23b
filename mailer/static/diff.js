// From change to change by key, and a bar that stays in sight. Nothing here is needed: every change links to its neighbours.
"use strict";

const page = document.querySelector(".prose.diff");
const stops = page ? [...page.querySelectorAll(".change[aria-label]")] : [];
const KEYS = { n: 1, j: 1, p: -1, k: -1 };

// The change that was led to last, as long as it is in sight; else the one nearest below the top of the window.
const current = () => {
  const led = stops.findIndex((stop) => `#${stop.id}` === location.hash);
  const seen = (stop) => stop.getBoundingClientRect().bottom > 0 && stop.getBoundingClientRect().top < innerHeight;
  if (led >= 0 && seen(stops[led])) return led;
  const below = stops.findIndex((stop) => stop.getBoundingClientRect().top > 0);
  return (below < 0 ? stops.length : below) - 0.5;
};

const go = (step) => {
  const at = current();
  const to = step > 0 ? Math.floor(at + 1) : Math.ceil(at - 1);
  const stop = stops[Math.min(Math.max(to, 0), stops.length - 1)];
  location.replace(`#${stop.id}`); // no entry in the history for each press
  stop.focus({ preventScroll: true });
};

const button = (words, press) => {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "secondary";
  made.textContent = words;
  made.addEventListener("click", press);
  return made;
};

if (stops.length > 1) {
  const bar = document.createElement("div");
  bar.className = "change-bar";
  bar.setAttribute("role", "region");
  bar.setAttribute("aria-label", page.dataset.changes);

  // WCAG 2.1.4: keys of one letter can be turned off, for those who speak to their computer.
  const isOn = () => keys.getAttribute("aria-pressed") === "true";
  const keys = button(page.dataset.keys, () => keys.setAttribute("aria-pressed", String(!isOn())));
  keys.setAttribute("aria-pressed", "true");
  bar.append(button(page.dataset.previous, () => go(-1)), button(page.dataset.next, () => go(1)), keys);
  page.querySelector(".marked").prepend(bar);

  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.closest("input, select, textarea, [contenteditable]");
    const step = KEYS[event.key];
    if (!step || isTyping || event.ctrlKey || event.metaKey || event.altKey || !isOn()) return;
    event.preventDefault();
    go(step);
  });
}

// Paper hides nothing: browsers that cannot say so in CSS open what is folded.
const folds = () => document.querySelectorAll("details:not([open])");
let opened = [];
addEventListener("beforeprint", () => {
  opened = [...folds()];
  for (const fold of opened) fold.open = true;
});
addEventListener("afterprint", () => {
  for (const fold of opened) fold.open = false;
});
