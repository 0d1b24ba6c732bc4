/**
 * Tells what a hosted form's page looked like when it was sent: the consent text as the browser drew it, the box and how it
 * stood, when fields were entered and left, and the page's document. No answer leaves the page this way: fields have names and
 * moments here, the document is copied without what stands in them. It also asks whether the visit may be recorded, and loads
 * the recorder only then. The form works without any of it.
 */
import { begin, type Recorded } from "./replay-notice";

interface Place {
  x: number;
  y: number;
  width: number;
  height: number;
}
type Colour = [red: number, green: number, blue: number, alpha: number];

const mostActs = 400;
const mostDocument = 300_000;
const box = "consent[granted]";
const ms = (): number => Math.round(performance.now());
const tenth = (value: number): number => Math.round(value * 10) / 10;

function place(element: Element): Place {
  const { x, y, width, height } = element.getBoundingClientRect();
  return { x: tenth(x + scrollX), y: tenth(y + scrollY), width: tenth(width), height: tenth(height) };
}

function colour(css: string): Colour | undefined {
  const found = /^(rgba?|color)\((?:srgb )?([^)]+)\)/.exec(css);
  const parts = found?.[2]?.split(/[\s,/]+/).map(Number) ?? [];
  const [red, green, blue, alpha = 1] = parts.map((part, at) => (found?.[1] === "color" && at < 3 ? part * 255 : part));
  return parts.length >= 3 && !parts.some(Number.isNaN) ? [red!, green!, blue!, alpha] : undefined;
}

function over(front: Colour, back: Colour): Colour {
  const mix = (at: 0 | 1 | 2): number => front[at] * front[3] + back[at] * (1 - front[3]);
  return [mix(0), mix(1), mix(2), 1];
}

/** What lies behind an element, nothing where it is a picture. */
function ground(element: Element): Colour | undefined {
  const layers: Colour[] = [];
  for (let at: Element | null = element; at; at = at.parentElement) {
    const style = getComputedStyle(at);
    const layer = colour(style.backgroundColor);
    if (!layer || style.backgroundImage !== "none") return undefined;
    layers.push(layer);
    if (layer[3] === 1) break;
  }
  const dark = matchMedia("(prefers-color-scheme:dark)").matches;
  return layers.reduceRight((back, front) => over(front, back), dark ? [18, 18, 18, 1] : [255, 255, 255, 1]);
}

/** WCAG 2.2, relative luminance. */
function luminance(of: Colour): number {
  const [red, green, blue] = of.map((part) => ((part /= 255) <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}

function contrast(one: Colour, other: Colour): number {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number];
  return Math.round(((high + 0.05) / (low + 0.05)) * 100) / 100;
}

const hex = (of: Colour): string => `#${of.slice(0, 3).map((part) => Math.round(part).toString(16).padStart(2, "0")).join("")}`;

function opacity(element: Element): number {
  let found = 1;
  for (let at: Element | null = element; at; at = at.parentElement) found *= Number(getComputedStyle(at).opacity);
  return found;
}

/** The page's document with its style sheets in it and every answer left out. */
function snapshot(form: HTMLFormElement): string {
  const copy = document.documentElement.cloneNode(true) as HTMLElement;
  copy.dataset.theme = matchMedia("(prefers-color-scheme:dark)").matches ? "dark" : "light";
  const ticked = (form.elements.namedItem(box) as HTMLInputElement | null)?.checked;
  for (const gone of copy.querySelectorAll("script,noscript,template,link,iframe,object,embed,.away,input[type=hidden],meta[http-equiv]"))
    gone.remove();
  for (const field of copy.querySelectorAll("input,select,option,textarea")) {
    for (const name of ["value", "checked", "selected", "autofocus"]) field.removeAttribute(name);
    if (field.matches("textarea")) field.textContent = "";
    if (field.getAttribute("name") === box && ticked) field.setAttribute("checked", "");
  }
  const rules = [...document.styleSheets].flatMap((sheet) => {
    try {
      return [...sheet.cssRules].map((rule) => rule.cssText);
    } catch {
      return [];
    }
  });
  const style = document.createElement("style");
  style.textContent = rules.join("\n").replace(/@font-face\s*\{[^}]*\}/g, "");
  copy.querySelector("head")?.append(style);
  const text = `<!doctype html>\n${copy.outerHTML}`;
  return text.length > mostDocument ? "" : text;
}

/** How long an element has been in view whole, in milliseconds. */
function inView(element: Element): () => number {
  let since = 0;
  let sum = 0;
  let whole = false;
  const turn = (): void => {
    const on = whole && !document.hidden;
    if (on && !since) since = performance.now();
    if (!on && since) {
      sum += performance.now() - since;
      since = 0;
    }
  };
  const watcher = new IntersectionObserver(
    (entries) => {
      const last = entries.at(-1)!;
      whole = last.intersectionRatio >= 0.99 || last.intersectionRect.height >= innerHeight * 0.9;
      turn();
    },
    { threshold: [0, 0.25, 0.5, 0.75, 0.9, 0.99, 1] },
  );
  watcher.observe(element);
  document.addEventListener("visibilitychange", turn);
  return () => Math.round(sum + (since ? performance.now() - since : 0));
}

function shown(text: Element, button: Element | null, visible: () => number): object {
  const style = getComputedStyle(text);
  const behind = ground(text);
  const ink = colour(style.color);
  const seen = ink && behind ? over([ink[0], ink[1], ink[2], ink[3] * opacity(text)], behind) : undefined;
  const at = text.getBoundingClientRect();
  return {
    text: text.textContent?.trim() ?? "",
    sellers: document.querySelector(".consent .sellers")?.textContent?.trim() ?? "",
    place: place(text),
    font_px: parseFloat(style.fontSize),
    font_weight: Number(style.fontWeight) || 400,
    ink: seen ? hex(seen) : "",
    ground: behind ? hex(behind) : "",
    contrast: seen && behind ? contrast(seen, behind) : null,
    visible_ms: visible(),
    hidden: !text.checkVisibility({ opacityProperty: true, visibilityProperty: true }) || at.width < 1 || at.height < 1,
    above_button: !button || at.bottom <= button.getBoundingClientRect().top + 1,
  };
}

export function watch(form: HTMLFormElement): void {
  const told = form.elements.namedItem("_seen") as HTMLInputElement;
  const text = form.querySelector(".consent-text");
  const tick = form.elements.namedItem(box) as HTMLInputElement | null;
  const visible = text ? inView(text) : () => 0;
  const acts: [number, string, string][] = [];
  const kept = tick?.dataset.kept !== undefined;
  const first = tick && !kept && tick.defaultChecked ? "checked" : "unchecked";
  let recorded: Recorded | undefined;

  const act = (what: string, field: EventTarget | null): void => {
    const name = (field as HTMLInputElement | null)?.name ?? "";
    if (acts.length < mostActs && !name.startsWith("_")) acts.push([ms(), what, name.slice(0, 100)]);
  };
  const written = new Set<EventTarget>();
  form.addEventListener("focusin", ({ target }) => act("focus", target));
  form.addEventListener("focusout", ({ target }) => {
    written.delete(target!);
    act("leave", target);
  });
  form.addEventListener("input", (event) => {
    const field = event.target as HTMLInputElement;
    if (/radio|checkbox/.test(field.type) || written.has(field)) return;
    written.add(field);
    const kind = (event as InputEvent).inputType ?? "";
    act(/From(Paste|Drop)/.test(kind) ? "paste" : /^(insert|delete)/.test(kind) ? "type" : "fill", field);
  });
  form.addEventListener("change", ({ target }) => {
    const field = target as HTMLInputElement;
    if (field === tick) act(field.checked ? "tick" : "untick", field);
    else if (/radio|checkbox|select/.test(field.type)) act("answer", field);
  });

  form.addEventListener("submit", () => {
    act("submit", null);
    const button = form.querySelector(":scope > .button");
    const control = tick
      ? { kind: "checkbox", default: first, state: tick.checked ? "checked" : "unchecked", place: place(tick), kept }
      : text && { kind: "button", default: "none", state: "none", place: button && place(button) };
    const seen = {
      began_at: new Date(performance.timeOrigin).toISOString(),
      sent_ms: ms(),
      url: location.href.slice(0, 4000),
      referrer: document.referrer.slice(0, 4000),
      title: document.title.slice(0, 300),
      time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone ?? "",
      language: navigator.language ?? "",
      scheme: matchMedia("(prefers-color-scheme:dark)").matches ? "dark" : "light",
      width: innerWidth,
      height: innerHeight,
      scale: devicePixelRatio,
      gpc: Boolean((navigator as { globalPrivacyControl?: boolean }).globalPrivacyControl),
      control,
      shown: text ? shown(text, button, visible) : null,
      button: button && place(button),
      acts,
      recorded: recorded?.told() ?? null,
    };
    told.value = JSON.stringify({ seen, snapshot: snapshot(form) });
    recorded?.last();
  });

  recorded = begin(form);
}
