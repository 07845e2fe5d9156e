"""The architectures: who adds one writes its file, and its line here."""

from kantor import params
from kantor.network import row_gru, wavenet_lstm
from kantor.network.architecture import Architecture
from kantor.system.errors import KantorError

ARCHITECTURES: dict[str, Architecture] = {
    architecture.name: architecture
    for architecture in (
        row_gru.ARCHITECTURE,
        wavenet_lstm.ARCHITECTURE,
    )
}


def configured(
    model: params.Model, where: str = "params.yaml"
) -> tuple[Architecture, params.Block]:
    """The architecture that `model.architecture` names, and its settings.

    KantorError names what is wrong in any block of `model`, also in one that is not used.
    """
    blocks = {}
    for name, content in model.model_extra.items():
        if name not in ARCHITECTURES:
            raise KantorError(
                f"{where}: model.{name}: no such key; expected architecture, members, or an "
                f"architecture ({', '.join(ARCHITECTURES)})"
            )
        kind = ARCHITECTURES[name].settings
        blocks[name] = params.checked(kind, content, where, f"model.{name}")
    if model.architecture not in blocks:
        raise KantorError(
            f"{where}: model.architecture is {model.architecture!r}; expected one that has "
            f"settings under model ({', '.join(blocks)})"
        )
    return ARCHITECTURES[model.architecture], blocks[model.architecture]
