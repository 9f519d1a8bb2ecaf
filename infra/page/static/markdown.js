// Discord's markdown, as far as messages here use it (Discord docs, "Message Formatting"), as elements.

import { h } from "./dom.js";

const TOKENS =
  /\\([^0-9A-Za-z\s])|```([\s\S]+?)```|`([^`]+)`|\*\*([\s\S]+?)\*\*|__([\s\S]+?)__|\*([^*\s][^*]*)\*|~~([\s\S]+?)~~|<#(\d+)>|<@!?(\d+)>|<@&(\d+)>|<t:(\d+)(?::([tTdDfFR]))?>|\[([^\]]+)\]\((https?:[^)\s]+)\)|(https?:\/\/[^\s)>]+)/g;

// `places`: {names, open}: names of users, channels and threads by id, and what a click on a channel does.
export function markdown(text, places) {
  return text.split("\n").map((line) => {
    const small = line.startsWith("-# ");
    const quote = line.startsWith("> ");
    const heading = /^(#{1,3}) /.exec(line);
    const rest = small ? line.slice(3) : quote ? line.slice(2) : heading ? line.slice(heading[0].length) : line;
    const inside = inline(rest, places);
    if (heading) return h("strong", { class: `line heading${heading[1].length}` }, inside);
    return h("div", { class: `line${small ? " small" : ""}${quote ? " quote" : ""}` }, inside.length ? inside : h("br"));
  });
}

function inline(text, places) {
  const parts = [];
  let position = 0;
  for (const found of text.matchAll(TOKENS)) {
    parts.push(text.slice(position, found.index), element(found, places));
    position = found.index + found[0].length;
  }
  parts.push(text.slice(position));
  return parts.filter((part) => part !== "");
}

function element(found, places) {
  const [, escaped, block, code, bold, underlined, italic, struck, channel, user, role, time, style, label, url, bare] = found;
  if (escaped) return escaped;
  if (block || code) return h("code", {}, block ?? code);
  if (bold) return h("strong", {}, inline(bold, places));
  if (underlined) return h("u", {}, inline(underlined, places));
  if (italic) return h("em", {}, inline(italic, places));
  if (struck) return h("s", {}, inline(struck, places));
  if (channel) {
    const name = places.names[channel] ?? "unknown";
    return h("button", { class: "mention", type: "button", onclick: () => places.open(channel) }, `#${name}`);
  }
  if (user || role) return h("span", { class: "mention" }, `@${places.names[user ?? role] ?? (role ? "role" : "somebody")}`);
  if (time) return h("time", { title: new Date(time * 1000).toLocaleString() }, timeText(Number(time), style));
  return link(label ?? bare, url ?? bare, places);
}

// A link to a thread leads there on the page; any other opens in a tab of its own.
export function link(label, url, places) {
  const place = /^https:\/\/discord\.com\/channels\/\d+\/(\d+)(?:\/\d+)?$/.exec(url);
  if (place) return h("button", { class: "link", type: "button", onclick: () => places.open(place[1]) }, label);
  return h("a", { href: url, target: "_blank", rel: "noreferrer" }, label);
}

function timeText(seconds, style) {
  const date = new Date(seconds * 1000);
  if (style === "t" || style === "T") return date.toLocaleTimeString();
  if (style === "d" || style === "D") return date.toLocaleDateString();
  if (style !== "R") return date.toLocaleString();
  const away = Math.round(seconds - Date.now() / 1000);
  const units = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
  const [unit, length] = units.find(([, each]) => Math.abs(away) >= each) ?? units[3];
  return new Intl.RelativeTimeFormat("en", { numeric: "auto" }).format(Math.trunc(away / length), unit);
}
