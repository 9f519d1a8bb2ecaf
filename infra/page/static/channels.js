// The left: servers, their channels, and the threads of the open channel.

import { $, h } from "./dom.js";
import { FORUMS } from "./chat.js";

const MAX_ACTIVE = 100;

export function drawChannels(app) {
  const { view } = app;
  const servers = app.servers.map((server) =>
    h("section", { "aria-label": server.name }, h("h3", {}, server.name), h("ul", {}, server.channels.map((channel) => h("li", {}, place(app, channel.id, `${FORUMS.includes(channel.type) ? "▤" : "#"} ${channel.name}`), channel.id === view.channel.id ? threads(app) : null)))),
  );
  const search = $("search");
  const focused = search !== null && document.activeElement === search;
  const selection = focused ? search.selectionStart : 0;
  $("servers").replaceChildren(...servers);
  if (focused) {
    $("search").focus();
    $("search").setSelectionRange(selection, selection);
  }
}

function place(app, id, label, more = "") {
  const current = id === app.place;
  return h("button", { type: "button", class: `place${more}`, "aria-current": current ? "page" : null, onclick: () => app.open(id) }, label);
}

function threads(app) {
  const { active, archived, archived_count } = app.view;
  const left = active.length - MAX_ACTIVE;
  const rows = active.slice(0, MAX_ACTIVE).map((thread) => h("li", {}, place(app, thread.id, label(thread), " thread")));
  if (left > 0) rows.push(h("li", { class: "more" }, `and ${left} more active threads`));
  const found = archived.map((thread) => h("li", {}, place(app, thread.id, label(thread), " thread archived")));
  const more = archived.length < archived_count ? h("button", { type: "button", class: "link", onclick: app.showMore }, `Show more (${archived_count - archived.length} left)`) : null;
  const search = h("input", { id: "search", type: "search", placeholder: "Search archived threads", "aria-label": "Search archived threads", oninput: (event) => app.search(event.target.value) });
  search.value = app.searched;
  return h("div", { class: "threads" }, h("ul", { "aria-label": "Active threads" }, rows), h("details", { open: app.archivedOpen, ontoggle: (event) => (app.archivedOpen = event.target.open) }, h("summary", {}, `Archived (${archived_count})`), search, h("ul", { "aria-label": "Archived threads" }, found), more));
}

function label(thread) {
  return `${thread.type === 12 ? "🔒 " : "╰ "}${thread.name}${thread.thread_metadata.locked ? " (locked)" : ""}`;
}
