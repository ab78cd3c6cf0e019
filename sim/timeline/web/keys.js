// Everything can be done from the keyboard.
const KEYS = [
  [["ArrowRight"], "\u2192", "the next event (with Shift: ten further)",
    (key) => step(key.shiftKey ? 10 : 1)],
  [["ArrowLeft"], "\u2190", "the event before (with Shift: ten back)",
    (key) => step(key.shiftKey ? -10 : -1)],
  [["ArrowDown"], "\u2193", "only the events of the next process", () => setLane(S.lane + 1)],
  [["ArrowUp"], "\u2191", "only those of the process above; at the top, of all",
    () => setLane(S.lane - 1)],
  [["+", "="], "+", "closer, around the cursor", () => zoom(0.5)],
  [["-", "_"], "\u2212", "further away", () => zoom(2)],
  [["0"], "0", "the whole run", () => fit()],
  [["Home"], "Home", "the first event", () => goTo(shown.length ? shown[0] : 0)],
  [["End"], "End", "the last event", () => goTo(shown.length ? shown[shown.length - 1] : N - 1)],
  [["/"], "/", "search: words that an event must have, such as a message, a node, a code",
    () => { $("search").focus(); $("search").select(); }],
  [["n"], "n", "the next hit", () => nextHit(1)],
  [["p", "N"], "p", "the hit before", () => nextHit(-1)],
  [["f"], "f", "follow the messages of this event through the run; again: no more",
    () => { if (S.event >= 0) toggleFollow(R.events[S.event][ABOUT]); }],
  [["v"], "v", "the next violation, its message followed", () => nextViolation(1)],
  [["w"], "w", "leave idle time out, or not", () => setWarp(!S.warp)],
  [["t"], "t", "light or dark", () => setTheme(!S.dark)],
  [["Escape"], "Esc", "follow nothing, search nothing, all processes", () => reset()],
  [["?"], "?", "this help", () => toggleHelp()],
];

function onKey(key) {
  if (key.ctrlKey || key.metaKey || key.altKey) return;
  if ($("help").open && key.key !== "Escape") {
    if (key.key === "?") { toggleHelp(); key.preventDefault(); }
    return;
  }
  if (key.target === $("search")) {
    if (key.key === "Enter") { nextHit(key.shiftKey ? -1 : 1); key.preventDefault(); }
    if (key.key === "Escape") { $("search").blur(); scroll.focus(); key.preventDefault(); }
    return;
  }
  if (key.target.type === "checkbox" && key.key.startsWith("Arrow")) return;
  const found = KEYS.find(([names]) => names.includes(key.key));
  if (!found || $("help").open) return;
  found[3](key);
  key.preventDefault();
}
function reset() {
  $("search").value = "";
  S.follow = new Set(); S.lane = -1;
  refilter(); search(""); showPanel(); redraw();
}
function toggleHelp() {
  const help = $("help");
  if (help.open) { help.close(); return; }
  if (!help.childElementCount) {
    const keys = element("dl");
    for (const [, name, words] of KEYS) {
      keys.append(element("dt", "", name), element("dd", "", words));
    }
    help.append(element("h2", "", "Keys"), keys, element("p", "",
      "Mouse: wheel zooms, drag moves, a click sets the cursor. Escape closes this."));
  }
  help.showModal();
}
function setTheme(dark) {
  S.dark = dark;
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  readColours(); redraw();
}
