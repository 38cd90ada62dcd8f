"""`hansa demo identity`: a person and a firm in two cities, and who says so of them."""
