/**
 * Tells the page that shows this one in a frame how high it is, and nothing else; embed.ts listens. Alone it does nothing.
 */
if (window.parent !== window) {
  const told = (): void => window.parent.postMessage({ leadmillHeight: document.documentElement.offsetHeight }, "*");
  new ResizeObserver(told).observe(document.documentElement);
  told();
}
