"""The wheel: built, installed in an environment of its own and used from outside the tree."""

import os
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]


def run(*command, cwd):
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTEST_ADDOPTS")}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the wheel from a copy of the tree, so that nothing is left in the tree itself."""
    out = tmp_path_factory.mktemp("wheel")
    source = tmp_path_factory.mktemp("source") / "takeprint"
    listed = run("git", "ls-files", "--cached", "--others", "--exclude-standard", cwd=ROOT).splitlines()
    for name in listed:
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(source), cwd=out)
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def fresh(wheel, tmp_path_factory):
    """Return the Python of a new environment that holds the wheel; dependencies are those of this environment."""
    folder = tmp_path_factory.mktemp("fresh") / "env"
    venv.create(folder, with_pip=False)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    site = Path(run(str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).strip())
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(site)
    # A plain path is searched after the wheel's own folder, and hooks of an editable install in it do not run.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def test_the_wheel_holds_what_it_should(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    tops = {n.split("/")[0] for n in names if ".dist-info" not in n}
    assert tops == {"takeprint"}
    assert "takeprint/__init__.py" not in names
    for package in PACKAGES:
        assert package.replace(".", "/") + "/__init__.py" in names
    for marker in ("core", "analysis", "humanize", "app"):
        assert f"takeprint/{marker}/py.typed" in names
    for source in (ROOT / "humanize" / "profiles").glob("*.json"):
        assert f"takeprint/humanize/profiles/{source.name}" in names
    for source in (ROOT / "app" / "schemas").glob("*.json"):
        assert f"takeprint/app/schemas/{source.name}" in names


def test_every_module_imports_from_outside_the_tree(fresh, tmp_path):
    code = """
import importlib, pkgutil, sys
from pathlib import Path
import takeprint
names = [m.name for m in pkgutil.walk_packages(takeprint.__path__, "takeprint.")]
for name in names:
    module = importlib.import_module(name)
    assert Path(sys.prefix).resolve() in Path(module.__file__).resolve().parents, module.__file__
print(len(names))
"""
    assert int(run(str(fresh), "-c", code, cwd=tmp_path)) >= len([*ROOT.glob("*/*.py")]) - len(
        [*(ROOT / "tests").glob("*.py"), *(ROOT / "examples").glob("*.py"), *(ROOT / "benchmarks").glob("*.py")]
    )


def test_pypi_humanize_and_ours_live_in_one_environment(fresh, tmp_path):
    pytest.importorskip("humanize")
    code = "import humanize, takeprint.humanize as ours; print(humanize.intcomma(1234), callable(ours.perform))"
    assert run(str(fresh), "-c", code, cwd=tmp_path).split() == ["1,234", "True"]


def test_the_console_script_is_declared(fresh, tmp_path):
    code = "from importlib.metadata import entry_points as e\n"
    code += "print([p.value for p in e(group='console_scripts', name='takeprint')])"
    assert run(str(fresh), "-c", code, cwd=tmp_path).strip() == "['takeprint.app.cli:main']"


def test_docstring_examples_run_on_the_installed_wheel(fresh, tmp_path):
    said = run(
        str(fresh), "-m", "pytest", "-q", "--doctest-modules", "--import-mode=importlib", "-p", "no:cacheprovider",
        "-o", "consider_namespace_packages=true", "--pyargs",
        "takeprint.core", "takeprint.analysis", "takeprint.humanize", "takeprint.app",
        cwd=tmp_path,
    )  # fmt: skip
    assert " passed" in said


def test_types_hold_on_the_installed_wheel(fresh, tmp_path):
    pytest.importorskip("mypy")
    run(
        sys.executable, "-m", "mypy", f"--python-executable={fresh}", "--config-file", str(ROOT / "pyproject.toml"),
        "-p", "takeprint.core", "-p", "takeprint.analysis", "-p", "takeprint.humanize", "-p", "takeprint.app",
        cwd=tmp_path,
    )  # fmt: skip
