// The middle: the messages of a channel or thread, the answers that only you can see, and a moderator's hands.

import { $, h, opensFirst, redraw } from "./dom.js";
import { components } from "./components.js";
import { markdown } from "./markdown.js";

const [EPHEMERAL, LOADING] = [1 << 6, 1 << 7];
const [THREAD_CREATED, REPLY] = [18, 19];
export const FORUMS = [15, 16];
const MESSAGE_MENU = 3;
const PERMISSIONS = { VIEW_CHANNEL: "View Channel", SEND_MESSAGES: "Send Messages", READ_MESSAGE_HISTORY: "Read Message History", MANAGE_THREADS: "Manage Threads", CREATE_PUBLIC_THREADS: "Create Public Threads", CREATE_PRIVATE_THREADS: "Create Private Threads", SEND_MESSAGES_IN_THREADS: "Send Messages in Threads", VIEW_AUDIT_LOG: "View Audit Log" };

// `app` is the page's state and what can be done with it: see main.js.
export function drawPlace(app) {
  const { view } = app;
  const thread = view.thread;
  $("place-name").textContent = thread ? thread.name : `${FORUMS.includes(view.channel.type) ? "Forum " : "#"}${view.channel.name}`;
  document.title = `${$("place-name").textContent} · Onethread`;
  const words = thread ? stateWords(thread) : [];
  if (thread) words.unshift(h("button", { type: "button", class: "link", "data-id": view.channel.id, onclick: () => app.open(view.channel.id) }, `in ${view.channel.name}`));
  if (view.missing.length) words.push(h("span", { class: "warning" }, `The bot lacks: ${view.missing.map((name) => PERMISSIONS[name] ?? name).join(", ")}`));
  const actions = thread ? threadActions(app, thread) : channelActions(app);
  actions.forEach((action, index) => Object.assign(action, { about: [view.channel, thread, view.missing] }).setAttribute("data-id", index));
  redraw($("place-state"), words);
  redraw($("moderation"), actions);
}

function stateWords(thread) {
  const { archived, locked } = thread.thread_metadata;
  const words = [`${thread.message_count} message${thread.message_count === 1 ? "" : "s"}`];
  if (thread.type === 12) words.push("private");
  if (archived) words.push("archived");
  if (locked) words.push("locked");
  return words.map((word) => h("span", { class: "tag" }, word));
}

function threadActions(app, thread) {
  const { archived, locked } = thread.thread_metadata;
  const button = (label, action, more = {}) =>
    h("button", { type: "button", onclick: () => app.act("moderate", { action, fields: { thread_id: thread.id, ...more } }) }, label);
  const rename = () => {
    const name = prompt("The thread's new name", thread.name);
    if (name) app.act("moderate", { action: "rename", fields: { thread_id: thread.id, name } });
  };
  return [
    archived ? button("Unarchive", "unarchive") : button("Archive", "archive"),
    archived ? null : locked ? button("Unlock", "unlock") : button("Lock", "lock"),
    archived ? null : h("button", { type: "button", onclick: rename }, "Rename"),
    h("button", { type: "button", class: "danger", onclick: () => app.act("moderate", { action: "delete_thread", fields: { thread_id: thread.id } }).then((done) => done !== undefined && app.open(thread.parent_id)) }, "Delete"),
  ].filter(Boolean);
}

function channelActions(app) {
  const { channel, missing } = app.view;
  const take = opensFirst(h("select", { "aria-label": "Take a permission away from the bot", onchange: (event) => setMissing([...missing, event.target.value]) }, h("option", { value: "" }, "Take a permission away"), Object.entries(PERMISSIONS).filter(([name]) => !missing.includes(name) && name !== "VIEW_AUDIT_LOG").map(([value, label]) => h("option", { value }, label))));
  const setMissing = (names) => {
    const permissions = app.permissions.filter((name) => !names.includes(name));
    app.act("moderate", { action: "set_permissions", fields: { place_id: channel.id, permissions } });
  };
  const thread = () => {
    const name = prompt("A thread by hand, without Onethread. Its name:", "Session ");
    if (name) app.act("moderate", { action: "create_thread", fields: { channel_id: channel.id, name } });
  };
  return [
    take,
    missing.length ? h("button", { type: "button", onclick: () => setMissing([]) }, "Give it back") : null,
    FORUMS.includes(channel.type) ? null : h("button", { type: "button", onclick: () => app.act("moderate", { action: "convert_channel", fields: { channel_id: channel.id } }) }, channel.type === 5 ? "Make it a text channel" : "Make it an announcement channel"),
    h("button", { type: "button", onclick: thread }, "New thread"),
  ].filter(Boolean);
}

export function drawMessages(app) {
  const box = $("messages");
  const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 80;
  const shown = app.view.messages.map((message) => Object.assign(drawMessage(app, message), { about: [app.view.channel.id, message] }));
  const answers = [...app.answers.values()].filter((answer) => answer.channel === app.place && answer.user === app.user.id && !answer.by);
  const posts = FORUMS.includes(app.view.channel.type) && !app.view.thread ? app.view.active.map((post) => threadChip(app, post)) : [];
  const all = [...posts, ...shown, ...answers.map((answer) => Object.assign(drawAnswer(app, answer), { about: answer }))];
  redraw(box, all.length ? all : [h("p", { class: "empty" }, "Nothing here yet. Type / to see the commands.")]);
  if (atEnd) box.scrollTop = box.scrollHeight;
}

function drawMessage(app, message) {
  const places = app.places();
  if (message.type === THREAD_CREATED) {
    return h("div", { class: "system" }, `${name(app, message.author)} started a thread: ${message.content}`);
  }
  const replied = message.type === REPLY && message.referenced_message;
  return h(
    "article",
    { class: `message${message.author.bot ? " bot" : ""}`, "data-id": message.id },
    replied ? h("div", { class: "replied" }, `↱ ${name(app, replied.author)}: ${replied.content.slice(0, 80)}`) : null,
    head(app, message),
    body(app, message, places),
    message.thread ? threadChip(app, message.thread) : null,
    messageMenu(app, message),
  );
}

function head(app, message) {
  const time = new Date(message.timestamp);
  return h("header", {}, h("strong", {}, name(app, message.author)), message.author.bot ? h("span", { class: "app" }, "APP") : null, h("time", { datetime: message.timestamp, title: time.toLocaleString() }, time.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })), message.edited_timestamp ? h("small", {}, "(edited)") : null);
}

function body(app, message, places, source = message.id) {
  const act = (custom_id, values) => app.press(source, custom_id, values);
  return h("div", { class: "body" }, message.content ? markdown(message.content, places) : null, (message.embeds ?? []).map((embed) => h("blockquote", {}, embed.title ? h("strong", {}, embed.title) : null, embed.description ? markdown(embed.description, places) : null)), components(message.components, places, act));
}

function name(app, author) {
  return author.bot && author.username === "Onethread" ? "Onethread" : (app.view.names[author.id] ?? author.username);
}

function threadChip(app, thread) {
  const { archived, locked } = thread.thread_metadata;
  const words = [`${thread.message_count} message${thread.message_count === 1 ? "" : "s"}`, ...(archived ? ["archived"] : []), ...(locked ? ["locked"] : [])];
  return h("button", { type: "button", class: "chip", "data-id": thread.id, onclick: () => app.open(thread.id) }, h("strong", {}, thread.name), h("small", {}, words.join(" · ")));
}

function messageMenu(app, message) {
  const channel_id = app.place;
  const apps = app.commands.filter((command) => command.type === MESSAGE_MENU);
  const options = [
    ["Reply", () => app.reply(message)],
    ...apps.map((command) => [`Apps › ${command.name}`, () => app.act("menu", { channel_id, name: command.name, message_id: message.id })]),
    ["Delete (as a moderator)", () => app.act("moderate", { action: "delete_message", fields: { channel_id, message_id: message.id } })],
    ["Another bot threads it", () => app.act("bot", { does: "thread", channel_id, message_id: message.id })],
    ["Another bot deletes it", () => app.act("bot", { does: "delete", channel_id, message_id: message.id })],
  ];
  const choose = (event) => {
    const [, act] = options[event.target.value];
    event.target.value = "";
    act();
  };
  return opensFirst(h("select", { class: "menu", "aria-label": "What to do with this message", onchange: choose }, h("option", { value: "" }, "⋯"), options.map(([label], index) => h("option", { value: String(index) }, label))));
}

function drawAnswer(app, answer) {
  const places = app.places();
  const author = { id: "bot", username: "Onethread", bot: true };
  const message = answer.message;
  const inside =
    answer.state === "waiting" || (message && message.flags & LOADING)
      ? h("div", { class: "thinking" }, "Onethread is thinking", h("span", { class: "dots", "aria-hidden": "true" }, "…"))
      : answer.state === "failed"
        ? h("div", { class: "failed" }, "The application did not respond")
        : answer.state === "form"
          ? h("div", { class: "thinking" }, "A form is open.")
          : body(app, message, places, answer.id);
  const private_ = !message || message.flags & EPHEMERAL;
  return h(
    "article",
    { class: "message bot answer", "data-id": answer.id },
    answer.said ? h("div", { class: "replied" }, `↱ ${app.user.name} used ${answer.said}`) : null,
    h("header", {}, h("strong", {}, name(app, author)), h("span", { class: "app" }, "APP")),
    inside,
    h("footer", {}, private_ ? "Only you can see this · " : "", h("button", { type: "button", class: "link", onclick: () => app.dismiss(answer.id) }, "Dismiss message")),
  );
}
