// In place of a select of models, which goes on holding what is chosen: the form, its scripts and htmx notice nothing.
import { defineComponent, h, onMounted, ref, shallowRef } from "vue";
import ModelChooser from "@/features/models/ModelChooser.vue";
import type { ModelGroup, ModelOption } from "@/features/models/modelGroups";
import { mountInto, speakAsThePage, type Mounted } from "./mounting";

export async function mount(host: HTMLElement): Promise<Mounted> {
  await speakAsThePage();
  const select = host.querySelector("select")!;
  await untilClosed(select);
  const hadFocus = host.contains(document.activeElement);
  return mountInto(host, defineComponent(() => {
    const chosen = ref<string | null>(select.value);
    const chooser = shallowRef<{ focus: () => void } | null>(null);
    const choose = (id: string | null): void => {
      chosen.value = select.value = id ?? "";
      select.dispatchEvent(new Event("change", { bubbles: true }));
    };
    onMounted(() => hadFocus && chooser.value?.focus());
    const groups = groupsOf(select);
    return () => h(ModelChooser, { ref: chooser, groups, modelValue: chosen.value, "onUpdate:modelValue": choose });
  }));
}

/** Never take a list away under somebody's eyes. */
function untilClosed(select: HTMLSelectElement): Promise<void> {
  const isOpen = CSS.supports("selector(:open)") && select.matches(":open");
  return isOpen ? new Promise((resolve) => select.addEventListener("blur", () => resolve(), { once: true })) : Promise.resolve();
}

function groupsOf(select: HTMLSelectElement): ModelGroup[] {
  return [...select.querySelectorAll("optgroup")].map((group) => ({
    name: group.label,
    options: [...group.querySelectorAll("option")].map((option): ModelOption => ({ id: option.value, label: option.text })),
  }));
}
