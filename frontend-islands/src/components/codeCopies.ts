// A button in the header of each piece of code: there is no other way to put one into markup of the server's.
import { t } from "@/i18n";
import { notify } from "./notices";

export function offerCopies(root: HTMLElement): void {
  for (const header of root.querySelectorAll(".code-header:not(:has(.copy))")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "quiet copy";
    button.textContent = t("Copy");
    button.addEventListener("click", () => void copy(header));
    header.append(button);
  }
}

async function copy(header: Element): Promise<void> {
  await navigator.clipboard.writeText(header.closest(".code")?.querySelector("pre")?.textContent ?? "");
  notify(t("Copied"));
}
