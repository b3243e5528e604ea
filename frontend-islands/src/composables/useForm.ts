// A form's way to the server and back: busy meanwhile; what was wrong stands beside the field that it is about.
import { nextTick, shallowRef, type Ref } from "vue";
import { ApiError } from "@/api/problem";
import { t } from "@/i18n";

interface Form<Field extends string> {
  isBusy: Readonly<Ref<boolean>>;
  /** What is wrong with the whole. */
  failure: Readonly<Ref<string>>;
  errors: Readonly<Ref<Partial<Record<Field, string>>>>;
  /** Whether it went well. A second call meanwhile does nothing. */
  send(act: () => Promise<unknown>): Promise<boolean>;
}

/** `codes`: problems that name no field although they are about one. */
export function useForm<Field extends string>(fields: readonly Field[], codes: Readonly<Record<string, Field>> = {}): Form<Field> {
  type Errors = Partial<Record<Field, string>>;
  const isBusy = shallowRef(false);
  const failure = shallowRef("");
  const errors = shallowRef<Errors>({});

  async function send(act: () => Promise<unknown>): Promise<boolean> {
    if (isBusy.value) return false;
    const form = document.activeElement?.closest("form");
    isBusy.value = true;
    [failure.value, errors.value] = ["", {}];
    try {
      await act();
      return true;
    } catch (error) {
      errors.value = errorsOf(error);
      if (!Object.keys(errors.value).length) failure.value = t(error instanceof Error ? error.message : String(error));
      if (form) void nextTick(() => toError(form));
      return false;
    } finally {
      isBusy.value = false;
    }
  }

  /** The error may be outside of the visible part of the page. */
  function toError(form: HTMLFormElement): void {
    const wrong = form.querySelector<HTMLElement>("[aria-invalid=true]");
    wrong?.focus();
    (wrong ?? form.querySelector(".form-error"))?.scrollIntoView({ block: "nearest" });
  }

  function errorsOf(error: unknown): Errors {
    if (!(error instanceof ApiError)) return {};
    const found = [...error.fields].filter(([name]) => fields.includes(name as Field));
    const coded = codes[error.code];
    if (coded && !found.length) found.push([coded, error.message]);
    return Object.fromEntries(found.map(([name, message]) => [name, t(message)])) as Errors;
  }

  return { isBusy, failure, errors, send };
}
