"""REST over the node and the index. Reads the index, never writes state."""
