// What is known of jobs of every kind. Pure.
import type { Job } from "@/api/types";

export const STATUSES = ["running", "queued", "failed", "succeeded", "cancelled"] as const satisfies readonly Job["status"][];
export const KINDS = ["answer", "title", "model_pull"] as const satisfies readonly Job["kind"][];

export const hasEnded = ({ status }: Pick<Job, "status">): boolean => status !== "queued" && status !== "running";
