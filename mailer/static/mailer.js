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
