"""What was tried, and the means to try it again."""

from pathlib import Path

# First of all, before a module of the study imports numpy.
from kantor.system import errors, settings
from kantor.system import processor as processor

errors.set_up_process()

FOLDER = Path(__file__).with_name("variants")  # a file each: DVC runs what depends on a changed one


def variants() -> dict[str, dict[str, object]]:
    """Named settings: all that each changes in params.yaml, by key; `default` changes nothing."""
    named = _listed()

    def changes(name: str) -> dict[str, object]:
        if name == "default":
            return {}
        own = {key: value for key, value in named[name].items() if "." in key}
        return changes(named[name]["base"]) | own

    return {name: changes(name) for name in ("default", *named)}


def techniques() -> dict[str, tuple[str, str]]:
    """The base and the title of each technique of the notebook's exercise, by its variant: those
    in the notebook's recipe, then those in the default one, in the order of the titles' numbers.
    """
    named = {name: variant for name, variant in _listed().items() if "technique" in variant}

    def place(name: str) -> tuple[bool, int]:
        return named[name]["base"] == "default_short", int(named[name]["technique"].split(".")[0])

    return {
        name: (named[name]["base"], named[name]["technique"]) for name in sorted(named, key=place)
    }


def _listed() -> dict[str, dict[str, object]]:
    return {path.stem: settings.content(path) for path in sorted(FOLDER.glob("*.yaml"))}
