// The right: invocations with their calls on a time line, the table's items, queues, events, and buttons that break things.

import { $, h, prependBounded } from "./dom.js";

const MOST = 80; // rows of each list: the page stays quick for as long as it is open
const DISCORDS_SECONDS = 3;
const LEAST_SCALE = 4; // seconds that a bar is wide at least
const BREAKS = {
  "kill-claim": "Kill after claim",
  "kill-anchor": "Kill after source message",
  "kill-record": "Kill after record",
  "kill-start": "Kill after start",
  slow: "Slow Discord",
  "discord-429": "Discord: 429",
  "discord-500": "Discord: 500",
  proxy: "Proxy's limit",
  block: "Proxy's block",
  nonces: "Close the nonce window",
  table: "Wipe the table",
  schedule: "Let the schedule fire",
  crowd: "Fifty people at once",
  heal: "Heal",
};

export class Machine {
  constructor(app) {
    this.app = app;
    this.rows = new Map(); // by request id
    this.running = new Map(); // by environment
    this.last = new Map(); // the latest of each environment
    const breakIt = (name) => app.act("break", { name, channel_id: app.place });
    $("breaks").replaceChildren(...Object.keys(BREAKS).filter((name) => app.breaks.includes(name)).map((name) => h("button", { type: "button", class: name === "heal" ? "success" : "", onclick: () => breakIt(name) }, BREAKS[name])));
    setInterval(() => this.running.forEach((row) => row.draw()), 200);
  }

  take(record) {
    switch (record.kind) {
      case "invocation":
        return this.begin(record);
      case "result":
        return this.end(record);
      case "call":
        return this.running.get(record.environment)?.add(record) ?? this.addLate(record);
      case "item":
        return prependBounded($("items"), item(record), MOST);
      case "event":
        return prependBounded($("events"), event(record.event), MOST);
      case "queues":
        $("queues").textContent = `Queues: ${Object.entries(record.queues).map(([name, length]) => `${name} ${length}`).join(" · ")}`;
        return undefined;
      case "broken":
        $("broken").textContent = record.said;
        return this.app.notice(record.said);
      default:
        return undefined;
    }
  }

  begin(record) {
    const row = new Row(record);
    this.rows.set(record.id, row);
    this.running.set(record.environment, row);
    this.last.set(record.environment, row);
    prependBounded($("invocations"), row.element, MOST);
    for (const rows of [this.rows, this.last]) if (rows.size > MOST) rows.delete(rows.keys().next().value);
    row.draw();
  }

  end(record) {
    const row = this.rows.get(record.id);
    if (!row) return;
    row.ended = record.ended;
    row.error = record.error;
    if (this.running.get(row.environment) === row) this.running.delete(row.environment);
    row.draw();
  }

  // AWS is asked a moment later: the invocation may have ended before its calls are known.
  addLate(record) {
    const row = this.last.get(record.environment);
    if (row && record.began >= row.began) row.add(record);
  }
}

class Row {
  constructor({ id, function: name, environment, about, began, init }) {
    Object.assign(this, { id, name, environment, about, began, init, ended: null, error: null, calls: [] });
    this.bar = h("div", { class: "bar", "aria-hidden": "true" });
    this.time = h("span", { class: "duration" });
    this.list = h("ol", { class: "calls" });
    const short = name.replace("Function", "");
    this.element = h("li", {}, h("details", {}, h("summary", {}, h("span", { class: `function ${short.toLowerCase()}` }, short), h("span", { class: "about" }, about), this.time, this.bar), h("p", {}, `environment ${environment}${init === null ? "" : `, a cold start of ${milliseconds(init)}`}`), this.list));
  }

  add(call) {
    this.calls.push(call);
    this.calls.sort((one, other) => one.began - other.began);
    const line = (each) => h("li", { class: each.status >= 400 || each.status === 0 ? "failed" : "" }, h("span", { class: each.service === "discord" ? "discord" : each.service === "dynamodb" ? "dynamodb" : "other" }, each.service), ` ${each.what} `, h("small", {}, `${each.status || "no answer"} · ${milliseconds(each.seconds)}`));
    this.list.replaceChildren(...this.calls.map(line));
    this.draw();
    return true;
  }

  draw() {
    const end = this.ended ?? Date.now() / 1000;
    const seconds = Math.max(0, end - this.began);
    const scale = Math.max(LEAST_SCALE, seconds);
    const part = (kind, from, length, title) => {
      const piece = h("i", { class: kind, title });
      piece.style.left = `${(100 * from) / scale}%`;
      piece.style.width = `${(100 * length) / scale}%`;
      return piece;
    };
    const pieces = [part("whole", 0, seconds, "")];
    if (this.init !== null) pieces.push(part("cold", 0, this.init, "cold start"));
    for (const call of this.calls) {
      const kind = ["discord", "dynamodb"].includes(call.service) ? call.service : "other";
      pieces.push(part(kind, Math.max(0, call.began - this.began), Math.max(call.seconds, scale / 300), call.what));
    }
    if (this.name === "WebhookFunction") pieces.push(part("limit", DISCORDS_SECONDS, 0, "3 seconds"));
    this.bar.replaceChildren(...pieces);
    this.time.textContent = this.ended === null ? "running" : `${this.error ? `${this.error} · ` : ""}${milliseconds(seconds)}`;
    this.element.classList.toggle("failed", Boolean(this.error));
  }
}

function milliseconds(seconds) {
  return seconds < 1 ? `${Math.round(seconds * 1000)} ms` : `${seconds.toFixed(2)} s`;
}

function item({ pk, sk, step, status, changes }) {
  const rows = Object.entries(changes).map(([name, [before, after]]) => h("li", {}, h("code", {}, name), `: ${text(before)} → ${text(after)}`));
  return h("li", {}, h("details", {}, h("summary", {}, h("span", { class: "step" }, step), h("span", { class: "about" }, sk), status ? h("span", { class: `status ${status}` }, status) : null), h("p", {}, pk), h("ol", { class: "calls" }, rows)));
}

function text(value) {
  return value === null ? "∅" : typeof value === "string" ? value : JSON.stringify(value);
}

function event(found) {
  const { session = {}, question = {} } = found.detail;
  const about = [session.session_name, question.state].filter(Boolean).join(" · ");
  return h("li", {}, h("details", {}, h("summary", {}, h("span", { class: "step" }, found["detail-type"]), h("span", { class: "about" }, about)), h("pre", {}, JSON.stringify(found.detail, null, 2))));
}
