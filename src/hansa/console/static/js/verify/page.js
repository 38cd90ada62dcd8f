// The page /verify: files that are dropped, chosen, scanned or linked, judged here and nowhere else.
//
// Expects templates/verify.html: #verify (data-library), #verify-files, #drop-zone, #results,
// #no-results, #scan-button, #scan-room, #scan-video, #scan-stop, #scan-fault, and what pins.js names.

import { find, make, tell, watchDrop } from "../dom.js";
import { describeFault as tellFault } from "../faults.js";
import { hasCryptography } from "../digests.js";
import { say } from "../words.js";
import { describeFault, describeVerdict } from "./cards.js";
import { PAGE_CURES } from "./explained.js";
import { FILE_BYTES_MAX } from "./forms.js";
import { offerPin, watchPins } from "./pins.js";
import { findRoots, isGenesis } from "./roots.js";
import { CannotScan, readPicture, startCamera } from "./scanning.js";
import { fetchFile, NoSource, readLabel, readLink } from "./sources.js";
import { verifyFile } from "./verifier.js";

const LIBRARY = find("verify").dataset.library;
const judged = [];
const camera = { stop: null };

async function start() {
  if (!hasCryptography()) {
    tell(find("verify-fault"), say("This browser gives its cryptography to https and loopback pages only: nothing can be judged here."));
    return;
  }
  const shapes = await loadShapes();
  const judge = (name, data) => judgeFile(name, data, shapes);
  watchFiles(judge);
  watchScanner(judge);
  await watchPins(() => judgeAgain(shapes));
  await openLink(location.href, judge);
  find("verify").dataset.ready = "true";
}

/** What identifiers look like: part of this release. Without it absence cannot be judged. */
async function loadShapes() {
  try {
    return await (await fetch("/static/js/verify/shapes.json")).json();
  } catch {
    return null;
  }
}

// --- files ---

function watchFiles(judge) {
  const input = find("verify-files");
  input.addEventListener("change", async () => {
    await takeFiles(Array.from(input.files), judge);
    input.value = "";
  });
  watchDrop(find("drop-zone"), (files) => takeFiles(files, judge));
}

async function takeFiles(files, judge) {
  for (const file of files) {
    if (file.type.startsWith("image/")) {
      await takePicture(file, judge);
    } else {
      // One byte more than a file may have is enough to say no.
      const part = file.slice(0, FILE_BYTES_MAX + 1);
      await judge(file.name, new Uint8Array(await part.arrayBuffer()));
    }
  }
}

async function judgeFile(name, data, shapes) {
  if (isGenesis(data)) {
    await showGenesis(name, data, shapes);
    return;
  }
  const options = { findRoots, shapes, cures: PAGE_CURES };
  const verdict = await verifyFile(data, options);
  const actions = verdict.kind === "checkpoint" && verdict.outcome !== "no" ? [makePinButton(data, shapes)] : [];
  const card = describeVerdict(name, verdict, actions);
  place(name, data, card);
}

async function showGenesis(name, data, shapes) {
  try {
    await offerPin(data, () => judgeAgain(shapes));
  } catch (error) {
    place(name, data, describeFault(name, String(error.reason ?? tellFault(error))));
  }
}

function makePinButton(data, shapes) {
  const button = make("button", { class: "button quiet", type: "button" }, say("Pin this checkpoint"));
  button.addEventListener("click", () => offerPin(data, () => judgeAgain(shapes)));
  return button;
}

/** Put a card on top, in place of the one of the same file. */
function place(name, data, card) {
  const known = judged.find((each) => each.name === name && isSameFile(each.data, data));
  if (known === undefined) {
    judged.push({ name, data, card });
    find("results").prepend(card);
    find("no-results").hidden = true;
  } else {
    known.card.replaceWith(card);
    known.card = card;
  }
}

function isSameFile(one, other) {
  if (one === null || other === null) {
    return one === other;
  }
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}

/** After something was pinned the same files may get another verdict. */
async function judgeAgain(shapes) {
  for (const { name, data } of [...judged]) {
    if (data !== null) {
      await judgeFile(name, data, shapes);
    }
  }
}

// --- codes and links ---

function watchScanner(judge) {
  find("scan-button").addEventListener("click", async () => {
    tell(find("scan-fault"), "");
    try {
      camera.stop = await startCamera(find("scan-video"), LIBRARY, async (text) => {
        closeScanner();
        await openScanned(text, judge);
      });
      find("scan-room").hidden = false;
      find("scan-stop").focus();
    } catch (error) {
      tell(find("scan-fault"), describeScanFault(error));
    }
  });
  find("scan-stop").addEventListener("click", () => {
    camera.stop?.();
    closeScanner();
  });
}

function closeScanner() {
  camera.stop = null;
  find("scan-room").hidden = true;
  find("scan-button").focus();
}

async function takePicture(file, judge) {
  tell(find("scan-fault"), "");
  try {
    const text = await readPicture(file, LIBRARY);
    if (text === "") {
      tell(find("scan-fault"), say("There is no QR code in this picture."));
      return;
    }
    await openScanned(text, judge);
  } catch (error) {
    tell(find("scan-fault"), describeScanFault(error));
  }
}

/** Follow a scanned code: only to this server's own proofs and labels, nowhere else. */
async function openScanned(text, judge) {
  const label = readLabel(text);
  if (label !== null) {
    location.assign(label);
    return;
  }
  try {
    const link = readLink(text);
    if (link === null) {
      throw new NoSource("no link to a file");
    }
    await openSource(link, judge);
  } catch (error) {
    if (!(error instanceof NoSource)) {
      throw error;
    }
    const words = say("The code does not lead to a proof on this server. It says: {text}", {
      text: text.slice(0, 300),
    });
    tell(find("scan-fault"), words);
  }
}

/** What the page's own address asks for. */
async function openLink(address, judge) {
  try {
    const link = readLink(address);
    if (link !== null) {
      await openSource(link, judge);
    }
  } catch (error) {
    if (!(error instanceof NoSource)) {
      throw error;
    }
    tell(find("verify-fault"), say("The address names nothing that can be verified."));
  }
}

async function openSource(link, judge) {
  const name = link.record ?? link.receipt;
  try {
    await judge(name, await fetchFile(link));
  } catch (error) {
    place(name, null, describeFault(name, tellFault(error)));
  }
}

function describeScanFault(error) {
  if (!(error instanceof CannotScan)) {
    return say("This picture cannot be read.");
  }
  if (error.code === "refused") {
    return say("The camera was not allowed. Choose a picture or a file instead.");
  }
  if (error.code === "no_camera") {
    return say("There is no camera here. Choose a picture or a file instead.");
  }
  return say("This browser reads no QR codes by itself, and this server was set up without the package that can (jsQR). Choose a file instead.");
}

await start();
