// Whether a table has no room for all its columns.
import { onScopeDispose, readonly, ref, type Ref } from "vue";

export function useNarrow(query = "(width < 700px)"): Readonly<Ref<boolean>> {
  const media = matchMedia(query);
  const isNarrow = ref(media.matches);
  const look = (): void => {
    isNarrow.value = media.matches;
  };
  media.addEventListener("change", look);
  onScopeDispose(() => media.removeEventListener("change", look));
  return readonly(isNarrow);
}
