// One cell, as cell.html.j2 writes it; a test compares the two. What only the script can do has
// the class "scripted".

function mark({ look: [name, glyph, letter], known }) {
  return html("span", { class: `mark ${name}${known ? " known" : ""}` }, `${glyph} ${letter}`);
}

function pairs(kind, entries) {
  return html("dl", { class: kind }, entries.map(([name, value]) =>
    html("div", {}, html("dt", {}, name), html("dd", {}, value))));
}

function table(label, heads, rows, kind = null) {
  return html("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": label },
    html("table", { class: kind },
      html("thead", {}, html("tr", {}, heads.map((head) => html("th", { scope: "col" }, head)))),
      html("tbody", {}, rows)));
}

const ADDRESS = /(https:\/\/[\w./#?=&%~+-]+)/;

function defect(known) {
  if (!known) return [];
  const pieces = known.split(ADDRESS).map((piece, n) =>
    n % 2 ? html("a", { href: piece, rel: "noreferrer" }, piece) : piece);
  return html("p", { class: "defect" }, html("b", {}, "Known defect."), " ", pieces);
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

function standing(name, glyph, rules) {
  const [axis, expects, source] = rules[name];
  return html("tr", {},
    html("th", { scope: "row" }, html("code", {}, `${glyph} ${name}`)), html("td", {}, axis),
    html("td", { class: "long" }, expects, source ? [" ", html("cite", {}, source)] : []));
}

function standings({ held, notApplicable }, rules) {
  if (!held.length && !notApplicable.length) return [];
  const more = notApplicable.length ? `, ${notApplicable.length} not applicable` : "";
  return html("details", {},
    html("summary", {}, `${number(held.length, "rule")} held${more}`),
    table("Rules", ["rule", "axis", "expected"], [
      held.map((name) => standing(name, "✓", rules)),
      notApplicable.map((name) => standing(name, "–", rules))]));
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
  const omitted = `${number(leftOut, "event")} in the middle left out here; the results file has them.`;
  return html("details", {},
    html("summary", {}, number(events.length + leftOut, "event")),
    leftOut ? html("p", { class: "quiet" }, omitted) : [],
    table("Events", ["at", "side", "event", "what it says"], events.map(eventRow), "events"));
}

function overReleases(cell, { cells, strips }) {
  const found = new Map(cells.filter(({ id }) => id === cell.id).map((each) => [each.host, each]));
  if (!strips || found.size < 2) return [];
  const [packaged, releases, rows] = strips;
  const marks = rows.map(([name, hosts]) => html("tr", {},
    html("th", { scope: "row" }, name),
    hosts.map((host) => html("td", {}, found.has(host) ? mark(found.get(host)) : []))));
  return [html("p", { class: "label" }, `Over releases of ${packaged}`),
    table("Releases", ["with", ...releases], marks)];
}

function beside(cell, { cells, hosts, versions }) {
  const found = cells.filter(({ id }) => id === cell.id);
  if (found.length < 2) return [];
  const rows = found.map((each) => html("tr", {},
    html("th", { scope: "row" }, each.host), html("td", {}, mark(each)),
    html("td", {}, `${each.passed} of ${each.tried}`),
    hosts[each.host].map((text) => html("td", {}, text))));
  return [html("p", { class: "label" }, "The same cell on every host"),
    table("Hosts", ["host", "outcome", "passed", ...versions], rows)];
}

// Runs in a row, as series.html.j2 writes them.
function series(past) {
  if (!past) return [];
  const run = ({ look: [name, glyph, letter], known, tip, note, turn }) =>
    html("li", { class: turn ? "turn" : null },
      html("span", { class: `mark ${name}${known ? " known" : ""}`, title: tip },
        `${glyph}${letter}${note}`));
  return [html("p", { class: "label" }, past.label),
    html("ol", { class: "series" }, past.marks.map(run)),
    past.words.map((text) => html("p", { class: "quiet" }, text))];
}

function copied(text, label) {
  const button = html("button", { type: "button", class: "copy scripted" }, label);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(await text());
      button.textContent = "Copied";
    } catch {
      button.textContent = "Could not copy";
    }
  });
  return button;
}

function typed([name, text]) {
  return [html("p", { class: "label" }, name, copied(() => text, "Copy")),
    html("pre", { class: "command" }, text)];
}

function script(cell) {
  if (cell.script === null) return [];
  const shown = html("pre", { tabindex: "0" });
  const folded = html("details", {}, html("summary", {}, "Show"), shown);
  folded.addEventListener("toggle", async () => {
    shown.textContent = await scriptOf(cell);
  }, { once: true });
  return html("div", { class: "script scripted" },
    html("p", { class: "label" }, "That script itself, for those without reactor-matrix",
      copied(() => scriptOf(cell), "Copy script")),
    folded);
}

function article(cell, detail, index) {
  return html("article", { id: keyOf(cell), tabindex: "-1" },
    defect(detail.known),
    detail.broken.map((entry) => rule(entry, index.rules)),
    detail.notes.map((note) => html("p", { class: "seen" }, note)),
    plot(detail.events),
    latency(detail.strip, index.scale),
    series(detail.past),
    pairs("facts", detail.facts),
    overReleases(cell, index),
    beside(cell, index),
    detail.commands.map(typed),
    script(cell),
    detail.texts.map(([name, text]) =>
      [html("p", { class: "label" }, name), html("pre", { tabindex: "0" }, text)]),
    standings(detail, index.rules),
    eventTable(detail),
    html("p", { class: "quiet" },
      html("a", { href: "#" + keyOf(cell) }, "Link to this cell")));
}
