"""Storage: one file per table, the row and every query on it."""
