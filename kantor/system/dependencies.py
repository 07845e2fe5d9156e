"""What the stages of dvc.yaml depend on, derived from what their scripts import.

A stage depends on the project's files that its script imports, directly or not, on the files
that these read beside themselves (`Path(__file__).with_name(...)`), and on the versions of the
libraries that they import, as far as those make bits of outputs. The versions stand in
libraries.yaml, which follows the pins in constraints.txt and requirements.txt.
"""

import ast
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from ruamel.yaml import YAML

from kantor.system.environment import LIBRARIES
from kantor.system.errors import KantorError

PIPELINE = "dvc.yaml"
PINS = ("requirements.txt", "constraints.txt")
VERSIONS = "kantor/system/libraries.yaml"
CODE = ("kantor/", "stages/")

_yaml = YAML()
_yaml.indent(mapping=2, sequence=4, offset=2)
_yaml.width = 100


def files(project: Path, script: str) -> set[str]:
    """The paths, below `project`, of a script and of all project files that it leads to."""
    paths, waiting = set(), [script]
    while waiting:
        path = waiting.pop()
        if path not in paths:
            paths.add(path)
            waiting += _imported_files(project, path)
    return paths.union(*(_read_files(project, path) for path in paths))


def libraries(project: Path, paths: Iterable[str]) -> list[str]:
    """The libraries that make bits of outputs and that any of the files imports, by name."""
    modules = set()
    for path in paths:
        if path.endswith(".py"):
            modules |= {name.split(".")[0] for name in _imports(project / path)}
    return [library for library, module in LIBRARIES.items() if module in modules]


def pins(project: Path) -> dict[str, str]:
    """The pinned versions of the libraries that make bits of outputs."""
    versions = {}
    for name in PINS:
        for line in (project / name).read_text().splitlines():
            library, _, version = line.partition("==")
            if library.lower() in LIBRARIES:
                versions[library.lower()] = version
    for library in LIBRARIES:
        if not versions.get(library):
            raise KantorError(f"{library}: no version in {' or '.join(PINS)}; pin it there")
    return {library: versions[library] for library in LIBRARIES}


def derived(project: Path) -> tuple[dict, dict[str, str]]:
    """The content of dvc.yaml with its dependencies as they should be, and of libraries.yaml."""
    pipeline = _yaml.load(project / PIPELINE)
    stages = pipeline["stages"]
    for name, stage in stages.items():
        script = f"stages/{name}.py"
        code = files(project, script)
        data = [path for path in stage["deps"] if not path.startswith(CODE)]
        stage["deps"] = [*data, script, *sorted(code - {script})]
        keys = [key for key in stage.get("params", []) if isinstance(key, str)]
        versions = libraries(project, code)
        stage["params"] = [*keys, {VERSIONS: versions}] if versions else keys
    return pipeline, pins(project)


def write(project: Path) -> None:
    """Write the dependencies into dvc.yaml, and libraries.yaml."""
    pipeline, versions = derived(project)
    with (project / VERSIONS).open("w") as file:
        file.write(
            "# The pins that make bits of outputs; `kantor dependencies` writes this file.\n"
        )
        _yaml.dump(versions, file)
    _yaml.dump(pipeline, project / PIPELINE)


@cache
def _nodes(code: str) -> list[ast.AST]:
    """What an import or a call could be; most stages share most of their files."""
    kinds = ast.Import | ast.ImportFrom | ast.Call
    return [node for node in ast.walk(ast.parse(code)) if isinstance(node, kinds)]


def _imports(path: Path) -> set[str]:
    """The names of all modules that a file imports, wherever in it, and of what it takes there."""
    names = set()
    for node in _nodes(path.read_text()):
        if isinstance(node, ast.Import):
            names |= {name.name for name in node.names}
        if isinstance(node, ast.ImportFrom):
            names |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
    return names


def _imported_files(project: Path, path: str) -> set[str]:
    if not path.endswith(".py"):
        return set()
    paths = set()
    # With a module its packages are imported, whoever names it.
    own = path.removesuffix(".py").replace("/", ".")
    for name in {own, *_imports(project / path)}:
        parts = name.split(".")
        for depth in range(1, len(parts) + 1):
            module = "/".join(parts[:depth])
            paths |= {f"{module}.py", f"{module}/__init__.py"}
    return {candidate for candidate in paths if (project / candidate).is_file()}


def _read_files(project: Path, path: str) -> set[str]:
    """The files that a module reads beside itself, with all of a folder."""
    beside = set()
    for node in _nodes((project / path).read_text()):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Path(__file__).with_name":
            target = (project / path).with_name(node.args[0].value)
            inside = sorted(target.rglob("*")) if target.is_dir() else [target]
            beside |= {str(file.relative_to(project)) for file in inside if file.is_file()}
    return beside
