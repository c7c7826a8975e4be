"""Where a licence is declared: told, side files, cards; in that order, and disagreement is kept."""

import json

import pytest

from temperance.governance.declared import Declared, declared, expression_of


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "churn.csv"
    path.write_text("a,b\n1,2\n")
    return path


def test_nothing_is_declared_where_nothing_says_so(data) -> None:
    assert declared(None, data) is None
    assert declared("  ", data) is None
    assert declared(None, "iris") is None
    assert declared(None, None) is None


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("churn.csv.license", "# SPDX-License-Identifier: CC-BY-4.0\n", "CC-BY-4.0"),
        ("LICENSE", "SPDX-License-Identifier: MIT OR Apache-2.0\nPermission is ...", "MIT OR Apache-2.0"),
        ("datapackage.json", json.dumps({"licenses": [{"name": "ODC-By-1.0"}]}), "ODC-By-1.0"),
        ("MANIFEST.json", json.dumps({"licence": "CC0-1.0"}), "CC0-1.0"),
        ("MANIFEST.toml", 'license = "ODbL-1.0"', "ODbL-1.0"),
        ("croissant.json", json.dumps({"license": "https://spdx.org/licenses/CC-BY-SA-4.0.html"}), "CC-BY-SA-4.0"),
        ("croissant.json", json.dumps({"license": "https://creativecommons.org/licenses/by-nc/4.0/"}), "CC-BY-NC-4.0"),
        ("croissant.json", json.dumps({"license": "https://creativecommons.org/publicdomain/zero/1.0/"}), "CC0-1.0"),
        ("README.md", '---\npretty_name: x\nlicense: "cc-by-4.0"\n---\n# x', "cc-by-4.0"),
        ("README.md", "---\nlicense:\n- mit\n- cc-by-4.0\n---\n", "mit AND cc-by-4.0"),
    ],
)
def test_side_files_are_read(data, name, text, expected) -> None:
    (data.parent / name).write_text(text)
    found = declared(None, data)
    assert found == Declared(expected, name)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("LICENSE", "All rights reserved."),
        ("datapackage.json", "{not json"),
        ("MANIFEST.toml", "= ="),
        ("README.md", "# license: mit"),
        ("README.md", "---\nlicense: unknown\n---\n"),
        ("MANIFEST.json", "[1, 2]"),
    ],
)
def test_what_says_nothing_is_nothing(data, name, text) -> None:
    (data.parent / name).write_text(text)
    assert declared(None, data) is None


def test_a_binary_side_file_is_no_licence(data) -> None:
    (data.parent / "LICENSE").write_bytes(b"\xff\xfe\x00")
    assert declared(None, data) is None


def test_what_was_told_comes_first_and_disagreement_is_kept(data) -> None:
    (data.parent / "README.md").write_text("---\nlicense: cc-by-nc-4.0\n---\n")
    (data.parent / "LICENSE").write_text("SPDX-License-Identifier: MIT")
    found = declared("mit", data)
    assert found is not None
    assert (found.expression, found.source) == ("mit", "told with --licence")
    assert found.others == (("cc-by-nc-4.0", "README.md"),)
    assert found.to_dict()["others"] == [{"expression": "cc-by-nc-4.0", "source": "README.md"}]


def test_a_folder_of_data_has_its_side_files_inside(tmp_path) -> None:
    (tmp_path / "LICENCE").write_text("SPDX-License-Identifier: CC0-1.0")
    assert declared(None, tmp_path) == Declared("CC0-1.0", "LICENCE")


def test_the_expression_of_a_record_or_a_text() -> None:
    assert expression_of({"expression": "MIT", "source": "x"}) == "MIT"
    assert expression_of("MIT") == "MIT"
    assert expression_of(None) is None
    assert expression_of({"expression": ""}) is None
