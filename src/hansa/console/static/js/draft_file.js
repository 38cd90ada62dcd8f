// The page "Sign together": a draft's file that is chosen or dropped fills the field and is opened.

import { find, tell, watchDrop } from "./dom.js";
import { say } from "./words.js";

/** Larger ones go by the command line: a form has a limit (cosigning.py). */
const FILE_BYTES_MAX = 700_000;

const form = find("draft-form");
const input = find("draft-file");

input.closest(".field").hidden = false;
input.addEventListener("change", () => take(input.files));
if (input.files.length > 0) {
  take(input.files); // chosen before this script was there
}
watchDrop(form, take);

async function take([file]) {
  if (file === undefined) {
    return;
  }
  if (file.size > FILE_BYTES_MAX) {
    tell(find("draft-fault"), say("Larger files go by the command line."));
    return;
  }
  form.elements.draft.value = (await file.text()).trim();
  form.requestSubmit();
}
