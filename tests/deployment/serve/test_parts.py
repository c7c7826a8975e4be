"""Levels and state are tried through ``served`` in test_launch.py and test_keep.py."""

from temperance.deployment.bundle import load
from temperance.deployment.serve.parts import parts


def test_a_bundle_without_reference_statistics_has_no_parts(kit, tmp_path):
    from temperance.deployment.basic import basic_part
    from temperance.deployment.write import write_bundle

    model = kit.Fitted("majority", kit.schema_of())
    bundle = write_bundle(
        tmp_path / "b", part=basic_part(model.fitted, model.schema), schema=model.schema, predictor=model,
        rows=model.rows,
    )  # fmt: skip
    assert parts(load(bundle.folder), level="observe", state=None, token="t") == {}
