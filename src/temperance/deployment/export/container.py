"""A folder from which a container is built without a network: the bundle, a list of exact versions, a Containerfile."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from temperance.deployment.bundle import Bundle
from temperance.records.errors import BundleError, MissingExtra
from temperance.records.version import __version__

ROOTS = ("numpy", "onnxruntime", "uvicorn", "httptools", "orjson", "prometheus-client", "typer", "rich", "packaging")
CONTAINERFILE = """# Needs no network once the folder wheelhouse is filled: see README.txt. Serves without PyTorch.
FROM python:{python}-slim
COPY wheelhouse /wheelhouse
COPY requirements.txt /requirements.txt
RUN pip install --no-cache-dir --no-index --find-links /wheelhouse --no-deps \\
    -r /requirements.txt \\
 && useradd --uid 10001 --create-home server && mkdir /state && chown server /state
COPY --chown=10001 bundle /bundle
USER 10001
ENV OMP_NUM_THREADS=1
VOLUME /state
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s CMD ["python", "-c", \
"import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/v2/health/ready', timeout=2)"]
STOPSIGNAL SIGTERM
CMD ["python", "-m", "temperance", "serve", "/bundle", "--host", "0.0.0.0", "--state", "/state"]
"""
README = """A container for the model {name}, version {version}.

1. Where there is a network, once (for the platform and Python that the image has):
     pip download --no-deps -d wheelhouse -r requirements.txt
   For a Temperance that is on no index, build its wheel into the same folder:
     pip wheel --no-deps -w wheelhouse PATH_TO_ITS_SOURCE
2. Anywhere: podman build --network none -t {name} .      (or docker build --network none)
3. podman run -p 8000:8000 -e TEMPERANCE_TOKEN=choose-one -v {name}-state:/state {name}

TEMPERANCE_TOKEN opens /admin; /docs describes all, /metrics is for Prometheus, /grafana.json for Grafana.
"""


def write_container(bundle: Bundle, out: Path) -> Path:
    """Write the folder.

    Args:
        bundle: what is served.
        out: a new folder: ``Containerfile``, ``requirements.txt``, ``README.txt``, ``bundle`` and an empty
            ``wheelhouse``.

    Raises:
        BundleError: ``out`` exists.
        MissingExtra: what serves is not installed here, so its versions are not known.

    """
    if out.exists():
        raise BundleError(f"{str(out)!r} exists", "a new folder, so that nothing is lost", "Choose another --out")
    pins = closure(ROOTS)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as scratch:
        made = Path(scratch) / "container"
        shutil.copytree(bundle.folder, made / "bundle")
        (made / "wheelhouse").mkdir()
        (made / "wheelhouse" / ".keep").write_text("")
        (made / "requirements.txt").write_text("\n".join([f"temperance=={__version__}", *pins]) + "\n")
        (made / "Containerfile").write_text(CONTAINERFILE.format(python=_python()))
        (made / "README.txt").write_text(README.format(name=bundle.name.lower(), version=bundle.version))
        shutil.move(made, out)
    return out


def closure(roots: Iterable[str]) -> list[str]:
    """Return ``name==version`` of packages and of all that they need, as they are installed here.

    Raises:
        MissingExtra: one of them is not installed.

    """
    found: dict[str, str] = {}
    waiting = [*roots]
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name in found:
            continue
        try:
            known = distribution(name)
        except PackageNotFoundError as error:
            raise MissingExtra(
                f"the package {name} is not installed, so its version is not known", "the extra 'serve'",
                "pip install 'temperance[serve]'",
            ) from error  # fmt: skip
        found[name] = known.version.split("+")[0]
        for line in known.requires or []:
            one = Requirement(line)
            if one.marker is None or one.marker.evaluate({"extra": ""}):
                waiting.append(one.name)
    return [f"{name}=={version}" for name, version in sorted(found.items())]


def _python() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"
