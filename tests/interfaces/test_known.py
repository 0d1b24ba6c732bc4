"""A buyer's list of the people it has, through its two doors: the API with the buyer's key, the command with a file."""

import hashlib
import json
from pathlib import Path

from tests.interfaces.command import leadmill
from tests.interfaces.stage import BUYER_KEY, SOURCE_KEY, Stage, solar

PEOPLE = [hashlib.md5(number.encode()).hexdigest() for number in ("4155550134", "4155550135")]

BUSINESS = """
[[buyer]]
id = "volt"
name = "Volt LLC"
known = { profile = "sha256" }
"""


async def test_a_buyer_changes_its_list_and_a_repeated_call_changes_nothing_more(stage: Stage) -> None:
    client = stage.client()
    headers = {"authorization": f"Bearer {BUYER_KEY}", "idempotency_key": "list-1"}
    first = await client.post_json("/v1/known", {"kind": "phone", "hashes": PEOPLE}, **headers)
    assert (first.status, first.json) == (200, {"kind": "phone", "changed": 2, "profile": "md5", "weak": True})
    again = await client.post_json("/v1/known", {"kind": "phone", "hashes": PEOPLE}, **headers)
    assert again.json == first.json
    fewer = {"kind": "phone", "hashes": PEOPLE[:1], "change": "remove"}
    gone = await client.post_json("/v1/known", fewer, authorization=f"Bearer {BUYER_KEY}")
    assert gone.json["changed"] == 1


async def test_a_lead_of_a_known_person_goes_to_somebody_else(stage: Stage) -> None:
    lead = solar()
    digits = "".join(filter(str.isdigit, lead["fields"]["phone"]))[-10:]
    given = {"kind": "phone", "hashes": [hashlib.md5(digits.encode()).hexdigest()]}
    await stage.client().post_json("/v1/known", given, authorization=f"Bearer {BUYER_KEY}")
    told = await stage.send(lead)
    page = await stage.client().get(
        f"/v1/leads/{told['lead_id']}/explain", authorization=f"Bearer {stage.operator_key}"
    )
    assert "helio already has this person (phone, by a weak hash)." in page.text
    assert "The buyer already has this person, by phone." in page.text


async def test_nobody_else_changes_a_list_and_a_wrong_hash_is_named(stage: Stage) -> None:
    client = stage.client()
    body = {"kind": "phone", "hashes": PEOPLE}
    assert (await client.post_json("/v1/known", body)).status == 401
    source = await client.post_json("/v1/known", body, authorization=f"Bearer {SOURCE_KEY}")
    assert (source.status, source.json["code"]) == (403, "api.key.kind")
    wrong = {"kind": "phone", "hashes": [*PEOPLE, "not a hash"]}
    reply = await client.post_json("/v1/known", wrong, authorization=f"Bearer {BUYER_KEY}")
    assert (reply.status, reply.json["errors"][0]["pointer"]) == (422, "/hashes/2")


def test_the_command_takes_a_file_of_hashes(empty_database_url: str, tmp_path: Path) -> None:
    (tmp_path / "volt.toml").write_text(BUSINESS)
    people = tmp_path / "people.txt"
    people.write_text("\n".join(hashlib.sha256(str(number).encode()).hexdigest() for number in range(12_000)))
    assert leadmill(empty_database_url, tmp_path, "apply", str(tmp_path / "volt.toml")).exit_code == 0
    asked = ("known", str(people), "--buyer", "volt", "--kind", "phone", "--change", "replace", "--json")
    made = leadmill(empty_database_url, tmp_path, *asked)
    assert made.exit_code == 0, made.stderr
    assert json.loads(made.stdout)["changed"] == 12_000
    assert leadmill(empty_database_url, tmp_path, *asked[:3], "nobody", *asked[4:]).exit_code == 2
