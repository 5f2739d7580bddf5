// What lies over *Your picture*: the frame of the part that is looked at, the buttons that choose
// one, and what a camera is aimed with. Boxes are [left, top, right, bottom] in shares of the
// picture, upright as the browser shows it, wherever in its element it lies.
//
// `element`, `props`, `trigger` and `watch` come from Gradio's HTML component: `props.shown` is
// what the page last answered, `props.value` the region that a visitor asks for next.
const WHOLE = [0, 0, 1, 1], LEAST = 0.04, STEP = 0.02, CLICK_PX = 6;
const EDGES = {l: [0], t: [1], r: [2], b: [3], lt: [0, 1], rt: [2, 1], rb: [2, 3], lb: [0, 3]};
const HELP = "Part of your picture that is looked at. Arrow keys move it, Shift and arrow keys " +
  "resize it, Escape takes the whole picture.";

function make(tag, className, attributes = {}, ...children) {
  const node = document.createElement(tag);
  node.className = className;
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}
const isWhole = box => box.every((end, at) => Math.abs(end - WHOLE[at]) < 0.005);
const isSame = (one, other) => one.every((end, at) => Math.abs(end - other[at]) < 0.002);
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

// Layers over pictures and videos. Gradio draws both anew as it likes: each change is looked at.
const column = element.closest(".column");
const home = () => column.querySelector("#picture .upload-container");
const sizes = new ResizeObserver(place);
const layers = [];
let measured = null;

function place() {
  const over = home();
  if (over && over !== measured) { sizes.disconnect(); sizes.observe(measured = over); }
  for (const {node, find} of layers) {
    const seen = over && find(over);
    const wide = seen?.naturalWidth || seen?.videoWidth, high = seen?.naturalHeight || seen?.videoHeight;
    node.hidden = !wide || !seen.offsetParent;
    if (node.hidden) continue;
    if (node.parentElement !== over) over.append(node);
    const box = seen.getBoundingClientRect(), from = node.offsetParent.getBoundingClientRect();
    const scale = Math.min(box.width / wide, box.height / high);  // object-fit: contain
    const left = box.left + (box.width - wide * scale) / 2 - from.left - node.offsetParent.clientLeft;
    const top = box.top + (box.height - high * scale) / 2 - from.top - node.offsetParent.clientTop;
    const px = {left, top, width: wide * scale, height: high * scale};
    for (const [side, length] of Object.entries(px)) node.style[side] = `${length}px`;
  }
}

// The frame.
const frame = make("div", "frame", {tabindex: 0, role: "application", "aria-label": HELP});
for (const edges of Object.keys(EDGES)) {
  frame.append(make("i", edges, {"data-edges": edges, "aria-hidden": "true"}));
}
const others = make("div", "others", {"aria-hidden": "true"});
const stage = make("div", "layer stage", {}, others, frame);
const chips = make("div", "chips", {role: "group", "aria-label": "Which part is looked at"});
const said = make("p", "said", {role: "status", "aria-live": "polite"});
const hint = make("small", "", {}, "Drag on the picture to mark the garment.");
const down = make("a", "down", {href: "#bar"}, "See what was found");
element.replaceChildren(make("div", "regions", {hidden: ""}, chips, hint, down, said));

let box = WHOLE, waiting = null, drag = null, timer = null;  // waiting: for whose answer
let source = null, answeredAt = -Infinity, isStale = false;

function put(node, [left, top, right, bottom]) {
  const shares = {left, top, width: right - left, height: bottom - top};
  for (const [side, share] of Object.entries(shares)) node.style[side] = `${share * 100}%`;
}

function draw() {
  put(frame, box);
  frame.classList.toggle("whole", isWhole(box));
  for (const chip of chips.children) {
    chip.setAttribute("aria-pressed", isSame(chip.box, box));
    if (chip.mark) chip.mark.hidden = isSame(chip.box, box);
  }
}

// A new picture has no frame until it is answered; one that an answer brings along has.
function look() {
  const now = home()?.querySelector(".image-frame img")?.src ?? null;
  if (now !== source) {
    source = now;
    isStale = performance.now() - answeredAt > 500;
    clearTimeout(timer);
    waiting = null;
  }
  element.firstChild.hidden = !now || isStale || !props.shown;
  place();
}

function take() {
  const {shown} = props, boxes = shown?.regions ?? [];
  const answered = shown?.box ?? WHOLE;
  if (!shown || (waiting && isSame(answered, waiting))) waiting = null;
  if (!drag && !waiting) box = answered;
  const known = [["Whole picture", WHOLE], ...boxes.map((part, at) => [`${at}`, part])];
  if (boxes.length) known[1][0] = boxes.length > 1 ? "All garments" : "Garment";
  // What has the focus keeps it, so nodes are kept too.
  while (chips.children.length > known.length) chips.lastChild.remove();
  while (chips.children.length < known.length) {
    const chip = make("button", "", {type: "button"});
    chip.addEventListener("click", () => ask(chip.box));
    chips.append(chip);
  }
  others.replaceChildren();
  known.forEach(([name, part], at) => {
    const mark = at < 2 ? null : make("div", "", {}, make("b", "", {}, name));
    Object.assign(chips.children[at], {textContent: name, box: part, mark});
    if (mark) { put(mark, part); others.append(mark); }
  });
  draw();
  look();
}

// Search again, a moment after the last of several steps.
function ask(wanted, wait_ms = 0) {
  box = waiting = isWhole(wanted) ? WHOLE : wanted.map(end => Math.round(end * 1e4) / 1e4);
  draw();
  clearTimeout(timer);
  timer = setTimeout(() => {
    const [left, top, right, bottom] = box.map(end => `${Math.round(end * 100)}%`);
    said.textContent = isWhole(box) ? "The whole picture is looked at."
      : `Looked at: ${left} to ${right} from the left, ${top} to ${bottom} from the top.`;
    props.value = isWhole(box) ? null : box;
    trigger("input");
  }, wait_ms);
}

function moved([left, top, right, bottom], x, y) {
  x = clamp(x, -left, 1 - right);
  y = clamp(y, -top, 1 - bottom);
  return [left + x, top + y, right + x, bottom + y];
}

// With some of its edges pulled: none passes the one across, nor leaves the picture.
function resized(from, edges, x, y) {
  const ends = [...from];
  for (const at of EDGES[edges]) {
    const end = from[at] + (at % 2 ? y : x);
    ends[at] = at < 2 ? clamp(end, 0, from[at + 2] - LEAST) : clamp(end, from[at - 2] + LEAST, 1);
  }
  return ends;
}

function dragged({clientX, clientY}) {
  const {width, height} = stage.getBoundingClientRect();
  const x = (clientX - drag.x) / width, y = (clientY - drag.y) / height;
  if (drag.edges) return resized(drag.box, drag.edges, x, y);
  if (drag.moves) return moved(drag.box, x, y);
  if (Math.hypot(clientX - drag.x, clientY - drag.y) < CLICK_PX) return drag.box;
  const [left, right] = [drag.at[0], clamp(drag.at[0] + x, 0, 1)].sort((a, b) => a - b);
  const [top, bottom] = [drag.at[1], clamp(drag.at[1] + y, 0, 1)].sort((a, b) => a - b);
  const [l, t] = [Math.min(left, 1 - LEAST), Math.min(top, 1 - LEAST)];
  return [l, t, Math.max(right, l + LEAST), Math.max(bottom, t + LEAST)];
}

stage.addEventListener("pointerdown", event => {
  if (event.button || drag) return;
  const {left, top, width, height} = stage.getBoundingClientRect();
  const at = [(event.clientX - left) / width, (event.clientY - top) / height];
  const {edges} = event.target.dataset, moves = event.target === frame && !isWhole(box);
  drag = {id: event.pointerId, x: event.clientX, y: event.clientY, at, edges, moves, box};
  stage.setPointerCapture(event.pointerId);
  frame.focus({preventScroll: true});
  event.preventDefault();
});
stage.addEventListener("pointermove", event => {
  if (event.pointerId === drag?.id) { box = dragged(event); draw(); }
});
for (const end of ["pointerup", "pointercancel"]) {
  stage.addEventListener(end, event => {
    if (event.pointerId !== drag?.id) return;
    const {box: before} = drag, after = end === "pointerup" ? dragged(event) : before;
    drag = null;
    if (!isSame(before, after)) ask(after, 150);
    else { box = before; take(); }
  });
}
const ARROWS = {ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP]};
frame.addEventListener("keydown", event => {
  const by = ARROWS[event.key];
  if (event.ctrlKey || event.metaKey || event.altKey || !(by || event.key === "Escape")) return;
  event.preventDefault();
  const next = !by ? WHOLE : event.shiftKey ? resized(box, "rb", ...by) : moved(box, ...by);
  if (!isSame(next, box)) ask(next, 500);
});

layers.push({node: stage, find: over => isStale || !props.shown ? null : over.querySelector(".image-frame img")});
watch(Object.keys(props), () => { answeredAt = performance.now(); isStale = false; take(); });
new MutationObserver(look).observe(
  column, {childList: true, subtree: true, attributes: true, attributeFilter: ["src"]});
column.addEventListener("load", look, true);
take();
