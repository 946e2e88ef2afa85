"""Words, tables and programs by Typst, formulas by the native library → outlines."""
