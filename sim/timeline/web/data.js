// The record, the arrays that everything is drawn from, and small helpers.
const $ = (id) => document.getElementById(id);
const R = JSON.parse($("record").textContent);
const N = R.events.length;
const AT = 0, LANE = 1, KIND = 2, TEXT = 3, ABOUT = 4; // the fields of an event's row
const T = Float64Array.from(R.events, (row) => row[AT]);
const KINDS = Uint16Array.from(R.events, (row) => row[KIND]);
const LANES = Int16Array.from(R.events, (row) => row[LANE]);
const CLASSES = [
  ["violation", "violations"], ["fault", "faults"], ["life", "processes"], ["client", "clients"],
  ["net", "net"], ["disk", "disk"],
];
const LOOKS = [
  ["dead", "dead"], ["dark", "no power"], ["paused", "paused"], ["starting", "starting"],
  ["cut", "cut off"], ["slow", "slow"], ["full", "full"], ["failing", "failing"],
  ["clock", "clock off"],
];
const END = Math.max(R.end, N ? T[N - 1] : 0, 1);

// What is looked at. Everything that is drawn follows from the record and from this.
const S = {
  time: 0, event: -1, lane: -1, hidden: new Set(), follow: new Set(), terms: [], hits: [], hit: -1,
  from: 0, to: 1, warp: false, hover: null,
};

// The class of each kind, as its index in CLASSES.
const RANK = R.kinds.map((kind) => CLASSES.findIndex(([name]) => name === kind.class));
const classOf = (event) => R.kinds[R.events[event][KIND]].class;
const kindOf = (event) => R.kinds[R.events[event][KIND]].name;
const laneName = (lane) => (lane < 0 ? "world" : R.lanes[lane].name);
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const followed = (about) => S.follow.size > 0 && about.some((subject) => S.follow.has(subject));

// The index of the first of `length` places whose value, by `get`, is above `limit`.
function above(length, get, limit) {
  let low = 0, high = length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (get(middle) <= limit) low = middle + 1; else high = middle;
  }
  return low;
}

function seconds(us, digits = 6) {
  return (us / 1e6).toFixed(digits) + " s";
}

function span(us) {
  if (us < 1000) return us.toFixed(0) + " \u00b5s";
  if (us < 1e6) return (us / 1e3).toFixed(us < 1e5 ? 2 : 0) + " ms";
  if (us < 6e8) return (us / 1e6).toFixed(us < 1e8 ? 2 : 0) + " s";
  return (us / 6e7).toFixed(0) + " min";
}

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

// The arrows by the event they left with, and answers by what they answer.
const arrowsOf = new Map(), answerTo = new Map();
let longestArrow = 0;
R.arrows.forEach((arrow, index) => {
  if (!arrowsOf.has(arrow.event)) arrowsOf.set(arrow.event, []);
  arrowsOf.get(arrow.event).push(index);
  if (arrow.answers !== null) answerTo.set(arrow.answers, index);
  if (arrow.arrived !== null) longestArrow = Math.max(longestArrow, arrow.arrived - arrow.left);
});

// What each process is like, by lane and key, as lists of changes in order of time.
const states = R.lanes.map(() => new Map());
for (const state of R.states) {
  const of = states[state.lane];
  if (!of.has(state.key)) of.set(state.key, []);
  of.get(state.key).push(state);
}

function stateAt(lane, key, time) {
  const changes = states[lane].get(key);
  if (!changes) return "";
  const index = above(changes.length, (at) => changes[at].at, time) - 1;
  return index < 0 ? "" : changes[index].value;
}

// The events that steps and the list go through.
let shown = new Int32Array(0);
function refilter() {
  const all = [];
  for (let event = 0; event < N; event++) {
    const row = R.events[event];
    if (S.lane >= 0 && row[LANE] !== S.lane && !followed(row[ABOUT])) continue;
    if (S.hidden.has(R.kinds[row[KIND]].class)) continue;
    all.push(event);
  }
  shown = Int32Array.from(all);
}
