"""How well a model predicts Bach: likelihood, baselines, duplicates between splits."""
