"""The architectures: who adds one writes its file, and its line here."""

from kantor import params
from kantor.network import row_gru, wavenet_lstm
from kantor.network.architecture import Architecture
from kantor.system import refusal
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
            names = ["architecture", "members", *ARCHITECTURES]
            raise KantorError(f"{where}: model.{name}: {refusal.unknown_key(name, names)}")
        kind = ARCHITECTURES[name].settings
        blocks[name] = params.checked(kind, content, where, f"model.{name}")
    if model.architecture not in blocks:
        named = refusal.shown(model.architecture)
        raise KantorError(
            f"{where}: model.architecture is {named}: expected one that has settings under model "
            f"({', '.join(blocks)})"
        )
    return ARCHITECTURES[model.architecture], blocks[model.architecture]
