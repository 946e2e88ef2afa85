"""One storyboard scene: beats → pages → steps → frames."""
