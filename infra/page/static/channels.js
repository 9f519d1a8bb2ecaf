// The left: servers, their channels, and the threads of the open channel.

import { $, h, redraw } from "./dom.js";
import { FORUMS } from "./chat.js";

const MAX_ACTIVE = 100;

export function drawChannels(app) {
  const { view } = app;
  const servers = app.servers.map((server) =>
    h("section", { "data-box": server.id, "aria-label": server.name }, h("h3", {}, server.name), h("ul", { "data-box": "channels" }, server.channels.map((channel) => h("li", { "data-box": channel.id }, place(app, channel.id, `${FORUMS.includes(channel.type) ? "▤" : "#"} ${channel.name}`), channel.id === view.channel.id ? threads(app) : null)))),
  );
  redraw($("servers"), servers);
  if ($("search").value !== app.searched) $("search").value = app.searched;
}

function place(app, id, label, more = "") {
  const current = id === app.place;
  return h("button", { type: "button", class: `place${more}`, "data-id": id, "aria-current": current ? "page" : null, onclick: () => app.open(id) }, label);
}

function threads(app) {
  const { active, archived, archived_count } = app.view;
  const left = active.length - MAX_ACTIVE;
  const rows = active.slice(0, MAX_ACTIVE).map((thread) => h("li", { "data-id": thread.id }, place(app, thread.id, label(thread), " thread")));
  if (left > 0) rows.push(h("li", { class: "more" }, `and ${left} more active threads`));
  const found = archived.map((thread) => h("li", { "data-id": thread.id }, place(app, thread.id, label(thread), " thread archived")));
  const more = archived.length < archived_count ? h("button", { type: "button", class: "link", "data-id": "more", onclick: app.showMore }, `Show more (${archived_count - archived.length} left)`) : null;
  const search = h("input", { id: "search", type: "search", placeholder: "Search archived threads", "aria-label": "Search archived threads", oninput: (event) => app.search(event.target.value) });
  return h("div", { class: "threads", "data-box": "threads" }, h("ul", { "data-box": "active", "aria-label": "Active threads" }, rows), h("details", { "data-box": "archived", open: app.archivedOpen, ontoggle: (event) => (app.archivedOpen = event.target.open) }, h("summary", { "data-id": "archived" }, `Archived (${archived_count})`), search, h("ul", { "data-box": "found", "aria-label": "Archived threads" }, found), more));
}

function label(thread) {
  return `${thread.type === 12 ? "🔒 " : "╰ "}${thread.name}${thread.thread_metadata.locked ? " (locked)" : ""}`;
}
