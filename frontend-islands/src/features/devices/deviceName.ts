// What a person would call the device, as far as its user agent tells. The tables of app/web/settings_devices.py.
import { t } from "@/i18n";

type Known = readonly (readonly [RegExp, string])[];

// Those that call themselves by others' names come first.
const BROWSERS: Known = [
  [/\bEdgA?\/|\bEdgiOS\//, "Edge"],
  [/\bOPR\/|\bOpera/, "Opera"],
  [/\bSamsungBrowser\//, "Samsung Internet"],
  [/\bVivaldi\//, "Vivaldi"],
  [/\bMicroMessenger\//, "WeChat"],
  [/\bFirefox\/|\bFxiOS\//, "Firefox"],
  [/\bChromium\//, "Chromium"],
  [/\b(Headless)?Chrome\/|\bCriOS\//, "Chrome"],
  [/\bSafari\//, "Safari"],
  [/^curl\//, "curl"],
  [/^(python-)?httpx|^python-requests|^aiohttp|^Python-urllib/, "Python"],
  [/^teahouse\b/, "teahouse"],
];
const SYSTEMS: Known = [
  [/\biPhone\b/, "iPhone"],
  [/\biPad\b/, "iPad"],
  [/\bAndroid\b/, "Android"],
  [/\bCrOS\b/, "ChromeOS"],
  [/\bWindows\b/, "Windows"],
  [/\bMac OS X\b|\bMacintosh\b/, "macOS"],
  [/\bLinux\b|\bX11\b/, "Linux"],
];

export function deviceName(agent: string, kind: "page" | "api"): string {
  const [browser, system] = [first(BROWSERS, agent), first(SYSTEMS, agent)];
  if (browser && system) return t("{browser} on {system}", { browser, system });
  return browser || system || (kind === "api" ? t("A program") : t("An unknown browser"));
}

/** “Python”, or how else a program calls itself. */
export function programName(agent: string): string {
  return first(BROWSERS, agent) || agent.split(" ")[0]!.slice(0, 40) || t("A program");
}

const first = (known: Known, agent: string): string => known.find(([pattern]) => pattern.test(agent))?.[1] ?? "";
