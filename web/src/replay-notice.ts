/**
 * Asks whether a visit may be recorded, or says that it is, as the form is set; loads the recorder afterwards and never before.
 * Who declines, or stops it later, is not recorded, and what was recorded is deleted. The choice holds for the corrected page
 * as well, in this tab alone.
 */
const ms = (): number => Math.round(performance.now());
const every = 3000; // milliseconds between pieces
const mostBody = 900_000;
const mostFailures = 4;

export interface Recorded {
  told(): object;
  /** The form is sent: what was recorded so far goes out. */
  last(): void;
}

export function begin(form: HTMLFormElement): Recorded | undefined {
  const notice = document.querySelector<HTMLElement>("[data-replay]");
  if (!notice) return undefined;
  const visit = (form.elements.namedItem("_visit") as HTMLInputElement).value;
  const memory = `leadmill-visit ${visit.split("~", 1)[0]}`;
  const says = notice.querySelector("p")!;
  const [yes, no] = ["yes", "no"].map((value) => notice.querySelector<HTMLButtonElement>(`button[value=${value}]`));
  const told = {
    mode: notice.dataset.replay,
    notice: says.textContent?.trim() ?? "",
    shown_ms: null as number | null,
    chosen_ms: null as number | null,
    accepted: null as boolean | null,
    loaded_ms: null as number | null,
    stopped: false,
    earlier: false,
  };
  let events: object[] = [];
  let stop: (() => void) | undefined;
  let failures = 0;
  const before = JSON.parse(recall(memory) || "null") as { accepted: boolean; seq: number } | null;
  let seq = before?.seq ?? 0;

  const url = `${form.getAttribute("action")}/visit`;
  const keep = (): void => remember(memory, JSON.stringify({ accepted: told.accepted, seq }));
  const send = (body: string): Promise<Response> =>
    // Small ones arrive though the page is left meanwhile.
    fetch(url, { method: "POST", body, keepalive: body.length < 60_000, headers: { "content-type": "application/json" } });

  const piece = (): string => {
    let some = events;
    let body = "";
    for (;;) {
      body = JSON.stringify({ visit, seq, events: some });
      if (body.length < mostBody || some.length < 2) break;
      some = some.slice(0, some.length >> 1);
    }
    events = events.slice(some.length);
    seq++;
    keep();
    return body.length < mostBody ? body : "";
  };

  const flush = async (): Promise<void> => {
    while (events.length) {
      const body = piece();
      if (!body) continue;
      const answer = await send(body).catch(() => undefined);
      if (answer?.ok) continue;
      // Nobody is held up by a recording: it ends where it is refused, or cannot be sent.
      if (answer || ++failures > mostFailures) return end();
    }
  };

  const end = (): void => {
    stop?.();
    stop = undefined;
    events = [];
  };

  const decline = (): void => {
    const running = Boolean(stop);
    told.stopped = running;
    told.accepted = false;
    told.chosen_ms ??= ms();
    end();
    keep();
    if (running) void send(JSON.stringify({ visit, discard: true })).catch(() => undefined);
    says.textContent = running ? "The recording was stopped and deleted." : "This page is not recorded.";
    notice.querySelector("div")?.remove();
  };

  const start = async (): Promise<void> => {
    told.chosen_ms ??= ms();
    told.accepted = true;
    told.loaded_ms = ms();
    says.textContent = "This page is being recorded, without what you type or choose.";
    yes?.remove();
    if (no) no.textContent = "Stop and delete";
    const { recordPage } = await import("./recorder");
    if (!told.accepted) return;
    stop = recordPage((event) => {
      events.push(event);
    });
    keep();
    void flush();
    const timer = setInterval(() => (stop ? void flush() : clearInterval(timer)), every);
  };

  notice.hidden = false;
  told.shown_ms = ms();
  yes?.addEventListener("click", () => void start());
  no?.addEventListener("click", decline);
  if (before) {
    told.earlier = true;
    told.chosen_ms = 0;
    if (before.accepted) void start();
    else decline();
  } else if (told.mode === "notice") {
    // It is on the page and has been in view before anything is loaded.
    const watcher = new IntersectionObserver(([entry]) => {
      if (!entry?.isIntersecting) return;
      watcher.disconnect();
      setTimeout(() => told.accepted === null && void start(), 1000);
    });
    watcher.observe(notice);
  }

  const last = (): void => {
    if (!stop) return;
    while (events.length) {
      const body = piece();
      if (body) navigator.sendBeacon(url, new Blob([body], { type: "application/json" }));
    }
  };
  addEventListener("pagehide", last);
  return { told: () => told, last };
}

function recall(name: string): string {
  try {
    return sessionStorage.getItem(name) ?? "";
  } catch {
    return "";
  }
}

function remember(name: string, value: string): void {
  try {
    sessionStorage.setItem(name, value);
  } catch {
    // Kept for this page alone, then.
  }
}
