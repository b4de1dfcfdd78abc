"""What is wrong with a file of predictions: a whole pass, and findings from what it saw."""
