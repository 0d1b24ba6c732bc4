/**
 * Records a hosted form's page with rrweb, masked where it is recorded: no value of any field, no choice, no click on one, no
 * movement of the pointer, no address beyond its path. Of fields, the consent box alone shows how it stands.
 */
import { record } from "@rrweb/record";

const box = "consent[granted]";
const mask = "•••"; // one for all: a mark a character would tell how many there are
const enum Kind {
  Full = 2,
  Change = 3,
  Meta = 4,
}
const enum Source {
  Mutation = 0,
  Click = 2,
  Input = 5,
  Selection = 14,
}

interface Kept {
  tagName?: string;
  attributes?: Record<string, unknown>;
  childNodes?: Kept[];
}

function cleaned(attributes: Record<string, unknown>, tag: string): void {
  if (!/^(input|select|option|textarea)$/i.test(tag)) return;
  const plain = attributes["type"] !== "hidden" && attributes["name"] !== box;
  if (attributes["value"]) attributes["value"] = plain ? mask : "";
  if (attributes["name"] !== box) delete attributes["checked"];
  delete attributes["selected"];
}

function walk(node: Kept): void {
  if (node.tagName && node.attributes) cleaned(node.attributes, node.tagName);
  if (/^textarea$/i.test(node.tagName ?? "")) node.childNodes = [];
  // Icons and what is loaded ahead are no part of what was seen, and would be fetched again where it is played.
  if (/^link$/i.test(node.tagName ?? "") && !node.attributes?.["_cssText"]) node.attributes = {};
  // As it was seen, whatever whoever plays it prefers.
  if (/^html$/i.test(node.tagName ?? "") && node.attributes)
    node.attributes["data-theme"] = matchMedia("(prefers-color-scheme:dark)").matches ? "dark" : "light";
  for (const child of node.childNodes ?? []) walk(child);
}

/** Whether an element is an answer: its clicks would tell which. */
function tells(element: Node | null | undefined): boolean {
  const at = element instanceof Element ? element : element?.parentElement;
  return Boolean(at?.closest(".choices, select, option"));
}

/** The event without answers; nothing where all of it is one. */
function masked(event: { type: number; data: any }): object | undefined {
  const { data } = event;
  if (event.type === Kind.Full) walk(data.node);
  if (event.type === Kind.Meta) data.href = location.origin + location.pathname;
  if (event.type !== Kind.Change) return event;
  const node = record.mirror.getNode(data.id);
  if (data.source === Source.Mutation) {
    for (const added of data.adds) walk(added.node);
    for (const changed of data.attributes)
      cleaned(changed.attributes, (record.mirror.getNode(changed.id) as Element | null)?.tagName ?? "input");
  } else if (data.source === Source.Selection) return undefined;
  else if (data.source === Source.Click && tells(node)) return undefined;
  else if (data.source === Source.Input) {
    if (tells(node)) return undefined;
    if ((node as HTMLInputElement | null)?.name !== box) data.isChecked = false;
    data.text = data.text ? mask : "";
  }
  return event;
}

export function recordPage(emit: (event: object) => void): () => void {
  const stop = record({
    emit: (event) => {
      const kept = masked(event as never);
      if (kept) emit(kept);
    },
    maskAllInputs: true,
    maskInputFn: () => mask,
    blockSelector: ".away",
    slimDOMOptions: "all",
    inlineStylesheet: true,
    recordCanvas: false,
    collectFonts: false,
    // The pointer over a list of choices would tell which one is meant.
    sampling: { mousemove: false, scroll: 150, input: "all" },
  });
  return () => stop?.();
}
