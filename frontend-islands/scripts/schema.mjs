// src/api/schema.d.ts from openapi.json; with --check, only whether it is up to date.
import { readFileSync, writeFileSync } from "node:fs";
import openapiTS, { astToString } from "openapi-typescript";

const target = new URL("../src/api/schema.d.ts", import.meta.url);
const head = "// Made by `npm run schema` from openapi.json; do not edit.\n\n";
const types = head + astToString(await openapiTS(new URL("../openapi.json", import.meta.url), { alphabetize: true }));

if (!process.argv.includes("--check")) {
  writeFileSync(target, types);
} else if (readFileSync(target, "utf8") !== types) {
  console.error("src/api/schema.d.ts is not what openapi.json says: run `npm run schema`");
  process.exit(1);
}
