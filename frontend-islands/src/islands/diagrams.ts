// Diagrams among a page's messages: offered anew after each swap, for what has come.
import { offerDiagrams } from "@/features/diagrams/diagrams";
import { speakAsThePage, type Mounted } from "./mounting";

export async function mount(host: HTMLElement): Promise<Mounted> {
  await speakAsThePage();
  const offer = (): void => offerDiagrams(host);
  offer();
  document.addEventListener("htmx:after:swap", offer);
  return { stands: () => host.isConnected, unmount: () => document.removeEventListener("htmx:after:swap", offer) };
}
