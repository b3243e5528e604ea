import type { Message } from "@/api/types";

/** What can be done with the messages of a conversation. */
export interface Verbs {
  ended: (message: Message | null) => void;
  edit: (id: string, content: string) => void;
  regenerate: (id: string, model?: string) => void;
  goOn: (id: string) => void;
  choose: (id: string) => void;
  remove: (id: string) => void;
}
