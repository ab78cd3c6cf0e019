// The whole run in a strip: how much happened when, what was wrong, and which part is in view.
const overview = $("overview");
const DEPTH = ["dead", "dark", "paused", "starting", "cut", "slow", "full", "failing", "clock"];

// How many events fall on each pixel; counted anew only when the pixels mean something else.
let counted = { key: "", counts: null };
function density(width, x) {
  const key = width + (S.warp ? "w" : "");
  if (counted.key !== key) {
    const counts = new Float64Array(Math.ceil(width) + 1);
    for (let event = 0; event < N; event++) counts[Math.floor(x(T[event]))] += 1;
    counted = { key, counts };
  }
  return counted.counts;
}

function drawOverview() {
  const [to, width, height] = fitCanvas(overview);
  const end = lastPlace(), x = (time) => (placeOf(time) / end) * width;
  to.fillStyle = ink.raised; to.fillRect(0, 0, width, height);
  const counts = density(width, x), most = counts.reduce((a, b) => Math.max(a, b), 1);
  to.fillStyle = ink.net;
  counts.forEach((count, at) => {
    const tall = Math.sqrt(count / most) * (height - 18);
    to.fillRect(at, height - 14 - tall, 1, tall);
  });
  for (const band of R.bands) {
    const row = DEPTH.indexOf(band.look);
    if (row < 0 || band.look === "starting") continue;
    to.fillStyle = ink[band.look];
    const left = x(band.begin), y = height - 12 + (band.strip === "life" ? 0
      : band.strip === "net" ? 3 : band.strip === "disk" ? 6 : 9);
    to.fillRect(left, y, Math.max(x(band.end) - left, 1), 3);
  }
  for (const event of S.hits) {
    to.fillStyle = ink.hit; to.fillRect(x(T[event]), 0, 1, 5);
  }
  for (const found of R.violations) {
    to.fillStyle = ink.violation; to.fillRect(x(found.at) - 1, 0, 3, height);
  }
  const left = (S.from / end) * width, right = (S.to / end) * width;
  to.fillStyle = ink.ground; to.globalAlpha = 0.55;
  to.fillRect(0, 0, left, height); to.fillRect(right, 0, width - right, height);
  to.globalAlpha = 1; to.strokeStyle = ink.life; to.lineWidth = 1.5;
  to.strokeRect(Math.max(left, 1), 1, Math.max(Math.min(right, width - 1) - Math.max(left, 1), 3),
    height - 2);
  to.fillStyle = ink.cursor; to.fillRect(x(S.time), 0, 1, height);
}
function overviewTo(event) {
  const box = overview.getBoundingClientRect(), half = (S.to - S.from) / 2;
  const middle = ((event.clientX - box.left) / box.width) * lastPlace();
  look(middle - half, middle + half);
}
