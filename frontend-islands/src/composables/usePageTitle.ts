// What the window is called, in the language of the moment.
import { watchEffect } from "vue";

export function usePageTitle(title: () => string): void {
  watchEffect(() => {
    document.title = `${title()} – Teahouse`;
  });
}
