"""The part of a machine's JavaScript that is the same for every machine: the order of checks of `lang.step`.

It is a text and no file, since a backend reads nothing.
"""

from typing import Final

ENGINE: Final = """\
const inhabits = (x, sort) => {
  switch (sort.kind) {
    case "bool": return typeof x === "boolean";
    case "int": {
      const low = sort.min === null || x >= sort.min;
      const high = sort.max === null || x <= sort.max;
      return typeof x === "bigint" && low && high;
    }
    case "enum": return typeof x === "string" && sort.members.includes(x);
    case "map": return inhabits(x, sort.element);
    default: throw new Error(`expected a sort, was ${sort.kind}`);
  }
};
const select = (map, index, otherwise) => {
  const found = map.find(([at]) => at === index);
  return found === undefined ? otherwise : found[1];
};
const store = (map, index, element, otherwise) => {
  const rest = map.filter(([at]) => at !== index);
  if (element !== otherwise) rest.push([index, element]);
  return rest.sort((one, other) => (one[0] < other[0] ? -1 : 1));
};
const rising = (one, other) => {
  const [left, right] = [Array.from(one), Array.from(other)];
  for (let at = 0; at < Math.min(left.length, right.length); at += 1) {
    if (left[at] !== right[at]) return left[at].codePointAt(0) - right[at].codePointAt(0);
  }
  return left.length - right.length;
};
const engine = (table, claims, about, start) => {
  const events = new Map(about.events.map((item) => [item.name, item.payload]));
  const answer = (kind, by, detail, value) => ({outcome: {kind, by, detail}, value});
  const misfit = (event, payload) => {
    const fields = events.get(event);
    for (const field of fields) {
      if (!Object.hasOwn(payload, field.name) || !inhabits(payload[field.name], field)) return field.name;
    }
    const names = Object.keys(payload);
    if (names.length === fields.length) return null;
    const known = new Set(fields.map((field) => field.name));
    return names.filter((name) => !known.has(name)).sort(rising)[0];
  };
  const cell = (state, event) => (table.has(state) ? table.get(state).get(event) : undefined);
  const take = (value, event, payload, row) => {
    const given = [value.state, value.context, payload, event];
    const written = new Map(row.updates.map((update) => [update.place, update.value(...given)]));
    for (const [place, variable] of about.variables.entries()) {
      if (written.has(place) && !inhabits(written.get(place), variable)) {
        return answer("refused", "value_bounds", variable.name, value);
      }
    }
    const context = [...value.context];
    for (const {place, index} of row.updates) {
      const {otherwise} = about.variables[place];
      const now = written.get(place);
      context[place] = index === null ? now : store(value.context[place], index(...given), now, otherwise);
    }
    const after = {state: row.target ?? value.state, context};
    const wrong = claims.find((claim) => !claim.holds(after.state, after.context, {}, ""));
    return wrong ? answer("broken", wrong.name, "", value) : answer("taken", row.name, "", after);
  };
  const step = (value, event, payload) => {
    const rows = cell(value.state, event);
    if (rows === undefined) return answer("refused", "unknown_event", event, value);
    const field = misfit(event, payload);
    if (field !== null) return answer("refused", "payload_invalid", field, value);
    const given = [value.state, value.context, payload, event];
    const row = rows.find((item) => item.when(...given));
    if (row === undefined) throw new Error(`no row of ${about.name} decides ${event} in ${value.state}`);
    if (row.kind !== "taken") return answer(row.kind, row.reason, "", value);
    const lock = row.locks.find((item) => !item.holds(...given));
    return lock ? answer("refused", lock.reason, row.name, value) : take(value, event, payload, row);
  };
  const explain = (value, event, payload) => {
    const rows = cell(value.state, event);
    const wrong = rows === undefined ? event : misfit(event, payload);
    if (wrong !== null) return {wrong, rows: []};
    const given = [value.state, value.context, payload, event];
    const judged = (part) => ({...part, holds: part.holds(...given)});
    const all = (row) => ({parts: row.parts.map(judged), locks: row.locks.map(judged)});
    return {wrong, rows: rows.map((row) => ({...row, when: row.when(...given), ...all(row)}))};
  };
  const holds = (claim, value) => claim.holds(value.state, value.context, {}, "");
  const broken = (value) => claims.filter((claim) => !holds(claim, value)).map((claim) => claim.name);
  return Object.freeze({about, initial: () => start, step, explain, broken});
};"""
"""The functions that the generated text ends with a call of: `engine(TABLE, CLAIMS, ABOUT, START)`."""
