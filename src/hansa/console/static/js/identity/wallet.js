// The page /identity: the holder's wallet. Credentials stay in this browser; what is presented is
// made here and handed over by the holder. Expects templates/identity/wallet.html.

import { find, make, saveFile, tell, watchDrop } from "../dom.js";
import { describeFault } from "../faults.js";
import { hasCryptography } from "../digests.js";
import { listKeys } from "../keys.js";
import { say } from "../words.js";
import { NoCredential, readDocument } from "./documents.js";
import { forget, keep, listHeld } from "./held.js";
import { findNames, nameTypes } from "./names.js";
import { drawQr, TooLong } from "./qr.js";
import { describeClaims, describeFacts, nameDocument } from "./shown.js";
import { present } from "./signing.js";

const keys = hasCryptography() ? await listKeys().catch(() => []) : [];

async function start() {
  const input = find("wallet-files");
  input.addEventListener("change", async () => {
    await takeFiles(Array.from(input.files));
    input.value = "";
  });
  watchDrop(find("drop-zone"), takeFiles);
  find("wallet-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const field = find("wallet-text");
    if (await take(field.value)) {
      field.value = "";
    }
  });
  await show();
  find("wallet").dataset.ready = "true";
}

async function takeFiles(files) {
  for (const file of files) {
    await take(await file.text(), file.name);
  }
}

/** Keep a text when it is a credential; whether it is. */
async function take(text, name = "") {
  tell(find("wallet-fault"), "");
  try {
    const document = await readDocument(text);
    if (document.form === "vp" || document.isPresented) {
      tell(find("wallet-fault"), say("This was made for a verifier: check it, or keep the credential itself."));
      return false;
    }
    await keep(document.text);
    await show();
    return true;
  } catch (error) {
    const words = error instanceof NoCredential
      ? say("{name} is no credential.", { name: name || say("This text") })
      : describeFault(error);
    tell(find("wallet-fault"), words);
    return false;
  }
}

async function show() {
  let held = [];
  try {
    held = await listHeld();
  } catch (error) {
    tell(find("wallet-fault"), describeFault(error));
  }
  const read = held.map(async ({ id, text }) => ({ id, ...(await readDocument(text)) }));
  const documents = await nameTypes(await Promise.all(read));
  const names = await findNames(documents.map(({ issuer }) => issuer));
  find("held").replaceChildren(...documents.map((each) => describe(each, names)));
  find("no-held").hidden = documents.length > 0;
}

function describe(document, names) {
  const isOver = document.until !== "" && Date.parse(document.until) <= Date.now();
  const title = make("h3", { id: `held-${document.id}` }, nameDocument(document));
  if (isOver) {
    title.append(" ", make("span", { class: "tag", "data-tone": "bad" }, say("expired")));
  }
  return make(
    "article",
    { class: "card stack credential", "aria-labelledby": `held-${document.id}`, "data-form": document.form },
    title,
    describeClaims(document),
    describeFacts(document, names),
    document.form === "bundle" ? make("p", { class: "help" }, say("A bundle is handed over as it is: save it as a file.")) : describePresenting(document),
    describeActions(document),
  );
}

function describeActions(document) {
  const save = make("button", { type: "button", class: "button quiet small" }, say("Save as a file"));
  save.addEventListener("click", () => saveFile(nameFile(document, ""), document.text));
  const away = make("button", { type: "button", class: "button quiet small" }, say("Forget"));
  away.addEventListener("click", () => askForget(document, away));
  return make("p", { class: "actions" }, save, away);
}

function askForget(document, button) {
  const sure = make("button", { type: "button", class: "button danger small" }, say("Forget it for good"));
  sure.addEventListener("click", async () => {
    await forget(document.id);
    await show();
    find("held-title").focus();
  });
  button.replaceWith(sure);
  sure.focus();
}

// --- presenting ---

function describePresenting(document) {
  const body = make("form", { class: "stack presenting" });
  const details = make("details", { class: "stack" }, make("summary", {}, say("Show it to somebody")), body);
  const isHidden = document.claims.some((each) => each.isHidden);
  if (isHidden) {
    body.append(describeChoice(document));
  } else {
    body.append(make("p", { class: "help" }, say("This credential can only be shown whole.")));
  }
  body.append(
    describeField(document, "audience", say("To whom (as the verifier calls itself)")),
    describeField(document, "nonce", say("The code that the verifier gave you")),
    ...describeKeys(document),
  );
  const fault = make("p", { class: "notice refused", role: "alert", hidden: true });
  const made = make("div", { class: "stack made", "aria-live": "polite" });
  const button = make("button", { class: "button" }, say("Make it"));
  body.append(fault, make("p", { class: "actions" }, button), made);
  body.addEventListener("submit", async (event) => {
    event.preventDefault();
    tell(fault, "");
    try {
      made.replaceChildren(...(await hand(document, body)));
    } catch (error) {
      tell(fault, describeFault(error));
    }
  });
  return details;
}

function describeChoice(document) {
  const choices = document.claims.filter((each) => each.isHidden).map(({ name, value }, place) => {
    const id = `${document.id}-${place}`;
    const box = make("input", { type: "checkbox", id, name: "claim", value: name });
    return make("p", { class: "field check" }, box, make("label", { for: id }, `${name}: ${String(value)}`));
  });
  return make("fieldset", {}, make("legend", {}, say("What to show; the rest stays hidden")), ...choices);
}

function describeField(document, name, label) {
  const id = `${document.id}-${name}`;
  const field = make("input", { id, name, maxlength: 500, required: true, autocomplete: "off", spellcheck: "false" });
  return make("p", { class: "field" }, make("label", { for: id }, label), field);
}

/** Which key signs: the holder's own, of those in this browser. */
function describeKeys(document) {
  if (keys.length === 0) {
    const link = make("a", { href: "/sign-in" }, say("Open a key file"));
    return [make("p", { class: "notice warning" }, say("There is no key in this browser to show it with."), " ", link)];
  }
  const own = keys.find((key) => key.account === document.subject) ?? keys[0];
  const id = `${document.id}-key`;
  const choice = make("select", { id, name: "key" });
  for (const key of keys) {
    choice.append(make("option", { value: key.kid, selected: key === own }, `${key.name} (${key.alg})`));
  }
  const parts = [make("p", { class: "field" }, make("label", { for: id }, say("Signed with")), choice)];
  if (document.subject !== "" && own.account !== document.subject) {
    parts.push(make("p", { class: "help" }, say("None of these keys is the holder's that it names: a verifier may refuse it.")));
  }
  return parts;
}

async function hand(document, form) {
  const names = new Set(Array.from(form.querySelectorAll("[name=claim]:checked"), ({ value }) => value));
  const key = keys.find(({ kid }) => kid === form.elements.key?.value);
  if (key === undefined) {
    return [];
  }
  const asked = { audience: form.elements.audience.value.trim(), nonce: form.elements.nonce.value.trim(), now: Date.now() };
  const text = await present(document, names, key, asked);
  const save = make("button", { type: "button", class: "button" }, say("Save as a file"));
  save.addEventListener("click", () => saveFile(nameFile(document, "shown-"), text));
  const area = make("textarea", { readonly: true, rows: 4, "aria-label": say("The presentation as text"), spellcheck: "false" });
  area.value = text;
  return [
    make("p", { class: "notice done" }, say("Made for {audience}, for this once. Hand over the file, the text or the code.", asked)),
    make("p", { class: "actions" }, save),
    ...describeCode(text),
    area,
  ];
}

function describeCode(text) {
  try {
    const canvas = drawQr(text);
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", say("The presentation as a QR code"));
    return [canvas];
  } catch (error) {
    if (!(error instanceof TooLong)) {
      throw error;
    }
    return [make("p", { class: "help" }, say("It is too long for a QR code: hand over the file."))];
  }
}

function nameFile(document, before) {
  const name = nameDocument(document).replace(/[^A-Za-z0-9_-]/gu, "-").slice(0, 40);
  return `${before}${name}${document.form === "sd-jwt" ? ".sd-jwt" : ".json"}`;
}

for (const name of ["dragover", "drop"]) {
  document.addEventListener(name, (event) => event.preventDefault());
}
await start();
