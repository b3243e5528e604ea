import { expect, test } from "vitest";
import { shellOf } from "./serviceWorker";

const chunk = (fileName: string, more: object = {}): { type: string; fileName: string } => ({ type: "chunk", fileName, ...more });
const bundle = {
  "spa.js": chunk("spa.js", { isEntry: true, imports: ["vue.js"], viteMetadata: { importedCss: new Set(["spa.css"]) } }),
  "vue.js": chunk("vue.js", { imports: ["spa.js"] }),
  "chat.js": chunk("chat.js", { facadeModuleId: "/x/src/pages/ConversationPage.vue", imports: ["message.js"] }),
  "message.js": chunk("message.js"),
  "table.js": chunk("table.js", { facadeModuleId: "/x/src/pages/UsersPage.vue" }),
};

test("the shell is what the named pages need, and no other page", () => {
  expect(shellOf(bundle, ["ConversationPage.vue"])).toEqual(["chat.js", "message.js", "spa.css", "spa.js", "vue.js"]);
});

test("a page that is no more is noticed", () => {
  expect(() => shellOf(bundle, ["GonePage.vue"])).toThrow("GonePage.vue");
});
