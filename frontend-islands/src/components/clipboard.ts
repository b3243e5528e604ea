// Copying, as the pages do it; it is always said what came of it.
import { t } from "@/i18n";
import { copied } from "@pages/clipboard.js";
import { notify, tell } from "./notices";

export async function copy(text: string): Promise<void> {
  if (await copied(text)) notify(t("Copied"));
  else tell(new Error(t("That could not be copied. Select it and copy it by hand.")));
}
