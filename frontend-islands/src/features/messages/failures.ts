// Why an answer failed, by the code that is on the message: the same sentences as on the pages (app/web/failures.py).
import type { Message, ModelList } from "@/api/types";
import { t } from "@/i18n";

export interface Failure {
  sentence: string;
  /** What the model server said itself, where that adds something. */
  ownWords: string;
}

const SENTENCES: Record<string, () => string> = {
  unavailable: () => t("The model server does not answer at the moment."),
  busy: () => t("The model server is busy."),
  interrupted: () => t("The answer was interrupted."),
  provider_failed: () => t("The model server failed while it was writing."),
  protocol: () => t("The model server sent something that cannot be understood."),
  rejected: () => t("The model server refused this request."),
  context_overflow: () =>
    t(
      "The conversation is longer than this model can read. Begin a new conversation, edit an earlier message, or choose a model with a larger window.",
    ),
  payment: () => t("The model server wants to be paid first. The administrator has to see to it."),
  unusable: () => t("This model cannot run here."),
  model_not_found: () => t("This model is not there any more. Choose another one."),
  credentials: () => t("The model server refused the key. The administrator has to set it right."),
  poisoned: () => t("This answer stopped the server three times and was given up."),
  internal: () => t("Something went wrong inside Teahouse."),
  cuts_prompts: () => t("This model server cuts long conversations short."),
  too_many: () => t("This model server has more models than are listed here."),
  partly_away: () => t("Not all of these model servers answer at the moment."),
};
const OTHER_MODEL = ["model_not_found", "context_overflow", "rejected", "unavailable", "unusable", "credentials", "payment"];
const NOTHING_TO_ADD = ["poisoned", "internal"];

export function failureOf({ error }: { error: Pick<NonNullable<Message["error"]>, "code" | "message"> | null }): Failure {
  const code = error?.code ?? "interrupted";
  const sentence = (SENTENCES[code] ?? (() => t("The model server failed.")))();
  const words = error && !NOTHING_TO_ADD.includes(code) ? t(error.message) : "";
  return { sentence, ownWords: words === sentence ? "" : words };
}

/** Whether the same question may well be answered by another model. */
export const suitsAnotherModel = ({ error }: Pick<Message, "error">): boolean => OTHER_MODEL.includes(error?.code ?? "");

/** What is wrong with a model server. */
export const troubleOf = (problem: ModelList["problems"][number]): Failure => failureOf({ error: problem });

const ANSWERS = ["cuts_prompts", "too_many", "partly_away"];

export const isAway = ({ code }: { code: string }): boolean => !ANSWERS.includes(code);

const ENDINGS: Record<string, () => string> = {
  length: () => t("The answer reached the longest length that is set."),
  limit: () => t("The answer took too long and was stopped."),
  cancelled: () => t("Stopped."),
  content_filter: () => t("The model server withheld the rest of this answer."),
  refusal: () => t("The model refused to answer."),
  tool_calls: () => t("The model asked for a tool, and there is none here."),
};

/** Why an answer ended that did not fail; nothing for one that came to its own end. */
export function endingOf({ status, finish_reason: reason, content }: Pick<Message, "status" | "finish_reason" | "content">): string {
  if (status === "generating" || status === "failed") return "";
  const known = ENDINGS[reason ?? ""];
  if (known) return known();
  if (status === "stopped") return t("Stopped.");
  if (reason && reason !== "stop") return t("The model server ended the answer with “{reason}”.", { reason });
  return content.trim() ? "" : t("The model answered with nothing.");
}
