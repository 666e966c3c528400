// The data in the page, as pack.py wrote them, and the elements and words to show them with.
// Text is only ever set as text.
"use strict";

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

const percent = (x) => `${Math.floor(x / 10)}.${x % 10}%`;

// Mail programs and others write a link's characters in ways of their own.
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

// Data ------------------------------------------------------------------------------------------

const unpacked = new Map();

function unpack(id) {
  if (!unpacked.has(id)) unpacked.set(id, inflate($(id).textContent));
  return unpacked.get(id);
}

function inflate(text) {
  // A stream of a Blob, and a callback for each byte, take several times as long.
  const raw = atob(text), bytes = new Uint8Array(raw.length);
  for (let n = 0; n < raw.length; n += 1) bytes[n] = raw.charCodeAt(n);
  const { readable, writable } = new DecompressionStream("deflate"), writer = writable.getWriter();
  for (const done of [writer.write(bytes), writer.close()]) done.catch(() => {}); // the reader hears of it
  return new Response(readable).json();
}

// Numbers of six texts, an outcome, a few bits, two counts, and a script if it has one: see pack.py.
function listedCell(numbers, place, { words, looks, families }) {
  const [host, reactor, transport, scenario, side, peer] = numbers.slice(0, 6).map((n) => words[n]);
  const [outcome, bits, passed, tried, script = null] = numbers.slice(6);
  const id = [reactor, transport, scenario, side, peer].join("/");
  const [flaky, known, kernel, changed] = [1, 2, 4, 8].map((bit) => (bits & bit) !== 0);
  const look = looks[outcome], family = families[scenario];
  return { place, id, host, reactor, transport, scenario, side, peer, family, look,
    severity: outcome, flaky, known, kernel, changed, passed, tried, script,
    good: ["pass", "unsupported"].includes(look[0]) };
}

const listed = unpack("index").then(({ cells, ...index }) => {
  const all = cells.map((numbers, place) => listedCell(numbers, place, index));
  return { ...index, cells: all, byKey: new Map(all.map((cell) => [decoded(keyOf(cell)), cell])) };
});

const keyOf = ({ host, id }) =>
  `cell=${encodeURIComponent(host)}:${encodeURIComponent(id).replaceAll("%2F", "/")}`;

// What `reactor-matrix reproduce` prints of the cell, put together from its lines: see scripts.py.
async function scriptOf({ id, reactor, script }) {
  const [lines, texts] = await unpack("scripts");
  return texts[script].map((n) => lines[n]).join("\n")
    .replaceAll("\x01", id).replaceAll("\x02", JSON.stringify(reactor));
}

// The events of a pack's nth cell: each shape's columns go on where the cells before have ended.
function eventsOf({ shapes, columns, cells }, n) {
  const next = shapes.map(() => 0);
  for (const before of cells.slice(0, n)) for (const shape of before[6]) next[shape] += 1;
  let t = 0;
  return cells[n][6].map((shape) => {
    const [since, ...values] = columns[shape].map((column) => column[next[shape]]);
    const [side, name, keys] = shapes[shape];
    next[shape] += 1;
    t += since;
    return { t, side, name, keys, values };
  });
}

async function detailOf(cell) {
  const { chunk, looks } = await listed;
  const pack = await unpack(`chunk-${Math.floor(cell.place / chunk)}`), { marks, cells } = pack;
  const [facts, strip, broken, notes, held, notApplicable, , leftOut, texts, known, commands,
    earlier] = cells[cell.place % chunk];
  const events = eventsOf(pack, cell.place % chunk);
  const past = earlier && { label: earlier[0], words: earlier[2], marks: earlier[1].map((n) => {
    const [severity, isKnown, tip, note, turn] = marks[n];
    return { look: looks[severity], known: isKnown, tip, note, turn };
  }) };
  return { facts, strip, broken, notes, held, notApplicable, events, leftOut, texts, known, commands,
    past };
}
