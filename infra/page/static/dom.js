// Small helpers for building elements. Text is always set as text, never as HTML.

export const $ = (id) => document.getElementById(id);

export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else if (name in element && typeof value !== "string") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

// At most one run of `work` at a time, and at most one every `milliseconds`; asking again meanwhile makes one more run.
export function throttled(work, milliseconds) {
  let busy = false;
  let again = false;
  async function run() {
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    again = false;
    try {
      await work();
    } finally {
      setTimeout(() => {
        busy = false;
        if (again) run();
      }, milliseconds);
    }
  }
  return run;
}

export function prependBounded(list, element, most) {
  list.prepend(element);
  while (list.children.length > most) list.lastElementChild.remove();
}
