// The part of the page that shows what is pinned, and pins more: never without the person's yes.

import { describeFault as tellFault } from "../faults.js";
import { find, make, tell } from "../dom.js";
import { say } from "../words.js";
import { groupDigits } from "./cards.js";
import { writeReason } from "./explained.js";
import { considerRoot, pinConsidered } from "./pinning.js";
import { Failed } from "./reasons.js";
import { forgetChain, listRoots } from "./roots.js";
import { fetchCheckpoint } from "./sources.js";

/** Wire the section: #roots, #pin-file, #pin-here, #pin-fault, #pin-candidate. */
export function watchPins(whenPinned) {
  find("pin-file").addEventListener("change", async () => {
    const [file] = find("pin-file").files;
    if (file !== undefined) {
      await attempt(async () => offerPin(new Uint8Array(await file.arrayBuffer()), whenPinned));
      find("pin-file").value = "";
    }
  });
  find("pin-here").addEventListener("click", () =>
    attempt(async () => offerPin(await fetchCheckpoint(), whenPinned)),
  );
  return showPins();
}

/** Show what is in `data` and ask whether to pin it. */
export async function offerPin(data, whenPinned) {
  const considered = await considerRoot(data);
  const room = find("pin-candidate");
  const { root, state, verdict } = considered;
  const yes = make("button", { class: "button", type: "button", id: "pin-yes" }, labelPin(state));
  const no = make("button", { class: "button quiet", type: "button" }, say("Not now"));
  yes.addEventListener("click", () =>
    attempt(async () => {
      await pinConsidered(data, considered);
      room.replaceChildren();
      await showPins();
      await whenPinned();
    }),
  );
  no.addEventListener("click", () => room.replaceChildren());
  const isDone = state === "same";
  room.replaceChildren(
    make(
      "div",
      { class: "card stack", tabindex: "-1", id: "pin-card" },
      make("h3", {}, nameRoot(root)),
      describeRoot(root),
      make("p", { class: `notice ${state === "contradicts" ? "refused" : "warning"}` }, explain(state)),
      ...(verdict === null || state === "follows" ? [] : [describeWhyNot(verdict)]),
      make("p", { class: "actions" }, ...(isDone ? [no] : [yes, no])),
    ),
  );
  find("pin-card").focus();
}

async function showPins() {
  const pinned = await listRoots();
  const list = find("roots");
  find("no-roots").hidden = pinned.length > 0;
  list.replaceChildren(
    ...pinned.map(({ root }) => {
      const forget = make("button", { class: "button quiet small", type: "button" }, say("Forget"));
      forget.setAttribute("aria-label", say("Forget all that is pinned of {chain}", { chain: root.chain }));
      forget.addEventListener("click", () =>
        attempt(async () => {
          await forgetChain(root.chain);
          await showPins();
        }),
      );
      return make("li", {}, make("div", { class: "stack" }, make("strong", {}, nameRoot(root)), describeRoot(root)), forget);
    }),
  );
}

function nameRoot(root) {
  return root.kind === "genesis"
    ? say("Genesis of {chain}", { chain: root.chain })
    : say("Checkpoint of {chain} at block {height}", { chain: root.chain, height: String(root.height) });
}

function describeRoot(root) {
  const day = new Date(Number(root.trusted.time.seconds) * 1000).toISOString().slice(0, 10);
  return make(
    "p",
    {},
    make("code", { class: "fingerprint" }, groupDigits(root.digest)),
    make("br"),
    make("span", { class: "help" }, say("of {day}; validators: {count}", { day, count: root.trusted.validators.length })),
  );
}

function explain(state) {
  if (state === "same") {
    return say("This is pinned already.");
  }
  if (state === "follows") {
    return say("It follows from what you have pinned. It takes the place of the older checkpoint.");
  }
  if (state === "older") {
    return say("A newer checkpoint is pinned. Keep that one, unless you know why not.");
  }
  if (state === "contradicts") {
    return say("It contradicts what you have pinned. Pin it only if a member has told you, over a channel that you trust, that this fingerprint is right: what is pinned now is then forgotten.");
  }
  return say("Compare the fingerprint with the one that a member of the league tells you, over a channel that you trust (a call, a letter, a meeting). Whoever could change this server could show you another league.");
}

function labelPin(state) {
  if (state === "follows") {
    return say("Pin it");
  }
  return state === "first" ? say("It is the same: pin it") : say("Pin it all the same");
}

function describeWhyNot(verdict) {
  const { reason } = verdict.steps.find(({ ok }) => ok !== true);
  return make("p", { class: "help" }, writeReason(reason));
}

async function attempt(step) {
  tell(find("pin-fault"), "");
  try {
    await step();
  } catch (error) {
    const text = error instanceof Failed ? writeReason(error.reason) : tellFault(error);
    tell(find("pin-fault"), text);
  }
}
