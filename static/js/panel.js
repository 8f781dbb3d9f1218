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

/* Copying: the button says that it was done. Without https a browser gives no page its clipboard: then the text is shown
   marked, to be copied by hand. */
const copy = async (button, text, byHand) => {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    return byHand();
  }
  button.dataset.done = button.dataset.copied;
  window.setTimeout(() => delete button.dataset.done, 1500);
};
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  const source = button && document.getElementById(button.dataset.copy);
  if (!source) return;
  copy(button, "value" in source ? source.value : source.textContent, () => {
    window.getSelection().selectAllChildren(source);
    if (source.select) source.select();
  });
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
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy-selected]");
  if (!button) return;
  const ids = picked().map((box) => box.value).join(",");
  copy(button, ids, () => window.prompt(button.textContent.trim(), ids));
});

/* The field above a list to choose from becomes a combobox: arrows move in the list, Enter takes what is marked. Roles are
   given here and not by the server: an option is not reached by Tab, which only a script makes up for. */
const choose = (field) => {
  const list = () => document.getElementById(field.dataset.combobox);
  const options = () => [...(list()?.children || [])];
  let marked = -1;

  const mark = (number) => {
    const all = options();
    marked = all.length ? Math.max(-1, Math.min(number, all.length - 1)) : -1;
    all.forEach((option, each) => option.setAttribute("aria-selected", String(each === marked)));
    if (marked < 0) return field.removeAttribute("aria-activedescendant");
    field.setAttribute("aria-activedescendant", all[marked].id);
    all[marked].scrollIntoView({ block: "nearest" });
  };

  const dress = () => {
    const box = list();
    field.setAttribute("aria-expanded", String(Boolean(box)));
    if (!box) return mark(-1);
    box.setAttribute("role", "listbox");
    box.setAttribute("aria-label", box.dataset.label);
    for (const option of options()) {
      option.setAttribute("role", "option");
      option.tabIndex = -1;
    }
    mark(field.value.trim() ? 0 : -1);
  };

  const MOVES = {
    ArrowDown: () => marked + 1,
    ArrowUp: () => Math.max(marked - 1, 0),
    PageDown: () => marked + 8,
    PageUp: () => Math.max(marked - 8, 0),
  };

  field.setAttribute("role", "combobox");
  field.setAttribute("aria-autocomplete", "list");
  field.setAttribute("aria-haspopup", "listbox");
  field.setAttribute("aria-controls", field.dataset.combobox);
  dress();
  if (window.matchMedia("(hover: hover)").matches) field.focus({ preventScroll: true });
  field.addEventListener("keydown", (event) => {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in MOVES) {
      event.preventDefault();
      mark(MOVES[event.key]());
    } else if (event.key === "Enter" && marked >= 0 && options()[marked]) {
      event.preventDefault();
      options()[marked].click();
    } else if (event.key === "/" && !field.value) {
      event.preventDefault(); /* the key that leads here, pressed once more */
    } else if (event.key === "Escape" && field.value) {
      event.preventDefault();
      field.value = "";
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
  });
  document.addEventListener("htmx:afterSettle", dress);
};
for (const field of document.querySelectorAll("[data-combobox]")) choose(field);

/* A price that is late: its place says that it is being counted, and the button names none until it is there. */
const follow = (summary) => {
  const wait = summary.querySelector("#price-wait");
  let typed = 0; /* how often something was typed, and how often when the price was last asked for */
  let asked = 0;
  let soon = 0;

  const say = (words) => {
    document.getElementById("price").setAttribute("aria-busy", String(Boolean(words)));
    if (wait.textContent !== words) wait.textContent = words;
    const button = document.getElementById("order-words");
    if (words) button.textContent = button.dataset.plain;
  };
  const ofPrice = (event) => event.detail.target?.id === "price";

  summary.closest("form").addEventListener("input", () => {
    typed += 1;
    window.clearTimeout(soon);
    soon = window.setTimeout(() => say(wait.dataset.counting), 250);
  });
  document.addEventListener("htmx:configRequest", (event) => {
    if (!ofPrice(event)) return;
    asked = typed;
    if (wait.textContent) say(wait.dataset.counting);
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    if (!ofPrice(event)) return;
    if (asked !== typed) return say(wait.dataset.counting);
    window.clearTimeout(soon);
    say("");
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (!ofPrice(event) || event.detail.successful || asked !== typed) return;
    window.clearTimeout(soon);
    say(wait.dataset.unknown);
  });
};
const summary = document.getElementById("summary");
if (summary) follow(summary);

/* What could not be fetched is said, with a way to try again; the next answer takes the notice away. */
const trouble = document.getElementById("trouble");
let failed = null;
for (const [name, words] of [["sendError", "unreachable"], ["timeout", "late"], ["responseError", "refused"]]) {
  document.addEventListener(`htmx:${name}`, (event) => {
    const { elt, xhr, requestConfig } = event.detail;
    failed = { elt, by: requestConfig?.triggeringEvent?.type, stale: xhr?.status === 403 };
    trouble.hidden = false;
    const said = trouble.querySelector("[data-said]");
    if (said.textContent !== trouble.dataset[words]) said.textContent = trouble.dataset[words];
  });
}
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.successful) trouble.hidden = true;
});
document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-try-again]")) return;
  if (!failed.by || failed.stale || !failed.elt.isConnected) return window.location.reload();
  window.htmx.trigger(failed.elt, failed.by);
});
