"""One file for each kind of element: storyboard → pieces that can be laid out and drawn."""
