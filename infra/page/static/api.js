// The interface of the stack (docs/page.md). The token stands in the page's address, after the #.

const token = location.hash.slice(1);
const headers = { authorization: `Bearer ${token}` };
const RETRY_MILLISECONDS = 1000;

export class Refused extends Error {}

async function read(response) {
  const document = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refused(document.error ?? `The stack answers ${response.status}. Is it still running?`);
  return document;
}

export async function get(path, query = {}) {
  return read(await fetch(`/api/${path}?${new URLSearchParams(query)}`, { headers }));
}

export async function post(action, fields) {
  const sent = { ...headers, "content-type": "application/json" };
  const answered = await read(await fetch(`/api/${action}`, { method: "POST", headers: sent, body: JSON.stringify(fields) }));
  return answered.result;
}

// Calls `take` with each record of the feed, for ever. `lost` is told whether the stack has gone.
export async function follow(since, take, lost) {
  let next = since;
  for (;;) {
    try {
      const response = await fetch(`/api/feed?since=${next}`, { headers });
      if (!response.ok) throw new Refused(response.statusText);
      lost(false);
      for await (const record of records(response.body)) {
        next = record.number + 1;
        take(record);
      }
    } catch {
      lost(true);
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MILLISECONDS));
  }
}

async function* records(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const events = (rest + value).split("\n\n");
    rest = events.pop();
    for (const event of events) {
      const data = event.split("\n").find((line) => line.startsWith("data: "));
      if (data) yield JSON.parse(data.slice("data: ".length));
    }
  }
}
