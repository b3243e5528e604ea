// Which pieces of a long list are near to what is seen. The others are as high as they were, and empty.
import { onScopeDispose, ref, watch, type Ref } from "vue";

const NEAR = "150% 0px";
/** Someone is at work in there: it stays. */
const BUSY = ".editor, iframe, :focus, :popover-open";

type Seen = (isNear: boolean, height: number) => void;

export interface Nearness {
  observe: (element: HTMLElement, seen: Seen) => void;
  leave: (element: HTMLElement) => void;
}

export function useNearness(root: Ref<HTMLElement | null>): Nearness {
  const listeners = new Map<Element, Seen>();
  let observer: IntersectionObserver | null = null;

  watch(root, (element) => {
    observer?.disconnect();
    observer = element && new IntersectionObserver((entries) => {
      for (const { target, isIntersecting, boundingClientRect } of entries) listeners.get(target)?.(isIntersecting, boundingClientRect.height);
    }, { root: element, rootMargin: NEAR });
    for (const target of listeners.keys()) observer?.observe(target);
  }, { immediate: true, flush: "post" });
  onScopeDispose(() => observer?.disconnect());

  return {
    observe(element, seen) {
      listeners.set(element, seen);
      observer?.observe(element);
    },
    leave(element) {
      listeners.delete(element);
      observer?.unobserve(element);
    },
  };
}

/** Whether a piece is shown, and how high it is while it is not. The browser keeps what is read where it is. */
export function usePiece(element: Ref<HTMLElement | null>, nearness: Nearness, guess: number): { isShown: Ref<boolean>; height: Ref<number> } {
  const isShown = ref(false);
  const height = ref(guess);

  watch(element, (piece, old) => {
    if (old) nearness.leave(old);
    if (!piece) return;
    nearness.observe(piece, (isNear, measured) => {
      if (isNear) isShown.value = true;
      else if (isShown.value && !piece.querySelector(BUSY)) {
        height.value = measured;
        isShown.value = false;
      }
    });
  }, { flush: "post" });
  onScopeDispose(() => element.value && nearness.leave(element.value));
  return { isShown, height };
}
