// The sentences of our scripts in the page's language: `say("Sign in")`. A sentence that lacks its
// words, or a page that cannot reach the server any more, is shown in English.

const words = await load();

async function load() {
  try {
    const answer = await fetch(`/words/${document.documentElement.lang}.json`);
    return answer.ok ? await answer.json() : {};
  } catch {
    return {};
  }
}

/** A sentence in the page's language, its {places} filled. Write it in double quotes. */
export function say(sentence, places = {}) {
  const text = Object.hasOwn(words, sentence) ? words[sentence] : sentence;
  return text.replace(/\{(\w+)\}/g, (whole, name) =>
    Object.hasOwn(places, name) ? String(places[name]) : whole,
  );
}
