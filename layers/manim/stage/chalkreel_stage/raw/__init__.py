"""A user's own Manim program, in a process of its own."""
