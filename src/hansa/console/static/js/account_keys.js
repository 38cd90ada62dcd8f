// The account page: one more key, made in this browser and added by the key that is signed in.
//
// Expects templates/account.html: #browser-key (data-account, data-member, data-taken),
// #browser-key-form, #browser-key-name, #add-browser-key, #browser-key-fault.

import { find, tell } from "./dom.js";
import { describeFault } from "./faults.js";
import { forgetKey, needKey, storeKey } from "./keys.js";
import { makeAny } from "./new_key.js";
import { addKey } from "./possession.js";
import { currentKey } from "./session.js";
import { Problem, Unreachable } from "./wire.js";

const { account, member, taken } = find("browser-key").dataset;
const button = find("add-browser-key");

find("browser-key-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  tell(find("browser-key-fault"), "");
  button.disabled = true;
  try {
    const { id } = await makeAndAdd(find("browser-key-name").value.trim());
    location.assign(`/transactions/${id}`);
  } catch (error) {
    tell(find("browser-key-fault"), describeFault(error));
    button.disabled = false;
  }
});
button.disabled = false;

/** The key is kept before it is sent: one that the account has must never be lost. */
async function makeAndAdd(name) {
  await needKey(currentKey());
  const key = await makeAny({ name, account, fragment: chooseName(taken.split(" ")) });
  await storeKey(key);
  try {
    return await addKey(key, { signer: currentKey(), member });
  } catch (error) {
    if (error instanceof Problem) {
      await forgetKey(key.kid);
    }
    if (error instanceof Unreachable && error.sent !== undefined) {
      return error.sent; // perhaps it arrived: the page of the transaction tells
    }
    throw error;
  }
}

function chooseName(known) {
  let number = known.length + 1;
  while (known.includes(`k${number}`)) {
    number += 1;
  }
  return `k${number}`;
}
