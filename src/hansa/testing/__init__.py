"""What application authors use to test: `Chain`, builders and strategies. Never imported by the
product.
"""
