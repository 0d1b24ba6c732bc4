// The theme, set before first paint: load this bundle in <head>, without defer. It is a file and not an
// inline script so that pages run under `script-src 'self'`. Without a stored choice the attribute stays
// away and the style sheet follows the system.

const KEY = "leadmill.theme";

function stored(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // storage may be forbidden; the system's theme will do
  }
}

const theme = stored();
if (theme === "light" || theme === "dark") {
  document.documentElement.dataset.theme = theme;
}
