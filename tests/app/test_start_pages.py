from __future__ import annotations

from pathlib import Path

import pytest
from starlette.datastructures import UploadFile
from tests.app.conftest import TABLE, Client

from temperance.app import start_pages
from temperance.app.folders import Studies
from temperance.app.project import load
from temperance.app.start_pages import copied, keep
from temperance.records.errors import DataError


def test_the_first_page_shows_ways_in_and_studies(client: Client, study: Path, project: Path) -> None:
    (client.root / "mine.csv").write_text("a\n1\n")
    text = client.get("/").text
    assert "<option>mine.csv</option>" in text
    assert "sales &lt;b&gt;.csv" in text
    assert "/study/done/" in text
    assert text.count("/example/") == 3
    names = {entry["name"] for entry in client.get("/api/studies").json()["studies"]}
    assert names == {"done", "temperance-sales"}
    assert "no study in this folder yet" in Client(client.root / "other").get("/").text


def test_an_upload_becomes_a_project(client: Client) -> None:
    answer = client.post("/upload", file=("../../x/größe <i>.csv", TABLE.encode()))
    assert answer.headers["location"] == "/study/temperance-gr%C3%B6%C3%9Fe-_i_/data"
    folder = next(client.root.iterdir())
    made = load(folder)
    assert made is not None
    assert (made.title, made.source["name"]) == ("../../x/größe <i>.csv", "größe _i_.csv")
    assert (folder / "app" / "data" / "größe _i_.csv").read_text() == TABLE


def test_no_file_is_said_in_words(client: Client) -> None:
    answer = client.post("/upload")
    assert answer.status_code == 400
    assert "no file was chosen" in answer.text


def test_a_file_of_the_folder_is_picked_and_no_other(client: Client) -> None:
    (client.root / "mine.csv").write_text(TABLE)
    answer = client.post("/pick", {"file": "mine.csv"})
    assert answer.headers["location"] == "/study/temperance-mine/data"
    refused = client.post("/pick", {"file": "../mine.csv"})
    assert refused.status_code == 400
    assert "no data file" in refused.text


@pytest.mark.parametrize("key", ["few", "rare", "digits"])
def test_each_example_becomes_a_project_with_one_click(client: Client, key: str) -> None:
    assert client.post(f"/example/{key}").headers["location"] == f"/study/temperance-{key}/data"
    made = load(client.root / f"temperance-{key}")
    assert made is not None
    assert made.example == key
    assert client.post("/example/none").status_code == 400


def test_another_study_of_the_same_data_leaves_the_first_alone(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = Studies(project.parent).find(project.name)
    assert entry is not None
    assert entry.project is not None
    asked = entry.project.changed(asked=5.0, more="1m", target="left")
    for name, linked in (("one", True), ("two", False)):
        if not linked:
            monkeypatch.setattr(Path, "hardlink_to", lambda *_: (_ for _ in ()).throw(OSError()))
        folder = project.parent / name
        made = copied(entry, asked, folder)
        assert (made.asked, made.more, made.target) == (0.0, "", "left")
        assert (folder / "app" / "data" / "sales.csv").read_text() == TABLE


def test_a_file_is_kept_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(start_pages.shutil, "copyfileobj", full)
    with (tmp_path / "in").open("w+b") as file, pytest.raises(DataError, match="No space left"):
        keep(UploadFile(file), tmp_path / "deep" / "out.csv")
    assert list((tmp_path / "deep").iterdir()) == []


def test_the_list_is_sent_until_all_is_over(client: Client, study: Path) -> None:
    text = client.get("/events").text
    assert "event: part" in text
    assert "done" in text.split("event: ")[-1]
