/**
 * Puts a hosted form into a page of the publisher's:
 *
 *   <script src="https://leads.example/embed.js" defer></script>
 *   <leadmill-form form="solar"><a href="https://leads.example/f/solar">See what solar would save you</a></leadmill-form>
 *
 * The form stands in a frame of ours, so that no script of the page reads what is typed, and the page's styles and the
 * form's leave each other alone. It is as high as it needs to be (framed.ts tells). Campaign parameters of the page's
 * address go along. Without this script the link stays.
 */
const origin = new URL((document.currentScript as HTMLScriptElement).src).origin;

class LeadmillForm extends HTMLElement {
  #frame: HTMLIFrameElement | null = null;

  connectedCallback(): void {
    const form = this.getAttribute("form");
    if (this.#frame || !form) return;
    const frame = document.createElement("iframe");
    frame.src = `${origin}/f/${encodeURIComponent(form)}${location.search}`;
    frame.title = this.getAttribute("label") ?? this.textContent?.trim() ?? form;
    frame.loading = this.hasAttribute("eager") ? "eager" : "lazy";
    Object.assign(frame.style, { display: "block", width: "100%", height: this.getAttribute("height") ?? "40rem", border: "0" });
    this.style.display = "block";
    this.attachShadow({ mode: "open" }).append(frame);
    this.#frame = frame;
    addEventListener("message", this.#heard);
  }

  disconnectedCallback(): void {
    removeEventListener("message", this.#heard);
  }

  #heard = (event: MessageEvent): void => {
    const frame = this.#frame;
    if (!frame || event.origin !== origin || event.source !== frame.contentWindow) return;
    const height = Number((event.data as { leadmillHeight?: unknown } | null)?.leadmillHeight);
    if (height > 0 && height < 20_000) frame.style.height = `${Math.ceil(height)}px`;
  };
}

if (!customElements.get("leadmill-form")) customElements.define("leadmill-form", LeadmillForm);
