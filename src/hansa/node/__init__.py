"""The imperative shell around the kernel: storage, engines, life cycle. The only writer of state."""
