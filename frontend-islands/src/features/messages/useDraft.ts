// What is typed and not sent, per person and conversation; one draft with the pages.
import { ref, watch, type Ref } from "vue";
import { useSession } from "@/stores/session";
import { draftKey, keepDraft, readDraft } from "@pages/storage.js";

const open = new Map<string, Ref<string>>();

const keyOf = (place: string): string => draftKey(useSession().user?.id ?? "", place);

export function useDraft(place: string): Ref<string> {
  const key = keyOf(place);
  const text = ref(readDraft(key));
  open.set(key, text);
  // At every letter: nothing waits that could be written after its writer has signed out.
  watch(text, (value) => keepDraft(key, value), { flush: "sync" });
  return text;
}

/** A message that is worded anew has a draft of its own: an edit that was not sent, or was refused, is not lost. */
export const editOf = (messageId: string): string => `edit-${messageId}`;

export const hasDraft = (place: string): boolean => Boolean(readDraft(keyOf(place)));

export function forgetDraft(place: string): void {
  keepDraft(keyOf(place), "");
}

/** What was typed into a new conversation while its first message was on its way belongs to that conversation. */
export function moveDraft(from: string, to: string): void {
  const text = open.get(keyOf(from));
  if (!text?.value) return;
  keepDraft(keyOf(to), text.value);
  text.value = "";
}
