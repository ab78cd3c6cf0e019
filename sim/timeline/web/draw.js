// The lanes: bands, arrows, marks, labels and the cursor, as far as they are in view.
const AXIS = 34; // height of the axis, in pixels
const FONT = '11px system-ui, "Segoe UI", "DejaVu Sans", sans-serif';
const MARKS_MAX = 3000; // with more events in view, marks are ticks
const WORDS_MAX = 220; // with more events in view, bytes and files go without a word
const ARROWS_MAX = 800; // with more arrows in view, they are faint and share pixels
const canvas = $("lanes"), scroll = $("scroll");
let gutter = 150, laneHeight = 64, wide = 0, high = 0, ink = {}, hatches = {};
let due = false;

function redraw() {
  if (due) return;
  due = true;
  requestAnimationFrame(() => { due = false; draw(); drawOverview(); });
}

function readColours() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ["ground", "raised", "odd", "line", "ink", "faint", "accent", "hit", "cursor",
    "net", "answer", "refusal", "disk", "client", "fault", "life", "violation", "dead", "dark",
    "paused", "starting", "cut", "slow", "full", "failing", "clock"]) {
    ink[name] = style.getPropertyValue("--" + name).trim();
  }
  hatches = {};
  for (const look of ["dead", "dark", "paused", "starting"]) hatches[look] = hatch(ink[look]);
}
function hatch(colour) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 8;
  const to = tile.getContext("2d");
  to.globalAlpha = 0.75; to.fillStyle = colour; to.fillRect(0, 0, 8, 8);
  to.globalAlpha = 1; to.strokeStyle = colour; to.lineWidth = 1.5;
  to.beginPath();
  for (const shift of [-8, 0, 8]) { to.moveTo(shift, 8); to.lineTo(shift + 8, 0); }
  to.stroke();
  return to.createPattern(tile, "repeat");
}

function fitCanvas(of) {
  const box = of.getBoundingClientRect(), ratio = window.devicePixelRatio || 1;
  const [width, height] = [Math.max(1, box.width), Math.max(1, box.height)];
  if (of.width !== Math.round(width * ratio) || of.height !== Math.round(height * ratio)) {
    of.width = Math.round(width * ratio); of.height = Math.round(height * ratio);
  }
  const to = of.getContext("2d");
  to.setTransform(ratio, 0, 0, ratio, 0, 0);
  to.clearRect(0, 0, width, height);
  return [to, width, height];
}

const xOf = (time) => xOfPlace(placeOf(time));
const xOfPlace = (place) => gutter + ((place - S.from) / (S.to - S.from)) * (wide - gutter);
const placeAt = (x) => S.from + ((x - gutter) / (wide - gutter)) * (S.to - S.from);
const topOf = (lane) => AXIS + lane * laneHeight - scroll.scrollTop;
const baseOf = (lane) => topOf(lane) + Math.round(laneHeight * 0.66);
const firstTime = () => timeOf(clamp(S.from, 0, lastPlace()));
const lastTime = () => timeOf(clamp(S.to, 0, lastPlace()));

// Keeps words apart: gives a place to those that touch nobody who has one already.
function Places() {
  const taken = [];
  return (x, y, width, height) => {
    for (const [left, top, right, bottom] of taken) {
      if (x < right && left < x + width && y < bottom && top < y + height) return false;
    }
    taken.push([x, y, x + width, y + height]);
    return true;
  };
}

function draw() {
  let to;
  [to, wide, high] = fitCanvas(canvas);
  gutter = wide < 620 ? 96 : 150;
  const lanes = R.lanes.length || 1;
  laneHeight = clamp(Math.floor((high - AXIS) / lanes), 50, 96);
  $("tall").style.height = Math.max(0, AXIS + lanes * laneHeight - high) + "px";
  to.font = FONT; to.textBaseline = "middle"; to.lineJoin = "round";
  const place = Places();
  to.save();
  to.beginPath(); to.rect(gutter, AXIS, wide - gutter, high - AXIS); to.clip();
  drawGround(to);
  const words = drawBands(to, place);
  const spoken = drawArrows(to);
  const marks = drawMarks(to);
  drawMoments(to);
  // Words last, so that no line runs through them.
  words.forEach((said) => bandWords(to, place, ...said));
  marks.forEach((mark) => label(to, place, ...mark));
  spoken.forEach((arrow) => arrowLabel(to, place, arrow));
  to.restore();
  drawAxis(to);
  drawGutter(to);
}

function drawGround(to) {
  for (let lane = 0; lane < R.lanes.length; lane++) {
    const top = topOf(lane);
    if (top > high || top + laneHeight < AXIS) continue;
    to.fillStyle = lane === S.lane ? ink.raised : lane % 2 ? ink.odd : ink.ground;
    to.fillRect(gutter, top, wide - gutter, laneHeight);
    to.fillStyle = ink.line;
    to.fillRect(gutter, top + laneHeight - 1, wide - gutter, 1);
    to.fillRect(gutter, baseOf(lane), wide - gutter, 1);
  }
}

const STRIPS = { net: 0, disk: 1, clock: 2 };
// Draws the bands and gives those that have room for words.
function drawBands(to, place) {
  const strip = laneHeight >= 54 ? 11 : 5, words = [];
  const [from, till] = [firstTime(), lastTime()];
  for (const band of R.bands) {
    if (band.end < from || band.begin > till) continue;
    const top = topOf(band.lane);
    if (top > high || top + laneHeight < AXIS) continue;
    const left = Math.max(xOf(band.begin), gutter - 2);
    const width = Math.max(Math.min(xOf(band.end), wide + 2) - left, 1.5);
    const life = band.strip === "life";
    const y = life ? top : top + 2 + STRIPS[band.strip] * (strip + 1);
    const tall = life ? laneHeight - 1 : strip;
    to.fillStyle = life ? hatches[band.look] || ink.dead : ink[band.look] || ink.fault;
    to.fillRect(left, y, width, tall);
    const free = life || place(left, y, width, tall);
    const start = Math.max(left, gutter) + 4, room = Math.min(left + width, wide) - start - 4;
    if (free && laneHeight >= 54 && room > 50) words.push([band, start, y + tall, room]);
  }
  return words;
}
function bandWords(to, place, band, x, bottom, room) {
  const life = band.strip === "life";
  if (!life) to.font = "600 10px system-ui, sans-serif";
  const words = shorten(to, band.text, room), y = life ? bottom - 8 : bottom - 5;
  if (!life || place(x, y - 7, to.measureText(words).width, 13)) {
    if (life) halo(to, words, x, y);
    to.fillStyle = life ? ink.ink : S.dark ? "#ffffff" : "#14181d";
    to.fillText(words, x, y);
  }
  to.font = FONT;
}

// Draws the marks and gives those that may have a word, what matters most first.
function drawMarks(to) {
  const first = above(N, (at) => T[at], firstTime() - 1);
  const last = above(N, (at) => T[at], lastTime());
  const many = last - first > MARKS_MAX, few = last - first < WORDS_MAX;
  // By lane and class: the last pixel that has a mark. By class: the marks to draw at once.
  const taken = new Int32Array(R.lanes.length * CLASSES.length).fill(-1);
  const ticks = CLASSES.map(() => []), spoken = [];
  for (let event = first; event < last; event++) {
    const lane = LANES[event], rank = RANK[KINDS[event]], kind = CLASSES[rank][0];
    const special = event === S.event || (S.hitSet && S.hitSet.has(event))
      || (S.follow.size > 0 && followed(R.events[event][ABOUT]));
    if ((S.hidden.has(kind) && !special) || lane < 0) continue;
    const x = Math.round(xOf(T[event])), key = lane * CLASSES.length + rank;
    if (!special && taken[key] === x) continue;
    taken[key] = x;
    const y = baseOf(lane);
    if (y < AXIS - 20 || y > high + 40) continue;
    const small = kind === "net" || kind === "disk";
    const crowd = many && !special && (small || kind === "client");
    if (crowd) ticks[rank].push(x, y); else mark(to, kind, x, y);
    if (special) emphasize(to, event, x, markHeight(kind, y));
    const worth = special || (many ? kind !== "client" && !small : !small || few);
    if (worth) spoken.push([event, x, y, kind, special]);
  }
  ticks.forEach((places, rank) => drawTicks(to, CLASSES[rank][0], places));
  spoken.sort((a, b) => importance(a) - importance(b));
  return spoken.slice(0, 900);
}
const SMALL = { net: [-5, 5], disk: [1, 6] };
function drawTicks(to, kind, places) {
  const [up, tall] = SMALL[kind] || [-9, 9], wide = SMALL[kind] ? 1 : 2;
  to.fillStyle = ink[kind];
  to.beginPath();
  for (let at = 0; at < places.length; at += 2) {
    to.rect(places[at], places[at + 1] + up, wide, tall);
  }
  to.fill();
}
function importance([event, , , kind, special]) {
  if (event === S.event) return -2;
  return special ? -1 : CLASSES.findIndex(([name]) => name === kind);
}
function markHeight(kind, y) {
  return kind === "client" ? y - 7 : kind === "disk" ? y + 4 : kind === "net" ? y - 2 : y;
}
function mark(to, kind, x, y) {
  to.fillStyle = ink[kind] || ink.ink;
  if (SMALL[kind]) to.fillRect(x, y + SMALL[kind][0], 1, SMALL[kind][1]);
  else if (kind === "client") disc(to, x, y - 7, 2.6);
  else if (kind === "life") to.fillRect(x - 3, y - 3, 7, 7);
  else {
    const size = kind === "violation" ? 8 : 5;
    to.beginPath();
    to.moveTo(x, y - size); to.lineTo(x + size, y); to.lineTo(x, y + size); to.lineTo(x - size, y);
    to.fill();
  }
}
function disc(to, x, y, radius) {
  to.beginPath(); to.arc(x, y, radius, 0, 7); to.fill();
}
function emphasize(to, event, x, y) {
  const about = R.events[event][ABOUT];
  to.lineWidth = 2;
  if (followed(about)) { to.fillStyle = ink.accent; disc(to, x, y, 4); }
  if (S.hitSet && S.hitSet.has(event)) { to.strokeStyle = ink.hit; ring(to, x, y, 6); }
  if (event === S.event) { to.strokeStyle = ink.cursor; ring(to, x, y, 8); }
}
function ring(to, x, y, radius) {
  to.beginPath(); to.arc(x, y, radius, 0, 7); to.stroke();
}
function label(to, place, event, x, y, kind, special) {
  const low = kind === "disk" || kind === "net";
  const words = kind === "fault" ? (kindOf(event) + " " + R.events[event][TEXT]).slice(0, 24)
    : kindOf(event);
  const width = to.measureText(words).width;
  const left = x + 5, middle = low ? y + 14 : y - 19;
  if (left < gutter || left + width > wide) return;
  if (!place(left - 2, middle - 6, width + 8, 12)) return;
  halo(to, words, left, middle);
  to.fillStyle = special ? ink.accent : kind === "fault" || kind === "violation" ? ink[kind]
    : ink.faint;
  to.fillText(words, left, middle);
}

// What keeps words readable on any ground.
function halo(to, words, x, y) {
  to.strokeStyle = ink.ground; to.lineWidth = 3;
  to.globalAlpha = 0.85; to.strokeText(words, x, y); to.globalAlpha = 1;
}

// Draws the arrows and gives those that may have a word.
function drawArrows(to) {
  const [from, till] = [firstTime(), lastTime()];
  const arrows = R.arrows;
  const first = above(arrows.length, (at) => arrows[at].left, from - longestArrow - 1);
  const last = above(arrows.length, (at) => arrows[at].left, till);
  const crowd = last - first > ARROWS_MAX, taken = new Set(), labels = [];
  const lines = { net: [], answer: [], refusal: [] };
  for (let index = first; index < last && !S.hidden.has("net"); index++) {
    const arrow = arrows[index];
    if ((arrow.arrived ?? arrow.left) < from || followed(arrow.about)) continue;
    if (crowd) {
      const key = (arrow.from * 512 + arrow.to) * 8192 + Math.round(xOf(arrow.left));
      if (taken.has(key)) continue;
      taken.add(key);
      lines[toneOf(arrow)].push(arrow);
    } else {
      to.globalAlpha = S.follow.size ? 0.3 : 0.75;
      drawArrow(to, arrow, 1, last - first < 400);
    }
    if (last - first < WORDS_MAX) labels.push(arrow);
  }
  for (const tone in lines) drawLines(to, lines[tone], ink[tone]);
  to.globalAlpha = 1;
  for (let index = first; S.follow.size && index < last; index++) {
    if (!followed(arrows[index].about)) continue;
    drawArrow(to, arrows[index], 2.4, true);
    labels.unshift(arrows[index]);
  }
  return labels.slice(0, 120);
}
// Very many arrows at once, without heads.
function drawLines(to, arrows, colour) {
  to.globalAlpha = 0.3; to.strokeStyle = colour; to.lineWidth = 1;
  to.beginPath();
  for (const arrow of arrows) {
    const [x1, y1, x2, y2] = ends(arrow);
    to.moveTo(x1, y1); to.lineTo(x2, y2);
  }
  to.stroke();
  to.globalAlpha = 1;
}
function toneOf(arrow) {
  return arrow.refusal ? "refusal" : arrow.answers !== null ? "answer" : "net";
}
function ends(arrow) {
  const x1 = xOf(arrow.left), y1 = baseOf(arrow.from), lost = arrow.arrived === null;
  const full = baseOf(arrow.to);
  const x2 = lost ? x1 + 14 : xOf(arrow.arrived), y2 = lost ? y1 + (full - y1) * 0.5 : full;
  return [x1, y1, x2, y2, lost];
}
function drawArrow(to, arrow, weight, head) {
  const [x1, y1, x2, y2, lost] = ends(arrow);
  const colour = followed(arrow.about) ? ink.accent : ink[toneOf(arrow)];
  to.strokeStyle = to.fillStyle = colour;
  to.lineWidth = weight;
  to.setLineDash(lost ? [4, 3] : []);
  to.beginPath(); to.moveTo(x1, y1); to.lineTo(x2, y2); to.stroke();
  to.setLineDash([]);
  if (lost) {
    to.beginPath();
    to.moveTo(x2 - 4, y2 - 4); to.lineTo(x2 + 4, y2 + 4);
    to.moveTo(x2 + 4, y2 - 4); to.lineTo(x2 - 4, y2 + 4);
    to.stroke();
  } else if (head) {
    const angle = Math.atan2(y2 - y1, x2 - x1), size = 4 + weight;
    to.beginPath(); to.moveTo(x2, y2);
    for (const turn of [-0.4, 0.4]) {
      to.lineTo(x2 - size * Math.cos(angle + turn), y2 - size * Math.sin(angle + turn));
    }
    to.fill();
  }
}
function arrowLabel(to, place, arrow) {
  const [x1, y1, x2, y2] = ends(arrow), width = to.measureText(arrow.label).width;
  for (const part of [0.5, 0.35, 0.65, 0.2, 0.8]) {
    const x = x1 + (x2 - x1) * part - width / 2, y = y1 + (y2 - y1) * part;
    if (x < gutter || x + width > wide || y < AXIS + 8) continue;
    if (!place(x - 3, y - 7, width + 6, 14)) continue;
    to.globalAlpha = 0.9; to.fillStyle = ink.ground; to.fillRect(x - 3, y - 7, width + 6, 14);
    to.globalAlpha = 1;
    to.fillStyle = followed(arrow.about) ? ink.accent : ink[toneOf(arrow)];
    to.fillText(arrow.label, x, y);
    return;
  }
}

// What goes through all lanes: violations and the cursor.
function drawMoments(to) {
  to.setLineDash([5, 3]); to.lineWidth = 1.5; to.strokeStyle = ink.violation;
  for (const found of R.violations) vertical(to, xOf(found.at), AXIS);
  to.setLineDash([]); to.strokeStyle = ink.cursor; to.lineWidth = 1;
  vertical(to, xOf(S.time), AXIS);
}
function vertical(to, x, top) {
  to.beginPath(); to.moveTo(x, top); to.lineTo(x, high); to.stroke();
}

function drawAxis(to) {
  to.fillStyle = ink.raised; to.fillRect(0, 0, wide, AXIS);
  to.fillStyle = ink.line; to.fillRect(0, AXIS - 1, wide, 1);
  const place = Places();
  const cursor = xOf(S.time), words = seconds(S.time);
  const width = to.measureText(words).width + 10;
  if (cursor >= gutter - 1 && cursor <= wide + 1) {
    const left = clamp(cursor - width / 2, gutter, wide - width);
    place(left - 2, 19, width + 4, 14);
    to.fillStyle = ink.cursor; to.fillRect(left, 18, width, 15);
    to.fillStyle = ink.ground; to.fillText(words, left + 5, 26);
  }
  to.fillStyle = ink.faint;
  for (const [at, words] of ticks(wide - gutter)) {
    const x = xOfPlace(at), width = to.measureText(words).width;
    to.fillStyle = ink.line; to.fillRect(x, 30, 1, 4);
    const fits = x + width / 2 <= wide && x - width / 2 >= gutter;
    if (!fits || !place(x - width / 2 - 4, 19, width + 8, 14)) continue;
    to.fillStyle = ink.faint; to.fillText(words, x - width / 2, 26);
  }
  drawPhases(to);
}
// A phase that began before the view is named at its edge; the one that takes most room first.
function drawPhases(to) {
  const phase = Places(), named = [];
  R.phases.forEach(([at, name], index) => {
    const till = index + 1 < R.phases.length ? R.phases[index + 1][0] : END;
    const left = Math.max(xOf(at), gutter), right = Math.min(xOf(till), wide);
    if (right < gutter || left > wide) return;
    to.fillStyle = ink.line;
    if (xOf(at) >= gutter) to.fillRect(left, 2, 1, AXIS - 2);
    named.push([right - left, left, name]);
  });
  named.sort((a, b) => b[0] - a[0]);
  to.fillStyle = ink.life;
  for (const [, left, name] of named) {
    const width = to.measureText(name).width;
    if (left + width + 8 < wide && phase(left, 2, width + 10, 14)) to.fillText(name, left + 4, 9);
  }
}

function drawGutter(to) {
  to.save();
  to.beginPath(); to.rect(0, AXIS, gutter, high - AXIS); to.clip();
  to.fillStyle = ink.raised; to.fillRect(0, AXIS, gutter, high - AXIS);
  for (let lane = 0; lane < R.lanes.length; lane++) {
    const top = topOf(lane), middle = top + laneHeight / 2;
    if (top > high || top + laneHeight < AXIS) continue;
    if (lane === S.lane) {
      to.fillStyle = ink.accent; to.fillRect(0, top, 4, laneHeight - 1);
    }
    to.fillStyle = ink.ink; to.font = "600 " + FONT;
    to.fillText(shorten(to, R.lanes[lane].name, gutter - 16, 0.6), 10, middle - 8);
    to.font = FONT; to.fillStyle = ink.faint;
    const life = stateAt(lane, "life", S.time) || "not yet there";
    to.fillText(shorten(to, life, gutter - 16), 10, middle + 8);
    to.fillStyle = ink.line; to.fillRect(0, top + laneHeight - 1, gutter, 1);
  }
  to.fillStyle = ink.line; to.fillRect(gutter - 1, AXIS, 1, high - AXIS);
  to.restore();
}
// Words that fit: what is left out goes from their end, or from where `kept` of them are behind.
function shorten(to, words, width, kept = 0) {
  if (to.measureText(words).width <= width) return words;
  for (let length = words.length - 1; length > 1; length--) {
    const tail = Math.round(length * kept);
    const short = words.slice(0, length - tail) + "\u2026" + words.slice(words.length - tail);
    if (to.measureText(short).width <= width) return short;
  }
  return words.slice(0, 1);
}
