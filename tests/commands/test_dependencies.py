"""dvc.yaml's code and libraries are those that the stages import; `kantor dependencies` writes
them.
"""

import json
import shutil
import subprocess
import sys
from importlib.metadata import version

import pytest
import yaml

from helpers import running
from helpers.clone import Clone
from helpers.project import PROJECT
from kantor.system import dependencies

WITH_TENSORFLOW = {"preprocess", "train", "evaluate", "compose", "judge"}
WITH_MUSIC21 = {"download", "compose", "render", "report"}


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """A clone that each test brings back to what it was."""
    return Clone(tmp_path_factory.mktemp("clone") / "kantor")


@pytest.fixture
def project(tmp_path):
    """A copy of the code, without git."""
    for name in ("kantor", "stages"):
        shutil.copytree(PROJECT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pyc*"))
    for name in (*dependencies.PINS, dependencies.PIPELINE):
        shutil.copy(PROJECT / name, tmp_path)
    return tmp_path


def wrong(project):
    """The stages whose dependencies are not what dvc.yaml says, and those."""
    stages = yaml.safe_load((project / dependencies.PIPELINE).read_text())["stages"]
    derived, _ = dependencies.derived(project)
    return {
        f"{name}: {entry}"
        for name, stage in stages.items()
        for key in ("deps", "params")
        for entry in [*stage[key], *derived["stages"][name][key]]
        if (entry in stage[key]) != (entry in derived["stages"][name][key])
    }


def deps(project, stage):
    derived, _ = dependencies.derived(project)
    return derived["stages"][stage]["deps"]


def test_dvc_yaml_and_libraries_yaml_are_what_the_imports_say():
    assert not wrong(PROJECT), "run `kantor dependencies`, `dvc repro`, and commit"
    versions = yaml.safe_load((PROJECT / dependencies.VERSIONS).read_text())
    assert versions == dependencies.pins(PROJECT), "run `kantor dependencies`, `dvc repro`"


def test_the_command_leaves_what_is_right_as_it_is(project):
    written = {dependencies.PIPELINE, dependencies.VERSIONS}
    before = {name: (project / name).read_bytes() for name in written}
    assert running.kantor(project, "dependencies") == ""
    assert {name: (project / name).read_bytes() for name in written} == before


def test_a_new_import_shows_and_the_command_writes_it(project):
    script = project / "stages/render.py"
    script.write_text("from kantor.report import line_chart\n" + script.read_text())
    assert "render: kantor/report/line_chart.py" in wrong(project)
    assert running.kantor(project, "dependencies") == "" and not wrong(project)
    stages = yaml.safe_load((project / dependencies.PIPELINE).read_text())["stages"]
    assert {"kantor/report/__init__.py", "kantor/report/line_chart.py"} <= set(
        stages["render"]["deps"]
    )
    assert stages["render"]["outs"] == ["reports/samples"]
    assert stages["render"]["params"][0] == "render"


def test_an_import_that_is_gone_shows(project):
    script = project / "stages/render.py"
    text = "from kantor.system.progress import Progress\n"
    assert text in script.read_text()
    script.write_text(script.read_text().replace(text, ""))
    path = project / "kantor/notation/piece.py"
    path.write_text(path.read_text().replace("from kantor.metadata import Metadata\n", ""))
    assert "render: kantor/system/progress.py" in wrong(project)


@pytest.mark.parametrize(
    "code",
    [
        "def later():\n    from kantor.report import page\n",
        "import kantor.report.page\n",
        "if True:\n    import kantor.report.page as p, json\n",
        "from kantor.report.page import build\n",
    ],
)
def test_an_import_counts_wherever_it_is_and_however_it_is_written(project, code):
    path = project / "kantor/synth.py"
    path.write_text(path.read_text() + "\n\n" + code)
    paths = {"kantor/report/page.py", "kantor/report/templates/page.html"}
    assert paths <= set(deps(project, "render")) and not paths & set(deps(project, "preprocess"))
    assert "jinja2" in dependencies.libraries(project, deps(project, "render"))


def test_a_file_that_is_read_beside_a_module_counts(project):
    path = project / "kantor/synth.py"
    line = 'NAMES = Path(__file__).with_name("names.csv")\n'
    path.write_text(path.read_text() + line)
    path.with_name("names.csv").write_text("name\n")
    assert "kantor/names.csv" in deps(project, "render")
    assert "kantor/names.csv" not in deps(project, "preprocess")


def test_who_reads_no_manifest_does_not_depend_on_it():
    derived, _ = dependencies.derived(PROJECT)
    manifest = "kantor/data/corpus_manifest.csv"
    readers = {name for name, stage in derived["stages"].items() if manifest in stage["deps"]}
    assert readers == {"download"}


# Imports each stage in a fork of a process that has loaded libraries alone.
LOADS = """
import json, os, sys
import keras, music21, pandas, tensorflow, verovio
for stage in sys.argv[1:]:
    if not os.fork():
        __import__(f"stages.{stage}")
        files = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
        print(json.dumps([stage, files]), flush=True)
        os._exit(0)
    os.wait()
"""


@pytest.mark.slow
def test_what_python_loads_for_a_stage_is_among_its_dependencies():
    derived, _ = dependencies.derived(PROJECT)
    command = [sys.executable, "-c", LOADS, *derived["stages"]]
    printed = subprocess.run(command, cwd=PROJECT, check=True, capture_output=True, text=True)
    results = dict(map(json.loads, printed.stdout.splitlines()))
    assert results.keys() == derived["stages"].keys()
    for stage, paths in results.items():
        below = [path.removeprefix(f"{PROJECT}/") for path in paths if path]
        loaded = {path for path in below if path.startswith(("kantor/", "stages/"))}
        assert len(loaded) > 5 and loaded <= set(derived["stages"][stage]["deps"]), stage


def upgraded(clone, *libraries):
    """Which stages become stale, by which libraries, when the pins of some are raised."""
    names = (*dependencies.PINS, dependencies.PIPELINE, dependencies.VERSIONS)
    texts = {name: (clone.folder / name).read_text() for name in names}
    before = clone.changed_params(dependencies.VERSIONS)
    pinned = 0
    for name in (*dependencies.PINS, "requirements-dev.txt"):
        path = clone.folder / name
        texts.setdefault(name, path.read_text())
        lines = path.read_text().splitlines()
        for place, line in enumerate(lines):
            if line.partition("==")[0] in libraries:
                lines[place] += ".1"
                pinned += 1
        path.write_text("\n".join(lines) + "\n")
    assert pinned >= len(libraries)
    assert running.kantor(clone.folder, "dependencies") == ""
    after = clone.changed_params(dependencies.VERSIONS)
    for name, text in texts.items():
        (clone.folder / name).write_text(text)
    return {stage for stage, _ in after - before}


@pytest.mark.slow
def test_a_library_makes_the_stages_stale_that_import_it_and_no_other(clone):
    assert upgraded(clone, "tensorflow") == WITH_TENSORFLOW
    assert upgraded(clone, "music21") == WITH_MUSIC21
    assert upgraded(clone, "pytest", "ruff") == set()


def test_what_loads_tensorflow_depends_on_all_that_comes_with_it():
    derived, _ = dependencies.derived(PROJECT)
    for stage in WITH_TENSORFLOW:
        libraries = derived["stages"][stage]["params"][-1][dependencies.VERSIONS]
        assert {"h5py", "keras", "protobuf", "tensorflow"} <= set(libraries)


def test_the_pins_agree_and_are_installed():
    for library, pinned in dependencies.pins(PROJECT).items():
        assert version(library) == pinned, f"pip install -r requirements.txt: {library}"
    pins = [
        dict(line.split("==") for line in (PROJECT / name).read_text().splitlines() if "==" in line)
        for name in dependencies.PINS
    ]
    requirements, constraints = ({name.lower(): pin for name, pin in some.items()} for some in pins)
    both = requirements.keys() & constraints.keys()
    assert {name: requirements[name] for name in both} == {name: constraints[name] for name in both}


def test_a_library_without_a_version_is_one_sentence(project):
    for name in dependencies.PINS:
        path = project / name
        lines = [line for line in path.read_text().splitlines() if "tensorflow==" not in line]
        path.write_text("\n".join(lines))
    sentence = running.kantor(project, "dependencies")
    assert sentence.startswith("error: tensorflow: no version in requirements.txt or constraints")


def test_elsewhere_than_in_the_project_it_is_one_sentence(tmp_path):
    assert running.kantor(tmp_path, "dependencies") == (
        "error: dvc.yaml: not here; run from the project's folder"
    )
