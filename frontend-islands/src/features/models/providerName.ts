import { t } from "@/i18n";

export const providerName = (provider: string): string =>
  ({ ollama: "Ollama", openai: t("OpenAI-compatible server"), embedded: t("Demo model, built in") })[provider] ?? provider;
