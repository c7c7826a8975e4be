import json

import pytest


def test_findings_as_words_and_files(temperance, classes, tmp_path) -> None:
    done = temperance("audit", classes.table, "--target", "answer", "--out", tmp_path / "a")
    assert done.status == 0, done.err
    assert "No problem found by this test" in done.out
    value = json.loads((tmp_path / "a" / "audit.json").read_text())
    assert value["data"]["rows"] == 240
    assert {finding["check"] for finding in value["findings"]} >= {"duplicates", "leaks", "labels"}
    assert (tmp_path / "a" / "dataset_card.md").read_text().startswith("---")


@pytest.mark.slow
def test_the_licence_is_judged_for_the_use(temperance, classes, tmp_path) -> None:
    words = ("audit", classes.table, "--target", "answer", "--licence", "cc-by-nc-4.0")
    done = temperance(*words, "--use", "commercial", "--out", tmp_path / "a", "--json")
    assert done.status == 0, done.err
    assert done.json["licence"]["answer"] == "not allowed"
    assert done.json["data"]["licence"]["source"] == "told with --licence"
    described = json.loads((tmp_path / "a" / "croissant.json").read_text())
    assert described["license"] == "https://spdx.org/licenses/CC-BY-NC-4.0.html"
    assert "representativeness" in {f["check"] for f in done.json["findings"]}
    spoken = temperance(*words, "--use", "research")
    assert "Licence cc-by-nc-4.0, for study and research without profit, results kept inside: allowed" in spoken.out


def test_a_licence_that_is_none_and_a_use_that_is_none_are_refused(temperance, classes) -> None:
    words = ("audit", classes.table, "--target", "answer")
    done = temperance(*words, "--licence", "apache2")
    assert done.status == 2
    assert "Apache-2.0" in done.err
    assert temperance(*words, "--use", "fun").status == 2


@pytest.mark.slow
def test_without_a_licence_the_verdict_is_unknown(temperance, classes) -> None:
    done = temperance("audit", classes.table, "--target", "answer", "--use", "publish")
    assert "Licence not declared" in done.out
    assert "unknown" in done.out
    assert "Ask the owner of the data." in done.out


def test_a_second_file_is_the_test(temperance, classes) -> None:
    done = temperance("audit", classes.table, "--target", "answer", "--test", classes.table, "--json")
    assert done.status == 0, done.err
    found = {finding["id"]: finding["state"] for finding in done.json["findings"]}
    assert "fix_before_use" in [state for name, state in found.items() if name.startswith("duplicates")]


def test_weights_are_no_input(temperance, tmp_path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("x,w,y\n" + "\n".join(f"{i % 7}.5,{1 + i % 3},{'ab'[i % 2]}" for i in range(60)) + "\n")
    done = temperance("audit", table, "--target", "y", "--weight", "w", "--json")
    assert done.status == 0, done.err
    assert [column["name"] for column in done.json["data"]["schema"]["columns"]] == ["x"]


def test_an_unknown_column_gets_the_nearest_name(temperance, classes) -> None:
    done = temperance("audit", classes.table, "--target", "anser")
    assert done.status == 2
    assert "answer" in done.err


def test_how_columns_are_read_is_written_changed_and_passed_back(temperance, tmp_path) -> None:
    table, schema = tmp_path / "t.csv", tmp_path / "s.toml"
    rows = [f"{100 + i};{i % 7 + 1},{i % 9}34;0{i % 5};{i % 2}" for i in range(60)]
    table.write_text("\n".join(["id;price;zip;y", *rows]) + "\n")
    done = temperance("audit", table, "--target", "y", "--write-schema", schema, "--json")
    assert done.status == 0, done.err
    assert any("can be" in note and "--column 'price=number,decimal=." in note for note in done.json["data"]["notes"])
    assert done.json["paths"]["schema"] == str(schema)
    same = temperance("audit", table, "--target", "y", "--schema", schema, "--json").json["data"]
    assert same["schema"]["columns"] == done.json["data"]["schema"]["columns"]
    assert same["task"] == done.json["data"]["task"] == "binary"
    schema.write_text(schema.read_text().replace('decimal = ","', 'decimal = "."\nthousands = ","'))
    other = temperance(
        "audit", table, "--target", "y", "--schema", schema, "--keep", "id", "--drop", "zip", "--json"
    ).json
    columns = {column["name"]: column for column in other["data"]["schema"]["columns"]}
    assert set(columns) == {"id", "price"}
    assert columns["price"]["high"] > 1000


def test_another_file_is_compared_and_each_check_says_how_it_did(temperance, classes, tmp_path) -> None:
    done = temperance("audit", classes.table, "--target", "answer", "--against", classes.table)
    assert done.status == 0, done.err
    assert "in the other file are also in this data" in done.out
    assert "Planted in a copy: found" in done.out
    assert "false alarms" in done.out


@pytest.mark.slow
def test_suspicious_labels_are_written_judged_and_read_back(temperance, tmp_path) -> None:
    import numpy as np
    import polars as pl

    g = np.random.default_rng(0)
    y = g.integers(2, size=400)
    X = g.standard_normal((400, 3)) + 4 * y[:, None]
    wrong = g.permutation(400)[:12]
    y[wrong] = 1 - y[wrong]
    pl.DataFrame({"a": X[:, 0], "b": X[:, 1], "c": X[:, 2], "y": np.array(["no", "yes"])[y]}).write_csv(
        tmp_path / "t.csv"
    )
    done = temperance("audit", tmp_path / "t.csv", "--target", "y", "--out", tmp_path / "a", "--json")
    assert done.status == 0, done.err
    path = tmp_path / "a" / "label_review.csv"
    assert done.json["paths"]["label_review"] == str(path)
    frame = pl.read_csv(path)
    assert frame.columns[:4] == ["row", "given", "likely", "wrong"]
    answers = ["yes" if row in wrong else "no" for row in frame["row"]]
    frame.with_columns(pl.Series("wrong", answers)).write_csv(path)
    again = temperance("audit", tmp_path / "t.csv", "--target", "y", "--answers", path)
    assert again.status == 0, again.err
    assert f"You judged {len(frame)} of them" in again.out
    assert f"--answers: {len(frame)} read, {len(frame)} of them about labels that this check doubts." in again.out
    assert done.json["row_numbers"] == "count from 0: row 0 is the first below the header"
    other = next(row for row in range(400) if row not in set(frame["row"]))
    path.write_text(path.read_text() + f"{other},,,no\n{400},,,yes\n")
    said = " ".join(temperance("audit", tmp_path / "t.csv", "--target", "y", "--answers", path).out.split())
    assert f"Row {other}: not doubted now, so what you said does not count." in said
    assert "Row 400: there are only rows 0 to 399 here. Is it the right file?" in said
    path.write_text("row,wrong\n1,perhaps\n")
    refused = temperance("audit", tmp_path / "t.csv", "--target", "y", "--answers", path)
    assert refused.status != 0
    assert "Yes or no" in refused.err


@pytest.mark.slow
def test_answers_that_do_not_count_are_said(temperance, tmp_path) -> None:
    import numpy as np
    import polars as pl

    g = np.random.default_rng(0)
    y = np.array(["no", "yes"])[g.integers(2, size=300)]
    pl.DataFrame({"a": g.standard_normal(300), "b": g.standard_normal(300), "y": y}).write_csv(tmp_path / "t.csv")
    (tmp_path / "judged.csv").write_text("row,wrong\n1,yes\n2,no\n")
    done = temperance("audit", tmp_path / "t.csv", "--target", "y", "--answers", tmp_path / "judged.csv")
    assert done.status == 0, done.err
    assert "Not tested for wrong labels" in done.out
    assert "--answers: 2 read, and none counts" in " ".join(done.out.split())
