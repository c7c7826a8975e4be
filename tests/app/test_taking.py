from __future__ import annotations

import zipfile
from pathlib import Path

from temperance.app.places import Place
from temperance.app.taking import bundle_files, offered, pack, predictions
from temperance.deployment import load


def test_what_there_is_is_offered_the_model_first(study: Path) -> None:
    place = Place(study.parent)
    assert [one.name for one in offered(place, study)] == ["bundle.zip", "report.html", "study.json"]
    assert offered(place, study)[1].size == (study / "report.html").stat().st_size


def test_the_archive_is_a_model_that_works(study: Path, tmp_path: Path) -> None:
    packed = pack(Place(study.parent), study)
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(tmp_path / "out")
    packed.unlink()
    assert load(tmp_path / "out" / "bundle").classes


def test_what_leads_out_is_not_taken(study: Path) -> None:
    outside = study.parent.parent / "outside.txt"
    outside.write_text("secret")
    (study / "bundle" / "extra.txt").symlink_to(outside)
    place = Place(study.parent)
    assert "extra.txt" not in [path.name for path in bundle_files(place, study)]
    (study / "app" / "predictions").mkdir(parents=True)
    (study / "app" / "predictions" / "a.csv").symlink_to(outside)
    assert predictions(place, study) == []
    (study / "bundle" / "manifest.json").unlink()
    assert offered(place, study)[0].name == "report.html"
