import { expect, test } from "vitest";
import { catalogueOf } from "./catalogues";

test("only what the frontend says, joined lines and plurals included", () => {
  const po = `msgid ""
msgstr ""
"Language: zh_Hans_CN\\n"

#: frontend-islands/src/a.vue templates/b.html
msgid "Say \\"hello\\""
msgstr "说“你好”"

#: templates/c.html
msgid "Only a page says this"
msgstr "……"

#: frontend-islands/src/d.ts
msgid "{n} message"
msgid_plural "{n} messages"
msgstr[0] ""
"{n} 条"
"消息"
`;
  expect(catalogueOf(po)).toEqual({ 'Say "hello"': "说“你好”", "{n} message": ["{n} 条消息"] });
  expect(catalogueOf(po, /src\/d\.ts/)).toEqual({ "{n} message": ["{n} 条消息"] });
});
