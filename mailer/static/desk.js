// One key a decision at the reply desk. Nothing here is needed: each key presses a button or a link that is there.
"use strict";

const KEPT = "mailer-desk-keys-off";
const isOff = () => localStorage.getItem(KEPT) === "yes";
const writes = (element) => element.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(element.tagName);

document.addEventListener("keydown", (event) => {
  if (isOff() || event.ctrlKey || event.metaKey || event.altKey || event.repeat || writes(event.target)) return;
  const pressed = document.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
  if (!pressed) return;
  event.preventDefault();
  pressed.click();
});

// Single keys must have an off switch (WCAG 2.1.4); the browser remembers it.
const show = () => {
  for (const line of document.querySelectorAll("[data-keys]")) line.hidden = false;
  for (const button of document.querySelectorAll("[data-keys-switch]")) {
    button.textContent = isOff() ? "Switch the keys on" : "Switch the keys off";
  }
};
document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-keys-switch]")) return;
  localStorage.setItem(KEPT, isOff() ? "no" : "yes");
  show();
});
show();
