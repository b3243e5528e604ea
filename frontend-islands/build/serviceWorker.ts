// dist/sw.js: the service worker, told which files are the shell of this very build.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Plugin } from "vite";

const SOURCE = new URL("../src/worker/sw.js", import.meta.url);

interface Chunk {
  type: string;
  fileName: string;
  isEntry?: boolean;
  facadeModuleId?: string | null;
  imports?: string[];
  viteMetadata?: { importedCss: Set<string> };
}

/** The files of the entries and of those `parts` (ends of module names), with everything that they import at once. */
export function shellOf(bundle: Record<string, Chunk>, parts: readonly string[]): string[] {
  const found = new Set<string>();
  const walk = (name: string): void => {
    const chunk = bundle[name];
    if (!chunk || found.has(name)) return;
    found.add(name);
    for (const style of chunk.viteMetadata?.importedCss ?? []) found.add(style);
    (chunk.imports ?? []).forEach(walk);
  };
  for (const part of parts) if (!Object.values(bundle).some(({ facadeModuleId }) => facadeModuleId?.endsWith(part))) throw new Error(`no chunk is ${part}`);
  for (const chunk of Object.values(bundle)) {
    if (chunk.isEntry || parts.some((part) => chunk.facadeModuleId?.endsWith(part))) walk(chunk.fileName);
  }
  return [...found].sort();
}

/** `also`: what `public/` adds to the shell. */
export function serviceWorker(base: string, parts: readonly string[], also: readonly string[]): Plugin {
  return {
    name: "teahouse-service-worker",
    apply: "build",
    enforce: "post",
    applyToEnvironment: ({ name }) => name === "client",
    generateBundle: {
      order: "post",
      handler(_, bundle) {
        const files = bundle as unknown as Record<string, Chunk>;
        const entry = Object.values(files).find(({ isEntry }) => isEntry)!.fileName;
        const shell = [base, ...[...shellOf(files, parts), ...also].map((name) => base + name)];
        const source = readFileSync(SOURCE, "utf8");
        const page = (bundle["index.html"] as { source?: string | Uint8Array } | undefined)?.source ?? "";
        const version = createHash("sha256").update(JSON.stringify(shell)).update(source).update(page).digest("hex").slice(0, 12);
        const head = Object.entries({ SHELL: shell, ENTRY: entry, VERSION: version }).map(([name, value]) => `const ${name} = ${JSON.stringify(value)};\n`);
        this.emitFile({ type: "asset", fileName: "sw.js", source: head.join("") + source });
      },
    },
  };
}
