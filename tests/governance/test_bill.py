"""The bill of materials: hashes of members, packages, the model's card; valid by CycloneDX's own schema."""

import json

import pytest

from temperance.governance.bill import Bill

FILES = {"model.onnx": "cd" * 32, "bundle.json": "ef" * 32}


def bill(study, **files):
    return json.loads(Bill({**FILES, **files}).render(study))


def test_it_names_model_data_files_and_packages(study) -> None:
    found = bill(study)
    by_ref = {part["bom-ref"]: part for part in found["components"]}
    assert by_ref["data"]["hashes"] == [{"alg": "SHA-256", "content": study["data"]["sha256"]}]
    assert by_ref["data"]["licenses"] == [{"license": {"id": "CC-BY-4.0", "acknowledgement": "declared"}}]
    assert by_ref["file:model.onnx"]["hashes"][0]["content"] == "cd" * 32
    assert by_ref["package:torch"]["purl"] == "pkg:pypi/torch@2.13.0"
    assert by_ref["package:python"]["type"] == "platform"
    model = found["metadata"]["component"]
    metrics = model["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]
    assert metrics[0]["type"] == "accuracy"
    assert float(metrics[0]["value"]) == 0.912
    assert float(metrics[0]["confidenceInterval"]["lowerBound"]) == pytest.approx(0.892)
    assert any(m["slice"] == "city = Kiel" for m in metrics)
    assert found["dependencies"][0]["dependsOn"] == list(by_ref)


def test_a_local_version_of_a_package_is_written_as_the_scheme_asks(study) -> None:
    study["versions"]["torch"] = "2.13.0+cpu"
    (torch,) = [c for c in bill(study)["components"] if c["name"] == "torch"]
    assert torch["purl"] == "pkg:pypi/torch@2.13.0%2Bcpu"


def test_equal_contents_have_equal_serial_numbers_and_others_do_not(study) -> None:
    assert bill(study) == bill(study)
    assert bill(study)["serialNumber"] != bill(study, **{"weights.safetensors": "aa" * 32})["serialNumber"]


@pytest.mark.parametrize(
    ("licence", "expected"),
    [
        (None, None),
        ("MIT AND ODbL-1.0", [{"expression": "MIT AND ODbL-1.0", "acknowledgement": "declared"}]),
        ("my own terms", [{"license": {"name": "my own terms", "acknowledgement": "declared"}}]),
    ],
)
def test_the_licence_is_written_in_the_form_it_has(study, licence, expected) -> None:
    study["data"]["licence"] = licence
    assert bill(study)["components"][0].get("licenses") == expected


@pytest.mark.parametrize("licence", [None, "CC-BY-4.0", "MIT AND ODbL-1.0", "my own terms"])
@pytest.mark.parametrize("empty", [False, True])
def test_the_published_schema_accepts_it(study, licence, empty) -> None:
    pytest.importorskip("cyclonedx", reason="pip install cyclonedx-python-lib[json-validation]")
    pytest.importorskip("jsonschema")
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    study["data"]["licence"] = licence
    fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(Bill(FILES).render({} if empty else study))
    assert fault is None, fault
