// The message field. A / opens the list of commands; a chosen command becomes fields for its options.

import { $, h } from "./dom.js";

const [SUBCOMMAND, INTEGER, BOOLEAN, USER] = [1, 4, 5, 6];
const COMPLETE_MILLISECONDS = 200;

export class Composer {
  constructor(app) {
    this.app = app;
    this.paths = paths(app.commands);
    this.replyTo = null;
    this.form = $("composer");
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    this.showText();
  }

  showText(text = "") {
    this.command = null;
    const list = h("ul", { id: "commands", role: "listbox", "aria-label": "Commands", hidden: true });
    const input = h("input", { id: "composer-text", "aria-label": "Message", placeholder: "Write a message, or type / for commands", maxlength: "2000", role: "combobox", "aria-expanded": "false", "aria-controls": "commands", oninput: () => this.offer(), onkeydown: (event) => this.moveInList(event, input, list) });
    input.value = text;
    this.input = input;
    this.list = list;
    const reply = this.replyTo ? h("p", { class: "replying" }, `Replying to ${this.replyTo.label} `, h("button", { type: "button", class: "link", onclick: () => this.reply(null) }, "Cancel")) : null;
    this.form.replaceChildren(...[list, reply, h("div", { class: "line" }, input, h("button", { class: "primary" }, "Send"))].filter(Boolean));
    return input;
  }

  reply(message) {
    this.replyTo = message && { id: message.id, label: message.author.username };
    this.showText(this.input.value).focus();
  }

  offer() {
    const typed = this.input.value;
    const words = typed.slice(1).toLowerCase();
    const found = typed.startsWith("/") ? Object.keys(this.paths).filter((path) => path.includes(words.trim())) : [];
    this.show(this.list, this.input, found.map((path) => ({ label: `/${path}`, about: this.paths[path].description, choose: () => this.showCommand(path) })));
  }

  // Show choices in a list below a field. The first one is selected.
  show(list, input, choices) {
    list.hidden = choices.length === 0;
    input.setAttribute("aria-expanded", String(choices.length > 0));
    list.replaceChildren(
      ...choices.map((choice, index) => {
        const option = h("li", { role: "option", id: `${list.id}-${index}`, "aria-selected": String(index === 0), onmousedown: (event) => event.preventDefault(), onclick: choice.choose }, choice.label, choice.about ? h("small", {}, choice.about) : null);
        option.choose = choice.choose;
        return option;
      }),
    );
    input.setAttribute("aria-activedescendant", choices.length ? `${list.id}-0` : "");
  }

  moveInList(event, input, list) {
    if (list.hidden) return;
    const selected = list.querySelector("[aria-selected=true]");
    const next = { ArrowDown: selected?.nextElementSibling, ArrowUp: selected?.previousElementSibling }[event.key];
    if (next) {
      selected.setAttribute("aria-selected", "false");
      next.setAttribute("aria-selected", "true");
      next.scrollIntoView({ block: "nearest" });
      input.setAttribute("aria-activedescendant", next.id);
    } else if (event.key === "Escape") this.show(list, input, []);
    else if ((event.key === "Enter" || event.key === "Tab") && selected) selected.choose();
    else return;
    event.preventDefault();
  }

  showCommand(path) {
    const defined = this.paths[path].options;
    this.command = { path, fields: [] };
    const fields = defined.map((option) => this.field(option));
    this.command.fields = fields;
    this.form.replaceChildren(
      h("div", { class: "command" }, h("strong", {}, `/${path}`), h("small", {}, this.paths[path].description), fields.map((field) => field.shown)),
      h("div", { class: "line" }, h("button", { type: "button", onclick: () => this.showText().focus() }, "Cancel"), h("button", { class: "primary" }, "Run")),
    );
    (this.form.querySelector("input, select") ?? this.form.querySelector("button.primary")).focus();
    this.form.onkeydown = (event) => {
      if (event.key === "Escape" && this.command && !event.defaultPrevented) this.showText().focus();
    };
  }

  field(option) {
    const required = Boolean(option.required);
    const label = `${option.name}${required ? "" : " (optional)"}`;
    const choices =
      option.choices ??
      (option.type === BOOLEAN ? [{ name: "yes", value: true }, { name: "no", value: false }] : null) ??
      (option.type === USER ? this.app.users.map((user) => ({ name: user.name, value: user.id })) : null);
    if (choices) {
      const select = h("select", { required }, h("option", { value: "" }, ""), choices.map((choice, index) => h("option", { value: String(index) }, choice.name)));
      return { name: option.name, shown: h("label", { title: option.description }, label, select), read: () => (select.value === "" ? undefined : choices[select.value].value) };
    }
    const list = h("ul", { id: `offer-${option.name}`, role: "listbox", "aria-label": `Offered for ${option.name}`, hidden: true });
    const input = h("input", { required, maxlength: option.max_length?.toString(), placeholder: option.description, inputmode: option.type === INTEGER ? "numeric" : null });
    if (option.autocomplete) this.completes(option, input, list);
    const read = () => (input.value.trim() === "" ? undefined : option.type === INTEGER ? Number(input.value) : input.value);
    return { name: option.name, shown: h("label", { title: option.description }, label, input, list), read };
  }

  completes(option, input, list) {
    let timer;
    let asked = 0;
    const offer = async () => {
      const number = ++asked;
      if (!this.command) return;
      const options = { ...this.values(), [option.name]: input.value };
      const choices = await this.app.ask("complete", { channel_id: this.app.place, path: this.command.path, options, focused: option.name });
      if (number !== asked || !this.command) return;
      const fill = (value) => {
        input.value = value;
        this.show(list, input, []);
      };
      this.show(list, input, (choices ?? []).map((choice) => ({ label: choice.name, choose: () => fill(choice.value) })));
    };
    const later = () => {
      clearTimeout(timer);
      timer = setTimeout(offer, COMPLETE_MILLISECONDS);
    };
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-controls", list.id);
    input.addEventListener("input", later);
    input.addEventListener("focus", later);
    input.addEventListener("blur", () => this.show(list, input, []));
    input.addEventListener("keydown", (event) => this.moveInList(event, input, list));
  }

  values() {
    const read = this.command.fields.map((field) => [field.name, field.read()]);
    return Object.fromEntries(read.filter(([, value]) => value !== undefined));
  }

  async submit() {
    const { app } = this;
    if (this.command) {
      const { path } = this.command;
      const options = this.values();
      this.showText().focus();
      await app.act("command", { channel_id: app.place, path, options });
      return;
    }
    const content = this.input.value;
    const exact = content.startsWith("/") && this.paths[content.slice(1).trim()];
    if (exact) return this.showCommand(content.slice(1).trim());
    if (!content.trim()) return;
    const reply_to = this.replyTo?.id ?? null;
    this.replyTo = null;
    this.showText().focus();
    const written = await app.act("message", { place_id: app.place, content, reply_to });
    if (written === undefined) this.showText(content);
  }
}

// The slash commands by what is typed: {description, options}.
function paths(commands) {
  const found = {};
  for (const command of commands.filter((each) => (each.type ?? 1) === 1)) {
    const options = command.options ?? [];
    if (!options.some((option) => option.type === SUBCOMMAND)) found[command.name] = { description: command.description, options };
    for (const option of options.filter((each) => each.type === SUBCOMMAND)) {
      found[`${command.name} ${option.name}`] = { description: option.description, options: option.options ?? [] };
    }
  }
  return found;
}
