"""Back-ups of a node's home in one file: made while it runs, checked, brought back elsewhere."""
