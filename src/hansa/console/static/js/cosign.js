// Signing what several organisations sign: begun from a form, or gone on with from a draft's file.
//
// Expects #cosigning (data-kid; data-request of a new one, or data-file of one under way), #sign,
// #outcome, and for a draft #exact. Nothing is sent before all have signed.

import { find, make, saveFile } from "./dom.js";
import {
  beginDraft, computeId, encodeDraft, listMissing, readDraft, showDraft, signDraft,
} from "./drafts.js";
import { NoKey } from "./keys.js";
import { refuse } from "./refusing.js";
import { sendSigned, Unreachable, waitFinal } from "./transaction.js";
import { say } from "./words.js";

const place = find("cosigning");
const button = find("sign");
const outcome = find("outcome");
const { kid } = place.dataset;
let draft = null;

try {
  begin();
} catch {
  show("refused", [say("The file was changed: nothing of it is signed.")]);
}

function begin() {
  if (place.dataset.file !== undefined) {
    draft = readDraft(JSON.parse(place.dataset.file));
    find("exact").textContent = showDraft(draft);
  }
  arm();
}

function arm() {
  button.disabled = false;
  button.onclick = async () => {
    button.disabled = true;
    try {
      await act();
    } catch (error) {
      await explain(error);
      arm();
    }
  };
}

async function act() {
  show("news", [say("Signing…")]);
  if (draft === null) {
    draft = await beginDraft(JSON.parse(place.dataset.request));
  } else if (listMissing(draft).includes(kid)) {
    draft = await signDraft(draft, kid);
  }
  if (listMissing(draft).length > 0) {
    await offerFile();
    return;
  }
  const id = await computeId(draft);
  show("news", [say("Sending…")]);
  await sendSigned(encodeDraft(draft));
  show("news", [say("Waiting for the block…")]);
  await waitFinal(id);
  location.replace(`/transactions/${id}`);
}

/** Signed here; the file goes to who signs next. The same bytes are offered again and again. */
async function offerFile() {
  const id = await computeId(draft);
  const text = encodeDraft(draft);
  const save = make("button", { class: "button", type: "button" }, say("Save the file"));
  save.addEventListener("click", () => {
    saveFile(`draft-${id.slice(0, 16)}.json`, text, "application/jose+json");
  });
  const field = make("textarea", { id: "draft-text", readonly: true, rows: 5, spellcheck: "false" });
  field.value = text;
  field.addEventListener("focus", () => field.select());
  const later = make("a", { href: `/transactions/${id}` }, say("What becomes of it"));
  const card = make(
    "section",
    { class: "card stack", id: "signed" },
    make("h2", {}, say("Signed. It is not sent yet.")),
    make("p", {}, say("Give this file to who signs next. It is opened under Applications, “Sign together”, or by hansa tx sign.")),
    make("p", { class: "actions" }, save, later),
    make("p", { class: "field" }, make("label", { for: "draft-text" }, say("Or copy it as text")), field),
  );
  outcome.replaceChildren(card);
  button.closest(".actions").hidden = true;
  save.focus();
}

async function explain(error) {
  if (error instanceof Unreachable) {
    show("warning", [say("No answer. Sending it again is safe: it counts once.")]);
  } else if (error instanceof NoKey) {
    const link = make("a", { href: "/sign-in" }, say("Sign in with a key file"));
    show("refused", [say("The key that must sign is not in this browser. Nothing was sent."), " ", link]);
  } else {
    show("refused", await refuse(error));
  }
}

function show(kind, children) {
  outcome.replaceChildren(make("p", { class: `notice ${kind}` }, ...children));
}
