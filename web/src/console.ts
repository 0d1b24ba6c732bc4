/** The console's script: htmx, and what a page of ours needs beside it. Everything works without it, only less quickly. */

import htmx from "htmx.org/dist/htmx.esm.js";
import "./keys";
import { LiveFeed } from "./live-feed";

LiveFeed.process = (row) => htmx.process(row);
customElements.define("live-feed", LiveFeed);

document.cookie = `tz=${Intl.DateTimeFormat().resolvedOptions().timeZone};path=/;max-age=31536000;samesite=lax`;

const keyed = document.querySelectorAll<HTMLFormElement>("form[data-passkey]");
if (keyed.length) void import("./passkey").then(({ watch }) => watch(keyed));
