"""CometBFT's formats: headers, commits, votes and their hashes. Pure; one format for both engines."""
