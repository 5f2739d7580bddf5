// What the camera of *Your picture* is aimed with: an outline to hold the garment in, and a button
// that leaves three seconds to step back before it presses Gradio's own. Follows `region.js`, whose
// layers it uses.
const SECONDS = 3;
const count = make("b", "", {role: "status", "aria-live": "assertive"});
const button = make("button", "", {type: "button", title: "or the space bar"}, "In 3 seconds");
const outline = make("div", "outline", {"aria-hidden": "true"});
const aim = make("div", "layer aim", {}, outline, count, button);
let left = 0, clock = null;

function count_down(to) {
  clearTimeout(clock);
  left = to;
  count.textContent = left || "";
  button.textContent = left ? "Stop" : `In ${SECONDS} seconds`;
  if (left) clock = setTimeout(tick, 1000);
}

function tick() {
  const shutter = aim.hidden ? null : home()?.querySelector('[aria-label="capture photo"]');
  if (left === 1) shutter?.click();
  count_down(shutter ? left - 1 : 0);
}

button.addEventListener("click", () => count_down(left ? 0 : SECONDS));
document.addEventListener("keydown", event => {
  if (aim.hidden || !aim.offsetParent) return;  // no camera runs, or another tab is open
  if (event.key === "Escape") count_down(0);
  const {target} = event, isHere = target === document.body || home().contains(target);
  if (event.key !== " " || left || !isHere || target.closest("button, input, select")) return;
  event.preventDefault();
  count_down(SECONDS);
});
for (const moment of ["loadedmetadata", "playing", "resize", "emptied"]) {
  column.addEventListener(moment, look, true);
}
layers.push({node: aim, find: over => over.querySelector("video")});
place();
