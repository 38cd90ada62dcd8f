// What the verifier says, in templates that pages can translate; and how a check says no. Pure.
//
// The English text of a reason is word for word that of src/hansa/client/verify.py.

const SHOWN_MAX = 300;
// What Python's str.isprintable refuses: other, separators; a plain space is printed.
const UNPRINTABLE = /[\p{C}\p{Z}]/u;

/** A sentence with named places, and what stands there: texts, numbers or reasons. */
export class Reason {
  constructor(template, params) {
    this.template = template;
    this.params = params;
  }

  /** In English, or in the words of `translate(template)`. */
  write(translate = (template) => template) {
    return translate(this.template).replace(/\{(\w+)\}/gu, (whole, name) => {
      const value = this.params[name];
      return value instanceof Reason ? value.write(translate) : String(value ?? whole);
    });
  }

  toString() {
    return this.write();
  }
}

/** A reason. Sentences are collected for translation from calls of this name. */
export function say(template, params = {}) {
  return new Reason(template, params);
}

/** A step failed. */
export class Failed extends Error {
  constructor(reason) {
    super(String(reason));
    this.reason = reason;
  }
}

/** What is trusted is older than the trust period. */
export class Expired extends Failed {}

/** The header is of a later time than the clock of the one who judges. */
export class FromTheFuture extends Failed {}

/** Too few of the trusted validators signed. */
export class NotEnoughTrust extends Failed {}

/** A step cannot be judged here. */
export class Unjudged extends Error {
  constructor(reason) {
    super(String(reason));
    this.reason = reason;
  }
}

/** Throw Failed for `reason` unless `condition` holds. */
export function require(condition, reason) {
  if (!condition) {
    throw new Failed(reason);
  }
}

/** Text from a file, safe to show: nothing unprintable, nothing endless. */
export function show(text, sizeMax = SHOWN_MAX) {
  const characters = Array.from(String(text));
  const cut = characters.length <= sizeMax ? characters : [...characters.slice(0, sizeMax), "…"];
  return cut
    .map((each) => {
      const code = each.codePointAt(0).toString(16).padStart(4, "0");
      return each !== " " && UNPRINTABLE.test(each) ? `\\u${code}` : each;
    })
    .join("");
}
