"""What was tried, and the means to try it again."""

from pathlib import Path

import yaml

FILE = Path(__file__).with_name("variants.yaml")


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
    """The base and the title of each technique of the notebook's exercise, by its variant."""
    return {
        name: (of["base"], of["technique"]) for name, of in _listed().items() if "technique" in of
    }


def _listed() -> dict[str, dict[str, object]]:
    return yaml.safe_load(FILE.read_text())
