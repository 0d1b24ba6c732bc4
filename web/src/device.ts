/**
 * A number that tells this browser from others on our own forms, so that one browser that sends many people's enquiries is
 * noticed. It is drawn at random, says nothing about the browser, is known to this site alone and is drawn anew after 90
 * days. Whose browser asks not to be followed (Global Privacy Control), or keeps nothing, has none.
 */

const place = "leadmill-device";
const lasts = 90 * 86_400_000; // milliseconds

export function device(): string {
  if ((navigator as { globalPrivacyControl?: boolean }).globalPrivacyControl) return "";
  try {
    const [number, since] = (localStorage.getItem(place) ?? "").split(" ");
    if (number && /^[0-9a-f]{32}$/.test(number) && Math.abs(Date.now() - Number(since)) < lasts) return number;
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    const fresh = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    localStorage.setItem(place, `${fresh} ${Date.now()}`);
    return fresh;
  } catch {
    return "";
  }
}
