"""The built-in activations, a module for each kind; any module put here is found by itself."""
