// Opens any cell from the data in the page. Without this script the matrix and every cell that
// did not pass read all the same. Writes what cell.html.j2 writes; text is only ever set as text.
"use strict";

const WIDTH = 1000, FLOOR = 97, HEIGHT = 94, EDGE = 40, TICKS = 5; // as in timeline.py

const $ = (id) => document.getElementById(id);

// Elements ------------------------------------------------------------------------------------

function build(space, name, attributes, children) {
  const element = document.createElementNS(space, name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null) element.setAttribute(key, value);
  }
  element.append(...children.flat(Infinity));
  return element;
}

const html = (name, attributes = {}, ...children) =>
  build("http://www.w3.org/1999/xhtml", name, attributes, children);
const svg = (name, attributes = {}, ...children) =>
  build("http://www.w3.org/2000/svg", name, attributes, children);

// Words ---------------------------------------------------------------------------------------

const grouped = (count) => String(count).replace(/\B(?=(\d{3})+$)/g, ",");
const number = (count, one) => `${grouped(count)} ${count === 1 ? one : one + "s"}`;
const milliseconds = (t) =>
  `${grouped(Math.floor(t / 1000))}.${String(Math.floor((t % 1000) / 10)).padStart(2, "0")} ms`;

function word(value) {
  if (value === null) return "–";
  if (typeof value === "boolean") return value ? "yes" : "no";
  return typeof value === "number" ? grouped(value) : value;
}

// Data: what pack.py wrote ----------------------------------------------------------------------

const unpacked = new Map();

function unpack(id) {
  if (!unpacked.has(id)) unpacked.set(id, inflate($(id).textContent));
  return unpacked.get(id);
}

async function inflate(text) {
  const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).json();
}

const listed = unpack("index").then(({ words, looks, cells, ...index }) => ({
  ...index,
  cells: cells.map(([host, reactor, transport, scenario, side, peer, outcome, flaky, known], place) => ({
    place,
    host: words[host],
    axes: [reactor, transport, scenario, side, peer].map((number) => words[number]),
    look: looks[outcome],
    flaky: flaky === 1,
    known: known === 1,
  })),
}));

const idOf = (cell) => cell.axes.join("/");
const squareOf = (cell) => cell.axes.slice(0, 2).join("/");
const fragment = (kind, host, rest) =>
  `${kind}=${encodeURIComponent(host)}:${encodeURIComponent(rest).replaceAll("%2F", "/")}`;
const keyOf = (cell) => fragment("cell", cell.host, idOf(cell));
const squareKeyOf = (cell) => fragment("cells", cell.host, squareOf(cell));

async function detailOf(cell) {
  const { chunk } = await listed;
  const { shapes, cells } = await unpack(`chunk-${Math.floor(cell.place / chunk)}`);
  const [facts, strip, broken, notes, held, notApplicable, rows, leftOut, texts, command] =
    cells[cell.place % chunk];
  let t = 0;
  const events = rows.map(([since, shape, ...values]) => {
    t += since;
    const [side, name, keys] = shapes[shape];
    return { t, side, name, keys, values };
  });
  return { facts, strip, broken, notes, held, notApplicable, events, leftOut, texts, command };
}

// One cell: cell.html.j2 ------------------------------------------------------------------------

function mark([name, glyph, letter]) {
  return html("span", { class: `mark ${name}` }, `${glyph} ${letter}`);
}

function pairs(kind, entries) {
  return html("dl", { class: kind }, entries.map(([name, value]) =>
    html("div", {}, html("dt", {}, name), html("dd", {}, value))));
}

function rule([name, seen], rules) {
  const [axis, expects, source] = rules[name] ?? ["", "", ""];
  return html("div", { class: "rule" },
    html("h4", {}, html("code", {}, name), axis ? [" ", html("span", { class: "axis" }, axis)] : []),
    html("dl", {},
      html("dt", {}, "expected"),
      html("dd", {}, expects, source ? [" ", html("cite", {}, source)] : []),
      html("dt", {}, "seen"),
      html("dd", { class: "seen" }, seen)));
}

function standings({ held, notApplicable }) {
  if (!held.length && !notApplicable.length) return [];
  const more = notApplicable.length ? `, ${notApplicable.length} not applicable` : "";
  return html("details", {},
    html("summary", {}, `${number(held.length, "rule")} held${more}`),
    html("p", { class: "names" },
      held.map((name) => [html("code", {}, `✓ ${name}`), " "]),
      notApplicable.map((name) => [html("code", { class: "quiet" }, `– ${name}`), " "])));
}

function eventRow({ t, side, name, keys, values }) {
  const known = ["aborter", "peer", "bystander", "process"].includes(side) ? side : "";
  const says = keys.map((key, n) =>
    [html("span", {}, `${key} `, html("b", {}, word(values[n]))), " "]);
  return html("tr", { class: known },
    html("td", {}, milliseconds(t)), html("td", {}, side), html("td", {}, name),
    html("td", { class: "long" }, says));
}

function eventTable({ events, leftOut }) {
  if (!events.length) return [];
  const heads = ["at", "side", "event", "what it says"];
  const omitted = `${number(leftOut, "event")} in the middle left out here; the results file has them.`;
  return html("details", {},
    html("summary", {}, number(events.length + leftOut, "event")),
    leftOut ? html("p", { class: "quiet" }, omitted) : [],
    html("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Events" },
      html("table", { class: "events" },
        html("thead", {}, html("tr", {}, heads.map((head) => html("th", { scope: "col" }, head)))),
        html("tbody", {}, events.map(eventRow)))));
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

function article(cell, detail, { rules, scale }) {
  return html("article", { id: keyOf(cell), tabindex: "-1" },
    detail.broken.map((entry) => rule(entry, rules)),
    detail.notes.map((note) => html("p", { class: "seen" }, note)),
    plot(detail.events),
    latency(detail.strip, scale),
    pairs("facts", detail.facts),
    html("p", { class: "label" }, "Run it again"),
    html("pre", { class: "command" }, detail.command),
    detail.texts.map(([name, text]) =>
      [html("p", { class: "label" }, name), html("pre", { tabindex: "0" }, text)]),
    standings(detail),
    eventTable(detail),
    html("p", { class: "quiet" },
      html("a", { href: "#" + keyOf(cell) }, "Link to this cell")));
}

// The plot: timeline.py -------------------------------------------------------------------------

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
const percent = (x) => `${Math.floor(x / 10)}.${x % 10}%`;

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

function marksOf(own, place) {
  const aborted = own.find((event) => event.name === "abort-called");
  const lost = own.find((event) => event.name === "connection-lost" && event.side === "aborter");
  const mark = (kind, label, x) =>
    ({ kind, label, x: percent(x), anchor: x > WIDTH / 2 ? "end" : "start" });
  const since = aborted && lost ? ` ${milliseconds(Math.max(0, lost.t - aborted.t))} later` : "";
  return [
    ...(aborted ? [mark("abort", `abort at ${milliseconds(aborted.t)}`, place(aborted.t))] : []),
    ...(lost ? [mark("lost", `connection lost${since}`, place(lost.t))] : []),
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
  return { start, end, before, after, kept, place };
}

function ticksOf({ start, end, before, after, kept, place }) {
  let step = 1000;
  while (Math.floor(kept / step) > TICKS) step *= String(step)[0] === "2" ? 2.5 : 2;
  const round = (first, last) => {
    const times = [];
    for (let t = Math.ceil(first / step) * step; t <= last; t += step) times.push(t);
    return times;
  };
  return [...round(start, before), ...(after > before ? round(after, end) : [])]
    .map((t) => [place(t), `${grouped(Math.floor(t / 1000))} ms`]);
}

function plot(events) {
  const own = events.filter(({ side }) => side === "aborter" || side === "peer");
  if (own.length < 2) return [];
  const axis = axisOf(own.map(({ t }) => t).sort((a, b) => a - b));
  const bands = bandsOf(own, axis.place), marks = marksOf(own, axis.place);
  const foot = bands.length * 52 + 34, height = foot + (axis.before < axis.after ? 104 : 88);
  const words = [...bands.map(({ label, most }) => `${label}: ${most}`),
    ...marks.map(({ label }) => label)].join("; ");
  return svg("svg", { class: "timeline", role: "img", "aria-label": words, height },
    bands.map((band, n) => drawBand(band, n)),
    drawCut(axis, foot),
    ["aborter", "peer"].map((side, n) => drawLane(own, side, foot + n * 32, axis.place)),
    marks.map((mark, n) => drawMark(mark, n * 15 + 11, foot + 64)),
    ticksOf(axis).map(([x, label]) => drawTick(x, label, foot + 78)));
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

function drawLane(own, side, top, place) {
  const ticks = own.filter((event) => event.side === side && event.name !== "sample");
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

// Opening ---------------------------------------------------------------------------------------

function show(title, ...children) {
  const back = html("a", { class: "back", href: "#matrix" }, "Close");
  $("opened").replaceChildren(html("h2", {}, title), back, ...children);
  $("opened").hidden = false;
  reveal($("opened"));
}

function reveal(element) {
  for (let up = element; up; up = up.parentElement) if (up.localName === "details") up.open = true;
  element.focus({ preventScroll: true });
  (element.closest("details.cell") ?? element).scrollIntoView();
}

async function openCell(key) {
  const index = await listed;
  const cell = index.cells.find((each) => decoded(keyOf(each)) === key);
  if (!cell) return show("No such cell", html("p", {}, key));
  const written = $(keyOf(cell));
  if (written?.localName === "article" && !$("opened").contains(written)) return reveal(written);
  const around = html("a", { href: "#" + squareKeyOf(cell) },
    `All cells of ${cell.axes[0]} over ${cell.axes[1]}`);
  const opened = article(cell, await detailOf(cell), index);
  return show([mark(cell.look), " ", idOf(cell)].flat(), html("p", {}, around), opened);
}

function square(cell) {
  if (!cell) return html("td", { class: "empty" }, "·");
  const [name, glyph, letter] = cell.look;
  const said = [name, cell.flaky ? "flaky" : "", cell.known ? "known defect" : ""];
  const label = `${idOf(cell)}: ${said.filter(Boolean).join(", ")}`;
  return html("td", { class: cell.known ? `${name} known` : name },
    html("a", { href: "#" + keyOf(cell), "aria-label": label },
      html("b", {}, `${glyph} ${letter}`), cell.flaky ? " ≈ flaky" : "", cell.known ? " known" : ""));
}

async function openCells(key) {
  const { cells } = await listed;
  const own = cells.filter((cell) => decoded(squareKeyOf(cell)) === key);
  const [reactor, transport] = own[0]?.axes ?? ["?", "?"];
  const columns = [...new Set(own.map(({ axes }) => axes.slice(3).join(" · ")))];
  const rows = Map.groupBy(own, ({ axes }) => axes[2]);
  const body = [...rows].map(([scenario, found]) => html("tr", {},
    html("th", { scope: "row" }, scenario),
    columns.map((column) => square(found.find(({ axes }) => axes.slice(3).join(" · ") === column)))));
  show(`${number(own.length, "cell")} of ${reactor} over ${transport}`,
    html("p", { class: "quiet" }, "Columns: the side that aborts · who plays the peer."),
    html("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Cells" },
      html("table", { class: "matrix wide" },
        html("thead", {}, html("tr", {}, html("td"), columns.map((c) => html("th", { scope: "col" }, c)))),
        html("tbody", {}, body))));
}

// Mail programs and others write a link's characters in ways of their own.
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

async function route() {
  const key = decoded(location.hash.slice(1));
  if (key.startsWith("cell=")) await openCell(key);
  else if (key.startsWith("cells=")) await openCells(key);
  else $("opened").hidden = true;
  document.documentElement.dataset.ready = key;
}

for (const link of document.querySelectorAll("a[data-key]")) link.href = "#" + link.dataset.key;
addEventListener("hashchange", route);
route();
