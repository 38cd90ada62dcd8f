// Why something was not signed or not sent, in the page's language.

import { make } from "./dom.js";
import { NoCryptography } from "./keys.js";
import { Problem } from "./transaction.js";
import { say } from "./words.js";

/** Parts of a notice: a refusal at the door with its remedy, or what failed in this browser. */
export async function refuse(error) {
  if (error instanceof NoCryptography) {
    return [say("This page may not use the browser's cryptography. Open it over https.")];
  }
  if (error instanceof Problem) {
    const { text, remedy } = await translate(error);
    return [make("strong", {}, text), " ", remedy];
  }
  return [say("Signing failed. Nothing was sent."), " ", String(error.message ?? error)];
}

/** The words of a refusal at the door, in the page's language. */
async function translate(problem) {
  const query = new URLSearchParams({ detail: problem.message, remedy: problem.remedy });
  for (const [name, value] of Object.entries(problem.params)) {
    query.set(`p.${name}`, String(value));
  }
  try {
    const answer = await fetch(`/refusals/${encodeURIComponent(problem.code)}?${query}`);
    return await answer.json();
  } catch {
    return { text: problem.message, remedy: problem.remedy };
  }
}
