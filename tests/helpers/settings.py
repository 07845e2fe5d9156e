"""Settings of params.yaml, changed or flat."""

from kantor import params


def changed(block: params.Block, **changes: object) -> params.Block:
    """A copy of a block of settings with some keys changed, checked again."""
    return type(block).model_validate(block.model_dump() | changes)


def flat(content: dict, before: str = "", whole: str = "") -> dict[str, object]:
    """Settings by key, such as `train.epochs`; the block `whole` is left as it is."""
    result = {}
    for key, value in content.items():
        name = f"{before}{key}"
        inner = isinstance(value, dict) and name != whole
        result |= flat(value, f"{name}.", whole) if inner else {name: value}
    return result
