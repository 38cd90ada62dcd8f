"""Private content stays with its owner, encrypted under a key per record; erasing destroys it."""
