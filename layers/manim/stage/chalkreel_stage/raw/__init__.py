"""Somebody's own Manim program, in a process of its own."""
