"""The listening page and the pictures on it."""
