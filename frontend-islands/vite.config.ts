import vue from "@vitejs/plugin-vue";
import Components from "unplugin-vue-components/vite";
import { ElementPlusResolver } from "unplugin-vue-components/resolvers";
import { loadEnv, type Plugin } from "vite";
import { defineConfig } from "vitest/config";
import { serviceWorker } from "./build/serviceWorker.ts";
import { catalogues } from "./build/catalogues.ts";

/** What is there without a server: signing in, a new conversation, a conversation, and the words of all this. */
const SHELL = ["LoginPage.vue", "ConversationFrame.vue", "NewConversationPage.vue", "ConversationPage.vue", "catalogue/zh-CN"];

/** On demand, and for the application alone: no island has any of it. */
const elementPlus = (): Plugin => ({
  ...Components({ dirs: [], dts: "src/components.d.ts", resolvers: [ElementPlusResolver({ importStyle: "css" })] }),
  applyToEnvironment: ({ name }) => name === "client",
});

const SAID_BY_ISLANDS = /frontend-islands\/src\/(?:islands\/|features\/(?:usage|diagrams)\/|features\/models\/ModelChooser)/;

export default defineConfig(({ mode }) => {
  const server = loadEnv(mode, import.meta.dirname, "TEAHOUSE_")["TEAHOUSE_DEV_SERVER"] ?? "http://127.0.0.1:8000";
  return {
    base: "/app/",
    plugins: [
      vue(),
      elementPlus(),
      serviceWorker("/app/", SHELL, ["first-paint.js", "teahouse.svg"]),
      catalogues({ islands: SAID_BY_ISLANDS }),
    ],
    resolve: { alias: { "@": new URL("./src", import.meta.url).pathname, "@pages": new URL("../static/js", import.meta.url).pathname } },
    server: { fs: { allow: [".", "../static"] }, proxy: Object.fromEntries(["/api", "/static", "/login", "/register"].map((path) => [path, server])) },
    build: { target: "es2022" },
    // Three programs that share sources and no chunk: each loads what it uses of a library, and nothing else.
    builder: {
      async buildApp({ build, environments }) {
        for (const name of ["client", "islands", "diagram"]) await build(environments[name]!);
      },
    },
    environments: {
      client: { build: { manifest: "manifest.json", rollupOptions: { input: { spa: "index.html" } } } },
      islands: {
        consumer: "client",
        define: { __VUE_OPTIONS_API__: "false" },
        build: { manifest: "islands.json", emptyOutDir: false, copyPublicDir: false, rollupOptions: { input: { islands: "src/islands/index.ts" } } },
      },
      diagram: {
        consumer: "client",
        build: { emptyOutDir: false, copyPublicDir: false, chunkSizeWarningLimit: 1_000, rollupOptions: { input: { diagram: "diagram.html" } } },
      },
    },
    // A window for each worker and not for each file: to make one takes ten times what its tests take.
    test: { environment: "happy-dom", isolate: false, include: ["src/**/*.test.ts", "build/**/*.test.ts"], server: { deps: { inline: ["element-plus"] } } },
  };
});
