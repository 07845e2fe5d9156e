"""Where chorales come from, and the records that networks read."""
