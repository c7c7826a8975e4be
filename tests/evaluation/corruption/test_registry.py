import pytest

from temperance.evaluation.corruption.base import reference
from temperance.evaluation.corruption.registry import corruption, families
from temperance.records.errors import SettingError


def test_families_by_data_and_by_name(binary, pictures):
    table, images = (reference(t.schema, t.rows) for t, _ in (binary, pictures))
    assert [f.name for f in families(table)] == ["noise", "missing", "unit_error", "swap"]
    quick, slow = families(images), families(images, basic=False)
    assert len(quick) == 7
    assert {f.name for f in slow} - {f.name for f in quick} == {"jpeg"}
    assert [f.name for f in families(table, names=["swap", "jpeg"])] == ["swap"]


def test_unknown_family():
    with pytest.raises(SettingError, match="Did you mean 'noise'"):
        corruption("nois")
