"""What is on screen, and what can happen to it."""
