"""Is one model better than another, and may a build pass: paired differences, gates, stored baselines."""
