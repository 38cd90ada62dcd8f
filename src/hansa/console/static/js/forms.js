// Forms in the browser: rows of lists, fingerprints of documents, check digits while one types.
// Everything works without this file too, by asking the server.

import { encodeBase64url, encodeHex } from "./base64url.js";
import { holds } from "./check_digits.js";
import { concat, encodeText, hasCryptography, sha256 } from "./digests.js";
import { make, saveFile, tell, watchDrop } from "./dom.js";
import { say } from "./words.js";

/** What a commitment is over (src/hansa/vault/commitment.py): tag, 32 bytes of salt, document. */
const COMMITMENT_TAG = "hansa.vault.commitment/1\u0000";
const SALT_BYTES = 32;
const DOCUMENT_BYTES_MAX = 250_000;
/** So much fits into one form. */
const SOURCE_BYTES_MAX = 700_000;
const REQUEST_BYTES_MAX = 50_000;
const COMMITTED = "input[data-commitment], input[data-digest]";
/** A form that the application fills from a file needs no second way to give a document. */
const FINGERPRINTED = `${COMMITTED}, input[data-fills]`;
const NEXT_ROW = /__i__/gu;

for (const form of document.querySelectorAll("form.derived")) {
  watchRows(form);
  watchFiles(form);
  watchIdentifiers(form);
  watchChoices(form);
  watchVariants(form);
  watchSource(form);
  watchRequest(form);
}
document.getElementById("faults")?.focus();

/** Adding a row here saves a round trip; taking one away asks the server, which moves the others. */
function watchRows(form) {
  for (const list of form.querySelectorAll("[data-list]")) {
    const add = list.querySelector(":scope > p > [data-add]");
    add?.addEventListener("click", (event) => {
      event.preventDefault();
      addRow(list);
    });
  }
}

function addRow(list) {
  const path = list.dataset.list;
  const count = list.querySelector(`:scope > input[name="${CSS.escape(path)}.__n"]`);
  const rows = list.querySelector("[data-rows]");
  const template = list.querySelector(":scope > template");
  const number = Number(count.value);
  const row = template.content.firstElementChild.cloneNode(true);
  for (const element of [row, ...row.querySelectorAll("*")]) {
    for (const name of ["name", "id", "for", "list", "value", "aria-describedby", "aria-label"]) {
      const value = element.getAttribute(name);
      if (value?.includes("__i__")) {
        element.setAttribute(name, value.replace(NEXT_ROW, String(number)));
      }
    }
  }
  rows.append(row);
  count.value = String(number + 1);
  watchRows(row);
  watchFiles(row);
  watchIdentifiers(row);
  row.querySelector("input:not([type=hidden]), select, textarea")?.focus();
}

/** Files never leave the browser here: their text, or a fingerprint of them, fills the field. */
function watchFiles(place) {
  const isRead = document.querySelector("[data-from-file]") !== null;
  for (const input of place.querySelectorAll(isRead ? COMMITTED : FINGERPRINTED)) {
    const id = input.dataset.commitment ?? input.dataset.digest ?? input.dataset.fills;
    if (input.dataset.fills === undefined && !hasCryptography()) {
      continue;
    }
    input.hidden = false;
    input.addEventListener("change", () => {
      const [file] = input.files;
      if (file !== undefined) {
        takeFile(input, document.getElementById(id), file);
      }
    });
  }
}

async function takeFile(input, field, file) {
  const status = input.nextElementSibling;
  const bytes = new Uint8Array(await file.arrayBuffer());
  if (input.dataset.fills !== undefined) {
    field.value = bytes.length > DOCUMENT_BYTES_MAX ? "" : new TextDecoder().decode(bytes);
  } else if (input.dataset.digest !== undefined) {
    field.value = encodeHex(await sha256(bytes));
    tell(status, say("The fingerprint of {name} is filled in.", { name: file.name }));
  } else {
    const salt = crypto.getRandomValues(new Uint8Array(SALT_BYTES));
    const made = await sha256(concat(encodeText(COMMITMENT_TAG), salt, bytes));
    field.value = encodeBase64url(made);
    const opening = { commitment: field.value, document: file.name, salt: encodeBase64url(salt) };
    saveFile(`salt-${field.value.slice(0, 8)}.json`, `${JSON.stringify(opening, null, 2)}\n`);
    const text = say("Filled in. Its salt was saved as a file: keep it with the document.");
    tell(status, text);
  }
}

/** A file that fills the whole form: the application reads it, the browser commits to it. */
function watchSource(form) {
  const place = form.querySelector("[data-from-file]");
  if (place === null) {
    return;
  }
  const input = place.querySelector("input[type=file]");
  place.hidden = false;
  const take = async ([file]) => {
    if (file === undefined) {
      return;
    }
    const bytes = new Uint8Array(await file.arrayBuffer());
    if (bytes.length > SOURCE_BYTES_MAX) {
      tell(place.querySelector(".fault"), say("Larger files go by the command line."));
      return;
    }
    const commitment = form.querySelector("input[data-commitment]");
    if (commitment !== null && hasCryptography()) {
      await takeFile(commitment, document.getElementById(commitment.dataset.commitment), file);
    }
    form.elements._file.value = encodeBase64url(bytes);
    form.requestSubmit(place.querySelector("button"));
  };
  watchChosen(input, take);
}

/** Take files as they are chosen, and those that were chosen before this script was there. */
function watchChosen(input, take) {
  input.addEventListener("change", () => take(input.files));
  if (input.files.length > 0) {
    take(input.files);
  }
}

/** A key request that is chosen, dropped or pasted fills the form. */
function watchRequest(form) {
  const zone = form.querySelector("#key-request");
  if (zone === null) {
    return;
  }
  const input = zone.querySelector("input[type=file]");
  const take = async ([file]) => {
    if (file !== undefined && file.size <= REQUEST_BYTES_MAX) {
      form.elements._request.value = (await file.text()).trim();
      form.requestSubmit(zone.querySelector("button"));
    } else if (file !== undefined) {
      tell(zone.querySelector(".fault"), say("This is not a key request. hansa keys request prints one."));
    }
  };
  input.parentElement.hidden = false;
  watchDrop(zone, take);
  watchChosen(input, take);
}

/** Check digits while one types; the server judges them again, and all other schemes. */
function watchIdentifiers(place) {
  for (const input of place.querySelectorAll("[data-identifier]")) {
    input.addEventListener("change", () => judge(input));
  }
}

function judge(input) {
  const beside = input.dataset.schemeOf;
  let scheme = input.dataset.identifier;
  let value = input.value.trim();
  if (beside) {
    const path = input.name.replace(/[^.]+$/u, beside);
    scheme = input.form.elements[path]?.value ?? "";
  } else if (!scheme) {
    [scheme, value = ""] = [value.slice(0, value.indexOf(":")), value.slice(value.indexOf(":") + 1)];
  }
  const isWrong = value !== "" && !holds(scheme, value);
  const id = `${input.id}-judged`;
  document.getElementById(id)?.remove();
  input.toggleAttribute("data-doubtful", isWrong);
  if (isWrong) {
    const text = say("The check digit or the form of this number is wrong. Compare it once more.");
    input.after(make("p", { class: "fault", id, role: "status" }, text));
  }
}

/** Choosing an application or a message shows the fields of that message. */
function watchChoices(form) {
  for (const button of form.querySelectorAll("[data-show]")) {
    button.parentElement.hidden = true;
  }
  for (const select of form.querySelectorAll("select[data-reload]")) {
    select.addEventListener("change", () => {
      form.querySelector("[data-show]")?.click();
    });
  }
}

/** Of several variants the chosen one is shown. */
function watchVariants(form) {
  for (const group of form.querySelectorAll("fieldset:has(> [data-variant])")) {
    const show = () => {
      const chosen = group.querySelector(":scope > .choices input:checked")?.value;
      for (const part of group.querySelectorAll(":scope > [data-variant]")) {
        part.hidden = part.dataset.variant !== chosen;
      }
    };
    group.addEventListener("change", show);
    show();
  }
}
