// Voting: asks once more, signs the vote with a key of this browser, and shows what became of it.

import { find, tell } from "./dom.js";
import { describeFault } from "./faults.js";
import { buildAndSign, sendSigned, Unreachable, waitFinal } from "./transaction.js";
import { say } from "./words.js";

const place = find("voting");
const sure = find("sure");
const question = find("question");
const state = find("voting-state");
const confirm = find("confirm");
const proposal = Number(place.dataset.proposal);
const choices = [...place.querySelectorAll("[data-choice]")];
// A vote that was signed, but of which we do not know whether it arrived: it is sent again as it is.
const pending = { choice: "", signed: undefined };

for (const button of choices) {
  button.disabled = false;
  button.addEventListener("click", () => ask(button.dataset.choice));
}
find("cancel").addEventListener("click", () => {
  sure.hidden = true;
});
confirm.addEventListener("click", () => vote(pending.choice));

function ask(choice) {
  if (pending.signed !== undefined && pending.choice !== choice) {
    return;
  }
  pending.choice = choice;
  const texts = {
    yes: say("Vote yes on proposal {number}? A vote is final.", { number: proposal }),
    no: say("Vote no on proposal {number}? A vote is final.", { number: proposal }),
  };
  tell(question, texts[choice]);
  tell(state, "");
  sure.hidden = false;
  question.focus();
}

async function vote(choice) {
  confirm.disabled = true;
  disable(true);
  try {
    tell(state, say("Signing…"));
    pending.signed ??= await buildAndSign({
      kid: document.body.dataset.key,
      messages: [{ app: "governance", type: "Vote", body: { v: 1, proposal, choice } }],
    });
    tell(state, say("Sending…"));
    await sendSigned(pending.signed.jws);
    tell(state, say("Waiting for the block…"));
    await waitFinal(pending.signed.id);
    location.replace(`/league/proposals/${proposal}?voted=${pending.signed.id}`);
  } catch (error) {
    tell(state, describeFault(error));
    confirm.disabled = false;
    if (!(error instanceof Unreachable)) {
      pending.signed = undefined;
      sure.hidden = true;
      disable(false);
    }
  }
}

function disable(isDisabled) {
  for (const button of choices) {
    button.disabled = isDisabled;
  }
}
