"""Kantor: Bach's chorales, from the scores to a trained model and new music."""
