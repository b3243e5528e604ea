// The figures of a conversation's answers, which stand in the place as data, as a drawing.
import { h } from "vue";
import type { Figures } from "@/features/usage/figures";
import UsageChart from "@/features/usage/UsageChart.vue";
import { mountInto, speakAsThePage, type Mounted } from "./mounting";

export async function mount(host: HTMLElement): Promise<Mounted> {
  await speakAsThePage();
  const answers = JSON.parse(host.dataset["usage"] ?? "[]") as Figures[];
  return mountInto(host, { render: () => h(UsageChart, { answers }) });
}
