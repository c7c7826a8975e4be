from importlib import metadata

import pytest
from packaging.requirements import Requirement

from temperance.cli.doctor import packages
from temperance.cli.doctor.packages import USES, Packages, beside_tested, constraints, examined_extra, imports
from temperance.cli.doctor.probe import Tried, attempt


@pytest.mark.slow
def test_what_is_needed_and_each_extra_get_a_line(monkeypatch) -> None:
    monkeypatch.setattr(packages, "attempt", lambda code: Tried(True))
    found = list(Packages().examine())
    extras = metadata.metadata("temperance").get_all("Provides-Extra")
    assert [one.name for one in found] == ["packages", *(f"extra {extra}" for extra in extras), "versions"]
    assert found[0].state == "fine"


def test_a_missing_or_old_package_is_broken(monkeypatch) -> None:
    wanted = ["numpy>=99", "no-such-package>=1", "scipy>=1; extra == 'more'"]
    monkeypatch.setattr(packages.metadata, "requires", lambda name: wanted)
    found = {one.name: one for one in Packages().examine() if one.name == "packages"}
    assert found["packages"].state == "broken"
    assert "no-such-package is missing" in found["packages"].said
    assert ">=99 is asked" in found["packages"].said


def test_an_extra_that_is_not_there_is_no_fault() -> None:
    one = examined_extra("more", [Requirement("no-such-package")])
    assert one.state == "absent"
    assert one.remedy == "pip install 'temperance[more]'"


def test_an_extra_that_is_there_in_part_is_told() -> None:
    one = examined_extra("more", [Requirement("no-such-package"), Requirement("numpy")])
    assert one.state == "look"
    assert one.facts == {"missing": ["no-such-package"]}


def test_an_extra_that_does_not_work_is_broken(monkeypatch) -> None:
    monkeypatch.setattr(packages, "attempt", lambda code: Tried(False, why="ImportError: libgomp.so.1"))
    one = examined_extra("boosting", [Requirement("numpy")])
    assert one.state == "broken"
    assert "libgomp.so.1" in one.said


@pytest.mark.parametrize("name", USES)
def test_each_tiny_use_works_with_the_installed_package(name: str) -> None:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        pytest.skip(f"{name} is not installed")
    tried = attempt(USES[name])
    assert tried.worked, tried.why


def test_a_package_is_imported_by_its_module() -> None:
    assert imports("prometheus_client") == "import prometheus_client"
    assert "import sklearn" in imports("scikit-learn")


def test_the_beside_tested_are_found_in_a_checkout() -> None:
    pinned = constraints()
    assert pinned is not None
    assert pinned["torch"] == "2.13.0"


def test_other_versions_are_named_but_fine() -> None:
    own = metadata.version("numpy")
    assert beside_tested({"numpy": own}).said.startswith("All 1 versions")
    one = beside_tested({"numpy": "0.1"})
    assert one.state == "fine"
    assert one.facts["different"] == {"numpy": [own, "0.1"]}
    assert "did not come" in beside_tested(None).said
