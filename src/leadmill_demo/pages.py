"""The stand-ins' pages: what each buyer got, and the inbox. Plain HTML that needs no script.

Used by ``world``. Everything that came from outside is escaped.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape

from leadmill_demo.behaviour import Manner
from leadmill_demo.kept import Delivery, Letter

STYLE = """
:root { color-scheme: light dark;
  --bg: light-dark(#fbfbfa, #101214); --surface: light-dark(#fff, #16191c); --line: light-dark(#e6e5e1, #272b30);
  --ink: light-dark(#1c1d1f, #eceef0); --ink-2: light-dark(#55575c, #a6acb3); --accent: light-dark(#3f4ec4, #8f9bff);
  --ok: light-dark(#157347, #4fc38a); --warn: light-dark(#8a5a00, #e2b04a); --bad: light-dark(#b42334, #f4818c); }
* { box-sizing: border-box; }
body { margin: 0; background: var(--bg); color: var(--ink); font: 15px/1.5 Inter, system-ui, sans-serif; }
main { max-width: 72rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.4rem; font-weight: 600; margin: 0 0 .25rem; }
h2 { font-size: 1.05rem; font-weight: 600; margin: 2.25rem 0 .5rem; }
p { margin: 0 0 1rem; color: var(--ink-2); max-width: 46rem; }
a { color: var(--accent); }
nav { display: flex; gap: 1.25rem; margin-bottom: 1.5rem; }
.wide { overflow-x: auto; background: var(--surface); border: 1px solid var(--line); border-radius: 8px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .45rem .8rem; text-align: left; border-bottom: 1px solid var(--line); vertical-align: top; }
tr:last-child > td { border-bottom: 0; }
th { font-weight: 500; color: var(--ink-2); font-size: .85rem; white-space: nowrap; }
.n { text-align: right; }
td.when { white-space: nowrap; color: var(--ink-2); }
.good { color: var(--ok); } .slow { color: var(--warn); } .bad { color: var(--bad); }
.none { color: var(--ink-2); }
code, pre { font: 13px/1.5 ui-monospace, "SF Mono", Menlo, monospace; }
pre { margin: .5rem 0 0; padding: .75rem; border: 1px solid var(--line); border-radius: 6px; background: var(--bg);
  white-space: pre-wrap; overflow-wrap: anywhere; max-height: 26rem; overflow-y: auto; }
summary { cursor: pointer; color: var(--accent); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; }
dt { color: var(--ink-2); } dd { margin: 0; }
"""

_WORDS = {
    "accept": ("accepted", "good"),
    "slow": ("accepted slowly", "slow"),
    "reject": ("refused", "bad"),
    "duplicate": ("has it already", "bad"),
    "timeout": ("answered too late", "slow"),
    "error": ("server error", "slow"),
    "malformed": ("nonsense", "slow"),
    "html": ("a web page", "slow"),
    "busy": ("too busy", "slow"),
}


def _shell(title: str, content: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(title)}</title><link rel="stylesheet" href="/style.css"></head><body><main>'
        '<nav aria-label="Demo"><a href="/">Buyers</a><a href="/mail">Mail</a></nav>'
        f"{content}</main></body></html>"
    )


def _table(heads: Sequence[tuple[str, bool]], rows: Iterable[str], nothing: str) -> str:
    body = "".join(rows) or f'<tr><td class="none" colspan="{len(heads)}">{nothing}</td></tr>'
    head = "".join(f'<th scope="col" class="{"n" if number else ""}">{text}</th>' for text, number in heads)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _act(act: str) -> str:
    words, tone = _WORDS.get(act, (act, ""))
    return f'<span class="{tone}">{escape(words)}</span>'


def index(
    names: Mapping[str, str], counts: Mapping[str, Mapping[str, int]], latest: Sequence[Delivery], letters: int
) -> str:
    """All buyers and the latest deliveries."""

    def row(buyer: str) -> str:
        seen = counts[buyer]
        accepted = seen.get("accept", 0) + seen.get("slow", 0)
        refused = seen.get("reject", 0) + seen.get("duplicate", 0)
        failed = sum(seen.values()) - accepted - refused
        return (
            f'<tr><td><a href="/buyers/{buyer}">{escape(names[buyer])}</a></td><td class="n">{accepted}</td>'
            f'<td class="n">{refused}</td><td class="n">{failed}</td></tr>'
        )

    heads = [("Buyer", False), ("Accepted", True), ("Refused", True), ("Failed", True)]
    recent = _table(
        [("When (UTC)", False), ("Buyer", False), ("Lead", False), ("Answer", False)],
        (
            f'<tr><td class="when">{one.at:%H:%M:%S}</td><td>{escape(names.get(one.buyer, one.buyer))}</td>'
            f"<td><code>{escape(one.lead_id)}</code></td><td>{_act(one.act)}</td></tr>"
            for one in latest
        ),
        "Nothing has come yet.",
    )
    return _shell(
        "The demo's buyers",
        "<h1>The demo's buyers</h1><p>Stand-ins for the companies that buy leads. They take what Leadmill delivers, "
        "each in its own dialect, and answer as such companies do: mostly yes, sometimes no, now and then not at all. "
        f'People, teams and two of the buyers get mail: <a href="/mail">{letters} letters</a> so far. '
        "Larkspur Bath &amp; Kitchen takes its leads as files, from Leadmill's drop folder.</p>"
        f"{_table(heads, map(row, names), 'Nobody.')}<h2>Latest deliveries</h2>{recent}",
    )


def buyer(manner: Manner, counts: Mapping[str, int], deliveries: Sequence[Delivery]) -> str:
    """One buyer: how often it answered how, and what it got."""
    summed = ", ".join(f"{escape(_WORDS.get(act, (act, ''))[0])} {count}" for act, count in sorted(counts.items()))
    rows = (
        f'<tr><td class="when">{one.at:%H:%M:%S}</td><td><code>{escape(one.lead_id) or "—"}</code>'
        f"<details><summary>What came, and the answer</summary><pre>{escape(_legible(one))}</pre>"
        f"<pre>HTTP {one.status}\n{escape(one.answer)}</pre></details></td>"
        f"<td>{_act(one.act)}{' (as before)' if one.again else ''}</td><td>{_signed(one.signed)}</td></tr>"
        for one in deliveries
    )
    heads = [("When (UTC)", False), ("Lead", False), ("Answer", False), ("Signature", False)]
    return _shell(
        manner.name,
        f"<h1>{escape(manner.name)}</h1><p>{summed.capitalize() or 'Nothing so far'}.</p>"
        f"{_table(heads, rows, 'Nothing has come yet, or it is kept no longer.')}",
    )


def _signed(signed: bool | None) -> str:
    if signed is None:
        return '<span class="none">not asked for</span>'
    return '<span class="good">good</span>' if signed else '<span class="bad">does not match</span>'


def _legible(one: Delivery) -> str:
    """The body, spread over lines where it is JSON or a form."""
    if one.media.endswith("json"):
        try:
            return json.dumps(json.loads(one.body), indent=2, ensure_ascii=False)
        except ValueError:
            return one.body
    return one.body.replace("&", "\n&") if one.media.endswith("form-urlencoded") else one.body


def mail(letters: Sequence[Letter], refused: int) -> str:
    """The inbox, the latest letter first."""
    rows = (
        f'<tr><td class="when">{one.at:%H:%M:%S}</td><td><a href="/mail/{one.number}">{escape(one.subject)}</a></td>'
        f"<td>{escape(', '.join(one.to))}</td></tr>"
        for one in letters
    )
    heads = [("When (UTC)", False), ("Subject", False), ("To", False)]
    return _shell(
        "The demo's mail",
        "<h1>The demo's mail</h1><p>Everything that Leadmill mails stays here: acknowledgements to people, alerts to "
        f"the team, leads to the buyers that take them by mail. {refused} letters found a full mailbox.</p>"
        f"{_table(heads, rows, 'No mail has come yet.')}",
    )


def letter(one: Letter) -> str:
    """One letter with its attachments."""
    message = one.read()
    text = message.get_body(("plain", "html"))
    parts = [f"<pre>{escape(text.get_content() if text else '(no text)')}</pre>"]
    for item in message.iter_attachments():
        found = item.get_content()
        shown = found.decode("utf-8", "replace") if isinstance(found, bytes) else str(found)
        parts.append(f"<h2>{escape(item.get_filename() or 'Attachment')}</h2><pre>{escape(shown[:20_000])}</pre>")
    return _shell(
        one.subject,
        f"<h1>{escape(one.subject)}</h1><dl><dt>From</dt><dd>{escape(str(message['from'] or one.sender))}</dd>"
        f"<dt>To</dt><dd>{escape(', '.join(one.to))}</dd><dt>When</dt><dd>{one.at:%Y-%m-%d %H:%M:%S} UTC</dd></dl>"
        f"{''.join(parts)}",
    )


def missing(says: str) -> str:
    """A page that is not there."""
    return _shell("Not found", f"<h1>Not found</h1><p>{escape(says)}</p>")
