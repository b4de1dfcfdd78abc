"""The shapes of losses and activations, and the pictures of a file."""
