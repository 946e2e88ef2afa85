"""What figures are made of: expressions, curves, solids, axes, arrows, where nodes and labels stand."""
