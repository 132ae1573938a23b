// Small comforts of the admin pages. Nothing here is needed: every page works without script.
"use strict";

// A form that came back with faults puts the reader on the list of them.
const faults = document.querySelector(".errors[role=alert]");
if (faults) faults.focus();

// A button that waits for a typed word wakes when the word stands there; the server asks for it all the same.
document.addEventListener("input", (event) => {
  const word = event.target.dataset.confirmWord;
  const button = word && event.target.form && event.target.form.querySelector("button.danger");
  if (button) button.disabled = event.target.value.trim() !== word;
});
for (const field of document.querySelectorAll("[data-confirm-word]")) {
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

// Menus close on Escape and on a press elsewhere.
const closeMenus = (except) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (menu !== except) menu.open = false;
};
document.addEventListener("click", (event) => closeMenus(event.target.closest("details.menu")));
document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && document.querySelector("details.menu[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

// Panels of which one shows at a time; without script they stand one below the other, and their tabs are jump links.
const chosen = new Map();
const arrange = (group) => {
  const panels = [...group.children].filter((child) => "panel" in child.dataset);
  if (panels.length < 2) return;
  const shown = panels.find((panel) => panel.id === chosen.get(group.dataset.panels))
    || panels.find((panel) => panel.querySelector(".field-wrong")) || panels[0];
  for (const panel of panels) panel.hidden = panel !== shown;
  for (const tab of group.querySelectorAll(":scope > .tabs a")) {
    if (tab.hash === `#${shown.id}`) tab.setAttribute("aria-current", "true");
    else tab.removeAttribute("aria-current");
  }
};
const arrangeAll = () => document.querySelectorAll("[data-panels]").forEach(arrange);
const reveal = (target) => {
  const panel = target && target.closest("[data-panel]");
  if (!panel) return;
  const group = panel.parentElement.closest("[data-panels]");
  chosen.set(group.dataset.panels, panel.id);
  arrange(group);
  reveal(group);
};
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href^='#']");
  if (!link) return;
  const target = document.getElementById(decodeURIComponent(link.hash.slice(1)));
  reveal(target);
  if (link.closest(".tabs") && target && "panel" in target.dataset) event.preventDefault();
});
document.addEventListener("htmx:afterSwap", arrangeAll);
arrangeAll();
