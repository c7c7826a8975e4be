import pytest

from temperance.deployment.opening import open_model, what_is
from temperance.records.errors import BundleError, SettingError


def test_each_form_is_told_by_its_name(tmp_path) -> None:
    for name in ("m.onnx", "m.csv", "m.parquet", "m.skops"):
        (tmp_path / name).write_bytes(b"x")
    study = tmp_path / "study"
    (study / "bundle").mkdir(parents=True)
    (study / "study.json").write_text("{}")
    forms = {name: what_is(str(tmp_path / name)).form for name in ("m.onnx", "m.csv", "m.parquet", "m.skops")}
    assert forms == {"m.onnx": "onnx", "m.csv": "predictions", "m.parquet": "predictions", "m.skops": "skops"}
    assert what_is(str(study)).text == str(study / "bundle")
    assert what_is(str(study)).brings_schema
    assert what_is("mynet:model").form == "code"
    assert what_is("http://127.0.0.1:8000/").text == "http://127.0.0.1:8000"


@pytest.mark.parametrize("name", ["m.pkl", "m.pickle", "m.joblib", "m.pt"])
def test_a_pickle_is_refused_with_the_reason(tmp_path, name) -> None:
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(SettingError, match="runs whatever code") as fault:
        what_is(str(tmp_path / name))
    assert "module:function" in fault.value.remedy


@pytest.mark.parametrize("text", ["http://example.com:80", "https://10.0.0.1/", "http://user@evil.org"])
def test_a_server_elsewhere_is_refused(text) -> None:
    with pytest.raises(SettingError, match="Rows would leave this machine"):
        what_is(text)


def test_what_is_not_there(tmp_path) -> None:
    with pytest.raises(BundleError, match="no file"):
        what_is(str(tmp_path / "gone.onnx"))
    with pytest.raises(BundleError, match="no model"):
        what_is("nothing")
    with pytest.raises(SettingError, match="without its data"):
        open_model(what_is("mynet:model"))
