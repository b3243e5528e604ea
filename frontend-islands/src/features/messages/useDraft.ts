// What is typed and not sent, per conversation; the same place that the pages use.
import { ref, watch, type Ref } from "vue";

const AFTER_MS = 300;

export function useDraft(key: string): Ref<string> {
  const place = `teahouse-draft:${key}`;
  const text = ref(read(place));
  let timer: ReturnType<typeof setTimeout> | undefined;
  watch(text, (value) => {
    clearTimeout(timer);
    if (value) timer = setTimeout(() => write(place, value), AFTER_MS);
    else write(place, "");
  });
  return text;
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
