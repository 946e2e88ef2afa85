"""The warm worker: one process that forks one child per render."""
