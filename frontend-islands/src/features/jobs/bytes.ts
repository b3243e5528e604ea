import { number } from "@/i18n";

const UNITS = ["B", "kB", "MB", "GB", "TB"];

/** “1.3 GB”, in thousands as disks count. */
export function bytes(size: number): string {
  const at = Math.min(UNITS.length - 1, Math.max(0, Math.floor(Math.log10(size || 1) / 3)));
  const value = size / 1000 ** at;
  return `${number(value, at === 0 || value >= 100 ? 0 : 1)} ${UNITS[at]!}`;
}
