// The form (modal) that the bot shows in place of an answer.

import { $, h } from "./dom.js";

const [SELECT, TEXT_INPUT, LABEL] = [3, 4, 18];
const PARAGRAPH = 2;

// Shows it; `send(custom_id, fields)` is called when it is sent.
export function showForm(form, send) {
  const dialog = $("form");
  const fields = form.components.map((row) => field(row));
  const body = h(
    "form",
    {
      method: "dialog",
      onsubmit: (event) => {
        event.preventDefault();
        dialog.close();
        send(form.custom_id, Object.fromEntries(fields.map(({ id, read }) => [id, read()])));
      },
    },
    h("h2", { id: "form-title" }, form.title),
    fields.map(({ shown }) => shown),
    h("div", { class: "buttons" }, h("button", { type: "button", onclick: () => dialog.close() }, "Cancel"), h("button", { class: "primary" }, "Submit")),
  );
  dialog.replaceChildren(body);
  dialog.showModal();
  body.querySelector("input, textarea, select")?.focus();
}

function field(row) {
  const part = row.type === LABEL ? row.component : row.components[0];
  const common = { required: part.required !== false, "aria-describedby": row.description ? `about-${part.custom_id}` : null };
  const about = row.description ? h("small", { id: `about-${part.custom_id}` }, row.description) : null;
  if (part.type === TEXT_INPUT) {
    const limits = { minlength: part.min_length?.toString(), maxlength: part.max_length?.toString(), placeholder: part.placeholder };
    const input = h(part.style === PARAGRAPH ? "textarea" : "input", { ...common, ...limits });
    input.value = part.value ?? "";
    return { id: part.custom_id, shown: h("label", {}, row.label ?? part.label, input, about), read: () => input.value };
  }
  const options = (part.type === SELECT ? part.options : []).map((option) => h("option", { value: option.value, selected: Boolean(option.default) }, option.label));
  const select = h("select", { ...common, multiple: (part.max_values ?? 1) > 1 }, options);
  return { id: part.custom_id, shown: h("label", {}, row.label, select, about), read: () => [...select.selectedOptions].map((option) => option.value) };
}
