from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from tests.app.conftest import Client, Started, end

from temperance.app import use_pages
from temperance.app.desk import Desk
from temperance.app.folders import Studies
from temperance.app.watching import Health
from temperance.records.errors import SettingError

ROW = {"x.size": "2.5", "x.weight": "0", "x.colour": "red"}


def test_a_row_is_answered_with_and_without_a_script(client: Client, study: Path) -> None:
    page = client.get("/study/done/try").text
    assert 'name="x.size"' in page
    assert '<select name="x.colour"' in page
    whole = client.post("/study/done/try", ROW).text
    assert "<strong>=yes</strong>" in whole
    assert 'value="2.5"' in whole
    part = client.post("/study/done/try", ROW, headers={"x-part": "answer"}).text
    assert "<strong>=yes</strong>" in part
    assert "<html" not in part


def test_a_value_that_cannot_be_read_is_said_beside_the_form(client: Client, study: Path) -> None:
    for headers in ({}, {"x-part": "answer"}):
        answer = client.post("/study/done/try", {**ROW, "x.size": "much"}, headers=headers)
        assert answer.status_code == 200
        assert "is the text &#39;much&#39;" in answer.text


def test_a_file_of_rows_is_answered(client: Client, study: Path, started: Started) -> None:
    end(study, "predict", out='{"rows": 2, "notes": ["A note."]}')
    place = study / "app" / "predictions"
    place.mkdir()
    (place / "rows.csv").write_text("prediction\nyes\n")
    page = client.get("/study/done/try").text
    assert "2 rows were answered" in page
    assert "A note." in page
    assert client.get("/study/done/predictions/rows.csv").text.startswith("prediction")
    assert "rows.csv" in client.get("/study/done/take").text


def test_a_file_goes_to_the_command_that_predicts(
    client: Client, study: Path, started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(use_pages, "_patience", lambda *_: None)
    assert "no file was chosen" in client.post("/study/done/try/file").text
    assert client.post("/study/done/try/file", file=("-new; rows.csv", b"size\n1\n")).status_code == 303
    assert started[0][1][:3] == ["predict", "done/bundle", "done/app/predictions/rows/new_ rows.csv"]
    assert "is being answered" in client.post("/study/done/try/file", file=("b.csv", b"x")).text
    end(study, "predict")
    assert client.get("/study/done/try/events").text.endswith("event: done\ndata: \n\n")


def test_files_are_taken_by_their_names_and_the_model_as_a_zip(client: Client, study: Path) -> None:
    (study / "model_card.md").symlink_to("/etc/hostname")
    page = client.get("/study/done/take").text
    assert "Download the model" in page
    assert "Model card" not in page  # it leads out of the folder
    assert client.get("/study/done/take/model_card.md").status_code == 404
    report = client.get("/study/done/take/report.html")
    assert report.headers["content-disposition"] == 'attachment; filename="done-report.html"'
    packed = zipfile.ZipFile(io.BytesIO(client.get("/study/done/take/bundle.zip").content))
    assert "bundle/manifest.json" in packed.namelist()


def test_a_study_without_a_model_has_nothing_to_try(client: Client, project: Path) -> None:
    for path in ("try", "watch", "take/bundle.zip"):
        assert client.get(f"/study/temperance-sales/{path}").status_code == 404
    assert "Download the model" not in client.get("/study/temperance-sales/take").text


def test_a_server_is_started_watched_and_stopped(
    client: Client, study: Path, started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Start the server" in client.get("/study/done/watch").text
    monkeypatch.setattr(use_pages.Server, "wait", lambda _: "")
    client.post("/study/done/watch/start")
    assert started[0] == ("serve", ["serve", "done/bundle", "--port=0", "--json"])
    assert "The server is starting" in client.get("/study/done/watch").text
    (study / "app" / "serve.out").write_text('{"status": "serving", "url": "http://127.0.0.1:9"}\n')
    monkeypatch.setattr(use_pages, "ask", lambda _: Health("http://127.0.0.1:9", "m", "v", drift="alarm", rows=1234))
    text = client.get("/study/done/watch").text
    assert "alarm: what comes in differs" in text
    assert "1,234" in text
    monkeypatch.setattr(use_pages, "_patience", lambda *_: None)
    client.post("/study/done/watch/stop")
    assert started.interrupted == [started.pid]
    assert "Start the server" in client.get("/study/done/watch").text


def test_a_server_that_ended_says_why(client: Client, study: Path) -> None:
    end(study, "serve", code=2, out='{"error": {"message": "The bundle is damaged."}}')
    assert "The bundle is damaged." in client.get("/study/done/watch").text
    assert client.get("/study/done/watch/events").text.endswith("event: done\ndata: \n\n")


def test_a_server_that_runs_already_is_followed(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(use_pages, "ask", lambda address: Health(address, "mine", "v"))
    assert client.post("/watch", {"address": "127.0.0.1:8000"}).headers["location"] == "/watch"
    assert "mine, version v" in client.get("/watch").text

    def silent(_: str) -> Health:
        raise SettingError("nobody answers there")

    monkeypatch.setattr(use_pages, "ask", silent)
    assert "Nobody answers" in client.get("/watch").text or "nobody answers" in client.get("/watch").text
    assert client.post("/watch", {"address": "http://example.org"}).status_code == 400
    client.post("/watch", {"address": "http://127.0.0.1:8000", "then": "forget"})
    assert "None is followed yet" in client.get("/watch").text


def test_servers_stop_with_the_app(
    client: Client, study: Path, started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(use_pages, "_patience", lambda *_: None)
    use_pages.Server(study).start(client.root)
    use_pages.stop_servers(Desk(Studies(client.root)))
    assert started.interrupted == [started.pid]
    assert use_pages.Server(study).job.card is None
