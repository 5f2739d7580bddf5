// A chip of *What we see* opens a sheet: the likeliest values, all of them to search, and one tap to
// see only such. The sheet is a modal dialog, so that the keyboard and Escape do what they do.
const sheet = document.createElement("dialog");
sheet.className = "sheet";
element.parentElement.append(sheet);
let chip = null;

function node(tag, text = "", attributes = {}) {
  const made = document.createElement(tag);
  made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

function choice(value, share, pressed) {
  const button = node("button", value, {type: "button", "aria-pressed": pressed});
  const percent = share < 0.005 ? "<1%" : `${Math.round(share * 100)}%`;
  if (share !== undefined) button.append(" ", node("b", percent));
  button.addEventListener("click", () => tell({value}));
  return button;
}

function tell(told) {
  sheet.close();
  trigger("input", {label: chip.label, ...told});
}

function open(from) {
  chip = JSON.parse(from.dataset.chip);
  const likely = node("div"), all = node("div", "", {class: "all"});
  likely.append(...chip.seen.map(([value, share]) => choice(value, share, value === chip.value)));
  all.append(...props.values[chip.label].map(value => choice(value, undefined, value === chip.value)));
  const search = node("input", "", {type: "search", placeholder: "Search all", "aria-label": `Search all of ${chip.title}`});
  search.addEventListener("input", () => {
    const sought = search.value.trim().toLowerCase();
    for (const one of all.children) one.hidden = !one.textContent.toLowerCase().includes(sought);
  });
  search.addEventListener("keydown", event => {
    if (event.key !== "Enter") return;
    event.preventDefault();  // the chip has the focus by then, and would open the sheet again
    all.querySelector("button:not([hidden])")?.click();
  });
  const close = node("button", "✕", {type: "button", class: "close", "aria-label": "Close"});
  close.addEventListener("click", () => sheet.close());
  const only = node("button", `Show only ${chip.value}`, {type: "button", class: "only"});
  only.addEventListener("click", () => tell({value: chip.value, only: true}));
  const head = node("header");
  head.append(node("h3", chip.title), close);
  sheet.setAttribute("aria-label", chip.title);
  sheet.replaceChildren(head, likely, search, all);
  if (chip.there) sheet.append(only);
  if (chip.corrected) {
    const undo = node("button", "Take what we saw", {type: "button", class: "only"});
    undo.addEventListener("click", () => tell({value: null}));
    sheet.append(undo);
  }
  sheet.showModal();
  const {left, bottom} = from.getBoundingClientRect(), {width, height} = sheet.getBoundingClientRect();
  sheet.style.setProperty("--left", `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`);
  sheet.style.setProperty("--top", `${Math.max(8, Math.min(bottom + 4, innerHeight - height - 8))}px`);
}

element.addEventListener("click", ({target}) => {
  const from = target.closest("[data-chip]");
  if (from) open(from);
});
sheet.addEventListener("click", event => { if (event.target === sheet) sheet.close(); });
