// What went wrong, in the page's language: refusals of the gateway and faults of this browser.

import { StoreFault } from "./database.js";
import { KeyFileFault } from "./key_file.js";
import { NoCryptography, NoKey } from "./keys.js";
import { Problem, Unreachable } from "./wire.js";
import { say } from "./words.js";

/** A fault as one or two sentences. Throws what it does not know: a bug. */
export function describeFault(error) {
  if (error instanceof Problem) {
    return [error.message, error.remedy].filter(Boolean).join(" ");
  }
  if (error instanceof Unreachable) {
    return say("There is no answer from this server. Trying again is safe.");
  }
  if (error instanceof NoKey) {
    return say("The key is not in this browser. Sign in again with its key file.");
  }
  if (error instanceof NoCryptography) {
    return say("This browser gives no keys to this page: open it by https, or update the browser.");
  }
  if (error instanceof StoreFault) {
    return say("This browser keeps nothing for this page (is the window private?).");
  }
  if (error instanceof KeyFileFault) {
    return describeKeyFile(error.code);
  }
  throw error;
}

function describeKeyFile(code) {
  if (code === "not_one") {
    return say("This is not a key file of this version.");
  }
  if (code === "sm2") {
    return say("Browsers make no SM2 signatures: sign with this key on the command line.");
  }
  if (code === "sealed") {
    return say("The key file is sealed: give its passphrase.");
  }
  if (code === "wrong_passphrase") {
    return say("The passphrase does not open the key file, or the file was changed.");
  }
  return say("The key file is damaged: restore it from a back-up.");
}
