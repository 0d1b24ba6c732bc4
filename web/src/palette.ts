/**
 * The command palette (Ctrl or ⌘ K), loaded when it is first asked for.
 *
 * It offers the links of the sidebar and whatever bears `data-act`; any other text is looked for among the leads.
 */

interface Command {
  says: string;
  hint: string;
  run(): void;
}

const dialog = document.createElement("dialog");
dialog.className = "palette";
dialog.setAttribute("aria-label", "Commands");
dialog.innerHTML =
  '<input class="input" role="combobox" aria-expanded="true" aria-controls="palette-list" aria-label="Go to, do, or find a lead" ' +
  'placeholder="Go to, do, or find a lead by id, e-mail or phone" autocomplete="off" spellcheck="false">' +
  '<ul id="palette-list" role="listbox" aria-label="Commands"></ul>';
const input = dialog.querySelector("input")!;
const list = dialog.querySelector("ul")!;
let shown: Command[] = [];
let at = 0;

function commands(text: string): Command[] {
  const search = document.querySelector<HTMLFormElement>("form[data-finds]");
  const own = [...document.querySelectorAll<HTMLElement>(".nav a[href], [data-act]")].map((element) => ({
    says: element.dataset.act ?? `Go to ${element.querySelector("b")?.textContent ?? element.textContent?.trim()}`,
    hint: (element.dataset.key ?? "").toUpperCase().split("").join(" then "),
    run: () => element.click(),
  }));
  const words = text.toLowerCase().split(/\s+/);
  const found: Command[] = own.filter((each) => words.every((word) => each.says.toLowerCase().includes(word)));
  if (text && search)
    found.push({
      says: `Find “${text}” among the leads`,
      hint: "",
      run: () => {
        search.querySelector<HTMLInputElement>("[name=q]")!.value = text;
        search.submit();
      },
    });
  return found;
}

function draw(): void {
  list.replaceChildren(
    ...shown.map((command, index) => {
      const item = document.createElement("li");
      item.id = `palette-${index}`;
      item.role = "option";
      item.ariaSelected = String(index === at);
      item.textContent = command.says;
      if (command.hint) item.append(Object.assign(document.createElement("small"), { textContent: command.hint }));
      item.onclick = () => choose(index);
      return item;
    }),
  );
  input.setAttribute("aria-activedescendant", shown.length ? `palette-${at}` : "");
  list.children[at]?.scrollIntoView({ block: "nearest" });
}

function choose(index: number): void {
  dialog.close();
  shown[index]?.run();
}

function read(): void {
  shown = commands(input.value.trim());
  at = 0;
  draw();
}

input.oninput = read;
dialog.onkeydown = (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step && shown.length) {
    event.preventDefault();
    at = (at + step + shown.length) % shown.length;
    draw();
  } else if (event.key === "Enter") {
    event.preventDefault();
    choose(at);
  }
};
dialog.onclick = (event) => {
  if (event.target === dialog) dialog.close();
};

/** Shows the palette, empty. */
export function open(): void {
  if (dialog.open) return;
  if (!dialog.isConnected) document.body.append(dialog);
  input.value = "";
  read();
  dialog.showModal();
}
