// The message catalogues of the pages, as modules: `virtual:catalogue/zh-CN` has what this frontend says.
import { readFileSync } from "node:fs";
import type { Plugin } from "vite";

const PREFIX = "virtual:catalogue/";
const FOLDER = new URL("../../app/i18n/", import.meta.url);

export type Catalogue = Record<string, string | string[]>;

/** The entries of a .po file that this frontend says, or the API's refusals. Plurals are lists. */
export function catalogueOf(po: string, sources = / (?:frontend-islands|app)\//): Catalogue {
  const found: Catalogue = {};
  for (const block of po.split(/\n\n+/)) {
    const lines = block.split("\n");
    if (!lines.some((line) => line.startsWith("#:") && sources.test(line))) continue;
    const fields = new Map<string, string>();
    let field = "";
    for (const line of lines) {
      const start = /^(msgctxt|msgid|msgid_plural|msgstr(?:\[\d\])?) (".*")$/.exec(line);
      if (start) field = start[1]!;
      const text = start ? start[2]! : line.startsWith('"') ? line : null;
      if (text !== null) fields.set(field, (fields.get(field) ?? "") + (JSON.parse(text) as string));
    }
    const id = fields.get("msgid");
    const plurals = [...fields].filter(([name]) => name.startsWith("msgstr[")).map(([, text]) => text);
    if (id) found[id] = plurals.length ? plurals : (fields.get("msgstr") ?? "");
  }
  return found;
}

/** `only`: for environments that say no more than what stands in these sources. */
export function catalogues(only: Record<string, RegExp> = {}): Plugin {
  return {
    name: "teahouse-catalogues",
    resolveId: (id) => (id.startsWith(PREFIX) ? `\0${id}` : null),
    load(id) {
      if (!id.startsWith(`\0${PREFIX}`)) return null;
      const locale = id.slice(PREFIX.length + 1).replace("-", "_");
      const path = new URL(`${locale}.po`, FOLDER);
      this.addWatchFile(path.pathname);
      return `export default ${JSON.stringify(catalogueOf(readFileSync(path, "utf8"), only[this.environment.name]))}`;
    },
  };
}
