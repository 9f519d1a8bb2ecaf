// The guided tour: the scenes of the terminal's tour, one at a time or all.

import { $, h } from "./dom.js";

const MOST_LINES = 600;

export class TourPanel {
  constructor(app) {
    this.app = app;
    $("tour-titles").replaceChildren(...app.tour.titles.map((title) => h("li", {}, title)));
    $("tour-next").onclick = () => this.ask("next");
    $("tour-all").onclick = () => this.ask("all");
    $("tour-stop").onclick = () => this.ask("stop");
    if (app.tour.now.state !== "ended") this.take(app.tour.now);
  }

  ask(what) {
    this.pressed = document.activeElement; // a button that is disabled meanwhile loses the focus
    this.app.act("tour", { do: what });
  }

  take({ state, scene: number, line, passed, stopped, failures, channels }) {
    if (line) return this.say(line);
    $("tour-next").disabled = $("tour-all").disabled = state === "playing";
    $("tour-stop").disabled = state === "ended";
    if (document.activeElement === document.body) this.pressed?.focus();
    if (state === "began") {
      $("tour-lines").replaceChildren();
      this.mark(0);
      this.app.open(channels[0]);
    } else if (state === "playing") {
      $("tour-state").textContent = `Scene ${number} of ${this.app.tour.titles.length} is playing.`;
      this.mark(number);
      if (this.app.tour.titles[number - 1].startsWith("A day:")) this.app.open(this.app.tour.days);
    } else if (state === "waiting") {
      $("tour-state").textContent = `Scene ${number} is next. Play with what is there, then go on.`;
      this.mark(number);
    } else if (state === "ended") {
      const end = stopped ? "The tour was stopped. Play with what is there." : "The tour has ended. All checks hold.";
      $("tour-state").textContent = passed ? end : `The tour has ended. Failed: ${failures.join("; ")}`;
    }
    return undefined;
  }

  mark(number) {
    [...$("tour-titles").children].forEach((title, index) => {
      title.classList.toggle("done", index < number - 1);
      if (index === number - 1) title.setAttribute("aria-current", "step");
      else title.removeAttribute("aria-current");
    });
  }

  say(line) {
    const box = $("tour-lines");
    box.append(h("div", {}, line.map(([text, style]) => h("span", { class: style }, text)), line.length ? null : h("br")));
    while (box.children.length > MOST_LINES) box.firstElementChild.remove();
    box.scrollTop = box.scrollHeight;
  }
}
