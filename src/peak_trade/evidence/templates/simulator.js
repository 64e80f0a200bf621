const $ = (id) => document.getElementById(id);
const h = (tag, attributes, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") for (const [event, act] of Object.entries(value)) node.addEventListener(event, act);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
};
const {about} = machine;
const REASONS = new Map(about.reasons);
const STATES = new Map(about.states.map((state) => [state.name, state]));
const MARKS = {taken: "→", ignored: "·", refused: "✗", broken: "✗"};
const word = (x) => (Array.isArray(x) ? `{${x.map(([at, item]) => `${at}: ${word(item)}`).join(", ")}}` : String(x));
const call = (event, payload) => `${event}(${Object.entries(payload).map(([name, x]) => `${name}=${word(x)}`).join(", ")})`;

// A run is where it starts and what is offered; `at` is how much of it has been. Values follow from it.
let run = {start: machine.initial(), offers: [], at: 0, says: ""};
let answers = [];
const value = () => (run.at ? answers[run.at - 1].value : run.start);
const retell = () => {
  let now = run.start;
  answers = run.offers.map(([event, payload]) => {
    const answer = machine.step(now, event, payload);
    now = answer.value;
    return answer;
  });
};
const begin = (start, offers, says) => {
  run = {start, offers, at: 0, says};
  retell();
  refresh();
};
const offer = (event, payload) => {
  run = {...run, offers: [...run.offers.slice(0, run.at), [event, payload]], at: run.at + 1};
  retell();
  refresh();
};
const go = (at) => {
  run.at = Math.max(0, Math.min(at, run.offers.length));
  refresh();
};

const told = ({outcome, value: after}, before) => {
  const {kind, by, detail} = outcome;
  const says = REASONS.get(by);
  if (kind === "taken") return `${after.state === before ? "↻ stays in" : "→"} ${after.state} (${by})`;
  if (kind === "broken") return `✗ would break ${by}`;
  return `${MARKS[kind]} ${kind}: ${by}${detail ? ` (${detail})` : ""}${says ? ` – ${says}` : ""}`;
};

const initialText = (field) => {
  if (field.kind === "bool") return "false";
  if (field.kind === "enum") return field.members[0];
  const least = field.min === null ? 1n : field.min;
  return String(field.max !== null && least > field.max ? field.max : least);
};
const read = (field, text) => {
  if (field.kind === "bool") return text === "true";
  return field.kind === "int" && /^-?[0-9]{1,400}$/.test(text.trim()) ? BigInt(text.trim()) : text;
};
const input = (event, field) => {
  const choices = field.kind === "bool" ? ["false", "true"] : field.members;
  const id = `in-${event.name}-${field.name}`;
  const node = choices
    ? h("select", {id}, ...choices.map((name) => h("option", {}, name)))
    : h("input", {id, type: "text", inputmode: "numeric", autocomplete: "off", value: initialText(field)});
  node.addEventListener("input", refresh);
  const title = `${field.says} (${field.shown}${field.unit ? ` ${field.unit}` : ""})`;
  return {field, node, label: h("label", {title, for: id}, `${field.name} `, node)};
};
const items = about.events.map((event) => {
  const inputs = event.payload.map((field) => input(event, field));
  const payload = () => Object.fromEntries(inputs.map(({field, node}) => [field.name, read(field, node.value)]));
  const button = h("button", {type: "button", title: `${event.says} (from ${event.origin})`}, event.name);
  button.addEventListener("click", () => offer(event.name, payload()));
  const verdict = h("span", {class: "verdict"});
  const reasons = h("div", {});
  const why = h("details", {class: "why"}, h("summary", {}, "why"), reasons);
  const labels = inputs.map((item) => item.label);
  const node = h("li", {}, h("div", {class: "offer"}, button, ...labels, verdict), why);
  why.addEventListener("toggle", refresh);
  return {event, inputs, payload, verdict, reasons, why, node};
});
$("events").append(...items.map((item) => item.node));

const part = (item, says) => h("li", {class: item.holds ? "yes" : "no"}, h("code", {}, item.text), says);
const shownRow = (row) => {
  const end = row.kind === "taken" ? `→ ${row.target ?? "stays"}` : `${MARKS[row.kind]} ${row.kind}: ${row.reason}`;
  const head = h("strong", {}, `${row.name || row.kind} `);
  const parts = row.parts.map((item) => part(item, ""));
  const locks = row.locks.map((lock) => part(lock, lock.holds ? " lock open" : ` lock closed: ${lock.reason}`));
  const updates = row.updates.map((update) => h("li", {}, h("code", {}, update.text)));
  const state = row.when ? "applies" : "does not apply";
  const list = [...parts, ...locks, ...(row.when ? updates : [])];
  const says = REASONS.get(row.reason);
  const more = says ? h("div", {class: "soft"}, says) : "";
  return h("div", {class: row.when ? "row" : "row off"}, head, end, ` · ${state}`, more, h("ul", {}, ...list));
};
const refreshEvent = (item) => {
  const [now, payload] = [value(), item.payload()];
  const answer = machine.step(now, item.event.name, payload);
  const {kind, by, detail} = answer.outcome;
  item.node.className = kind;
  item.node.hidden = $("only").checked && kind !== "taken";
  item.verdict.textContent = told(answer, now.state);
  for (const {field, node} of item.inputs) {
    node.setAttribute("aria-invalid", String(by === "payload_invalid" && detail === field.name));
  }
  if (!item.why.open) return;
  const {wrong, rows} = machine.explain(now, item.event.name, payload);
  item.reasons.replaceChildren(...(wrong === null ? rows.map(shownRow) : [`expected a value for ${wrong} of its sort`]));
};

const rowOf = (variable, place, now, before) => {
  const changed = before !== undefined && word(before.context[place]) !== word(now.context[place]);
  const was = changed ? ` (was ${word(before.context[place])})` : "";
  const shown = h("td", {class: "value"}, `${word(now.context[place])}${was}`);
  const name = h("td", {}, h("code", {title: variable.shown}, variable.name));
  const says = h("td", {class: "soft"}, `${variable.says}${variable.unit ? ` (${variable.unit})` : ""}`);
  return h("tr", {class: changed ? "changed" : null}, name, shown, says);
};
const line = (at) => {
  const step = () => `${call(...run.offers[at - 1])} ${told(answers[at - 1], valueAt(at - 1).state).split(" – ")[0]}`;
  const text = at ? step() : `starts in ${run.start.state}`;
  const button = h("button", {type: "button", "aria-current": at === run.at ? "step" : null}, text);
  button.addEventListener("click", () => go(at));
  return h("li", {class: at === run.at ? "here" : at > run.at ? "ahead" : null}, button);
};
const valueAt = (at) => (at ? answers[at - 1].value : run.start);
const show = (node) => {
  const box = node?.closest(".diagram.wide");
  if (!box) return;
  const [inner, outer] = [node.getBoundingClientRect(), box.getBoundingClientRect()];
  box.scrollBy(inner.x + inner.width / 2 - outer.x - outer.width / 2, inner.y + inner.height / 2 - outer.y - outer.height / 2);
};
const mark = () => {
  for (const node of document.querySelectorAll(".now, .went, .went-row")) node.classList.remove("now", "went", "went-row");
  const here = $(PLACES.states.get(value().state));
  here?.classList.add("now");
  show(here);
  const last = run.at ? answers[run.at - 1] : null;
  if (last === null || last.outcome.kind !== "taken") return;
  const before = valueAt(run.at - 1).state;
  $(PLACES.edges.get(`${before}\n${last.value.state}`))?.classList.add("went");
  $(PLACES.rows.get(`${last.outcome.by}\n${before}`))?.classList.add("went-row");
};
function refresh() {
  const now = value();
  const state = STATES.get(now.state);
  const before = run.at ? valueAt(run.at - 1) : undefined;
  $("state").textContent = now.state;
  $("tags").replaceChildren(...state.tags.flatMap((tag) => [h("span", {class: "tag"}, tag), " "]));
  $("state-says").textContent = state.says;
  const last = () => `${call(...run.offers[run.at - 1])} ${told(answers[run.at - 1], before.state)}`;
  $("said").textContent = run.at ? last() : "Offer an event, or choose a trace.";
  const wrong = machine.broken(now);
  if (wrong.length) $("said").textContent += ` · this value breaks ${wrong.join(", ")}`;
  $("trace-says").textContent = run.says;
  $("previous").disabled = run.at === 0;
  $("next").disabled = run.at === run.offers.length;
  $("value").tBodies[0].replaceChildren(...about.variables.map((item, place) => rowOf(item, place, now, before)));
  $("history").replaceChildren(line(0), ...run.offers.map((_, at) => line(at + 1)));
  items.forEach(refreshEvent);
  mark();
}

// Traces: embedded ones, and files in the Informal Trace Format.
const ITF_STATES_MAX = 10000;
const decoded = (x) => {
  if (x !== null && typeof x === "object" && Object.hasOwn(x, "#bigint")) return BigInt(x["#bigint"]);
  if (x !== null && typeof x === "object" && Object.hasOwn(x, "#map")) return x["#map"].map((pair) => pair.map(decoded));
  return Number.isInteger(x) ? BigInt(x) : x;
};
const itf = (text) => {
  const data = JSON.parse(text);
  const states = data.states;
  if (!Array.isArray(states) || !states.length || states.length > ITF_STATES_MAX) throw new Error("it has no states");
  const other = data["#meta"]?.fingerprint;
  const context = about.variables.map(({name}) => {
    if (!Object.hasOwn(states[0], name)) throw new Error(`it says nothing of ${name}`);
    return decoded(states[0][name]);
  });
  if (!STATES.has(states[0].state)) throw new Error(`${about.name} has no state ${states[0].state}`);
  const offers = states.slice(1).map((state) => {
    const picks = Object.entries(state["mbt::nondetPicks"] ?? {}).map(([name, x]) => [name, decoded(x)]);
    return [state["mbt::actionTaken"], Object.fromEntries(picks)];
  });
  const says = data["#meta"]?.description ?? "a trace from a file";
  const warning = other && other !== about.fingerprint ? " · made from another specification than this page" : "";
  return {start: {state: states[0].state, context}, offers, says: `${says}${warning}`};
};
$("file").addEventListener("change", async () => {
  const file = $("file").files[0];
  if (!file) return;
  try {
    const {start, offers, says} = itf(await file.text());
    begin(start, offers, says);
  } catch (error) {
    $("trace-says").textContent = `expected an ITF trace of ${about.name}, was another file: ${error.message}`;
  }
});
$("traces").append(...TRACES.map((trace, at) => h("option", {value: String(at)}, trace.title)));
$("traces").addEventListener("change", () => {
  const trace = TRACES[Number($("traces").value)];
  if ($("traces").value === "") begin(machine.initial(), [], "");
  else begin(trace.start, trace.offers.map(([event, pairs]) => [event, Object.fromEntries(pairs)]), trace.says);
});
$("previous").addEventListener("click", () => go(run.at - 1));
$("next").addEventListener("click", () => go(run.at + 1));
$("again").addEventListener("click", () => begin(run.start, run.says ? run.offers : [], run.says));
$("only").addEventListener("change", refresh);
$("now").hidden = $("app").hidden = false;
refresh();
