"""The networks that are compared, as changes of params.yaml."""

# The notebook's recipe, as study/variants/notebook.yaml has it, as far as a step depends on it.
NOTEBOOK = {
    "model.architecture": "wavenet_lstm",
    "train.examples": "windows",
    "train.batch_size": 32,
    "train.optimizer": "nadam",
    "train.learning_rate": 0.001,
    "train.beta_2": 0.999,
    "train.schedule.kind": "constant",
    "train.clip_norm": 0.0,
    "train.weight_decay": 0.0,
    "train.keep": "last",
}
NETWORKS = {"row_gru": {}, "wavenet_lstm": NOTEBOOK}
