// The matrix: cells that a query leaves, folded, drawn, and walked by arrow keys. Where nothing is
// asked for it is what grid.py has written into the page.

const COLUMNS = 60; // as in grid.py

// The query: words that must all hold ----------------------------------------------------------

const FIELDS = {
  host: ({ host }) => host,
  reactor: ({ reactor }) => reactor,
  transport: ({ transport }) => transport,
  scenario: ({ scenario }) => scenario,
  side: ({ side }) => side,
  peer: ({ peer }) => peer,
  family: ({ family }) => family.replaceAll(" ", "-"),
  outcome: ({ look }) => look[0],
};
const KINDS = {
  failing: ({ good, known }) => !good && !known,
  known: ({ known }) => known,
  flaky: ({ flaky }) => flaky,
  odd: ({ odd }) => odd,
  differs: ({ differs }) => differs,
  kernel: ({ kernel }) => kernel,
  changed: ({ changed }) => changed,
};

function globbed(pattern) {
  const parts = pattern.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`);
}

function holds(text) {
  if (text.length > 1 && text[0] === "-") {
    const denied = holds(text.slice(1));
    return (cell) => !denied(cell);
  }
  const colon = text.indexOf(":");
  const [name, value] = [text.slice(0, colon), text.slice(colon + 1)];
  if (name === "is") return Object.hasOwn(KINDS, value) ? KINDS[value] : () => false;
  if (Object.hasOwn(FIELDS, name)) {
    const patterns = value.split(",").map(globbed);
    return (cell) => patterns.some((each) => each.test(FIELDS[name](cell).toLowerCase()));
  }
  return ({ host, id, family, look }) =>
    `${host} ${id} ${family} ${look[0]}`.toLowerCase().includes(text);
}

const wordsOf = (query) => query.toLowerCase().split(/\s+/).filter(Boolean);

function matching(cells, query) {
  const all = wordsOf(query).map(holds);
  return cells.filter((cell) => all.every((each) => each(cell)));
}

// Marks a cell in which one reactor of at least three is alone, and one that hosts disagree on.
function relate(cells) {
  const there = cells.filter(({ look }) => look[0] !== "unsupported");
  const across = ({ host, transport, scenario, side, peer }) =>
    [host, transport, scenario, side, peer].join("\n");
  for (const group of Map.groupBy(there, across).values()) {
    const kinds = [...Map.groupBy(group, ({ look }) => look[0]).values()];
    const lone = kinds.filter(({ length }) => length === 1);
    if (group.length > 2 && kinds.length === 2 && lone.length === 1) lone[0][0].odd = true;
  }
  for (const group of Map.groupBy(there, ({ id }) => id).values()) {
    const differs = group.some(({ look }) => look !== group[0].look);
    if (differs) for (const cell of group) cell.differs = true;
  }
}

// Rows and columns -----------------------------------------------------------------------------

const SCENARIOS = {
  noun: "scenario", group: ({ family }) => family, title: ({ family }) => family,
  leaf: ({ scenario }) => scenario, host: () => "",
};
const REACTORS = {
  noun: "transport", group: ({ host, reactor }) => `${host}/${reactor}`,
  title: ({ reactor }) => reactor, leaf: ({ transport }) => transport, host: ({ host }) => host,
};

const isFine = ({ good, flaky }) => good && !flaky;

function groupsOf(cells, axis) {
  const groups = new Map();
  for (const cell of cells) {
    const key = axis.group(cell), leaf = axis.leaf(cell);
    if (!groups.has(key)) {
      groups.set(key, { key, title: axis.title(cell), host: axis.host(cell), fine: true,
        leaves: new Map() });
    }
    const group = groups.get(key);
    if (!group.leaves.has(leaf)) group.leaves.set(leaf, true);
    if (!isFine(cell)) {
      group.fine = false;
      group.leaves.set(leaf, false);
    }
  }
  return [...groups.values()];
}

// A line is a row or column: one leaf of a group, or all of a folded one.
function columnsOf(groups, flip, asked) {
  const many = groups.reduce((sum, { leaves }) => sum + leaves.size, 0) > COLUMNS;
  return groups.flatMap((group) => {
    const names = [...group.leaves.keys()];
    group.folded = (many || (group.fine && !asked)) !== flip.has(group.key);
    if (!group.folded || names.length === 1) {
      return names.map((name) => ({ group, names: [name], label: name }));
    }
    return [{ group, names, label: `all ${names.length}` }];
  });
}

// Where a group or a host begins, and what is not what it is called.
function dress(columns, real) {
  columns.forEach((column, n) => {
    const before = columns[n - 1]?.group;
    column.look = [before === column.group ? "" : " start",
      before?.host === column.group.host ? "" : " edge",
      real.get(column.group.key)?.native === false ? " unreal" : ""].join("");
  });
  return columns;
}

function rowsOf(group, flip, asked) {
  const names = [...group.leaves.keys()];
  group.folded = (group.fine && !asked) !== flip.has(group.key);
  if (group.folded) return { lines: [{ group, names, label: group.title }], rest: [] };
  const rest = asked || group.fine || flip.has(`${group.key}/*`) ? []
    : names.filter((name) => group.leaves.get(name));
  const lines = names.filter((name) => !rest.includes(name))
    .map((name) => ({ group, names: [name], label: name }));
  return { lines, rest };
}

function placed(cells, across, down) {
  const found = new Map();
  for (const cell of cells) {
    const key = `${down.group(cell)}\n${down.leaf(cell)}\n${across.group(cell)}\n${across.leaf(cell)}`;
    if (found.has(key)) found.get(key).push(cell);
    else found.set(key, [cell]);
  }
  return (row, column) => row.names.flatMap((name) => column.names.flatMap((other) =>
    found.get(`${row.group.key}\n${name}\n${column.group.key}\n${other}`) ?? []));
}

// Squares --------------------------------------------------------------------------------------

function worstOf(cells) {
  const alarming = cells.filter(({ good, known }) => !good && !known);
  const known = cells.filter(({ good, known }) => !good && known);
  const there = cells.filter(({ look }) => look[0] !== "unsupported");
  const telling = [alarming, known, there, cells].find(({ length }) => length);
  const worst = telling.reduce((one, other) => (other.severity < one.severity ? other : one));
  const count = telling.filter(({ look }) => look === worst.look).length;
  const whole = count === (there.length || cells.length);
  return { worst, count, whole, known: !alarming.length && known.length > 0 };
}

function counted(cells) {
  const kinds = Map.groupBy([...cells].sort((a, b) => a.severity - b.severity), ({ look }) => look[0]);
  const some = (name) => cells.filter((cell) => cell[name]).length;
  return [...kinds].map(([name, { length }]) => `${grouped(length)} ${name}`)
    .concat(some("known") ? `${some("known")} with a known defect` : [])
    .concat(some("flaky") ? `${some("flaky")} flaky` : []).join(", ");
}

function square(cells, row, column) {
  const start = column.look;
  if (!cells.length) return html("td", { class: `empty${start}` }, "·");
  const { worst, count, whole, known } = worstOf(cells);
  const [name, glyph, letter] = worst.look;
  const made = html("td", { class: `${name}${known ? " known" : ""}${start}`, tabindex: "-1" },
    `${glyph}${letter}`,
    whole ? [] : html("i", {}, String(count)),
    cells.some(({ flaky }) => flaky) ? html("i", { class: "flaky" }, "≈") : []);
  made.cells = cells;
  made.lines = [row, column];
  return made;
}

function saidOf({ cells, lines: [row, column] }) {
  const named = ({ group, names, label }) =>
    [group.title, names.length > 1 ? "" : label].filter(Boolean).join(" ");
  return `${named(row)}, ${named(column)}: ${counted(cells)}`;
}

// Drawing --------------------------------------------------------------------------------------

function toggle(group, key, label, note) {
  const attributes = { type: "button", "data-flip": key, "aria-expanded": String(!group.folded) };
  const button = html("button", attributes, label);
  return [button, note ? [" ", html("small", {}, note)] : []];
}

function heads(columns, several, real) {
  const spans = (of) => [...Map.groupBy(columns, of)].map(([, own]) => own);
  const row = (kind, made) => html("tr", { class: kind }, html("td"), made);
  const over = (own, look, said) =>
    html("th", { scope: "colgroup", colspan: own.length, class: look }, html("span", {}, said));
  const hosts = spans(({ group }) => group.host)
    .map((own) => over(own, "start edge", own[0].group.host));
  const groups = spans(({ group }) => group).map((own) => {
    const [{ group, look }] = own;
    return over(own, look.trim(), toggle(group, group.key, group.title, real.get(group.key)?.note));
  });
  const leaves = columns.map(({ label, look }) =>
    html("th", { scope: "col", class: look.trim() }, html("span", {}, label)));
  const named = several && columns[0].group.host !== "";
  return html("thead", {}, named ? row(null, hosts) : [], row(null, groups), row("turned", leaves));
}

const rowHead = (...said) => html("th", { scope: "row" }, html("span", {}, said));

const passing = ({ length }) => `${length} ${length === 1 ? "passes" : "pass"} everywhere`;

function body(group, axis, columns, at, { flip, asked, several, real }) {
  const { lines, rest } = rowsOf(group, flip, asked);
  const wide = (kind, head, said) => html("tr", { class: kind },
    html("th", { scope: kind === "family" ? "rowgroup" : "row" }, html("span", {}, head)),
    html("td", { colspan: columns.length }, said));
  const native = real.get(group.key)?.native ?? true;
  const squares = (line) => columns.map((column) => square(at(line, column), line, column));
  const notes = [several ? group.host : "", real.get(group.key)?.note].filter(Boolean).join(", ");
  if (group.folded) {
    const note = [number(group.leaves.size, axis.noun), notes].filter(Boolean).join(", ");
    return html("tbody", {}, html("tr", { class: native ? "family" : "family unreal" },
      rowHead(toggle(group, group.key, group.title, note)), squares(lines[0])));
  }
  const everywhere = `${group.key}/*`;
  const folding = flip.has(everywhere) ? toggle(group, everywhere, "fold what passes everywhere") : [];
  return html("tbody", {},
    wide("family", toggle(group, group.key, group.title, notes), folding),
    lines.map((line) => html("tr", { class: native ? null : "unreal" }, rowHead(line.label), squares(line))),
    rest.length ? wide("rest", toggle({ folded: true }, everywhere, passing(rest)),
      html("span", {}, `✓ P ${rest.join(", ")}`)) : []);
}

// The table for these cells, or what to say where there are none.
function matrix(cells, { swap, flip, asked }, index) {
  const there = cells.filter(({ look }) => look[0] !== "unsupported");
  const shown = there.length ? there : cells;
  if (!shown.length) return html("p", { class: "quiet" }, "No cell is like that.");
  const [down, across] = swap ? [REACTORS, SCENARIOS] : [SCENARIOS, REACTORS];
  const real = new Map(index.realizations
    .map(([host, reactor, note, native]) => [`${host}/${reactor}`, { note, native }]));
  const columns = dress(columnsOf(groupsOf(shown, across), flip, asked), real);
  const several = Object.keys(index.hosts).length > 1;
  const at = placed(cells, across, down);
  const options = { flip, asked, several, real };
  return html("table", { class: "matrix", role: "grid", "aria-label": "Cells" },
    heads(columns, several, real),
    groupsOf(shown, down).map((group) => body(group, down, columns, at, options)));
}

// Walking: one square is in the order of the Tab key, arrows lead to the others -----------------

const STEPS = {
  ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1],
  Home: [0, -Infinity], End: [0, Infinity], PageUp: [-Infinity, 0], PageDown: [Infinity, 0],
};

function step(from, key) {
  const [down, right] = STEPS[key];
  const rows = [...from.closest("table").querySelectorAll("tr")]
    .filter((row) => row.querySelector("td[tabindex]"));
  let [row, column] = [rows.indexOf(from.parentElement), from.cellIndex], found = null;
  for (;;) {
    [row, column] = [row + Math.sign(down), column + Math.sign(right)];
    const next = rows[row]?.cells[column];
    if (!next || next.localName === "th") return found ?? from;
    if (next.cells) found = next;
    if (found && Number.isFinite(down + right)) return found;
  }
}

function walk(place) {
  const rove = (square) => {
    for (const each of place.querySelectorAll('td[tabindex="0"]')) each.tabIndex = -1;
    square.tabIndex = 0;
    square.setAttribute("aria-label", saidOf(square));
  };
  place.addEventListener("keydown", (event) => {
    const square = event.target.closest("td[tabindex]");
    if (!square || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "Enter" || event.key === " ") square.click();
    else if (Object.hasOwn(STEPS, event.key)) step(square, event.key).focus();
    else return;
    event.preventDefault();
  });
  place.addEventListener("focusin", ({ target }) => {
    if (target.cells) rove(target);
    light(place, target.cells ? target : null);
  });
  place.addEventListener("mouseover", ({ target }) => {
    const square = target.closest("td");
    if (square?.cells) square.title = saidOf(square);
    light(place, square?.cells ? square : null);
  });
  place.addEventListener("mouseleave", () => light(place, null));
}

// Row and column of a square stand out.
function light(place, square) {
  for (const each of place.querySelectorAll(".lit")) each.classList.remove("lit");
  if (!square) return;
  square.parentElement.classList.add("lit");
  for (const row of square.closest("table").querySelectorAll("tr.turned, tbody tr")) {
    const beside = row.cells[square.cellIndex];
    if (beside?.colSpan === 1) beside.classList.add("lit");
  }
}
