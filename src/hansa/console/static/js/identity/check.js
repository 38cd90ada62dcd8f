// The page /identity/check: a credential, presentation or bundle, judged twice.
//
// Expects templates/identity/check.html. This server judges all of it, by its own ledger; this browser
// judges what it can by proved facts, to which nothing is sent but the names of the facts.

import { hasCryptography } from "../digests.js";
import { find, make, tell, watchDrop } from "../dom.js";
import { describeFault } from "../faults.js";
import { describeSteps } from "../verify/cards.js";
import { PAGE_CURES } from "../verify/explained.js";
import { findRoots } from "../verify/roots.js";
import { verifyFile } from "../verify/verifier.js";
import { say } from "../words.js";
import { askJson } from "../wire.js";
import { NoCredential, readDocument } from "./documents.js";
import { findNames, nameTypes } from "./names.js";
import { gatherBundle } from "./gather.js";
import { describeUnsent, describeVerdict } from "./shown.js";

const FILE_BYTES_MAX = 900_000;

function start() {
  const input = find("check-files");
  input.addEventListener("change", async () => {
    await takeFiles(Array.from(input.files));
    input.value = "";
  });
  watchDrop(find("drop-zone"), takeFiles);
  find("check-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = find("check-text").value.trim();
    if (text !== "") {
      await judge(say("Pasted text"), text);
    }
  });
  find("check").dataset.ready = "true";
}

async function takeFiles(files) {
  for (const file of files) {
    if (file.size > FILE_BYTES_MAX) {
      tell(find("check-fault"), say("This file is too large to be a credential."));
    } else {
      await judge(file.name, await file.text());
    }
  }
}

async function judge(name, text) {
  tell(find("check-fault"), "");
  find("checking").hidden = false;
  try {
    const held = await read(text);
    const parts = held === null ? [] : [held, ...held.parts];
    const names = await findNames(parts.flatMap(({ issuer, subject }) => [issuer, subject]));
    const isSent = !find("keep-here").checked;
    const card = isSent ? describeVerdict(name, await ask(text), held, names) : describeUnsent(name, held, names);
    await judgeHere(card, held);
    find("results").prepend(card);
    find("no-results").hidden = true;
  } catch (error) {
    tell(find("check-fault"), describeFault(error));
  } finally {
    find("checking").hidden = true;
  }
}

/** This server's verdict, by the one verifier. */
async function ask(text) {
  const body = JSON.stringify({ document: text, ...readAsked() });
  return await askJson("/v1/credentials/judge", { method: "POST", media: "application/json", body });
}

/** What this browser makes of it, against what is pinned here; the credential is not sent. */
async function judgeHere(card, held) {
  if (held === null || held.form === "vp" || !hasCryptography()) {
    return;
  }
  const roots = await findRoots(await findChain());
  const data = await gatherBundle(held, Number(roots[0]?.height ?? 0));
  if (data === null) {
    return;
  }
  const verdict = await verifyFile(data, { findRoots, cures: PAGE_CURES, at: readAsked().at_ms });
  const isNo = verdict.outcome === "no";
  if (isNo && card.dataset.outcome !== "no") {
    // Whatever the server said: what does not hold here is not to be relied on.
    card.dataset.outcome = "no";
    const words = say("No: in your browser something does not hold. Do not rely on it.");
    card.querySelector(".notice").replaceWith(make("p", { class: "notice refused" }, make("strong", {}, words)));
  }
  const isOpen = isNo || find("keep-here").checked;
  const more = make("a", { href: "/verify" }, say("What you trust"));
  card.append(
    make(
      "details",
      { class: "here", "data-outcome": verdict.outcome, open: isOpen },
      make("summary", {}, nameHere(verdict)),
      make("p", { class: "help" }, say("Each fact was proved against what you have pinned; the credential was not sent for this."), " ", more),
      describeSteps(verdict.steps),
    ),
  );
}

function nameHere({ outcome, steps }) {
  if (outcome === "no") {
    return say("In this browser: no, something does not hold.");
  }
  const count = steps.filter(({ ok }) => ok === null).length;
  return say("In this browser: nothing is wrong; not judged here: {count}", { count });
}

async function findChain() {
  return (await askJson("/v1/status")).chain;
}

/** What a text says, with the names of its schemas; null when it cannot be read. */
async function read(text) {
  try {
    const [held] = await nameTypes([await readDocument(text)]);
    return held;
  } catch (error) {
    if (error instanceof NoCredential) {
      return null;
    }
    throw error;
  }
}

function readAsked() {
  const form = find("asked");
  const at = form.elements.at.value;
  return {
    audience: form.elements.audience.value.trim(),
    nonce: form.elements.nonce.value.trim(),
    jurisdiction: form.elements.jurisdiction.value.trim().toUpperCase(),
    need_holder: form.elements.need_holder.checked,
    need_status: form.elements.need_status.checked,
    ...(at === "" ? {} : { at_ms: Date.parse(`${at}+08:00`) }),
  };
}

// A stray drop beside the zone must not open the file in place of this page.
for (const name of ["dragover", "drop"]) {
  document.addEventListener(name, (event) => event.preventDefault());
}
start();
