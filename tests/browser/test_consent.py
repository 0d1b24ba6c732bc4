"""The certificate of consent in a real browser: what the page tells, what is recorded and what never is, and how it
looks to whoever reads it, in both looks."""

import json
from typing import Any

from leadmill.flow.certifying import KEEP_REPLAY, Made, keep_replay, make_certificate, replay_events
from leadmill.flow.model import LeadFilter
from leadmill.flow.store import list_leads
from leadmill.parties import Role
from leadmill.runtime.jobs import Job
from tests.browser.conftest import Opener, Visitor
from tests.browser.site import Site
from tests.browser.test_look import check

PAGE = "/f/solar-seen"


def fill_in(window: Visitor, first: str, number: int) -> None:
    """Answer the form like a person, and send it."""
    page = window.page
    for label, value in (
        ("ZIP", "94110"),
        ("State", "CA"),
        ("Monthly", "240"),
        ("First name", first),
        ("Last name", "Whitlock"),
        ("E-mail", f"{first.lower()}.whitlock@gmail.com"),
        ("Phone", f"(415) 601-{number}"),
    ):
        field = page.get_by_label(label).first
        if field.evaluate("field => field.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.press_sequentially(value)
    page.get_by_label("Yes").first.check()
    page.get_by_role("checkbox", name="I agree that").check()
    page.locator("form[data-tells] > .button").click()
    page.get_by_role("heading", name="Thank you").wait_for()


async def newest(site: Site) -> tuple[str, Made, bytes | None]:
    """The newest lead with its certificate and its recording, which is taken up at once."""
    house = site.stage.house
    async with house.db.begin() as tx:
        rows, _ = await list_leads(tx, LeadFilter(source_id="own-site"))
        lead_id = rows[0].id
        job = await tx.conn.fetchrow("SELECT * FROM job WHERE kind = $1 AND subject = $2", KEEP_REPLAY, lead_id)
    if job is not None:
        await keep_replay(house.kit)(Job(**dict(job.items())))
    async with house.db.begin() as tx:
        made = await make_certificate(tx, house.pen, lead_id)
        return lead_id, made, await replay_events(tx, house.pen, made.row)


def test_a_page_tells_how_it_was_seen_and_is_recorded_only_after_a_yes(visit: Opener, site: Site) -> None:
    window = visit(site)
    asked: list[str] = []
    window.page.on("request", lambda request: asked.append(request.url))
    window.go(PAGE)
    notice = window.page.locator("[data-replay]")
    notice.wait_for()
    check(window, "form-asks")
    assert not any("record" in url for url in asked), "no recorder before the choice"
    notice.get_by_role("button", name="Record", exact=True).click()
    notice.get_by_role("button", name="Stop and delete").wait_for()
    fill_in(window, "Wilhelmina", 7741)
    assert any("/recorder-" in url for url in asked)
    lead_id, made, events = site.run(newest(site))
    core = made.core
    assert (core.sight, core.unseen, core.doubts) == ("seen", [], [])
    shown, control, recorded = core.seen.shown, core.seen.control, core.seen.recorded
    assert shown.contrast > 7 and shown.font_px == 15 and shown.above_button and not shown.hidden
    assert shown.visible_ms > 0 and shown.place.width > 200
    assert (control.kind, control.default, control.state) == ("checkbox", "unchecked", "checked")
    assert recorded.accepted and recorded.shown_ms <= recorded.chosen_ms <= recorded.loaded_ms
    assert [act.what for act in core.seen.acts][-2:] == ["tick", "submit"] or core.seen.acts[-1].what == "submit"
    assert "Helio Solar LLC" in made.document and "<style>" in made.document and "<script" not in made.document
    told = json.loads(events or b"[]")
    assert len(told) > 5 and {2, 4} <= {event["type"] for event in told}
    for text in (made.document, (events or b"").decode()):
        for typed in ("Wilhelmina", "wilhelmina", "Whitlock", "601-7741", "6017741"):
            assert typed not in text, typed
    assert not any(_tells(event) for event in told), "which answer was chosen stays on the page"
    for scheme in ("light", "dark"):
        reader = visit(site, Role.COMPLIANCE, scheme, twin=True)
        reader.go(f"/leads/{lead_id}?tab=consent")
        reader.page.get_by_role("link", name="Open the certificate").click()
        frame = reader.page.frame_locator("iframe.player")
        frame.locator("main[data-ready]").wait_for()
        snapshot = reader.page.frame_locator("iframe.snapshot")
        assert snapshot.get_by_text("What would solar save you?").first.is_visible()
        assert snapshot.locator("input[name='consent[granted]']").is_checked()
        assert (
            frame.frame_locator(".replayer-wrapper iframe").get_by_text("What would solar save you?").first.is_visible()
        )
        check(reader, "consent")
        frame.get_by_role("button", name="Play").press("Enter")
        frame.get_by_role("slider").scroll_into_view_if_needed()
        reader.shoot("consent-player")
    with reader.page.expect_download() as download:
        reader.page.get_by_role("link", name="Download, signed").click()
    path = download.value.path()
    assert b'id="replay">[' in path.read_bytes()
    paper = reader.page.context.new_page()
    paper.set_content(path.read_text())
    assert paper.get_by_role("heading", name="Certificate of consent").is_visible()
    assert paper.frame_locator("#snapshot").get_by_text("What would solar save you?").first.is_visible()
    Visitor(paper, site, "dark").shoot("consent-paper", whole=True)


def _tells(event: dict[str, Any]) -> bool:
    """Whether an event says that something other than the consent box is ticked."""
    data = event.get("data", {})
    return event["type"] == 3 and data.get("source") == 5 and data.get("isChecked") and data.get("text") != "•••"


def test_who_declines_or_has_no_script_is_not_recorded_and_the_form_works(visit: Opener, site: Site) -> None:
    window = visit(site)
    asked: list[str] = []
    window.page.on("request", lambda request: asked.append(request.url))
    window.go(PAGE)
    window.page.get_by_role("button", name="Do not record").click()
    window.page.get_by_text("This page is not recorded.").wait_for()
    fill_in(window, "Declan", 7742)
    assert not any("/recorder-" in url or url.endswith("/visit") for url in asked)
    _, made, events = site.run(newest(site))
    assert made.core.sight == "seen" and events is None and made.core.seen is not None
    assert made.core.seen.recorded is not None and made.core.seen.recorded.accepted is False
    plain = visit(site, scripts=False)
    plain.go(PAGE)
    assert not plain.page.locator("[data-replay]").is_visible()
    fill_in(plain, "Noel", 7743)
    lead_id, made, events = site.run(newest(site))
    assert (made.core.sight, events) == ("served", None)
    reader = visit(site, Role.COMPLIANCE)
    reader.go(f"/leads/{lead_id}/consent")
    assert reader.page.get_by_text("script did not run").first.is_visible()
    check(reader, "consent-served", whole=True)
