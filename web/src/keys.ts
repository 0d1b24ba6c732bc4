/**
 * Keyboard and pointer manners of the console.
 *
 * An element takes a key by `data-key` ("/", "f", "gl" for G then L). A row is opened by its link, wherever it is clicked.
 * `data-opens` shows a dialog, `data-closes` empties the drawer, `data-theme-to` changes the theme without a page load.
 */

const page = document;
const root = page.documentElement;
const all = <E extends HTMLElement>(selector: string): E[] => [...page.querySelectorAll<E>(selector)];
const find = (selector: string): HTMLElement | null => page.querySelector<HTMLElement>(selector);
const drawer = (): HTMLElement | null => find("#drawer");

function closeDrawer(): void {
  drawer()?.replaceChildren();
  const row = find("tr[aria-selected=true]");
  row?.removeAttribute("aria-selected");
  row?.querySelector("a")?.focus();
}

function move(step: number): void {
  const links = all("a.row-link");
  const open = drawer()?.firstElementChild;
  const at = links.findIndex((link) => (open ? link.closest("tr[aria-selected=true]") : link === page.activeElement));
  const next = links[at < 0 ? 0 : at + step];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
  if (open) next?.click();
}

function escape(): void {
  const menu = find("details.menu[open]");
  if (menu) {
    menu.removeAttribute("open");
    menu.querySelector("summary")?.focus();
  } else closeDrawer();
}

let lead = "";

page.addEventListener("keydown", (event) => {
  const { key, target } = event;
  if (key === "k" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    void import("./palette").then((palette) => palette.open());
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || find("dialog[open]")) return;
  const typing = (target as HTMLElement).matches("input:not([type=checkbox]),textarea,select");
  if (key === "Escape") {
    if (typing && !(target as HTMLElement).closest(".menu")) (target as HTMLElement).blur();
    else escape();
    return;
  }
  if (typing || root.dataset.keys === "off") return;
  const wanted = lead + key.toLowerCase();
  lead = wanted === "g" ? "g" : "";
  if ((wanted === "j" || wanted === "k") && find("a.row-link")) return move(wanted === "j" ? 1 : -1);
  const taker = all(`[data-key="${CSS.escape(wanted)}"]`).find((each) => each.checkVisibility());
  if (!taker) return;
  event.preventDefault();
  if (taker.matches("input")) taker.focus();
  else taker.click();
  taker.closest("details[open]")?.querySelector<HTMLElement>("select,input")?.focus();
});

page.addEventListener("click", (event) => {
  const at = event.target as HTMLElement;
  for (const menu of all("details.menu[open]")) if (!menu.contains(at)) menu.removeAttribute("open");
  const button = at.closest<HTMLElement>("[data-opens],[data-closes],[data-theme-to]");
  const data = button?.dataset;
  if (data?.opens) (find(data.opens) as HTMLDialogElement).showModal();
  else if (data?.themeTo) {
    event.preventDefault();
    const theme = root.dataset.theme ?? (matchMedia("(prefers-color-scheme:dark)").matches ? "dark" : "light");
    root.dataset.theme = theme === "dark" ? "light" : "dark";
    page.cookie = `theme=${root.dataset.theme};path=/;max-age=31536000;samesite=lax`;
  } else if (data) closeDrawer();
  else if (!at.closest("a,button,input,label,summary") && !getSelection()?.toString())
    at.closest("tr")?.querySelector<HTMLElement>("a.row-link")?.click();
});

page.addEventListener("htmx:after:swap", (event) => {
  const { ctx } = (event as CustomEvent<{ ctx: { target: HTMLElement; sourceElement: HTMLElement } }>).detail;
  if (ctx.target?.id !== "drawer") return;
  find("tr[aria-selected=true]")?.removeAttribute("aria-selected");
  ctx.sourceElement.closest("tr")?.setAttribute("aria-selected", "true");
  if (!ctx.sourceElement.closest("#drawer")) ctx.target.querySelector<HTMLElement>("h2 a")?.focus();
});
