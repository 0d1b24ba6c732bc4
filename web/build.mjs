// Builds the web assets into the console's static folder: the console's script (htmx, our elements, and what is loaded on
// demand as chunks of its own), the hosted form's and the one that embeds it, the player of recordings, the style sheets, the icon and the font. The folder holds nothing else and is made anew each
// time. scripts/web.sh calls it with the key to stamp the result with.
import { copyFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "..", "src", "leadmill", "interfaces", "console", "static");
const copies = {
  "inter.woff2": join(here, "node_modules", "@fontsource-variable", "inter", "files", "inter-latin-wght-normal.woff2"),
  "icon.svg": join(here, "src", "icon.svg"),
};

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });

const common = { outdir: out, bundle: true, minify: true, charset: "utf8", logLevel: "warning" };
await Promise.all([
  build({
    ...common,
    entryPoints: ["console.ts", "form.ts"].map((name) => join(here, "src", name)),
    format: "esm",
    splitting: true,
    chunkNames: "[name]-[hash]",
    target: "es2022",
  }),
  // What publishers' pages load is one plain script, and what answers it inside the frame a few lines.
  build({ ...common, entryPoints: [join(here, "src", "embed.ts")], format: "iife", target: "es2022" }),
  build({ ...common, entryPoints: [join(here, "src", "framed.ts")], format: "esm", target: "es2022" }),
  // By itself, so that recorder and player share no chunk: a form would load both.
  build({ ...common, entryPoints: [join(here, "src", "replay.ts")], format: "esm", target: "es2022" }),
  build({
    ...common,
    entryPoints: ["console.css", "public.css", "replay.css"].map((name) => join(here, "src", "css", name)),
    external: ["*.woff2"],
    target: ["chrome123", "firefox120", "safari17.5"],
  }),
]);
for (const [name, source] of Object.entries(copies)) copyFileSync(source, join(out, name));

writeFileSync(join(out, ".built"), [process.argv[2] ?? "unkeyed", ...readdirSync(out).sort(), ""].join("\n"));
