// A message's components (Discord docs, "Components"): rows, buttons, selects, and layouts with texts and sections.

import { h, opensFirst } from "./dom.js";
import { link, markdown } from "./markdown.js";

const [ROW, BUTTON, SELECT, USERS, ROLES, SECTION, TEXT, SEPARATOR, CONTAINER] = [1, 2, 3, 5, 6, 9, 10, 14, 17];
const STYLES = { 1: "primary", 2: "secondary", 3: "success", 4: "danger" };
const LINK = 5;

// `act(custom_id, values)` is called for a press (values undefined) or a choice.
export function components(parts, places, act) {
  return (parts ?? []).map((part) => component(part, places, act)).filter(Boolean);
}

function component(part, places, act) {
  switch (part.type) {
    case ROW:
      return h("div", { class: "row" }, components(part.components, places, act));
    case BUTTON:
      return button(part, places, act);
    case SELECT:
    case USERS:
    case ROLES:
      return select(part, places, act);
    case TEXT:
      return h("div", { class: "text" }, markdown(part.content, places));
    case SECTION:
      return h(
        "div",
        { class: "section" },
        h("div", {}, components(part.components, places, act)),
        part.accessory ? component(part.accessory, places, act) : null,
      );
    case SEPARATOR:
      return h("hr");
    case CONTAINER:
      return h("div", { class: "container" }, components(part.components, places, act));
    default:
      return null;
  }
}

function button(part, places, act) {
  const label = `${part.emoji?.name ? `${part.emoji.name} ` : ""}${part.label ?? ""}`;
  if (part.style === LINK) return link(label, part.url, places);
  const attributes = { type: "button", class: `component ${STYLES[part.style] ?? ""}`, disabled: Boolean(part.disabled) };
  return h("button", { ...attributes, onclick: () => act(part.custom_id) }, label);
}

function select(part, places, act) {
  const options = part.type === SELECT ? part.options : Object.entries(places.people ?? {}).map(([value, label]) => ({ value, label }));
  const shown = options.map((option) =>
    h("option", { value: option.value, selected: Boolean(option.default) }, option.description ? `${option.label}: ${option.description}` : option.label),
  );
  const empty = h("option", { value: "", disabled: true, selected: !options.some((option) => option.default) }, part.placeholder ?? "Choose");
  const choose = (event) => {
    act(part.custom_id, [event.target.value]);
    const chosen = options.find((option) => option.default);
    event.target.value = chosen ? chosen.value : ""; // as the message says, so that the same can be chosen again
  };
  return opensFirst(
    h("select", { class: "component", "aria-label": part.placeholder ?? "Choose", disabled: Boolean(part.disabled), onchange: choose }, empty, shown),
  );
}
