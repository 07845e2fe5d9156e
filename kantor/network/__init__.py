"""Networks: the registry of architectures, the architectures, and model files."""
