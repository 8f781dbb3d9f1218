/* What htmx and HTML do not do by themselves. Every page works without it. */
"use strict";

document.documentElement.classList.add("scripted");

/* A form that spends money goes once: the server keeps the promise, this only saves the wait. */
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-once]")) return;
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = "1";
  if (event.submitter && !event.submitter.name) event.submitter.setAttribute("aria-disabled", "true");
});

/* A page that comes back from the browser's own memory may be sent again. */
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("[data-sent]")) delete form.dataset.sent;
  for (const button of document.querySelectorAll("[data-once] [aria-disabled]")) button.removeAttribute("aria-disabled");
});

/* Live rows ask again while somebody looks; a hidden tab asks nothing. */
const tick = () => {
  if (document.visibilityState !== "visible") return;
  for (const live of document.querySelectorAll("[data-live]")) window.htmx.trigger(live, "tick");
};
const seconds = Number(document.body.dataset.poll || 5);
window.setInterval(tick, seconds * 1000);
document.addEventListener("visibilitychange", tick);

/* One menu at a time; a press elsewhere or Escape closes it. */
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll(".menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && document.querySelector(".menu[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

/* Copying: the button beside a text says that it was done. */
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  const source = button && document.getElementById(button.dataset.copy);
  if (!source) return;
  const text = "value" in source ? source.value : source.textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    window.getSelection().selectAllChildren(source);
    if (source.select) source.select();
    return;
  }
  button.dataset.done = button.dataset.copied;
  window.setTimeout(() => delete button.dataset.done, 1500);
});

/* "/" goes to the page's search; where it has none, to the frame's. */
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  const search = document.querySelector("main [data-focus-key='/']") || document.querySelector("[data-focus-key='/']");
  if (!search) return;
  event.preventDefault();
  search.focus();
  search.select();
});

/* Orders are selected by their boxes: a bar says how many, and a row that is renewed keeps its choice. */
const picked = () => [...document.querySelectorAll("[form=selected]:checked")];
const chosen = new Set();
const count = () => {
  const number = picked().length;
  for (const words of document.querySelectorAll("[data-selected-count]")) words.textContent = String(number);
  document.getElementById("selected")?.classList.toggle("bulk-open", number > 0);
};
document.addEventListener("change", (event) => {
  const all = event.target.matches("[data-select-all]");
  if (!all && event.target.getAttribute("form") !== "selected") return;
  const boxes = all ? [...document.querySelectorAll("[form=selected]")] : [event.target];
  for (const box of boxes) {
    if (all) box.checked = event.target.checked;
    chosen[box.checked ? "add" : "delete"](box.value);
  }
  count();
});
document.addEventListener("htmx:afterSettle", () => {
  for (const box of document.querySelectorAll("[form=selected]")) box.checked = chosen.has(box.value);
  count();
});
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy-selected]");
  if (!button) return;
  await navigator.clipboard.writeText(picked().map((box) => box.value).join(","));
  button.dataset.done = button.dataset.copied;
  window.setTimeout(() => delete button.dataset.done, 1500);
});
