// The plot of one attempt, as timeline.py draws it, and the strip of latencies: strip.py.
// A window narrows the plot down to some of the time.

const WIDTH = 1000, FLOOR = 97, HEIGHT = 94, EDGE = 40, TICKS = 5;

const field = (event, key) => {
  const value = event.values[event.keys.indexOf(key)];
  return typeof value === "number" && value >= 0 ? value : null;
};
const BANDS = [
  ["held by Twisted", ["sample"], (event) => field(event, "held")],
  ["in the kernel", ["sample"], (event) => field(event, "kernel")],
  ["read by the peer", ["sample", "received"],
    (event) => field(event, event.name === "sample" ? "read" : "bytes")],
];

function path(points, most) {
  const height = (value) => FLOOR - Math.floor((value * HEIGHT) / Math.max(most, 1));
  let steps = "", open = false;
  for (const [x, value] of points) {
    if (open) steps += `H${x}`;
    if (value !== null) steps += `${open ? "" : `M${x} ${FLOOR}`}V${height(value)}`;
    else if (open) steps += `V${FLOOR}`;
    open = value !== null;
  }
  return steps + (open ? `V${FLOOR}` : "");
}

function bandsOf(own, place) {
  return BANDS.flatMap(([label, names, value]) => {
    const points = own.filter((event) => names.includes(event.name))
      .map((event) => [place(event.t), value(event)]);
    const known = points.map(([, y]) => y).filter((y) => y !== null);
    if (!known.length) return [];
    const most = Math.max(...known);
    return [{ label, most: `at most ${grouped(most)} bytes`, path: path(points, most) }];
  });
}

function marksOf(own, { place, shows }) {
  const aborted = own.find((event) => event.name === "abort-called");
  const lost = own.find((event) => event.name === "connection-lost" && event.side === "aborter");
  const mark = (kind, label, x) =>
    ({ kind, label, x: percent(x), anchor: x > WIDTH / 2 ? "end" : "start" });
  const since = aborted && lost ? ` ${milliseconds(Math.max(0, lost.t - aborted.t))} later` : "";
  return [
    ...(aborted && shows(aborted.t) ? [mark("abort", `abort at ${milliseconds(aborted.t)}`, place(aborted.t))] : []),
    ...(lost && shows(lost.t) ? [mark("lost", `connection lost${since}`, place(lost.t))] : []),
  ];
}

function axisOf(times) {
  const [start, end] = [times[0], times.at(-1)];
  let [before, after] = [end, end], longest = 0;
  times.forEach((t, n) => {
    if (n && t - times[n - 1] > longest) [longest, before, after] = [t - times[n - 1], times[n - 1], t];
  });
  if (!(longest < end - start && end - start < 2 * longest)) [before, after] = [end, end];
  const kept = end - start - (after - before);
  const cut = after > before ? Math.max(Math.floor(kept / 4), 1) : 0;
  const place = (t) => Math.floor(
    ((t <= before ? t - start : t - start - (after - before) + cut) * WIDTH) / Math.max(kept + cut, 1));
  const time = (x) => {
    const drawn = (x * (kept + cut)) / WIDTH;
    const past = drawn - (before - start);
    return past <= 0 ? before + past : Math.max(after, after + past - cut);
  };
  return { start, end, before, after, kept, place, time, shows: () => true };
}

function windowOf([start, end]) {
  const along = (t) => Math.floor(((t - start) * WIDTH) / (end - start));
  const place = (t) => Math.min(Math.max(along(t), 0), WIDTH);
  const time = (x) => start + (x * (end - start)) / WIDTH;
  const shows = (t) => start <= t && t <= end;
  return { start, end, before: end, after: end, kept: end - start, place, time, shows };
}

function ticksOf({ start, end, before, after, kept, place }, finest) {
  let step = finest;
  while (Math.floor(kept / step) > TICKS) step *= String(step)[0] === "2" ? 2.5 : 2;
  const round = (first, last) => {
    const times = [];
    for (let t = Math.ceil(first / step) * step; t <= last; t += step) times.push(t);
    return times;
  };
  return [...round(start, before), ...(after > before ? round(after, end) : [])]
    .map((t) => [place(t), step < 1000 ? milliseconds(t) : `${grouped(Math.floor(t / 1000))} ms`]);
}

const onConnection = (events) =>
  events.filter(({ side }) => side === "aborter" || side === "peer");

function draw(own, axis, finest = 1000) {
  const bands = bandsOf(own, axis.place), marks = marksOf(own, axis);
  const foot = bands.length * 52 + 34, height = foot + (axis.before < axis.after ? 104 : 88);
  const words = [...bands.map(({ label, most }) => `${label}: ${most}`),
    ...marks.map(({ label }) => label)].join("; ");
  return svg("svg", { class: "timeline", role: "img", "aria-label": words, height },
    bands.map((band, n) => drawBand(band, n)),
    drawCut(axis, foot),
    ["aborter", "peer"].map((side, n) => drawLane(own, side, foot + n * 32, axis)),
    marks.map((mark, n) => drawMark(mark, n * 15 + 11, foot + 64)),
    ticksOf(axis, finest).map(([x, label]) => drawTick(x, label, foot + 78)));
}

// The plot in its frame, where it can be narrowed down: by dragging over it, and by buttons.

const CLOSEST = 50; // microseconds

function plot(events) {
  const own = onConnection(events);
  if (own.length < 2) return [];
  const whole = axisOf(own.map(({ t }) => t).sort((a, b) => a - b));
  const abort = own.find(({ name }) => name === "abort-called")?.t ?? whole.end;
  let axis = whole, drawn = draw(own, whole);
  const show = (next) => {
    axis = next ?? whole;
    const anew = draw(own, axis, next ? 10 : 1000);
    drawn.replaceWith(anew);
    drawn = anew;
  };
  const look = (start, end) => {
    const width = Math.max(end - start, CLOSEST);
    const first = Math.max(whole.start, Math.min(start, whole.end - width));
    const last = Math.min(whole.end, first + width);
    const isPart = last > first && last - first < whole.end - whole.start;
    show(isPart ? windowOf([first, last].map(Math.round)) : null);
  };
  const scaled = (by, shift = 0) => {
    const width = axis.end - axis.start, middle = (axis.start + axis.end) / 2 + shift * width;
    look(middle - (width * by) / 2, middle + (width * by) / 2);
  };
  const button = (label, act) => {
    const made = html("button", { type: "button" }, label);
    made.addEventListener("click", act);
    return made;
  };
  const tools = html("p", { class: "zoom scripted" },
    button("Around the abort", () => look(abort - 1000, abort + 2000)),
    button("Closer", () => scaled(0.5)), button("Wider", () => scaled(2)),
    button("Earlier", () => scaled(1, -0.5)), button("Later", () => scaled(1, 0.5)),
    button("Whole", () => show(null)), html("small", {}, "or drag over the plot"));
  const frame = html("div", { class: "plot" }, tools, drawn);
  draggable(frame, (from, to) => look(axis.time(from), axis.time(to)));
  return frame;
}

function draggable(frame, chosen) {
  let from = null;
  const box = svg("rect", { class: "chosen", y: 30, height: "100%" });
  const at = (event) => {
    const { left, width } = frame.lastChild.getBoundingClientRect();
    return Math.min(Math.max(((event.clientX - left) * WIDTH) / width, 0), WIDTH);
  };
  frame.addEventListener("pointerdown", (event) => {
    if (event.button === 0 && event.target.closest("svg.timeline")) from = at(event);
  });
  frame.addEventListener("pointermove", (event) => {
    if (from === null) return;
    frame.setPointerCapture(event.pointerId);
    const sides = [from, at(event)].sort((a, b) => a - b);
    box.setAttribute("x", `${sides[0] / 10}%`);
    box.setAttribute("width", `${(sides[1] - sides[0]) / 10}%`);
    frame.lastChild.append(box);
  });
  frame.addEventListener("pointerup", (event) => {
    const sides = from === null ? [] : [from, at(event)].sort((a, b) => a - b);
    from = null;
    box.remove();
    if (sides[1] - sides[0] > WIDTH / 100) chosen(...sides);
  });
}

function drawTick(x, label, y) {
  const anchor = x < EDGE ? "start" : x > WIDTH - EDGE ? "end" : "middle";
  return svg("text", { x: percent(x), y, "text-anchor": anchor }, label);
}

function drawCut({ before, after, place }, foot) {
  if (before === after) return [];
  const [left, right] = [place(before), place(after)];
  const box = { x: percent(left), width: percent(right - left), y: 34, height: foot + 30 };
  const label = `${grouped(Math.floor((after - before) / 1000))} ms cut out`;
  return [
    svg("rect", { class: "cut", ...box }),
    svg("text", { x: percent(Math.floor((left + right) / 2)), y: foot + 94, "text-anchor": "middle" },
      label),
  ];
}

function drawBand({ label, most, path }, n) {
  const top = n * 52 + 34;
  const box = { y: top + 16, width: "100%", height: 30, viewBox: "0 0 1000 100" };
  return [
    svg("text", { x: 0, y: top + 11 },
      svg("tspan", { class: "name" }, label), svg("tspan", { dx: 8 }, most)),
    svg("svg", { ...box, preserveAspectRatio: "none" }, svg("path", { class: `band-${n}`, d: path })),
    svg("line", { class: "floor", x1: 0, x2: "100%", y1: top + 46, y2: top + 46 }),
  ];
}

function drawLane(own, side, top, { place, shows }) {
  const ticks = own.filter((event) =>
    event.side === side && event.name !== "sample" && shows(event.t));
  return [
    svg("text", { class: "name", x: 0, y: top + 11 }, side),
    ticks.map(({ t, name }) => {
      const x = percent(place(t));
      return svg("line", { class: "tick", x1: x, x2: x, y1: top + 15, y2: top + 27 },
        svg("title", {}, `${milliseconds(t)} ${name}`));
    }),
  ];
}

function drawMark({ kind, label, x, anchor }, top, foot) {
  return [
    svg("line", { class: kind, x1: x, x2: x, y1: top + 3, y2: foot }),
    svg("text", { class: kind, x, y: top, "text-anchor": anchor }, label),
  ];
}

function latency(strip, scale) {
  if (!strip) return [];
  const [[low, middle, p99, high], words] = strip;
  const line = (kind, x1, x2, y1, y2) => svg("line", { class: kind, x1, x2, y1, y2 });
  const along = (kind, from, to) => line(kind, percent(from), percent(to), 9, 9);
  return [
    html("p", { class: "label" }, `From the abort to connectionLost: ${words}`),
    svg("svg", { class: "strip", role: "img", "aria-label": words, height: 34 },
      line("floor", "0", "100%", 9, 9),
      scale.map(([x, label]) => [line("floor", x, x, 5, 13),
        svg("text", { x, y: 29, "text-anchor": "middle" }, label)]),
      along("spread", low, high), along("most", low, p99),
      line("median", percent(middle), percent(middle), 1, 17)),
  ];
}
