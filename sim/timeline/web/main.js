// Mouse, sizes, and the first look.
function pick(x, y) {
  const lane = Math.floor((y - AXIS + scroll.scrollTop) / laneHeight);
  if (x < gutter || y < AXIS || lane < 0 || lane >= R.lanes.length) return -1;
  const near = (S.to - S.from) * (7 / (wide - gutter));
  const from = timeOf(clamp(placeAt(x) - near, 0, lastPlace()));
  const till = timeOf(clamp(placeAt(x) + near, 0, lastPlace()));
  const first = above(N, (at) => T[at], from - 1), last = above(N, (at) => T[at], till);
  let best = -1, least = 12;
  for (let event = first; event < last && event < first + 20000; event++) {
    const row = R.events[event], kind = classOf(event);
    if (row[LANE] !== lane || S.hidden.has(kind)) continue;
    const far = Math.hypot(xOf(row[AT]) - x, (markHeight(kind, baseOf(lane)) - y) / 3);
    if (far < least) { least = far; best = event; }
  }
  return best;
}
function showTip(x, y) {
  const tip = $("tip"), event = pick(x, y);
  tip.hidden = event < 0;
  if (event < 0) return;
  const words = R.events[event][TEXT];
  tip.textContent = seconds(T[event]) + "  " + kindOf(event) + " "
    + (words.length > 300 ? words.slice(0, 300) + "\u2026" : words);
  tip.style.left = clamp(x + 12, 0, Math.max(0, wide - tip.offsetWidth - 4)) + "px";
  tip.style.top = (y + 18 + tip.offsetHeight > high ? y - 10 - tip.offsetHeight : y + 18) + "px";
}

let drag = null;
canvas.addEventListener("pointerdown", (event) => {
  drag = { x: event.offsetX, from: S.from, to: S.to, moved: false };
  canvas.setPointerCapture(event.pointerId);
});
canvas.addEventListener("pointermove", (event) => {
  if (!drag) { showTip(event.offsetX, event.offsetY); return; }
  const by = ((drag.x - event.offsetX) / (wide - gutter)) * (drag.to - drag.from);
  if (Math.abs(event.offsetX - drag.x) > 3) drag.moved = true;
  if (drag.moved) look(drag.from + by, drag.to + by);
});
canvas.addEventListener("pointerup", (event) => {
  const still = drag && !drag.moved;
  drag = null;
  if (!still) return;
  scroll.focus({ preventScroll: true });
  const [x, y] = [event.offsetX, event.offsetY];
  if (x < gutter && y > AXIS) {
    const lane = Math.floor((y - AXIS + scroll.scrollTop) / laneHeight);
    setLane(lane === S.lane ? -1 : lane);
    return;
  }
  const found = pick(x, y);
  if (found >= 0) goTo(found); else goToTime(timeOf(clamp(placeAt(x), 0, lastPlace())));
});
canvas.addEventListener("pointerleave", () => { $("tip").hidden = true; });
canvas.addEventListener("wheel", (event) => {
  if (event.ctrlKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
    const by = ((event.deltaX || event.deltaY) / (wide - gutter)) * (S.to - S.from);
    look(S.from + by, S.to + by);
  } else zoom(Math.exp(event.deltaY * 0.0016), placeAt(Math.max(event.offsetX, gutter)));
  event.preventDefault();
}, { passive: false });
scroll.addEventListener("scroll", redraw);
overview.addEventListener("pointerdown", (event) => {
  overview.setPointerCapture(event.pointerId); overviewTo(event);
});
overview.addEventListener("pointermove", (event) => { if (event.buttons) overviewTo(event); });
list.addEventListener("scroll", () => showList());
document.addEventListener("keydown", onKey);
$("search").addEventListener("input", () => search($("search").value));
$("b-next").addEventListener("click", () => nextHit(1));
$("b-prev").addEventListener("click", () => nextHit(-1));
$("b-in").addEventListener("click", () => zoom(0.5));
$("b-out").addEventListener("click", () => zoom(2));
$("b-fit").addEventListener("click", fit);
$("b-warp").addEventListener("click", () => setWarp(!S.warp));
$("b-theme").addEventListener("click", () => setTheme(!S.dark));
$("b-help").addEventListener("click", toggleHelp);
// At once and not with the next frame, or that frame shows the old picture stretched.
const sized = new ResizeObserver(() => { draw(); drawOverview(); showList(); });
sized.observe($("stage"));

// Looks and steps can be asked for in the address, so that a picture can be made of any of them:
// run.html#dark&keys=vn+ presses keys once the page stands.
const asked = new URLSearchParams(location.hash.slice(1));
setTheme(asked.has("dark") || (!asked.has("light")
  && matchMedia("(prefers-color-scheme: dark)").matches));
showHead(); refilter(); fit();
if (R.violations.length) nextViolation(1); else goTo(N ? 0 : -1);
if (asked.has("search")) { $("search").value = asked.get("search"); search(asked.get("search")); }
for (const key of (asked.get("keys") || "").replaceAll(" ", "+").split(",").filter(Boolean)) {
  onKey({ key, target: document.body, preventDefault() {} });
}
scroll.focus({ preventScroll: true });
