// The page's address follows what is on show, and what is on show follows the browser's Back; links
// to share, the shortlist, and what the whole page listens for: keys, a pasted picture.
//
// `element`, `props`, `trigger`, `upload` and `watch` come from Gradio's HTML component:
// `props.place` is what the page last answered, and `OWN` the parameters of an address that are ours,
// as `PlacePanel` says them.
const KEPT = "fashion-shortlist", MOST = 100;

const find = selector => document.querySelector(selector);

function make(tag, text = "", attributes = {}) {
  const made = document.createElement(tag);
  made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

function button(text, act, attributes = {}) {
  const made = make("button", text, {type: "button", ...attributes});
  made.addEventListener("click", act);
  return made;
}

// The address. Other parameters than ours, such as the theme and the tab, stay.
let entry = history.state?.entry ?? 0, depth = null, first = entry;
let isBack = false, isFollowing = false, isIgnored = false, here = location.search;

function with_parameters(ours) {
  const others = [...new URLSearchParams(location.search)].filter(([name]) => !OWN.includes(name));
  const all = new URLSearchParams([...new URLSearchParams(ours), ...others]).toString();
  return location.pathname + (all && `?${all}`) + location.hash;
}

function follow() {
  const {address, depth: now} = props.place;
  const before = depth;
  depth = now;
  const replace = () => {
    history.replaceState({entry}, "", with_parameters(address));
    here = location.search;
  };
  if (before === null || isFollowing || now === before) replace();
  else if (isBack && now < before && entry - 1 >= first) {
    isIgnored = true;
    window.addEventListener("popstate", replace, {once: true});
    history.back();
  } else {
    history.pushState({entry: ++entry}, "", with_parameters(address));
    here = location.search;
  }
  isBack = isFollowing = false;
}

window.addEventListener("popstate", ({state}) => {
  if (location.search === here && !isIgnored) return;  // a link to a place of the page
  const to = state?.entry ?? 0, forward = to > entry;
  entry = to;
  if (isIgnored) { isIgnored = false; return; }
  here = location.search;
  isFollowing = true;
  trigger("input", {address: location.search.slice(1), forward});
});
document.addEventListener("tab", ({detail}) => {
  const parts = new URLSearchParams(location.search);
  detail === "find" ? parts.delete("tab") : parts.set("tab", detail);
  history.replaceState(history.state, "", `${location.pathname}${parts.size ? `?${parts}` : ""}`);
  here = location.search;
});

// What is kept, in this browser alone.
function kept() {
  try {
    const ids = JSON.parse(localStorage.getItem(KEPT));
    return Array.isArray(ids) ? ids : [];
  } catch { return []; }
}

function keep(ids) {
  try { localStorage.setItem(KEPT, JSON.stringify(ids.slice(-MOST))); } catch { /* nowhere to keep it */ }
  draw();
}

function toggle(id) {
  const ids = kept();
  keep(ids.includes(id) ? ids.filter(other => other !== id) : [...ids, id]);
}

const said = make("p", "", {class: "spoken", role: "status", "aria-live": "polite"});
const actions = make("div", "", {class: "actions"});
element.replaceChildren(actions, said);

async function share() {
  const link = {title: document.title, url: location.href};
  if (navigator.share && matchMedia("(pointer: coarse)").matches) {
    await navigator.share(link).catch(() => {});
    return;
  }
  try {
    await navigator.clipboard.writeText(link.url);
    said.textContent = "The link is copied.";
  } catch {
    prompt("The link to this search:", link.url);
  }
}

// Commas part ids, so those within one are quoted.
const list = ids => encodeURIComponent(ids.map(encodeURIComponent).join(","));

function draw() {
  const ids = kept(), {query, ids: shown} = props.place;
  const isList = query === "shortlist";
  const parts = [];
  if (query !== "nothing") parts.push(button("Copy link", share));
  if (isList) {
    const href = `shortlist.csv?ids=${list(shown)}`;
    parts.push(make("a", "CSV", {href, download: ""}));
    const missing = shown.filter(id => !ids.includes(id));
    if (missing.length) parts.push(button("Add to my shortlist", () => keep([...ids, ...missing])));
    else parts.push(button("Empty the shortlist", () => keep([])));
  } else if (ids.length) {
    parts.push(button(`Shortlist (${ids.length})`, () => {
      trigger("input", {address: `shortlist=${list(ids)}`, forward: true});
    }));
  }
  actions.replaceChildren(...parts);
  // A star, as a heart is for what the next results shall be like.
  for (const star of document.querySelectorAll("[data-keep]")) {
    const isKept = ids.includes(JSON.parse(star.dataset.keep));
    star.setAttribute("aria-pressed", isKept);
    star.textContent = isKept ? "★ On your shortlist" : "☆ Add to shortlist";
  }
}

// What a photograph looks like beside what was found, where it is out of sight itself.
function mirror() {
  const small = find("#asked img"), large = find("#picture .image-frame img");
  if (small?.hasAttribute("data-mirror") && large && small.src !== large.src) small.src = large.src;
}

watch("place", () => { follow(); draw(); });
window.addEventListener("storage", draw);
new MutationObserver(() => { draw_names(); mirror(); }).observe(
  find(".gradio-container"), {childList: true, subtree: true});

// Gradio names the button that takes a value out of a box by its number.
function draw_names() {
  for (const cross of document.querySelectorAll(".token > .token-remove")) {
    const name = `Remove ${cross.parentElement.textContent.trim()}`;
    if (cross.title !== name) cross.title = name;
    if (cross.getAttribute("aria-label") !== name) cross.setAttribute("aria-label", name);
  }
  const status = find("#status p")?.textContent ?? "";
  if (status !== said.dataset.status) said.textContent = said.dataset.status = status;
  if (find("[data-keep]:not([aria-pressed])")) draw();
}

// Another picture of the item that is open, in the place of the large one.
function look(view) {
  const all = [...view.parentElement.children], large = view.closest("article").querySelector("img");
  large.dataset.said ??= large.alt;
  large.src = view.dataset.view;
  large.alt = `${large.dataset.said} Picture ${all.indexOf(view) + 1} of ${all.length}.`;
  for (const each of all) each.setAttribute("aria-pressed", each === view);
}

document.addEventListener("click", ({target}) => {
  if (target.closest("#back, #close")) isBack = true;
  const star = target.closest("[data-keep]");
  if (star) toggle(JSON.parse(star.dataset.keep));
  const view = target.closest("[data-view]");
  if (view) look(view);
});
document.addEventListener("keydown", event => {
  const close = find("#close");
  if (event.key !== "Escape" || event.defaultPrevented || !close?.offsetParent) return;
  if (find("dialog[open]") || event.target.closest("input, textarea, .frame, [role=listbox]")) return;
  close.click();
});
// Gradio tells of a slider when a pointer lets go of it: of one that keys moved, it has to hear.
document.addEventListener("keyup", ({target, key}) => {
  if (!/^(Arrow|Page|Home|End)/.test(key) || !target.matches("input[type=range]")) return;
  target.dispatchEvent(new PointerEvent("pointerup", {bubbles: true}));
});
document.addEventListener("paste", async event => {
  if (event.target.closest("input, textarea, [contenteditable=true]") || !find("#picture")?.offsetParent) return;
  const file = [...event.clipboardData.files].find(({type}) => type.startsWith("image/"));
  if (!file) return;
  event.preventDefault();
  const {path} = await upload(file);
  trigger("upload", {path});
});
if (props.place) { follow(); draw(); }
