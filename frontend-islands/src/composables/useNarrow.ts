// Whether a table has no room for all its columns.
import { useMediaQuery } from "@vueuse/core";
import type { Ref } from "vue";

export const useNarrow = (): Readonly<Ref<boolean>> => useMediaQuery("(width < 700px)");
