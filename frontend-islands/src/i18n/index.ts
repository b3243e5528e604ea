// What this frontend says, in the reader's language. English sentences are the keys, as everywhere in Teahouse.
import { shallowRef } from "vue";

export type Locale = "en" | "zh-CN";
export const LOCALES: Record<Locale, string> = { en: "English", "zh-CN": "简体中文" };
type Catalogue = Record<string, string | string[]>;
type Values = Record<string, string | number>;

export const locale = shallowRef<Locale>("en");
const catalogue = shallowRef<Catalogue>({});

export function isLocale(name: string | null | undefined): name is Locale {
  return name !== null && name !== undefined && name in LOCALES;
}

/** Loads the catalogue first, so that nothing is shown in the wrong language meanwhile. */
export async function setLocale(wanted: Locale): Promise<void> {
  catalogue.value = wanted === "en" ? {} : (await import("virtual:catalogue/zh-CN")).default;
  locale.value = wanted;
  document.documentElement.lang = wanted;
}

/** The sentence in the reader's language, with `{name}` filled in. */
export function t(sentence: string, values: Values = {}): string {
  const found = catalogue.value[sentence];
  return filled((typeof found === "string" && found) || sentence, values);
}

/** The sentence for one or for `{n}` of something. */
export function tn(singular: string, plural: string, n: number, values: Values = {}): string {
  const found = catalogue.value[singular];
  const translated = Array.isArray(found) ? found[0] : undefined;
  return filled(translated || (n === 1 ? singular : plural), { n: number(n), ...values });
}

function filled(sentence: string, values: Values): string {
  return sentence.replace(/\{(\w+)\}/g, (place, name: string) => String(values[name] ?? place));
}

export function number(value: number, digits = 0): string {
  return new Intl.NumberFormat(locale.value, { maximumFractionDigits: digits }).format(value);
}

export function moment(value: string): string {
  return new Intl.DateTimeFormat(locale.value, { dateStyle: "medium", timeStyle: "short" }).format(new Date(value));
}
