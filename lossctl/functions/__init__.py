"""What is evaluated: losses, activations, which of them go together, and what is known of each."""
