// An answer that came while nobody looked: a mark before the window's title until somebody does.
const MARK = "● ";

export function tellOfNews(): void {
  if (!document.hidden || document.title.startsWith(MARK)) return;
  document.title = MARK + document.title;
  document.addEventListener("visibilitychange", seen);
}

function seen(): void {
  if (document.hidden) return;
  document.title = document.title.replace(MARK, "");
  document.removeEventListener("visibilitychange", seen);
}
