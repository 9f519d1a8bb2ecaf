// The page: its state, what can be done with it, and how what happens reaches its parts.

import { $, h, throttled } from "./dom.js";
import { follow, get, post, Refused } from "./api.js";
import { drawChannels } from "./channels.js";
import { drawMessages, drawPlace } from "./chat.js";
import { Composer } from "./composer.js";
import { showForm } from "./forms.js";
import { Machine } from "./machine.js";
import { TourPanel } from "./tour.js";

const REFRESH_MILLISECONDS = 250;
const SEARCH_MILLISECONDS = 200;
const ARCHIVED_PAGE = 50;
const MOST_ANSWERS = 30;
const GONE = "The stack does not answer. When it runs again, open the address that the terminal shows then.";
const PAST_RECORDS = 300; // of the machine room, when the page is opened

class App {
  constructor(start) {
    Object.assign(this, start); // servers, users, commands, permissions, tour, breaks
    this.user = this.users[0];
    this.place = this.servers[0].channels[0].id;
    this.answers = new Map();
    this.archived = ARCHIVED_PAGE;
    this.searched = "";
    this.archivedOpen = false;
    this.view = null;
    this.refresh = throttled(() => this.load(), REFRESH_MILLISECONDS);
    this.showMore = () => {
      this.archived += ARCHIVED_PAGE;
      this.refresh();
    };
  }

  // What markdown and components need to show names and to lead somewhere.
  places() {
    const people = Object.fromEntries(this.users.map((user) => [user.id, user.name]));
    return { names: this.view.names, people, open: (id) => this.open(id) };
  }

  async load() {
    const asked = (this.asked = (this.asked ?? 0) + 1);
    try {
      const view = await get("view", { place: this.place, user: this.user.key, archived: this.archived, search: this.searched });
      if (asked !== this.asked) return undefined; // a later one is on its way: of another place, perhaps
      this.view = view;
    } catch (fault) {
      if (asked !== this.asked || !(fault instanceof Refused)) return;
      if (this.view && this.place !== this.view.channel.id) return this.open(this.view.channel.id); // the thread is gone
      this.servers = (await get("start")).servers;
      this.place = this.servers[0].channels[0].id;
      return this.refresh();
    }
    if (!this.servers.some((server) => server.channels.some((channel) => channel.id === this.view.channel.id))) this.servers = (await get("start")).servers;
    this.draw();
    return undefined;
  }

  draw() {
    drawChannels(this);
    drawPlace(this);
    drawMessages(this);
  }

  async open(id) {
    if (this.place !== id) {
      this.place = id;
      this.searched = "";
      this.archived = ARCHIVED_PAGE;
      $("messages").scrollTop = $("messages").scrollHeight;
    }
    const focused = document.activeElement;
    const left = $("messages").contains(focused) || $("place").contains(focused);
    show("chat");
    await this.load();
    if (left || (focused !== document.body && !focused.checkVisibility())) $("place-name").focus();
    $("messages").scrollTop = $("messages").scrollHeight;
  }

  search(text) {
    this.searched = text;
    clearTimeout(this.searching);
    this.searching = setTimeout(() => this.refresh(), SEARCH_MILLISECONDS);
  }

  async ask(action, fields) {
    if (action !== "complete") this.notice("");
    try {
      return await post(action, { user: this.user.key, ...fields });
    } catch (fault) {
      this.notice(fault.message);
      return undefined;
    }
  }

  async act(action, fields) {
    const known = ["break", "bot", "tour"].includes(action) ? { user: undefined } : {};
    const result = await this.ask(action, { ...fields, ...known });
    this.refresh();
    return result;
  }

  press(message_id, custom_id, values) {
    return this.act("press", { channel_id: this.place, message_id, custom_id, ...(values ? { values } : {}) });
  }

  reply(message) {
    this.composer.reply(message);
  }

  dismiss(id) {
    this.answers.delete(id);
    drawMessages(this);
  }

  notice(text) {
    if ($("notice").textContent !== text) $("notice").textContent = text; // or it is read out again
  }

  takeAnswer(record) {
    if (record.by && record.state === "waiting") return; // the message of the button shows what comes of it
    const own = this.answers.get(record.by);
    if (own && record.state !== "form" && record.message) {
      this.answers.set(record.by, { ...own, message: record.message, state: record.state });
    } else if (record.by && record.message && !(record.message.flags & 64)) {
      this.refresh(); // a message that everybody sees has changed
    } else {
      const before = this.answers.get(record.id);
      this.answers.set(record.id, { ...record, by: undefined, said: record.said || before?.said });
      if (this.answers.size > MOST_ANSWERS) this.answers.delete(this.answers.keys().next().value);
    }
    if (record.state === "form" && record.user === this.user.id) {
      this.answers.delete(record.id);
      const sent = (custom_id, fields) => this.act("submit", { channel_id: record.channel, custom_id, fields, ...(record.by ? { message_id: record.by } : {}) });
      showForm(record.form, sent);
    }
    if (this.view) drawMessages(this);
  }

  take(record) {
    const past = record.number < this.feed;
    if (past && record.kind === "tour" && record.line) this.tourPanel.say(record.line); // the page was opened again in mid-tour
    if (past && !["invocation", "result", "call", "item", "event", "queues"].includes(record.kind)) return;
    if (record.kind === "answer") this.takeAnswer(record);
    else if (record.kind === "tour") this.tourPanel.take(record);
    else if (record.kind === "changed") this.refresh();
    else this.machine.take(record);
  }
}

function show(pane) {
  document.body.dataset.pane = pane;
  document.querySelectorAll("#panes button").forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.show === pane)));
}

async function start() {
  const app = new App(await get("start"));
  $("user").replaceChildren(...app.users.map((user, index) => h("option", { value: String(index) }, user.name)));
  $("user").onchange = (event) => {
    app.user = app.users[event.target.value];
    app.refresh();
  };
  document.querySelectorAll("#panes button").forEach((button) => button.addEventListener("click", () => show(button.dataset.show)));
  app.machine = new Machine(app);
  app.tourPanel = new TourPanel(app);
  await app.load();
  app.composer = new Composer(app);
  $("messages").scrollTop = $("messages").scrollHeight; // the message field has taken some of its height
  follow(Math.max(0, app.feed - PAST_RECORDS), (record) => app.take(record), (gone) => {
    if (gone) app.notice(GONE);
    else if ($("notice").textContent === GONE) app.notice("");
  });
}

start().catch((fault) => {
  $("place-name").textContent = "This page cannot be shown";
  $("notice").textContent = fault.message;
});
