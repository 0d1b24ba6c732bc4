"""Files of IP addresses, read as their makers write them."""

import os
from pathlib import Path

import pytest

from leadmill.core.faults import Permanent
from leadmill.runtime.ipfiles import IpFiles
from tests.runtime.mmdb import write_mmdb

CITY = {"country": {"iso_code": "US"}, "location": {"latitude": 37.77, "longitude": -122.27}}


def test_every_file_is_asked_for_what_it_says_of_an_address(tmp_path: Path) -> None:
    city = write_mmdb(tmp_path / "city.mmdb", {"8.8.0.0/16": CITY, "2001:db8::/32": {"country": {"iso_code": "NL"}}})
    asn = write_mmdb(tmp_path / "asn.mmdb", {"8.8.8.0/24": {"autonomous_system_number": 15169}})
    files = IpFiles([city, asn])
    assert files
    assert files.look_up("8.8.8.8") == [CITY, {"autonomous_system_number": 15169}]
    assert files.look_up("8.8.9.9") == [CITY]
    assert files.look_up("2001:db8::7") == [{"country": {"iso_code": "NL"}}]
    assert files.look_up("9.9.9.9") == files.look_up("no address") == []
    files.close()


def test_without_files_nothing_is_said() -> None:
    assert not IpFiles([])
    assert IpFiles([]).look_up("8.8.8.8") == []


def test_a_file_that_is_none_is_refused_by_its_name(tmp_path: Path) -> None:
    broken = tmp_path / "city.mmdb"
    broken.write_bytes(b"no such thing")
    for path in (broken, tmp_path / "missing.mmdb"):
        with pytest.raises(Permanent, match=path.name) as fault:
            IpFiles([path])
        assert fault.value.code == "runtime.ip_file.unreadable"
        assert str(tmp_path) not in str(fault.value)


def test_a_file_that_is_replaced_is_read_anew_and_a_broken_one_is_not(tmp_path: Path) -> None:
    now = [0.0]
    path = write_mmdb(tmp_path / "city.mmdb", {"8.8.0.0/16": {"country": {"iso_code": "US"}}})
    files = IpFiles([path], lambda: now[0])
    for number, write in enumerate(
        (
            lambda to: write_mmdb(to, {"8.8.0.0/16": {"country": {"iso_code": "CA"}}}),
            lambda to: to.write_bytes(b"half a file"),
        ),
        1,
    ):
        fresh = tmp_path / "fresh"
        write(fresh)
        os.utime(fresh, (number, number))
        fresh.replace(path)
        now[0] += 30
        files.look_up("8.8.8.8")
        now[0] += 31
        assert files.look_up("8.8.8.8") == [{"country": {"iso_code": "CA"}}]
    files.close()
