// Beside the lanes: the moment, what each process is like, and all events as a list.
const ROW = 20;
const list = $("list"), rows = $("rows");

function showHead() {
  document.title = R.title;
  $("title").textContent = R.title;
  $("verdict").textContent = R.verdict;
  $("verdict").className = R.passed ? "" : "bad";
  for (const [name, value] of R.facts) {
    const fact = element("span", "", name + " ");
    fact.append(element("b", "", value));
    $("facts").append(fact);
  }
  R.violations.forEach((found, index) => {
    const line = element("div");
    line.append(element("b", "", found.id + " "), found.sentence + "\n" + found.details);
    line.title = found.sentence + "\n" + found.details;
    line.addEventListener("click", () => { violation = index - 1; nextViolation(1); });
    $("violations").append(line);
  });
  for (const [look, words] of LOOKS) {
    const entry = element("span"), patch = element("i");
    patch.style.background = "var(--" + look + ")";
    entry.append(patch, words);
    $("legend").append(entry);
  }
  for (const [kind, words] of CLASSES) {
    const filter = element("label"), box = element("input");
    box.type = "checkbox"; box.checked = true;
    box.addEventListener("change", () => {
      if (box.checked) S.hidden.delete(kind); else S.hidden.add(kind);
      refilter(); showPanel(); redraw();
    });
    filter.append(box, words);
    $("filters").append(filter);
  }
}

function showPanel() { showNow(); showStates(); showList(true); }

// Only the violation at hand is shown whole.
function showViolation() {
  [...$("violations").children].forEach((line, index) => {
    line.classList.toggle("on", index === violation);
    if (index === violation) $("violations").scrollTop = line.offsetTop;
  });
}

function showNow() {
  const now = $("now");
  now.replaceChildren();
  const head = element("div");
  head.append(element("time", "", seconds(S.time)));
  const at = above(shown.length, (index) => shown[index], S.event);
  head.append(element("span", "where", "  event " + at + " of " + shown.length
    + (S.lane >= 0 ? " on " + laneName(S.lane) : "")));
  now.append(head);
  if (S.event < 0) return;
  const row = R.events[S.event];
  const line = element("div");
  line.append(element("b", "", laneName(row[LANE]) + " " + kindOf(S.event)), " " + row[TEXT]);
  now.append(line);
  (arrowsOf.get(S.event) || []).forEach((index) => now.append(arrowWords(index)));
  const chips = element("div");
  row[ABOUT].slice(0, 12).forEach((subject) => {
    const chip = element("button", "chip" + (S.follow.has(subject) ? " on" : ""),
      R.subjects[subject]);
    chip.title = "Follow it through the run (f)";
    chip.addEventListener("click", () => toggleFollow([subject]));
    chips.append(chip);
  });
  if (row[ABOUT].length > 12) chips.append("and " + (row[ABOUT].length - 12) + " more");
  now.append(chips);
}
function arrowWords(index) {
  const arrow = R.arrows[index], answer = R.arrows[answerTo.get(index)];
  const came = arrow.arrived === null ? "never arrived whole"
    : "arrived after " + span(arrow.arrived - arrow.left);
  let words = "\u2192 " + laneName(arrow.to) + ": " + arrow.label + ", " + came;
  if (answer) words += "; " + answer.label + " left after " + span(answer.left - arrow.left);
  const back = answer ? answer.arrived : null;
  if (back !== null) words += ", came after " + span(back - arrow.left);
  return element("div", "where", words);
}

function showStates() {
  const all = $("states");
  all.replaceChildren();
  R.lanes.forEach((lane, index) => {
    const line = element("div", index === S.lane ? "on" : "");
    line.append(element("b", "", lane.name));
    const life = stateAt(index, "life", S.time) || "not yet there";
    const well = ["running", "serving"].includes(life);
    line.append(element("span", well ? "life" : "ill", life));
    for (const [key] of states[index]) {
      const value = key === "life" ? "" : stateAt(index, key, S.time);
      const ill = ["clock", "disk", "net"].includes(key);
      if (value) line.append(element("span", ill ? "ill" : "", key + " " + value));
    }
    line.addEventListener("click", () => setLane(S.lane === index ? -1 : index));
    all.append(line);
  });
}

// Only the rows in view exist.
function showList(scrollTo) {
  rows.style.height = shown.length * ROW + "px";
  const at = above(shown.length, (index) => shown[index], S.event) - 1;
  if (scrollTo && at >= 0) {
    const top = at * ROW, view = list.clientHeight;
    if (top < list.scrollTop || top + ROW > list.scrollTop + view) {
      list.scrollTop = Math.max(0, top - view / 2);
    }
  }
  const first = Math.max(0, Math.floor(list.scrollTop / ROW) - 2);
  const last = Math.min(shown.length, first + Math.ceil(list.clientHeight / ROW) + 5);
  rows.replaceChildren();
  for (let place = first; place < last; place++) rows.append(listRow(shown[place], place));
}
function listRow(event, place) {
  const row = R.events[event], line = element("div");
  line.style.top = place * ROW + "px";
  line.setAttribute("role", "option");
  line.setAttribute("aria-selected", String(event === S.event));
  if (event === S.event) line.classList.add("on");
  if (S.hitSet && S.hitSet.has(event)) line.classList.add("hit");
  if (followed(row[ABOUT])) line.classList.add("followed");
  line.append(element("time", "", (row[AT] / 1e6).toFixed(6)));
  line.append(element("span", "lane", laneName(row[LANE])));
  line.append(element("span", "kind", kindOf(event)), row[TEXT]);
  line.title = row[TEXT];
  line.addEventListener("click", () => goTo(event));
  return line;
}
function showHits() {
  const count = S.hits.length;
  $("hits").textContent = !S.terms.length ? "" : (S.hit < 0 ? "" : S.hit + 1 + "/")
    + (count === 1 ? "1 hit" : count + " hits");
}
