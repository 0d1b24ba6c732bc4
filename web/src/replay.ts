/**
 * Plays the recording of a visit to a hosted form: rrweb's replayer in a frame without scripts, with a button, a place to go to
 * and the time. Keys work as on any button and slider.
 */
import { Replayer } from "@rrweb/replay";

const main = document.querySelector<HTMLElement>("main[data-events]")!;
const stage = main.querySelector<HTMLElement>(".stage")!;
const button = main.querySelector<HTMLButtonElement>("[data-play]")!;
const slider = main.querySelector<HTMLInputElement>("input")!;
const clock = main.querySelector("output")!;
const note = main.querySelector<HTMLElement>(".note")!;

const time = (ms: number): string => `${Math.floor(ms / 60_000)}:${String(Math.floor(ms / 1000) % 60).padStart(2, "0")}`;

function show(events: ConstructorParameters<typeof Replayer>[0]): void {
  const player = new Replayer(events, { root: stage, mouseTail: false, skipInactive: true, showWarning: false, triggerFocus: false });
  const total = Math.max(player.getMetaData().totalTime, 1);
  let playing = false;

  const fit = (): void => {
    const wrapper = stage.querySelector<HTMLElement>(".replayer-wrapper");
    const frame = wrapper?.querySelector("iframe");
    if (!wrapper || !frame) return;
    const scale = Math.min(1, stage.clientWidth / Math.max(frame.offsetWidth, 1));
    wrapper.style.transform = `scale(${scale})`;
    stage.style.height = `${Math.ceil(frame.offsetHeight * scale)}px`;
  };
  const tell = (): void => {
    const at = Math.min(Math.max(player.getCurrentTime(), 0), total);
    slider.value = String(Math.round((at / total) * 1000));
    slider.setAttribute("aria-valuetext", `${time(at)} of ${time(total)}`);
    clock.textContent = `${time(at)} / ${time(total)}`;
    button.textContent = playing ? "Pause" : "Play";
    if (playing) requestAnimationFrame(tell);
  };
  const turn = (on: boolean): void => {
    playing = on;
    if (on) player.play(player.getCurrentTime() >= total ? 0 : player.getCurrentTime());
    else player.pause();
    tell();
  };

  player.on("resize", fit);
  player.on("finish", () => {
    playing = false;
    tell();
  });
  addEventListener("resize", fit);
  button.addEventListener("click", () => turn(!playing));
  slider.addEventListener("input", () => {
    playing = false;
    player.pause((Number(slider.value) / 1000) * total);
    tell();
  });
  button.disabled = slider.disabled = false;
  note.textContent = `${events.length} events. What was typed or chosen was never recorded.`;
  player.pause(total);
  fit();
  tell();
  main.dataset.ready = String(events.length);
}

try {
  const answer = await fetch(main.dataset.events!);
  if (!answer.ok) throw new Error(String(answer.status));
  show(await answer.json());
} catch {
  note.textContent = "The recording cannot be played here; the snapshot shows the page as it was sent.";
}
