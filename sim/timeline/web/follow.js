// Going from event to event, searching, and following a message through the run.
function goTo(event, quiet) {
  if (event < 0 || event >= N) return;
  S.event = event; S.time = T[event];
  reveal(S.time);
  if (!quiet) showPanel();
}
function goToTime(time) {
  S.time = clamp(time, 0, END);
  S.event = above(N, (at) => T[at], S.time) - 1;
  reveal(S.time);
  showPanel();
}
// The next shown event in a direction, some steps away.
function step(by) {
  if (!shown.length) return;
  let at = above(shown.length, (index) => shown[index], S.event) - 1;
  const exact = at >= 0 && shown[at] === S.event;
  if (by < 0 && !exact) by += 1;
  goTo(shown[clamp(at + by, 0, shown.length - 1)]);
}
function setLane(lane) {
  S.lane = clamp(lane, -1, R.lanes.length - 1);
  refilter(); showPanel(); redraw();
}

function search(words) {
  S.terms = words.toLowerCase().split(/\s+/).filter(Boolean);
  S.hits = [];
  for (let event = 0; S.terms.length && event < N; event++) if (matches(event)) S.hits.push(event);
  S.hitSet = new Set(S.hits);
  S.hit = -1;
  showHits(); showList(); redraw();
}
function matches(event) {
  const row = R.events[event];
  const words = (laneName(row[LANE]) + " " + kindOf(event) + " " + row[TEXT]).toLowerCase();
  const ids = row[ABOUT].map((subject) => R.subjects[subject].toLowerCase());
  return S.terms.every((term) => words.includes(term) || ids.some((id) => id.includes(term)));
}
function nextHit(by) {
  const count = S.hits.length;
  if (!count) return;
  if (S.hit < 0) {
    const behind = above(count, (at) => S.hits[at], S.event - (by > 0 ? 1 : 0));
    S.hit = by > 0 ? behind % count : (behind - 1 + count) % count;
  } else S.hit = (S.hit + by + count) % count;
  showHits();
  goTo(S.hits[S.hit]);
}

function follow(subjects) {
  S.follow = new Set(subjects);
  refilter(); showPanel(); redraw();
}
// Follows what is at hand: the subjects of the event, or nothing when they are followed already.
function toggleFollow(subjects) {
  const same = subjects.length === S.follow.size && subjects.every((one) => S.follow.has(one));
  follow(same ? [] : subjects);
}
let violation = -1;
function nextViolation(by) {
  const count = R.violations.length;
  if (!count) return;
  violation = (violation + by + count) % count;
  const found = R.violations[violation];
  S.follow = new Set(found.about);
  refilter(); showViolation();
  const first = found.events.length ? found.events[0] : above(N, (at) => T[at], found.at) - 1;
  goTo(first);
}
