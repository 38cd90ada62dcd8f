// Scanning what is printed on food: a QR code's text goes into the search field, and is looked for.

import { find, tell } from "./dom.js";
import { CannotScan, startCamera } from "./verify/scanning.js";
import { say } from "./words.js";

const button = find("scan");
const room = find("scan-room");
const fault = find("scan-fault");
const field = find("item");
const camera = { stop: null };

if (navigator.mediaDevices !== undefined) {
  button.hidden = false;
  button.addEventListener("click", begin);
  find("scan-stop").addEventListener("click", end);
}

async function begin() {
  button.disabled = true;
  tell(fault, "");
  room.hidden = false;
  try {
    camera.stop = await startCamera(find("scan-video"), button.dataset.library, (text) => {
      end();
      field.value = text;
      field.form.requestSubmit();
    });
  } catch (error) {
    end();
    if (!(error instanceof CannotScan)) {
      throw error;
    }
    tell(fault, describe(error.code));
  }
}

function end() {
  camera.stop?.();
  camera.stop = null;
  room.hidden = true;
  button.disabled = false;
}

function describe(code) {
  if (code === "refused") {
    return say("The camera is not allowed for this page. Allow it, or type what is printed.");
  }
  if (code === "no_reader") {
    return say("This browser cannot read codes. Type what is printed.");
  }
  return say("There is no camera here. Type what is printed.");
}
