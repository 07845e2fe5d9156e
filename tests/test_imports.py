"""Imports within kantor point one way, and stay off what is private."""

import ast
import re

import kantor
from helpers.project import PROJECT

MODULES = sorted((PROJECT / "kantor").rglob("*.py"))
CODE = [
    *MODULES,
    *(path for top in ("stages", "study", "benchmarks") for path in (PROJECT / top).glob("*.py")),
]


def groups():
    """The packages and modules below kantor, in the groups that its docstring lists."""
    (text,) = re.findall(
        r"of this list to its beginning: (.*?)\.", kantor.__doc__.replace("\n", " ")
    )
    return [group.split(", ") for group in text.split("; ")]


def imports(path):
    """The names that a file imports from the project, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: name the module from the top"
            yield from (f"{node.module}.{name.name}" for name in node.names)


def top(name):
    """What kantor's docstring calls the package or module of `kantor.this.and.that`."""
    return name.split(".")[1]


def dotted(path):
    return ".".join(path.relative_to(PROJECT).with_suffix("").parts)


def test_the_order_names_every_package_once():
    names = [name for group in groups() for name in group]
    there = {top(dotted(path)) for path in MODULES} - {"__init__", "__main__"}
    assert sorted(names) == sorted(there)


def test_imports_point_from_the_end_of_the_order_to_its_beginning():
    place = {name: number for number, group in enumerate(groups()) for name in group}
    wrong = [
        f"{dotted(path)} imports {name}"
        for path in MODULES
        for name in imports(path)
        if name.startswith("kantor.") and top(dotted(path)) in place
        if place[top(name)] > place[top(dotted(path))]
    ]
    assert not wrong


def test_no_module_takes_what_is_private_to_another():
    wrong = []
    for path in CODE:
        names = [name for name in imports(path) if name.startswith(("kantor.", "study."))]
        wrong += [f"{dotted(path)} imports {name}" for name in names if "._" in name]
        modules = {name.split(".")[-1] for name in names}
        for node in ast.walk(ast.parse(path.read_text())):
            private = isinstance(node, ast.Attribute) and re.match(r"_[^_]", node.attr)
            if private and ast.unparse(node.value) in modules:
                wrong.append(f"{dotted(path)} uses {ast.unparse(node)}")
    assert not wrong
