// Builds the web assets into the console's static folder: every web/src/*.ts becomes one bundle, and
// htmx and the font are copied. scripts/web.sh calls it with the key to stamp the result with.
import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "..", "src", "leadmill", "interfaces", "console", "static");
const copies = {
  "htmx.min.js": "htmx.org/dist/htmx.min.js",
  "inter.woff2": "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2",
};

mkdirSync(out, { recursive: true });

const entries = readdirSync(join(here, "src"))
  .filter((name) => name.endsWith(".ts") && !name.endsWith(".d.ts"))
  .sort();
await build({
  entryPoints: entries.map((name) => join(here, "src", name)),
  outdir: out,
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2022",
  charset: "utf8",
  logLevel: "warning",
});

for (const [name, source] of Object.entries(copies)) {
  copyFileSync(join(here, "node_modules", source), join(out, name));
}

const built = [...entries.map((name) => basename(name, ".ts") + ".js"), ...Object.keys(copies)].sort();
writeFileSync(join(out, ".built"), [process.argv[2] ?? "unkeyed", ...built, ""].join("\n"));
