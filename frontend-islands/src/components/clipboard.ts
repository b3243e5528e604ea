// Copying, as the pages do it; it is always said what came of it.
import { t } from "@/i18n";
import { copied } from "@pages/clipboard.js";
import { richText } from "@pages/rich_text.js";
import { notify, tell } from "./notices";

/** The text, and what is shown of it for programs that take that. */
export async function copy(text: string, shown?: Node | null): Promise<void> {
  if (await copied(text, shown ? richText(shown) : undefined)) notify(t("Copied"));
  else tell(new Error(t("That could not be copied. Select it and copy it by hand.")));
}
