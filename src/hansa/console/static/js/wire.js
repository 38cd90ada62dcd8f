// Asking this gateway (same origin) for JSON. Touches the network; sends no cookie's secret itself.

const TIMEOUT_MS = 20_000;
const BUSY = new Set([429, 503, 504]);

/** The gateway said no: the fields of its problem document (RFC 9457). */
export class Problem extends Error {
  constructor(fields, status = 0) {
    super(fields.detail ?? fields.title ?? fields.code ?? `status ${status}`);
    this.status = status;
    this.code = fields.code ?? "";
    this.title = fields.title ?? "";
    this.detail = fields.detail ?? "";
    this.rule = fields.rule ?? "";
    this.remedy = fields.remedy ?? "";
    this.params = fields.params ?? {};
  }

  /** Whether the same request may succeed soon. A quota that is spent is a no, not a wait. */
  get isBusy() {
    return BUSY.has(this.status) && !this.code.startsWith("ledger.");
  }
}

/** No answer came: nobody knows whether the request arrived. */
export class Unreachable extends Error {}

/** The JSON answer to a request. Throws Problem, Unreachable. */
export async function askJson(path, options = {}) {
  const answer = await ask(path, options);
  try {
    return await answer.json();
  } catch (error) {
    throw new Unreachable(`no answer that can be read from ${path}`, { cause: error });
  }
}

/** The bytes of an answer. Throws Problem, Unreachable. */
export async function askBytes(path, options = {}) {
  const answer = await ask(path, options);
  try {
    return new Uint8Array(await answer.arrayBuffer());
  } catch (error) {
    throw new Unreachable(`the answer from ${path} was cut off`, { cause: error });
  }
}

async function ask(path, { method = "GET", body, media } = {}) {
  let answer;
  try {
    answer = await fetch(path, {
      method,
      body,
      headers: media ? { "content-type": media } : {},
      signal: AbortSignal.timeout(TIMEOUT_MS),
      redirect: "error",
      credentials: "same-origin",
    });
  } catch (error) {
    throw new Unreachable(`no answer from ${path}`, { cause: error });
  }
  if (!answer.ok) {
    throw new Problem(await readProblem(answer), answer.status);
  }
  return answer;
}

async function readProblem(answer) {
  try {
    const fields = await answer.json();
    return typeof fields === "object" && fields !== null ? fields : {};
  } catch {
    return {};
  }
}
