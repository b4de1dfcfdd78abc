"""The reductions: exact sums and what is made of them."""
