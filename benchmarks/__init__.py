"""Speed, side by side with the notebook's way; see each module for its command."""
