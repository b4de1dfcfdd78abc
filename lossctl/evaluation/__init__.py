"""One pass over a data set: what is asked for becomes a plan, and rows become results."""
