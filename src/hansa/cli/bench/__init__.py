"""`hansa bench`: measurements that anyone can repeat, each beside a peer or limit of the same run.

Starts processes of its own in a temporary folder, ends them, and removes the folder.
"""
