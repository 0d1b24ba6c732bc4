"""The console and the forms as people use them: by keyboard, live, without a script, from a form to its story."""

from typing import Any

import pytest

from leadmill.parties import Role
from tests.browser.conftest import Opener
from tests.browser.site import Site
from tests.interfaces.stage import solar


def fill_in(page: Any, email: str, last_name: str) -> None:
    """Answer the form as a person would."""
    page.get_by_label("ZIP code").fill("94110")
    page.get_by_label("State").select_option("CA")
    page.get_by_label("Monthly electric bill").fill("260")
    page.get_by_role("radio", name="Yes").check()
    # A page that no key was struck on would give itself away.
    page.get_by_label("First name").fill("")
    page.get_by_label("First name").press_sequentially("Rosa")
    page.get_by_label("Last name").fill("")
    page.get_by_label("Last name").press_sequentially(last_name)
    page.get_by_role("textbox", name="E-mail").fill(email)
    page.get_by_label("Phone").fill(f"(415) 632-71{len(last_name):02}")  # one number is one person
    page.get_by_role("checkbox", name="I agree that Helio Solar LLC").check()
    page.wait_for_timeout(3_500)  # nobody takes less than three seconds, and who does waits for a person


@pytest.mark.parametrize("scripts", [False, True])
def test_a_form_filled_in_is_sold_delivered_and_explained(visit: Opener, site: Site, scripts: bool) -> None:
    outside = visit(site, scripts=scripts)
    outside.go("/f/solar-quote")
    outside.picture("form")
    outside.page.get_by_role("button", name="See what I would save").click()
    assert outside.page.get_by_role("alert").is_visible()
    assert outside.page.locator("select[name=state]").get_attribute("aria-invalid") == "true"
    last_name = "Scripted" if scripts else "Plain"
    fill_in(outside.page, f"rosa.{last_name.lower()}@gmail.com", last_name)
    outside.page.get_by_role("button", name="See what I would save").click()
    outside.page.get_by_role("heading", name="Thank you").wait_for()

    inside = visit(site, Role.OPERATOR)
    page = inside.page
    page.get_by_role("link", name=f"Rosa {last_name}").click()
    drawer = page.get_by_role("complementary", name="Lead")
    drawer.get_by_text("Sold to", exact=False).or_(drawer.get_by_text("sold to", exact=False)).first.wait_for()
    drawer.get_by_role("link", name="Consent").click()
    drawer.get_by_text("Agreeing is no condition of buying anything", exact=False).wait_for()
    drawer.get_by_role("link", name=f"Rosa {last_name}").click()
    page.wait_for_url("**/leads/lead_*")
    page.get_by_role("heading", name="Offered to the market").first.wait_for()
    for _ in range(40):
        inside.go(page.url.removeprefix(site.url).partition("?")[0] + "?tab=deliveries")
        if page.get_by_text("Accepted", exact=True).count() or page.get_by_text("Rejected", exact=True).count():
            break
        page.wait_for_timeout(100)
    assert page.locator("table tbody tr").count() >= 1, "no attempt was made"


def test_a_form_that_a_program_fills_in_waits_for_a_person_who_is_told_why(visit: Opener, site: Site) -> None:
    outside = visit(site)
    outside.go("/f/solar-quote")
    answers = {"zip": "94110", "state": "CA", "monthly_bill": "260", "first_name": "Rob", "last_name": "Ott"}
    outside.page.evaluate(
        """answers => {
            const fields = document.forms[0].elements;
            for (const [name, value] of Object.entries(answers)) fields[name].value = value;
            fields["consent[granted]"].checked = true;
        }""",
        {**answers, "homeowner": "yes", "email": "rob.ott@gmail.com"},
    )
    outside.page.get_by_role("button", name="See what I would save").click()
    outside.page.get_by_role("heading", name="Thank you").wait_for()
    inside = visit(site, Role.OPERATOR)
    inside.go("/review")
    inside.page.get_by_role("link", name="Rob Ott").click()
    story = inside.page.locator("#story")
    story.get_by_text("The browser says that a program drives it.").first.wait_for()
    story.get_by_text("without a key, a paste or the browser's own help").first.wait_for()


def test_the_list_is_worked_by_keyboard_alone(visit: Opener, site: Site) -> None:
    page = visit(site, Role.OPERATOR).page
    rows = page.locator("a.row-link")
    page.keyboard.press("j")
    page.keyboard.press("j")
    second = rows.nth(1)
    assert second.evaluate("link => link === document.activeElement")
    page.keyboard.press("k")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.locator("#drawer .story").wait_for()
    assert page.locator("tr[aria-selected=true] a.row-link").inner_text() == second.inner_text()
    page.keyboard.press("j")
    page.locator("#rows tr:nth-child(3)[aria-selected=true]").wait_for()
    page.keyboard.press("Escape")
    assert page.locator("#drawer").inner_html() == ""
    page.keyboard.press("g")
    page.keyboard.press("o")
    page.wait_for_url("**/orders")
    page.keyboard.press("/")
    page.keyboard.type("state:sold score>50")
    page.keyboard.press("Enter")
    page.wait_for_url("**/leads?state=sold&min=51")
    assert {badge.inner_text() for badge in page.locator("#rows .badge:not(.line)").all()} == {"Sold"}
    page.keyboard.press("g")
    page.keyboard.press("l")
    page.wait_for_url("**/leads")


def test_enter_opens_the_drawer_and_enter_again_the_page(visit: Opener, site: Site) -> None:
    page = visit(site, Role.OPERATOR).page
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.locator("#drawer h2 a").wait_for()
    page.locator("#drawer h2 a:focus").wait_for()
    page.keyboard.press("Enter")
    page.wait_for_url("**/leads/lead_*")


def test_single_keys_can_be_switched_off(visit: Opener, site: Site) -> None:
    page = visit(site, Role.OPERATOR).page
    page.keyboard.press("?")
    page.get_by_role("button", name="Switch single keys off").click()
    page.wait_for_load_state()
    page.keyboard.press("?")
    page.keyboard.press("j")
    assert page.locator("dialog[open]").count() == 0
    assert page.evaluate("document.activeElement === document.body")


def test_filters_are_chips_and_work_without_a_page_load(visit: Opener, site: Site) -> None:
    page = visit(site, Role.OPERATOR).page
    page.evaluate("window.same = true")
    page.keyboard.press("f")
    page.locator("#in-state").select_option("sold")
    page.get_by_role("button", name="Apply").click()
    page.get_by_role("link", name="Remove the filter State is Sold").wait_for()
    page.wait_for_url("**/leads?state=sold*")
    assert {badge.inner_text() for badge in page.locator("#rows .badge:not(.line)").all()} == {"Sold"}
    page.get_by_role("link", name="Remove the filter State is Sold").click()
    page.locator(".chip").wait_for(state="detached")
    assert page.evaluate("window.same") is True
    page.go_back()
    page.wait_for_url("**/leads?state=sold*")


def test_without_a_script_filters_and_leads_open_as_pages(visit: Opener, site: Site) -> None:
    window = visit(site, Role.OPERATOR, scripts=False)
    page = window.page
    page.locator("summary", has_text="Filter").click()
    page.locator("#in-state").select_option("sold")
    page.get_by_role("button", name="Apply").click()
    assert "state=sold" in page.url and page.locator("#rows tr").count() > 0
    page.locator("a.row-link").first.click()
    page.get_by_role("heading", name="Offered to the market").first.wait_for()


def test_new_leads_appear_by_themselves_and_wait_while_one_reads(visit: Opener, site: Site) -> None:
    page = visit(site, Role.OPERATOR).page
    page.locator("live-feed[on]").wait_for(state="attached")
    page.mouse.move(700, 5)
    first = site.run(site.stage.send(solar(801, last_name="Live")))
    page.locator(f"#{first['lead_id']}").wait_for()
    assert page.locator("#rows tr").first.get_attribute("id") == first["lead_id"]
    page.locator("#rows tr").nth(3).hover()
    second = site.run(site.stage.send(solar(802, last_name="Held")))
    button = page.get_by_role("button", name="1 new")
    button.wait_for()
    assert page.locator(f"#{second['lead_id']}").count() == 0
    button.click()
    page.locator(f"#{second['lead_id']}").wait_for()
    assert page.locator(f"#{second['lead_id']}").count() == 1
    page.locator(f"#{second['lead_id']} a.row-link").click()
    page.locator("#drawer .story").wait_for()


def test_changing_filters_leaves_one_stream_open(visit: Opener, site: Site) -> None:
    page = visit(site, Role.OPERATOR).page
    page.evaluate(
        "() => { const Real = EventSource; window.streams = []; window.EventSource = class extends Real {"
        " constructor(url) { super(url); window.streams.push(this); } }; }"
    )
    for state in ("sold", "duplicate", "assigned", "sold"):
        page.keyboard.press("f")
        page.locator("#in-state").select_option(state)
        page.get_by_role("button", name="Apply").click()
        page.wait_for_url(f"**/leads?state={state}*")
        page.locator(".chip", has_text=state.capitalize()).wait_for()
    assert page.evaluate("window.streams.filter((one) => one.readyState !== 2).length") <= 1


def test_the_theme_changes_at_once_and_is_kept(visit: Opener, site: Site) -> None:
    page = visit(site, Role.OPERATOR).page
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    before = page.evaluate(ground)
    page.get_by_role("button", name="Light or dark").click()
    # Before the script is there the button sends its form, with the same outcome.
    page.wait_for_function(f"before => {ground} !== before", arg=before)
    page.reload()
    assert page.locator("html").get_attribute("data-theme") == "dark"


def test_the_palette_goes_and_finds(visit: Opener, site: Site) -> None:
    page = visit(site, Role.OPERATOR).page
    page.keyboard.press("Control+k")
    box = page.get_by_role("combobox")
    box.fill("deliv")
    page.keyboard.press("Enter")
    page.wait_for_url("**/deliveries")
    page.keyboard.press("Control+k")
    page.get_by_role("combobox").fill("ana.ruiz5@gmail.com")
    page.keyboard.press("Enter")
    page.wait_for_url("**/leads?person=person_*")
    assert "ana.ruiz" not in page.url


def test_a_file_is_taken_in_with_its_progress_and_its_errors(visit: Opener, site: Site, tmp_path: Any) -> None:
    lines = ["first_name,last_name,email,phone,zip,state,monthly_bill"]
    lines += [f"Ida,Row{n},ida.row{n}@gmail.com,415-602-{1000 + n},94110,CA,200" for n in range(40)]
    lines += ["Bad,Bill,bad.bill@gmail.com,415-602-9999,94110,CA,a lot", "x,y"]
    path = tmp_path / "leads of may.csv"
    path.write_text("\n".join(lines) + "\n")
    window = visit(site, Role.OPERATOR)
    page = window.page
    window.go("/imports")
    page.get_by_label("File of leads").set_input_files(path)
    page.get_by_label("Whose leads").select_option("acme-media")
    page.get_by_label("Which vertical").select_option("solar")
    page.get_by_role("button", name="Import").click()
    page.wait_for_url("**/imports/imp_*")
    page.get_by_text("Done", exact=True).first.wait_for()
    window.shoot("import-done")
    window.picture("import")
    rejects = page.locator("dt", has_text="Rejected").locator("xpath=following-sibling::dd").inner_text()
    assert int(rejects) >= 1
    with page.expect_download() as download:
        page.get_by_role("link", name="Errors as CSV").click()
    text = download.value.path().read_text()
    assert text.splitlines()[0] == "line,code,what to do" and "42" in text
    window.go("/imports")
    assert page.get_by_role("link", name="leads of may.csv").is_visible()
    page.get_by_label("File of leads").set_input_files(path)
    page.get_by_label("Whose leads").select_option("own-site")
    page.get_by_label("Which vertical").select_option("legal")
    page.get_by_role("button", name="Import").click()
    page.get_by_role("alert").wait_for()


def test_dead_and_accepted_deliveries_are_chosen_and_sent_again(visit: Opener, site: Site) -> None:
    window = visit(site, Role.OPERATOR)
    page = window.page
    window.go("/deliveries?state=accepted")
    assert not page.get_by_role("button", name="Resend").is_visible()
    boxes = page.get_by_role("checkbox")
    boxes.nth(0).check()
    boxes.nth(1).check()
    page.get_by_role("button", name="Resend").click()
    page.get_by_role("status").wait_for()
    assert "start again" in page.get_by_role("status").inner_text()


def test_a_waiting_lead_is_decided_with_a_key_and_a_reason(visit: Opener, site: Site) -> None:
    body = solar(901)
    body["fields"] = {"first_name": "Thea", "last_name": "Sloan", "email": "thea.sloan@gmail.com", "zip": "94110"}
    lead_id = site.run(site.stage.send(body))["lead_id"]
    window = visit(site, Role.OPERATOR)
    page = window.page
    window.go("/nurture")
    page.locator(f"#{lead_id} a.row-link").click()
    page.get_by_label("Decision").fill("spoke to her")
    page.get_by_label("Decision").press("Escape")
    window.shoot("decide")
    page.keyboard.press("r")
    page.get_by_role("status").wait_for()
    assert "Rejected" in page.locator(".bar .badge").inner_text()
    assert page.get_by_text("spoke to her").count() > 0
