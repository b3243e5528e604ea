// Where something in the top layer stands: beside what opened it, and inside the window.
const EDGE = 8;

/** Below the opener, or above it where there is no room; there it grows and shrinks upwards. */
export function placeBeside(opener: HTMLElement, panel: HTMLElement): void {
  const { left, top, bottom } = opener.getBoundingClientRect();
  const { offsetWidth, offsetHeight, style } = panel;
  const isAbove = bottom + offsetHeight > innerHeight - EDGE;
  style.left = `${Math.max(EDGE, Math.min(left, innerWidth - offsetWidth - EDGE))}px`;
  style.top = isAbove ? "auto" : `${Math.max(EDGE, bottom)}px`;
  style.bottom = isAbove ? `${innerHeight - Math.max(offsetHeight + EDGE, top)}px` : "auto";
}
