/**
 * Passkeys: a form with `data-passkey` asks the browser to make or show one before it is sent.
 *
 * `data-passkey` is the address that says what is asked for, `data-makes` that a new one is made. What the browser
 * answers goes into the form's field `credential`; the form is then sent like any other. Forms stay hidden where the
 * browser knows no passkeys; what goes wrong stands in the form's `[role=alert]`.
 */

type Json = Record<string, any>;

const bytes = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (each) => each.charCodeAt(0));

const text = (buffer: ArrayBuffer): string =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .replace(/=+$/, "");

const named = (each: Json): PublicKeyCredentialDescriptor => ({ type: "public-key", id: bytes(each.id) });

async function ask(form: HTMLFormElement): Promise<string> {
  const body = new URLSearchParams({ _csrf: (form.elements.namedItem("_csrf") as HTMLInputElement).value });
  const reply = await fetch(form.dataset.passkey!, { method: "POST", body, redirect: "manual" });
  if (reply.type === "opaqueredirect") {
    // Too long ago that this person showed who they are: another page asks for it, and leads back here.
    location.href = `/prove?next=${encodeURIComponent(location.pathname)}`;
    return new Promise(() => {});
  }
  if (!reply.ok) throw new Error("refused");
  const asked: Json = await reply.json();
  const common = { ...asked, challenge: bytes(asked.challenge) };
  const found = ("makes" in form.dataset
    ? await navigator.credentials.create({
        publicKey: {
          ...(common as unknown as PublicKeyCredentialCreationOptions),
          user: { ...asked.user, id: bytes(asked.user.id) },
          excludeCredentials: (asked.excludeCredentials ?? []).map(named),
        },
      })
    : await navigator.credentials.get({
        publicKey: { ...common, allowCredentials: (asked.allowCredentials ?? []).map(named) },
      })) as PublicKeyCredential;
  const said = found.response as any;
  const response: Json = {};
  for (const part of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"])
    if (said[part]) response[part] = text(said[part]);
  return JSON.stringify({ id: found.id, rawId: text(found.rawId), type: found.type, response });
}

export function watch(forms: Iterable<HTMLFormElement>): void {
  if (!window.PublicKeyCredential) return;
  for (const form of forms) {
    form.hidden = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const says = form.querySelector<HTMLElement>("[role=alert]")!;
      const button = form.querySelector("button")!;
      says.textContent = "";
      button.disabled = true;
      try {
        (form.elements.namedItem("credential") as HTMLInputElement).value = await ask(form);
        form.submit();
      } catch {
        says.textContent = "No passkey was taken. Try once more, or use another way.";
        button.disabled = false;
      }
    });
  }
}
