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

const FOCUSABLE = "a, button, input, select, summary, textarea";

// Shows `elements` in `box`. One that is as before stays, and with it the focus, an open list and what is typed there: only what is
// new is announced. What is compared is an element's HTML, without the words for times ("2 seconds ago"), and its `about`, the data that its listeners use. A changed one replaces
// the one with the same `data-id`, and the focus moves on; when it has `data-box`, only its children are compared.
export function redraw(box, elements) {
  const focused = box.contains(document.activeElement) && document.activeElement !== box ? document.activeElement : null;
  const held = focused ? [...box.children].find((child) => child.contains(focused)) : null;
  const rank = held ? focusable(held).indexOf(focused) : -1;
  const before = [...box.children];
  const shown = elements.map((element) => {
    mark(element);
    const same = before.find((old) => old.drawn === element.drawn) ?? before.find((old) => element.dataset.box && old.dataset.box === element.dataset.box);
    if (!same) return element;
    before.splice(before.indexOf(same), 1);
    if (same.drawn !== element.drawn) {
      redraw(same, [...element.children]);
      same.drawn = element.drawn;
    } else {
      const times = element.querySelectorAll("time");
      same.querySelectorAll("time").forEach((time, index) => time.textContent === times[index].textContent || (time.textContent = times[index].textContent));
    }
    return same;
  });
  before.forEach((old) => old.remove());
  shown.forEach((element, index) => {
    if (box.children[index] !== element) box.insertBefore(element, box.children[index] ?? null);
  });
  if (!focused || box.contains(document.activeElement)) return;
  const heir = shown.find((element) => element === held || (element.dataset.id && element.dataset.id === held.dataset.id));
  const next = box.contains(focused) ? focused : heir && (focusable(heir)[rank] ?? focusable(heir)[0]);
  (next ?? (box.tabIndex < 0 ? null : box))?.focus({ preventScroll: true });
}

function mark(element) {
  element.drawn = element.outerHTML.replace(/(<time [^>]*>)[^<]*/g, "$1") + JSON.stringify(element.about ?? null);
  if (element.dataset.box) [...element.children].forEach(mark);
}

function focusable(element) {
  return [...(element.matches(FOCUSABLE) ? [element] : []), ...element.querySelectorAll(FOCUSABLE)];
}

// A list that acts as soon as something is chosen: the keys that would choose unseen open it.
export function opensFirst(select) {
  select.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || ["Tab", "Shift", "Enter", " ", "Escape"].includes(event.key)) return;
    event.preventDefault();
    if (event.key.startsWith("Arrow")) select.showPicker();
  });
  return select;
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
