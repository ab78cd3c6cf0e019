// From time to place: as it passes, or with idle time left out. Places are in microseconds, too,
// but idle stretches of the second kind take next to nothing.
const FREE = 2000; // a pause up to this is never shortened, in microseconds
let knotTime = [], knotPlace = [];

function buildAxis() {
  knotTime = [0]; knotPlace = [0];
  let time = 0, place = 0;
  const add = (to) => {
    if (to <= time) return;
    const gap = to - time;
    place += gap <= FREE ? gap : FREE * (1 + Math.log(gap / FREE));
    time = to;
    knotTime.push(time); knotPlace.push(place);
  };
  for (let event = 0; event < N; event++) add(T[event]);
  add(END);
  knotTime = Float64Array.from(knotTime); knotPlace = Float64Array.from(knotPlace);
}
buildAxis();

function between(value, from, to) {
  const index = clamp(above(from.length, (at) => from[at], value), 1, from.length - 1);
  const [a, b] = [from[index - 1], from[index]];
  return to[index - 1] + (to[index] - to[index - 1]) * (b > a ? (value - a) / (b - a) : 0);
}
const placeOf = (time) => (S.warp ? between(time, knotTime, knotPlace) : time);
const timeOf = (place) => (S.warp ? between(place, knotPlace, knotTime) : place);
const lastPlace = () => placeOf(END);

const LEAST = 20; // the shortest view, in microseconds
function look(from, to) {
  const end = lastPlace(), margin = end * 0.01;
  let width = clamp(to - from, LEAST, end + 2 * margin);
  from = clamp(from, -margin, Math.max(end + margin - width, -margin));
  S.from = from; S.to = from + width;
  redraw();
}
function fit() { look(-1e18, 1e18); }
function zoom(factor, around) {
  const at = around ?? placeOf(S.time), width = (S.to - S.from) * factor;
  let part = (at - S.from) / (S.to - S.from);
  // Without a mouse, closer is closer to the cursor, which comes in from the edge.
  if (around === undefined && factor < 1) part = clamp(part, 0.25, 0.75);
  look(at - part * width, at + (1 - part) * width);
}
function reveal(time) {
  const place = placeOf(time), width = S.to - S.from;
  if (place < S.from + width * 0.06 || place > S.to - width * 0.06) {
    look(place - width / 2, place + width / 2);
  } else redraw();
}
function setWarp(on) {
  const [from, to] = [timeOf(clamp(S.from, 0, lastPlace())), timeOf(clamp(S.to, 0, lastPlace()))];
  const whole = S.to - S.from >= lastPlace();
  S.warp = on;
  $("b-warp").setAttribute("aria-pressed", String(on));
  if (whole) fit(); else look(placeOf(from), placeOf(to));
}

// Where ticks go: times and their words, so that words do not touch.
function ticks(pixels) {
  const width = S.to - S.from, want = Math.max(2, Math.floor(pixels / 120));
  const found = [];
  if (S.warp) {
    for (let k = 0; k <= want; k++) {
      const place = S.from + (width * k) / want;
      if (place < 0 || place > lastPlace()) continue;
      const time = timeOf(place);
      found.push([place, seconds(time, digitsFor(width / want))]);
    }
    return found;
  }
  const step = niceStep(width / want);
  for (let at = Math.ceil(Math.max(S.from, 0) / step) * step; at <= S.to; at += step) {
    found.push([at, seconds(at, digitsFor(step))]);
  }
  return found;
}
function digitsFor(step) {
  return clamp(Math.ceil(6 - Math.log10(Math.max(step, 1))), 0, 6);
}
function niceStep(rough) {
  const power = 10 ** Math.floor(Math.log10(Math.max(rough, 1)));
  return [1, 2, 5, 10].find((times) => times * power >= rough) * power;
}
