/**
 * `<live-feed src after rows>`: puts rows in front of a table as they happen.
 *
 * `src` is a stream of server-sent events, `after` the id of the newest row shown, `rows` the selector of the table's body.
 * While the list is hovered, focused or scrolled, or a drawer is open, rows are held back behind a button ("3 new"), so that
 * nothing moves under the pointer. A row already there is left alone. The stream is closed in a hidden tab and goes on
 * where it stopped. The event `many` says that more came than is worth sending: the button then loads the page again.
 */
export class LiveFeed extends HTMLElement {
  static process: (row: Element) => void = () => {};

  private stream?: EventSource;
  private held: string[] = [];

  connectedCallback(): void {
    document.addEventListener("visibilitychange", this);
    this.button.addEventListener("click", this);
    this.open();
  }

  disconnectedCallback(): void {
    document.removeEventListener("visibilitychange", this);
    this.close();
  }

  handleEvent(event: Event): void {
    if (event.type === "click") {
      if (this.button.dataset.many) location.reload();
      else this.flush();
      scrollTo(0, 0);
    } else if (document.hidden) this.close();
    else this.open();
  }

  private get button(): HTMLButtonElement {
    return this.querySelector("button")!;
  }

  private open(): void {
    if (this.stream || document.hidden) return;
    const url = new URL(this.getAttribute("src")!, location.href);
    url.searchParams.set("after", this.getAttribute("after") ?? "");
    this.stream = new EventSource(url);
    this.stream.onopen = () => this.toggleAttribute("on", true);
    this.stream.onerror = () => this.toggleAttribute("on", false);
    this.stream.onmessage = ({ data, lastEventId }: MessageEvent<string>) => {
      this.setAttribute("after", lastEventId);
      this.held.push(data);
      if (this.quiet) this.flush();
      else this.say(this.held.length);
    };
    this.stream.addEventListener("many", ({ data }: MessageEvent<string>) => {
      this.button.dataset.many = data;
      this.say(data);
    });
  }

  private close(): void {
    this.stream?.close();
    this.stream = undefined;
    this.toggleAttribute("on", false);
  }

  private get rows(): HTMLElement {
    return document.querySelector(this.getAttribute("rows")!)!;
  }

  private get quiet(): boolean {
    return scrollY < 8 && !this.rows.matches(":hover,:focus-within") && !document.querySelector("#drawer")?.firstChild;
  }

  private say(count: number | string): void {
    this.button.hidden = !count;
    this.button.textContent = `${count} new`;
  }

  private flush(): void {
    const body = this.rows;
    for (const html of this.held.splice(0)) {
      const holder = document.createElement("template");
      holder.innerHTML = html;
      const row = holder.content.firstElementChild;
      if (!row || document.getElementById(row.id)) continue;
      row.classList.add("fresh");
      body.prepend(row);
      LiveFeed.process(row);
      if (body.children.length > 100) body.lastElementChild!.remove();
    }
    this.say(0);
  }
}
