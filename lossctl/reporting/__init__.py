"""All that is known of a file of predictions, on one page."""
