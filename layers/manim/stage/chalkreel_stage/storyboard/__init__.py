"""The storyboard as the stage reads it: types made from its JSON Schema, and the reader that checks scenes."""
