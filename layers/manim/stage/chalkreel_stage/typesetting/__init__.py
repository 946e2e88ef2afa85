"""Words, formulas and programs → outlines, by Typst."""
