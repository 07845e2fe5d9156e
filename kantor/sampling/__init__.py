"""Composing: a model step by step, and the notes drawn from its predictions."""
