// Lists that grow by themselves: rows of /explorer/live are put on top of their table as they come.
//
// Nothing here is HTML: a row is a copy of the page's own <template>, filled with texts.

import { say } from "./words.js";

/** Rows that stay on the page. */
const ROWS_MAX = 200;
const RETRY_MS = 2_000;
const RETRY_MAX_MS = 30_000;

for (const bar of document.querySelectorAll("[data-live]")) {
  follow(bar);
}

function follow(bar) {
  const table = document.getElementById(bar.dataset.target);
  const template = document.getElementById(`${bar.dataset.target}-row`);
  const state = bar.querySelector(".live-state");
  const button = bar.querySelector("[data-pause]");
  if (table === null || template === null || !("EventSource" in window)) {
    return;
  }
  const place = { last: "", source: null, waitMs: RETRY_MS, timer: 0, isEnded: false };
  const show = (name, text) => {
    bar.dataset.state = name;
    if (state.textContent !== text) {
      state.textContent = text;
    }
  };
  const open = () => {
    const address = new URL(bar.dataset.live, location.href);
    if (place.last) {
      address.searchParams.set("since", place.last);
    }
    const source = new EventSource(address);
    place.source = source;
    source.addEventListener("open", () => {
      place.waitMs = RETRY_MS;
      show("live", say("Live"));
    });
    source.addEventListener("row", (event) => {
      place.last = event.lastEventId || place.last;
      addRow(table, template, JSON.parse(event.data));
    });
    source.addEventListener("beat", (event) => {
      place.last = event.lastEventId || place.last;
    });
    source.addEventListener("end", () => {
      place.isEnded = true;
      source.close();
      button.hidden = true;
      show("ended", say("Ended: load the page again."));
    });
    // The browser would begin where the page began: we come back to where we were.
    source.addEventListener("error", () => {
      source.close();
      if (place.source !== source || place.isEnded) {
        return;
      }
      show("lost", say("No answer from this server. Trying again."));
      place.timer = setTimeout(open, place.waitMs);
      place.waitMs = Math.min(place.waitMs * 2, RETRY_MAX_MS);
    });
  };
  button.addEventListener("click", () => {
    clearTimeout(place.timer);
    if (place.source !== null) {
      place.source.close();
      place.source = null;
      button.textContent = say("Go on");
      show("paused", say("Paused"));
    } else {
      button.textContent = say("Pause");
      open();
    }
  });
  addEventListener("pagehide", () => place.source?.close());
  bar.hidden = false;
  open();
}

function addRow(table, template, { key, href, cells }) {
  const body = table.tBodies[0];
  if ([...body.rows].some((row) => row.dataset.key === key)) {
    return;
  }
  const row = document.importNode(template.content.querySelector("tr"), true);
  row.dataset.key = key;
  for (const cell of row.querySelectorAll("[data-cell]")) {
    cell.textContent = cells[cell.dataset.cell] ?? "";
  }
  for (const link of row.querySelectorAll("[data-href]")) {
    if (href.startsWith("/") && !href.startsWith("//")) {
      link.setAttribute("href", href);
    }
  }
  row.classList.add("new");
  body.prepend(row);
  while (body.rows.length > ROWS_MAX) {
    body.rows[body.rows.length - 1].remove();
  }
  for (const figure of document.querySelectorAll("[data-newest]")) {
    const text = cells[figure.dataset.newest];
    if (text) {
      figure.textContent = text;
    }
  }
}
