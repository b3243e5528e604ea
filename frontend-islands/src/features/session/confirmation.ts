// The password asked for again: requests that need it wait for one dialog.
import { shallowRef } from "vue";
import { post } from "@/api/client";

let asking: Promise<boolean> | null = null;
/** Ends the asking; null: nobody is asked. */
export const answer = shallowRef<((given: boolean) => void) | null>(null);

/** Whether it was given; several that ask at the same time share the question. */
export function askForPassword(): Promise<boolean> {
  asking ??= new Promise<boolean>((resolve) => (answer.value = resolve)).finally(() => {
    asking = answer.value = null;
  });
  return asking;
}

export async function confirm(password: string): Promise<void> {
  await post("/auth/confirm", { password });
  answer.value?.(true);
}
