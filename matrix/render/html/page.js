// Ties data, cells and matrix to the page. Everything that a reader has chosen is in the address:
// #cell=HOST:ID&q=WORDS&swap=1&flip=GROUPS, each part where it is not empty; #cell=ID will do too.

const PRESETS = [
  ["Failing", "is:failing", "What did not pass and is no known defect"],
  ["Changed", "is:changed", "What is different since the baseline"],
  ["Known defects", "is:known", "What failed as it was expected to"],
  ["Flaky", "is:flaky", "What came out differently from attempt to attempt"],
  ["Odd one out", "is:odd", "What came out differently on one reactor alone"],
  ["Differs by host", "is:differs", "What came out differently on another host"],
  ["The kernel’s doing", "is:kernel", "What falls short without any reactor, too"],
  ["TLS only", "transport:tls*", "Cells that run over TLS"],
];

let state = { cell: "", q: "", swap: "", flip: "" };
let drawn = null, opener = null;

// The address ----------------------------------------------------------------------------------

function read(hash) {
  const text = hash.includes("=") ? hash : decoded(hash);
  const found = { cell: "", q: "", swap: "", flip: "" };
  for (const part of text.split("&")) {
    const [name] = part.split("=", 1), value = part.slice(name.length + 1);
    if (Object.hasOwn(found, name)) found[name] = name === "q" ? decoded(value) : value;
  }
  return found;
}

function written({ cell, q, swap, flip }) {
  const parts = { cell, q: encodeURIComponent(q), swap, flip };
  return "#" + Object.entries(parts).filter(([, value]) => value)
    .map(([name, value]) => `${name}=${value}`).join("&");
}

function go(change, { replace = false } = {}) {
  state = { ...state, ...change };
  history[replace ? "replaceState" : "pushState"](null, "", written(state));
  return follow();
}

async function follow() {
  const index = await listed;
  view(index);
  await open(index);
  document.documentElement.dataset.ready = location.hash.slice(1);
}

// The matrix and its tools ---------------------------------------------------------------------

const flips = () => new Set(state.flip.split(",").filter(Boolean).map(decoded));

function view(index) {
  const asked = `${state.q}\n${state.swap}\n${state.flip}`;
  if (drawn === asked) return;
  drawn = asked;
  const found = matching(index.cells, state.q);
  const choice = { swap: state.swap === "1", flip: flips(), asked: state.q.trim() !== "" };
  $("grid")?.replaceChildren(matrix(found, choice, index));
  const first = $("grid")?.querySelector("td[tabindex]");
  if (first) first.tabIndex = 0;
  tell(found.length, index.cells.length);
}

function tell(found, all) {
  const field = $("query");
  if (document.activeElement !== field) field.value = state.q;
  $("found").textContent = `${grouped(found)} of ${number(all, "cell")}`;
  $("swap").setAttribute("aria-pressed", String(state.swap === "1"));
  for (const each of document.querySelectorAll("[data-word]")) {
    each.setAttribute("aria-pressed", String(wordsOf(state.q).includes(each.dataset.word)));
  }
}

function preset([label, word, title], cells) {
  const count = matching(cells, word).length;
  if (!count && !["is:failing", "is:flaky"].includes(word)) return [];
  const attributes = { type: "button", title, "data-word": word, "aria-pressed": "false" };
  const made = html("button", { ...attributes, disabled: count ? null : "" },
    label, " ", html("small", {}, grouped(count)));
  made.addEventListener("click", () => {
    const words = wordsOf(state.q), rest = words.filter((each) => each !== word);
    go({ q: (rest.length < words.length ? rest : [...rest, word]).join(" ") });
  });
  return made;
}

function equip({ cells }) {
  const field = html("input", { id: "query", type: "search", autocomplete: "off", spellcheck: "false",
    placeholder: "such as: epoll transport:tls* -peer:reactor" });
  const swap = html("button", { id: "swap", type: "button", "aria-pressed": "false" }, "Swap axes");
  field.addEventListener("input", () => go({ q: field.value.trim() }, { replace: true }));
  swap.addEventListener("click", () => go({ swap: state.swap === "1" ? "" : "1" }));
  $("tools").append(
    html("p", { class: "presets" }, PRESETS.map((each) => preset(each, cells))),
    html("p", {}, html("label", { for: "query" }, "Filter"), field, swap,
      html("span", { id: "found", role: "status" })));
  $("tools").addEventListener("submit", (event) => event.preventDefault());
  $("tools").hidden = false;
}

async function flipped({ target }) {
  const button = target.closest("button[data-flip]");
  if (!button) return;
  const key = button.dataset.flip, own = flips();
  if (!own.delete(key)) own.add(key);
  await go({ flip: [...own].map(encodeURIComponent).join(",") });
  document.querySelector(`button[data-flip="${CSS.escape(key)}"]`)?.focus({ preventScroll: true });
}

// A cell in the panel --------------------------------------------------------------------------

function show(panel, there) {
  panel.hidden = !there;
  document.body.classList.toggle("beside", there);
}

async function open(index) {
  const key = state.cell, panel = $("opened");
  if (panel.dataset.key === key) return;
  panel.dataset.key = key;
  if (key === "") return show(panel, false);
  // A cell's id alone will do where there is one host, or the first of several is meant.
  const cell = index.byKey.get(decoded(`cell=${key}`))
    ?? index.cells.find(({ id }) => id === decoded(key));
  const shown = cell ? [around(cell, index), article(cell, await detailOf(cell), index)]
    : [html("p", {}, decoded(key))];
  if (state.cell !== key) return;
  // Only now, so that the page is laid out once and not twice.
  show(panel, true);
  panel.replaceChildren(title(cell), ...shown.flat(Infinity));
  panel.scrollTop = 0;
  panel.focus({ preventScroll: true });
}

function title(cell) {
  const close = html("button", { type: "button", class: "close" }, "Close");
  close.addEventListener("click", shut);
  const link = copied(() => location.href.split("#")[0] + "#" + keyOf(cell), "Copy link");
  return html("div", { class: "title" },
    html("h3", { id: "opened-title" }, cell ? [mark(cell), " ", cell.id] : "No such cell"),
    cell ? link : [], close);
}

// The other cells of the same square: who aborts, and who is the peer.
function around(cell, { cells, hosts }) {
  const names = ["host", "reactor", "transport", "scenario"];
  const own = cells.filter((each) => names.every((name) => each[name] === cell[name]));
  const several = Object.keys(hosts).length > 1;
  return html("nav", { "aria-label": "Cells of the same square" },
    several ? html("p", { class: "host" }, cell.host) : [],
    html("ul", { class: "around" }, own.map((each) => html("li", {},
      html("a", { href: "#" + keyOf(each), "aria-current": each === cell ? "true" : null },
        mark(each), ` ${each.side} aborts, peer: ${each.peer}`)))));
}

async function shut() {
  await go({ cell: "" });
  const back = opener?.isConnected ? opener : $("grid")?.querySelector('td[tabindex="0"]');
  back?.focus({ preventScroll: true });
}

// Events ---------------------------------------------------------------------------------------

function clicked(event) {
  if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  const link = event.target.closest('a[href^="#cell="]');
  const square = event.target.closest("#grid td");
  if (!link && !square?.cells) return;
  event.preventDefault();
  opener = square ?? link;
  const address = link?.getAttribute("href") ?? "#" + keyOf(worstOf(square.cells).worst);
  go({ cell: address.slice("#cell=".length) });
}

function moved() {
  const hash = location.hash.slice(1);
  if (!hash || hash.includes("=") || decoded(hash).includes("=")) state = read(hash);
  else history.replaceState(null, "", written(state));
  follow();
}

async function begin() {
  // With a script, a cell's address opens the panel; nothing must scroll away for it.
  for (const each of document.querySelectorAll('[id^="cell="]')) {
    each.dataset.key = each.id;
    each.removeAttribute("id");
  }
  const index = await listed;
  relate(index.cells);
  equip(index);
  state = read(location.hash.slice(1));
  if (!$("grid")) $("tools").hidden = true;
  else walk($("grid"));
  $("grid")?.removeAttribute("tabindex");
  $("grid")?.addEventListener("click", flipped);
  document.addEventListener("click", clicked);
  document.addEventListener("keydown", ({ key }) => key === "Escape" && state.cell && shut());
  addEventListener("hashchange", moved);
  addEventListener("popstate", moved);
  follow();
}

begin();
