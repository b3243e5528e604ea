// A button in the header of each piece of code: there is no other way to put one into markup of the server's.
import { t } from "@/i18n";
import { copy } from "./clipboard";

export function offerCopies(root: HTMLElement): void {
  for (const header of root.querySelectorAll(".code-header:not(:has(.copy))")) {
    if (header.closest(".open > :last-child")) continue; // still written: the next words would take it away
    const button = document.createElement("button");
    button.type = "button";
    button.className = "quiet copy";
    button.textContent = t("Copy");
    button.addEventListener("click", () => void copy(header.closest(".code")?.querySelector("pre")?.textContent ?? ""));
    header.append(button);
  }
}
