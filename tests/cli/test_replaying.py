import pytest

from temperance.cli.replaying import text
from temperance.study import again


@pytest.fixture
def replayed(monkeypatch):
    """Answer for a replay without running one."""
    seen = {}

    def answer(different=()):
        def replay(folder, *, out, progress=None, **changed):
            seen.update(folder=folder, out=out, changed=changed)
            out.mkdir(parents=True)
            return again.Replayed(out, ("t000", "t001"), tuple(different), True)

        monkeypatch.setattr(again, "replay", replay)
        return seen

    return answer


def test_it_says_how_many_are_the_same(temperance, tmp_path, replayed) -> None:
    seen = replayed()
    done = temperance("study", "--replay", tmp_path, "--json")
    assert done.status == 0
    assert done.json["identical"] == ["t000", "t001"]
    assert done.json["folder"] is None
    assert not seen["out"].exists()  # without --out nothing is left


def test_a_difference_ends_with_1_and_out_is_kept(temperance, tmp_path, replayed) -> None:
    replayed(["t002"])
    done = temperance("study", "--replay", tmp_path, "--out", tmp_path / "new", "--workers", "1")
    assert done.status == 1
    assert "2 of 3 trials are identical bit for bit." in done.out
    assert "t002" in done.out
    assert (tmp_path / "new").is_dir()


def test_a_folder_without_a_ledger_is_refused(temperance, tmp_path) -> None:
    done = temperance("study", "--replay", tmp_path)
    assert done.status == 2
    assert "ledger" in done.err


def test_a_language_is_refused_since_no_report_is_written(temperance, tmp_path, replayed) -> None:
    replayed()
    done = temperance("study", "--replay", tmp_path, "--language", "de")
    assert done.status == 2
    assert "--replay with --language" in done.err


def test_words() -> None:
    assert "Another trial won." in text({"identical": [], "different": [], "same_winner": False})
