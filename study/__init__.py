"""What was tried, and the means to try it again."""
