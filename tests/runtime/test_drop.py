"""Files put into the drop folder."""

from pathlib import Path

import pytest

from leadmill.core.conversation import FileAsk
from leadmill.core.faults import Permanent
from leadmill.runtime.drop import Drop


async def test_a_file_appears_whole_and_putting_it_again_changes_nothing(tmp_path: Path) -> None:
    drop = Drop(tmp_path / "out")
    first = await drop.perform(FileAsk("helio/lead_1.json", b"{}"))
    again = await drop.perform(FileAsk("helio/lead_1.json", b"{}"))
    assert (first.existed, again.existed) == (False, True)
    assert [path.name for path in (tmp_path / "out" / "helio").iterdir()] == ["lead_1.json"]
    assert (tmp_path / "out" / "helio" / "lead_1.json").read_bytes() == b"{}"


async def test_other_bytes_never_overwrite_a_file(tmp_path: Path) -> None:
    drop = Drop(tmp_path)
    await drop.perform(FileAsk("a.json", b"1"))
    with pytest.raises(Permanent) as caught:
        await drop.perform(FileAsk("a.json", b"2"))
    assert caught.value.code == "drop.file.exists"
    assert (tmp_path / "a.json").read_bytes() == b"1"


@pytest.mark.parametrize(
    "path", ["../a", "/etc/x", "a/../../b", "a//b", "", ".hidden", "a/.ssh", "a\\..\\b", "a\0b", "a\nb", "~/x"]
)
async def test_no_path_leaves_the_folder(tmp_path: Path, path: str) -> None:
    with pytest.raises(Permanent) as caught:
        await Drop(tmp_path / "out").perform(FileAsk(path, b"x"))
    assert caught.value.code == "drop.path.refused"


async def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out" / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Permanent) as caught:
        await Drop(tmp_path / "out").perform(FileAsk("link/a.json", b"x"))
    assert caught.value.code == "drop.path.refused"
    assert list((tmp_path / "elsewhere").iterdir()) == []
