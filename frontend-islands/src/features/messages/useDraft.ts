// What is typed and not sent, per conversation; the same place that the pages use.
import { ref, watch, type Ref } from "vue";

const AFTER_MS = 300;
const placeOf = (key: string): string => `teahouse-draft:${key}`;
const open = new Map<string, Ref<string>>();

export function useDraft(key: string): Ref<string> {
  const place = placeOf(key);
  const text = ref(read(place));
  open.set(key, text);
  let timer: ReturnType<typeof setTimeout> | undefined;
  watch(text, (value) => {
    clearTimeout(timer);
    if (value) timer = setTimeout(() => write(place, value), AFTER_MS);
    else write(place, "");
  });
  return text;
}

/** What was typed into a new conversation while its first message was on its way belongs to that conversation. */
export function moveDraft(from: string, to: string): void {
  const text = open.get(from);
  if (!text?.value) return;
  write(placeOf(to), text.value);
  write(placeOf(from), "");
  text.value = "";
}

// A storage that is full or forbidden harms nothing.
function read(place: string): string {
  try {
    return localStorage.getItem(place) ?? "";
  } catch {
    return "";
  }
}

function write(place: string, value: string): void {
  try {
    if (value) localStorage.setItem(place, value);
    else localStorage.removeItem(place);
  } catch {
    // as above
  }
}
