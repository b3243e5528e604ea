// Language and theme. The account has a language, the device a theme; both are kept where the pages look for them.
import { defineStore } from "pinia";
import { ref } from "vue";
import { isLocale, locale, setLocale, type Locale } from "@/i18n";

export type Theme = "system" | "light" | "dark";
const YEAR = 31_536_000;

function cookie(name: string): string {
  return new RegExp(`(?:^|; )${name}=([^;]*)`).exec(document.cookie)?.[1] ?? "";
}

function keep(name: string, value: string): void {
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `${name}=${value}; path=/; max-age=${YEAR}; samesite=lax${secure}`;
}

export const usePreferences = defineStore("preferences", () => {
  const kept = cookie("teahouse_theme");
  const theme = ref<Theme>(kept === "light" || kept === "dark" ? kept : "system");

  function setTheme(wanted: Theme): void {
    theme.value = wanted;
    keep("teahouse_theme", wanted);
    if (wanted === "system") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = wanted;
  }

  async function speak(wanted: Locale): Promise<void> {
    keep("teahouse_locale", wanted);
    await setLocale(wanted);
  }

  /** Before anybody is known: the cookie, else the browser's own language. */
  function firstLocale(): Locale {
    const cookied = cookie("teahouse_locale");
    if (isLocale(cookied)) return cookied;
    return navigator.languages.map((tag) => tag.split("-")[0]).find((tag) => tag === "zh" || tag === "en") === "zh" ? "zh-CN" : "en";
  }

  /** A link of the pages leads here for good: this device opens the application from now on. */
  function rememberApp(): void {
    const address = new URL(location.href);
    if (!address.searchParams.has("remember")) return;
    keep("teahouse_face", "app");
    address.searchParams.delete("remember");
    history.replaceState(history.state, "", address);
  }

  /** No longer this application, where this device was told to open it. */
  function openPages(): void {
    document.cookie = "teahouse_face=; path=/; max-age=0; samesite=lax";
  }

  return { theme, locale, setTheme, speak, firstLocale, rememberApp, openPages };
});
