// Models to choose from, by the server that offers them.

export interface ModelOption {
  id: string;
  label: string;
}

export interface ModelGroup {
  name: string;
  options: readonly ModelOption[];
  /** Why there is nothing in it. */
  note?: string;
}

/** What has every one of the words in its name or in that of its server, in any order. */
export function found(groups: readonly ModelGroup[], wanted: string): ModelGroup[] {
  const words = wanted.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return [...groups];
  const fits = (text: string): boolean => words.every((word) => text.toLocaleLowerCase().includes(word));
  return groups
    .map((group) => ({ name: group.name, options: group.options.filter(({ id, label }) => fits(`${group.name} ${id} ${label}`)) }))
    .filter(({ options }) => options.length);
}
