"""What the page of tests/report has on it."""

# Named as a part of the page is, the last sample must not be taken for it.
SAMPLES = [
    "prompt",
    "cold",
    "medium",
    "hot",
    "greedy",
    "run",
    "original",
    "melody",
    "tune",
    "showcase_1",
]
CHORALES = ["train_000", "train_001"]
