import vue from "@vitejs/plugin-vue";
import Components from "unplugin-vue-components/vite";
import { ElementPlusResolver } from "unplugin-vue-components/resolvers";
import { loadEnv } from "vite";
import { defineConfig } from "vitest/config";
import { catalogues } from "./build/catalogues.ts";

export default defineConfig(({ mode }) => {
  const server = loadEnv(mode, import.meta.dirname, "TEAHOUSE_")["TEAHOUSE_DEV_SERVER"] ?? "http://127.0.0.1:8000";
  return {
    base: "/app/",
    plugins: [
      vue(),
      Components({ dirs: [], dts: "src/components.d.ts", resolvers: [ElementPlusResolver({ importStyle: "css" })] }),
      catalogues(),
    ],
    resolve: { alias: { "@": new URL("./src", import.meta.url).pathname } },
    server: { proxy: Object.fromEntries(["/api", "/static", "/login", "/register"].map((path) => [path, server])) },
    build: {
      manifest: "manifest.json",
      target: "es2022",
      rollupOptions: { input: { spa: "index.html" } },
    },
    test: { environment: "happy-dom", include: ["src/**/*.test.ts", "build/**/*.test.ts"], server: { deps: { inline: ["element-plus"] } } },
  };
});
