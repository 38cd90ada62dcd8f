"""Private content that stays with its owner, encrypted under a key per record; erasing destroys the key."""
