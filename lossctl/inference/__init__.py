"""Which column plays which role, which task it is and which loss fits."""
