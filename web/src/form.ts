/**
 * What a hosted form tells of how it was filled in: how many answers were typed, pasted or filled in by the browser, how
 * evenly keys were struck, the browser's time zone and language, and a number of our own for this browser. Which keys, in
 * which field and what was answered stays on the page. Without this script the form works just as well, and nothing is known.
 * What is told of the page itself is in witness.ts.
 */
import { device } from "./device";

const form = document.querySelector<HTMLFormElement>("form[data-tells]");

if (form) {
  const gaps: number[] = [];
  const most = 500; // gaps that are kept: enough for any form
  const pause = 2000; // milliseconds from which on somebody was thinking, not typing
  let last = 0;

  const told = (name: string): HTMLInputElement => form.elements.namedItem(`context[${name}]`) as HTMLInputElement;
  const had = (name: string): number => Number(told(name).value) || 0; // from before an answer was corrected
  const counts = { key_count: had("key_count"), paste_count: had("paste_count"), fill_count: had("fill_count") };
  const writes = (field: EventTarget | null): boolean =>
    field instanceof HTMLTextAreaElement || (field instanceof HTMLInputElement && !/radio|checkbox|hidden/.test(field.type));

  // A page of whoever came back may have nothing to write: then it says nothing that nothing was written.
  const written = [...form.elements].filter((field) => writes(field) && !field.closest(".away"));
  // What stands there already was filled in by whoever made the link, or on the page before.
  for (const field of written) if ((field as HTMLInputElement).value) counts.fill_count++;

  form.addEventListener("input", (event) => {
    if (!event.isTrusted || !writes(event.target)) return;
    const kind = (event as InputEvent).inputType ?? "";
    if (/^delete|^insert(Text|CompositionText)/.test(kind)) {
      counts.key_count++;
      const gap = event.timeStamp - last;
      if (last && gap < pause && gaps.length < most) gaps.push(gap);
      last = event.timeStamp;
    } else if (/From(Paste|Drop)/.test(kind)) counts.paste_count++;
    else counts.fill_count++;
  });

  void import("./witness").then(({ watch }) => watch(form)).catch(() => undefined);

  form.addEventListener("submit", () => {
    if (written.length) for (const [name, count] of Object.entries(counts)) told(name).value = String(count);
    if (gaps.length) {
      const at = (share: number): number => gaps[Math.floor(share * (gaps.length - 1))] ?? 0;
      gaps.sort((one, other) => one - other);
      told("key_gap_ms").value = at(0.5).toFixed(1);
      told("key_gap_spread").value = ((100 * (at(0.75) - at(0.25))) / Math.max(at(0.5), 1)).toFixed(1);
    }
    told("webdriver").value = navigator.webdriver ? "yes" : "no";
    told("time_zone").value = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
    told("browser_language").value = navigator.language ?? "";
    told("device_id").value = device();
  });
}
