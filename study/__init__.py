"""What was tried, and the means to try it again."""

from pathlib import Path

import yaml


def variants() -> dict[str, dict[str, object]]:
    """Named settings: what each changes in params.yaml, by key; `default` changes nothing."""
    text = Path(__file__).with_name("variants.yaml").read_text()
    return {"default": {}} | yaml.safe_load(text)
