"""The folder in which the local stack remembers, for one stack at a time."""

from pathlib import Path

import pytest

from infra.local.folder import remembered


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_the_folder_is_the_same_each_time_and_fresh_empties_it(cache: Path) -> None:
    with remembered() as folder:
        assert folder is not None
        assert folder.is_relative_to(cache)
        (folder / "table.sqlite").touch()
    with remembered() as again:
        assert again == folder
        assert (folder / "table.sqlite").exists()
    with remembered(fresh=True):
        assert not (folder / "table.sqlite").exists()


def test_a_second_stack_gets_none_and_empties_nothing() -> None:
    with remembered() as folder:
        assert folder is not None
        (folder / "table.sqlite").touch()
        with remembered(fresh=True) as second:
            assert second is None
        assert (folder / "table.sqlite").exists()
    with remembered() as later:
        assert later == folder


def test_a_cache_that_cannot_be_written_is_named(cache: Path) -> None:
    cache.write_text("no folder")
    with pytest.raises(OSError, match="cache"), remembered():
        pytest.fail("it had a folder")
