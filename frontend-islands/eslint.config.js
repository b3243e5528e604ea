import vue from "eslint-plugin-vue";
import typescript from "typescript-eslint";

export default typescript.config(
  { ignores: ["dist/", "src/api/schema.d.ts", "src/components.d.ts", "public/"] },
  ...typescript.configs.strict,
  ...vue.configs["flat/recommended"],
  {
    files: ["**/*.vue"],
    languageOptions: { parserOptions: { parser: typescript.parser } },
  },
  {
    rules: {
      "@typescript-eslint/no-non-null-assertion": "off", // noUncheckedIndexedAccess asks for them where we know better
      "@typescript-eslint/explicit-module-boundary-types": "error",
      "no-console": "error",
      "vue/no-v-html": "error",
      "vue/block-lang": ["error", { script: { lang: "ts" } }],
      "vue/component-api-style": ["error", ["script-setup"]],
      // How a line is broken is nobody's business here.
      "vue/max-attributes-per-line": "off",
      "vue/singleline-html-element-content-newline": "off",
      "vue/multiline-html-element-content-newline": "off",
      "vue/html-self-closing": "off",
      "vue/html-indent": "off",
      "vue/html-closing-bracket-newline": "off",
    },
  },
  {
    files: ["src/**/*.{ts,vue}"],
    ignores: ["src/api/**", "**/*.test.ts"],
    rules: { "no-restricted-imports": ["error", { paths: [{ name: "axios", message: "Only src/api speaks HTTP." }] }] },
  },
  { files: ["src/worker/**"], languageOptions: { globals: { self: "readonly", caches: "readonly", fetch: "readonly", location: "readonly", Request: "readonly", URL: "readonly" } } },
  { files: ["scripts/**"], languageOptions: { globals: { console: "readonly", process: "readonly", URL: "readonly" } }, rules: { "no-console": "off" } },
);
