// On paper nothing is far from the reader.
import { shallowRef } from "vue";

export const isPrinting = shallowRef(false);
addEventListener("beforeprint", () => (isPrinting.value = true));
addEventListener("afterprint", () => (isPrinting.value = false));
