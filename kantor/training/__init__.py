"""Training: examples, the loop over epochs, the learning rate, checkpoints."""
