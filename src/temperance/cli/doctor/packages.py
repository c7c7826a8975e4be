"""What Temperance needs and what it can use: there, of a version that fits, and working."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import metadata, resources
from pathlib import Path
from typing import ClassVar

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from temperance.cli.doctor.base import ABSENT, BROKEN, FINE, LOOK, Check, Condition
from temperance.cli.doctor.probe import attempt

# A tiny use of each optional package that has a compiled part; the others are imported. A key is a package, lower case.
USES = {
    "onnxruntime": """
import onnx, onnxruntime
from onnx import TensorProto, helper
x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy")
graph = helper.make_graph([helper.make_node("Neg", ["x"], ["y"])], "g", [x], [y])
made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
session = onnxruntime.InferenceSession(made.SerializeToString(), providers=["CPUExecutionProvider"])
import numpy
assert session.run(None, {"x": numpy.ones(1, numpy.float32)})[0][0] == -1
""",
    "duckdb": "import duckdb\nassert duckdb.sql('select 41 + 1').fetchone() == (42,)",
    "pyarrow": """
import io, pyarrow, pyarrow.orc
file = io.BytesIO()
pyarrow.orc.write_table(pyarrow.table({"a": [1, 2]}), file)
assert pyarrow.orc.read_table(io.BytesIO(file.getvalue())).num_rows == 2
""",
    "lightgbm": """
import lightgbm, numpy
rows = numpy.arange(40.0).reshape(40, 1)
kept = lightgbm.train({"verbose": -1, "num_threads": 1}, lightgbm.Dataset(rows, rows[:, 0] > 20), 1)
assert kept.predict(rows).shape == (40,)
""",
    "catboost": """
import catboost, numpy
rows = numpy.arange(40.0).reshape(40, 1)
kept = catboost.CatBoostRegressor(iterations=1, verbose=0, thread_count=1, allow_writing_files=False)
assert kept.fit(rows, rows[:, 0]).predict(rows).shape == (40,)
""",
    "orjson": "import orjson\nassert orjson.loads(orjson.dumps({'a': [1]})) == {'a': [1]}",
    "python-calamine": """
import io, python_calamine
try:
    python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(b"no workbook"))
except python_calamine.CalamineError:
    pass
else:
    raise AssertionError("it read what is no workbook")
""",
}


@dataclass(frozen=True)
class Packages(Check):
    """Looks at the packages that are needed and at those that may be.

    Attributes:
        distribution: whose requirements.

    """

    distribution: str = "temperance"
    name: ClassVar[str] = "packages"

    def examine(self) -> Iterator[Condition]:
        wanted = [Requirement(text) for text in metadata.requires(self.distribution) or []]
        yield _needed([one for one in wanted if one.marker is None or one.marker.evaluate({"extra": ""})])
        extras = metadata.metadata(self.distribution).get_all("Provides-Extra") or []
        with ThreadPoolExecutor(2) as two:  # each is tried in a process of its own
            yield from two.map(lambda extra: examined_extra(extra, [w for w in wanted if _of_extra(w, extra)]), extras)
        yield beside_tested(constraints())


def _of_extra(one: Requirement, extra: str) -> bool:
    marker = one.marker
    return marker is not None and marker.evaluate({"extra": extra}) and not marker.evaluate({"extra": ""})


def _needed(wanted: list[Requirement]) -> Condition:
    faults = [why for one in wanted if (why := _fault(one))]
    facts = {"needed": len(wanted), "faults": faults}
    if faults:
        return Condition(
            "packages", BROKEN, f"{len(faults)} needed packages are missing or too old: {'; '.join(faults)}.",
            "pip install --upgrade temperance", facts,
        )  # fmt: skip
    return Condition("packages", FINE, f"All {len(wanted)} packages that are needed are there.", facts=facts)


def _fault(one: Requirement) -> str:
    try:
        version = metadata.version(one.name)
    except metadata.PackageNotFoundError:
        return f"{one.name} is missing"
    return (
        ""
        if one.specifier.contains(version, prereleases=True)
        else f"{one.name} {version}, but {one.specifier} is asked"
    )


def examined_extra(extra: str, wanted: list[Requirement]) -> Condition:
    """Say whether an extra is installed, and whether each of its packages works in a tiny use.

    Args:
        extra: its name.
        wanted: what it asks for.

    """
    name, install = f"extra {extra}", f"pip install 'temperance[{extra}]'"
    gone = [one.name for one in wanted if _fault(one)]
    if len(gone) == len(wanted):
        return Condition(name, ABSENT, f"Not installed: {', '.join(gone)}.", install, {"missing": gone})
    if gone:
        faults = "; ".join(why for one in wanted if (why := _fault(one)))
        return Condition(name, LOOK, f"Installed in part: {faults}.", install, {"missing": gone})
    code = "\n".join(USES.get(one.name.lower(), imports(one.name)) for one in wanted)
    tried = attempt(code)
    shown = ", ".join(f"{one.name} {metadata.version(one.name)}" for one in wanted)
    if tried.worked:
        return Condition(name, FINE, f"It works: {shown}.", facts={"packages": [one.name for one in wanted]})
    return Condition(
        name, BROKEN, f"It is installed ({shown}), but does not work: {tried.why}.",
        f"pip install --force-reinstall 'temperance[{extra}]'", {"why": tried.why},
    )  # fmt: skip


def imports(distribution: str) -> str:
    """Return code that imports what a distribution brings.

    Args:
        distribution: an installed one.

    """
    wanted = canonicalize_name(distribution)
    homes = metadata.packages_distributions()
    modules = sorted(
        {m for m, makers in homes.items() if wanted in map(canonicalize_name, makers) and m.isidentifier()}
    )
    return f"import {', '.join(one for one in modules if not one.startswith('_'))}"


def constraints() -> dict[str, str] | None:
    """Return the versions that the tests were run with; None where no file of them came with this installation."""
    homes = (resources.files("temperance") / "constraints.txt", Path(__file__).parents[4] / "constraints.txt")
    text = next((home.read_text(encoding="utf-8") for home in homes if home.is_file()), None)
    if text is None:
        return None
    pairs = [line.split("==") for line in text.splitlines() if "==" in line and not line.startswith("#")]
    return {canonicalize_name(name): version.strip() for name, version in pairs}


def beside_tested(pinned: dict[str, str] | None) -> Condition:
    """Say how many installed packages are of another version than the tests were run with.

    Args:
        pinned: versions by name; None where they are not known.

    """
    if pinned is None:
        return Condition("versions", FINE, "The list of tested versions did not come with this installation.")
    there: dict[str, str] = {
        canonicalize_name(d.name): d.version.partition("+")[0] for d in metadata.distributions() if d.name
    }
    own = {name: version for name, version in pinned.items() if name in there}
    other = {name: [there[name], version] for name, version in own.items() if there[name] != version}
    facts = {"compared": len(own), "different": other}
    if not other:
        return Condition(
            "versions", FINE, f"All {len(own)} versions are those that the tests were run with.", facts=facts
        )
    shown = ", ".join(f"{name} {a} (tested: {b})" for name, (a, b) in list(other.items())[:4])
    return Condition(
        "versions", FINE, f"{len(other)} of {len(own)} packages are of another version than tested, which is mostly "
        f"fine: {shown}{' …' if len(other) > 4 else ''}.",
        "For the very same results: pip install -c constraints.txt temperance", facts,
    )  # fmt: skip
