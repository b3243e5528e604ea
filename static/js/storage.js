// What this browser keeps of what was typed and not sent, by person and conversation: one draft for pages and application.

const LEFT = "teahouse-left";

/**
 * A browser may forbid storage, or have no room left: then nothing is kept, and nothing else is different.
 * @template Result
 * @param {() => Result} action
 * @returns {Result | null}
 */
export function tried(action) {
  try {
    return action();
  } catch {
    return null;
  }
}

/**
 * @param {string} userId
 * @param {string} place a conversation's id, or "new"
 */
export function draftKey(userId, place) {
  return `teahouse-draft/${userId}/${place}`;
}

/** @param {string} key */
export function readDraft(key) {
  return tried(() => localStorage.getItem(key)) ?? "";
}

/**
 * @param {string} key
 * @param {string} text
 */
export function keepDraft(key, text) {
  tried(() => (text.trim() ? localStorage.setItem(key, text) : localStorage.removeItem(key)));
}

/**
 * Who signs out leaves no draft behind. The server's cookie says who it was: it knows that they did, by whichever face
 * and also without a script, and a session that merely ends leaves none.
 */
export function forgetDrafts() {
  const left = /(?:^|; )teahouse_left=([^;]+)/.exec(document.cookie)?.[1];
  tried(() => {
    for (const key of Object.keys(localStorage)) {
      // The application once kept drafts without saying whose they are.
      const isNobodys = key.startsWith("teahouse-draft:");
      if (isNobodys || (left && key.startsWith(draftKey(left, "")))) localStorage.removeItem(key);
    }
  });
  if (!left) return;
  document.cookie = "teahouse_left=; path=/; max-age=0; samesite=lax";
  // The other windows hear of it, of either face; nothing stays.
  tried(() => localStorage.setItem(LEFT, left));
  tried(() => localStorage.removeItem(LEFT));
}

/**
 * Calls back when somebody has signed out in another window of this browser.
 * @param {(userId: string) => void} act
 */
export function whenLeft(act) {
  addEventListener("storage", ({ key, newValue }) => key === LEFT && newValue && act(newValue));
}
