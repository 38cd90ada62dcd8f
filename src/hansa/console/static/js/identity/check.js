// The page /identity/check: a credential, presentation or bundle, judged by this gateway.
//
// Expects templates/identity/check.html. A file is read here first; it is sent only to this gateway.

import { find, tell, watchDrop } from "../dom.js";
import { describeFault } from "../faults.js";
import { say } from "../words.js";
import { askJson } from "../wire.js";
import { NoCredential, readDocument } from "./documents.js";
import { findNames, nameTypes } from "./names.js";
import { describeVerdict } from "./shown.js";

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
    const body = JSON.stringify({ document: text, ...readAsked() });
    const options = { method: "POST", media: "application/json", body };
    const report = await askJson("/v1/credentials/judge", options);
    const held = await read(text);
    const parts = held === null ? [] : [held, ...held.parts];
    const names = await findNames(parts.flatMap(({ issuer, subject }) => [issuer, subject]));
    const card = describeVerdict(name, report, held, names);
    find("results").prepend(card);
    find("no-results").hidden = true;
  } catch (error) {
    tell(find("check-fault"), describeFault(error));
  } finally {
    find("checking").hidden = true;
  }
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
