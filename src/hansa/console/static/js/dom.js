// Building and showing parts of a page: elements and text only, never HTML from a string.

/** The element of this id. Throws when the page has it not. */
export function find(id) {
  const element = document.getElementById(id);
  if (element === null) {
    throw new Error(`this page has no #${id}`);
  }
  return element;
}

/** A new element; attributes: false and null are left out, true is empty; children: nodes, texts. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  element.append(...children);
  return element;
}

/** Show a text in an element, or hide it when there is none. */
export function tell(element, text) {
  element.textContent = text;
  element.hidden = text === "";
}

/** Save bytes or text as a file of the person's. */
export function saveFile(name, content, media = "application/json") {
  const address = URL.createObjectURL(new Blob([content], { type: media }));
  const link = make("a", { href: address, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/** Take files that are dropped on an element. */
export function watchDrop(zone, take) {
  for (const name of ["dragenter", "dragover"]) {
    zone.addEventListener(name, (event) => {
      event.preventDefault();
      zone.classList.add("over");
    });
  }
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    take(Array.from(event.dataTransfer.files));
  });
}

/** An account or a digest, short enough to read: its first and last characters. */
export function shorten(text, kept = 8) {
  const bare = text.replace(/^did:hansa:/u, "");
  return bare.length <= 2 * kept + 1 ? bare : `${bare.slice(0, kept)}…${bare.slice(-kept)}`;
}
