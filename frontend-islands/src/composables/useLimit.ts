// A text that is too long is kept whole and not sent; `maxlength` would cut what is pasted without a word.
import { computed, watchEffect, type ComputedRef, type Ref } from "vue";
import { locale, t } from "@/i18n";
import { excess } from "@pages/characters.js";

// As the API has them: see useLimit.test.ts.
export const MOST_OF_MESSAGE = 100_000;
export const MOST_OF_SYSTEM_PROMPT = 32_000;
export const MOST_OF_TITLE = 200;

type Field = HTMLInputElement | HTMLTextAreaElement;

/** By how much the text is too long, in words. Its form is not submitted as long as it is. */
export function useLimit(field: Readonly<Ref<Field | null>>, text: () => string, most: () => number): ComputedRef<string> {
  const over = computed(() => excess(text(), most(), t("{count} of {most} characters: {over} too many"), locale.value));
  watchEffect(() => field.value?.setCustomValidity(over.value), { flush: "post" });
  return over;
}
