"""What figures are computed from: expressions, curves, solids, where nodes and labels stand. It draws nothing."""
